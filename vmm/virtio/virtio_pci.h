/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: virtio over PCI, modern only
 *
 * virtio 1.3 section 4.1: the guest's view of one device: PCI function, BAR, doorbells, interrupts, device
 * configuration. common_cfg.h has the registers by which a driver sets the device up.
 */
#ifndef VMRUN_VMM_VIRTIO_VIRTIO_PCI_H
#define VMRUN_VMM_VIRTIO_VIRTIO_PCI_H

#include "devices/core/gmem.h"
#include "devices/core/loop.h"
#include "vmm/kvm.h"
#include "vmm/virtio/backend.h"
#include "vmm/virtio/pci.h"
#include "vmm/virtio/virtio_pci_state.h"

/** struct virtio_pci_args - Arguments of virtio_pci_init(); all borrowed for the life of the device */
struct virtio_pci_args {
	struct backend *be;
	struct pci *pci;
	struct vm *vm;
	const struct gmem *mem;
};

/**
 * virtio_pci_init() - Create the function with its capabilities, BAR and interrupts; add it to the bus
 *
 * Context: setup
 * Syscalls: eventfd2
 * Return: 0 or -errno
 */
MUST_CHECK int virtio_pci_init(struct virtio_pci *v, const struct virtio_pci_args *args,
			       struct err *err);

/**
 * virtio_pci_watch() - Watch the error eventfds and the device's process in the VMM's main loop
 *
 * A broken queue sets DEVICE_NEEDS_RESET and raises the configuration interrupt. So does a dead process, and calls
 * v->hook; if the device may come back, v->away is called instead. A change of the configuration space increments
 * the generation and raises the configuration interrupt. The callbacks take the bus lock.
 * Context: setup, main thread
 * Syscalls: epoll_ctl; later read write and the back-end's
 */
MUST_CHECK int virtio_pci_watch(struct virtio_pci *v, struct loop *loop, struct err *err);

/** virtio_pci_watch_peer() - Watch the process that came back, as virtio_pci_watch().  Syscalls: epoll_ctl */
MUST_CHECK int virtio_pci_watch_peer(struct virtio_pci *v, struct err *err);

/**
 * virtio_pci_returned() - The device is back: interrupt the driver for all that it may have missed
 * @changed:	Also the configuration space has changed
 *
 * Context: main thread.  Syscalls: futex write
 */
void virtio_pci_returned(struct virtio_pci *v, bool changed);

/** virtio_pci_done() - Close what init opened, after vCPUs and loop have ended; safe on a zeroed struct */
void virtio_pci_done(struct virtio_pci *v);

#endif
