/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Taking a device's rings back for a pause, and giving them to it again
 *
 * The vCPUs are out of the guest by then, so the driver notices nothing. The device gives its rings back at
 * a request boundary, and goes on with the entry that it named. Its disk may not answer; the pause can
 * be given up then, and the device gets its rings as soon as it has given them back.
 *
 * Everything here runs with the bus lock held.
 */
#ifndef VMRUN_VMM_VIRTIO_VIRTIO_PAUSE_H
#define VMRUN_VMM_VIRTIO_VIRTIO_PAUSE_H

#include "vmm/virtio/virtio_pci_state.h"

/**
 * virtio_pause_begin() - Take the rings back, or begin to
 *
 * Syscalls: the back-end's, epoll_ctl
 */
void virtio_pause_begin(struct virtio_pci *v);

/** virtio_pause_is_quiet() - Whether the device touches no ring and no memory of the guest */
bool virtio_pause_is_quiet(const struct virtio_pci *v);

/**
 * virtio_pause_go_on() - The device may have answered
 *
 * Syscalls: the back-end's, epoll_ctl
 * Return: whether it is quiet now, and was not before
 */
bool virtio_pause_go_on(struct virtio_pci *v);

/**
 * virtio_pause_end() - Give the rings to the device again
 *
 * Syscalls: the back-end's
 */
void virtio_pause_end(struct virtio_pci *v);

/**
 * virtio_pause_wait() - A driver uses the device while a pause that was given up still has its rings: wait
 *
 * Releases the bus lock meanwhile.
 * Context: a vCPU's thread
 * Syscalls: the back-end's, poll, futex, epoll_ctl
 */
void virtio_pause_wait(struct virtio_pci *v);

#endif
