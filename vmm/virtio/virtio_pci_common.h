/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The common configuration structure of virtio-pci: status machine, features, queue registers
 *
 * Everything here runs with the bus lock held.
 */
#ifndef VMRUN_VMM_VIRTIO_VIRTIO_PCI_COMMON_H
#define VMRUN_VMM_VIRTIO_VIRTIO_PCI_COMMON_H

#include "vmm/virtio/virtio_pci_state.h"

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

#endif
