/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The common configuration structure of virtio-pci: status machine, features, queue registers
 *
 * Everything here runs with the bus lock held.
 */
#ifndef VMRUN_VMM_VIRTIO_COMMON_CFG_H
#define VMRUN_VMM_VIRTIO_COMMON_CFG_H

#include "vmm/virtio/virtio_pci_state.h"

/** common_cfg_init() - Set the registers to their state after reset */
void common_cfg_init(struct virtio_pci *v);

/**
 * common_cfg_access() - One access of the common configuration structure
 *
 * A field takes accesses of its own width, a 64-bit field also of its halves. Other reads give ones; other
 * writes have no effect.
 * Syscalls: ioctl, read, and the back-end's
 */
void common_cfg_access(struct virtio_pci *v, bool write, uint64_t off, void *data,
		       unsigned int len);

/**
 * common_cfg_reset_on() - Continue a reset that is in progress
 * @wait:	Until it is done
 *
 * The status reads as 0 only after the device has given the rings back, and drivers wait for that (virtio
 * 1.3 section 4.1.4.3.2). So a slow device does not block the vCPU, unless the driver goes on without
 * waiting. It never blocks another vCPU: this releases the bus lock while it waits.
 * Syscalls: the back-end's, poll, futex
 */
void common_cfg_reset_on(struct virtio_pci *v, bool wait);

#endif
