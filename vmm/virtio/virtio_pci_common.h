/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Between the two halves of virtio-pci
 *
 * virtio_pci_common.c holds the common configuration structure: status machine, features, queue
 * registers. virtio_pci.c holds the rest: PCI function, BAR, doorbells, notifications, ISR.
 * Everything here runs with the bus lock held.
 */
#ifndef VMRUN_VMM_VIRTIO_VIRTIO_PCI_COMMON_H
#define VMRUN_VMM_VIRTIO_VIRTIO_PCI_COMMON_H

#include "vmm/virtio/virtio_pci.h"

/* MSI-X sources: configuration, then one a queue */
#define VIRTIO_PCI_SOURCE_CONFIG   0
#define VIRTIO_PCI_SOURCE_QUEUE(q) (1 + (q))

/** virtio_pci_common_init() - Registers as after reset; touches nothing but registers */
void virtio_pci_common_init(struct virtio_pci *v);

/**
 * virtio_pci_common_access() - One access of the common configuration structure
 *
 * Fields answer to their own width; 64-bit ones to halves too. Other reads give ones, other writes
 * are ignored.
 * Syscalls: ioctl, read, and the back-end's
 */
void virtio_pci_common_access(struct virtio_pci *v, bool write, uint64_t off, void *data,
			      unsigned int len);

/**
 * virtio_pci_reset_on() - Go on with a reset that is under way
 * @wait:	Until it is done
 *
 * Status 0 is not visible before the device has let go of the rings, and drivers wait until it is (virtio
 * 1.3 section 4.1.4.3.2). So a device that takes long does not hold the vCPU, unless the driver goes on
 * without waiting; and nobody else: the bus lock is let go of meanwhile.
 * Syscalls: the back-end's, poll, futex
 */
void virtio_pci_reset_on(struct virtio_pci *v, bool wait);

/**
 * virtio_pci_needs_reset() - The driver broke a rule: latch DEVICE_NEEDS_RESET, interrupt it
 * @why:	Static text for the log
 *
 * Syscalls: write
 */
void virtio_pci_needs_reset(struct virtio_pci *v, const char *why);

/**
 * virtio_pci_config_interrupt() - Tell the driver, which has said DRIVER_OK, to look at status and
 * configuration space.  Syscalls: write
 */
void virtio_pci_config_interrupt(struct virtio_pci *v);

/** virtio_pci_fail() - The back-end is gone: NEEDS_RESET for good; tells v->hook once */
void virtio_pci_fail(struct virtio_pci *v, const struct err *why);

/** virtio_pci_doorbells() - Bind running queues' doorbells where the BAR is now, or unbind them.
 * Syscalls: ioctl */
void virtio_pci_doorbells(struct virtio_pci *v);

/** virtio_pci_drain() - Whether an eventfd of ours was signalled; afterwards it is not.
 * Syscalls: read */
bool virtio_pci_drain(int fd);

#endif
