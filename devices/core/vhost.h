/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Rings that vhost in the kernel serves, of any kind of device
 *
 * An enabled ring is lent to the kernel, which receives the doorbell and interrupts the guest by itself. It
 * is fetched back when the ring stops or anything about it changes. Between the two the kernel's worker reads
 * and writes this process's memory at the addresses it was given, and nothing else. The worker belongs to the
 * process that calls VHOST_SET_OWNER, before lockdown because the call makes a thread.
 *
 * How a kind of device has the kernel begin and end is its own; these functions do the rest.
 */
#ifndef VMRUN_DEVICES_CORE_VHOST_H
#define VMRUN_DEVICES_CORE_VHOST_H

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "devices/core/device.h"

/* What the core offers for every ring, and so needs of the kernel */
#define VHOST_RING_FEATURES                                                                        \
	(1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_RING_F_EVENT_IDX |                            \
	 1ULL << VIRTIO_RING_F_INDIRECT_DESC)

/**
 * vhost_ioctl() - One request to the kernel
 *
 * By number: the C libraries disagree about the request's type, and some requests do not fit into one
 * of the two.
 * Context: any
 * Syscalls: ioctl
 * Return: 0 or -errno
 */
MUST_CHECK int vhost_ioctl(int fd, unsigned long request, const void *arg);

/**
 * vhost_own() - Take over a /dev/vhost-*, whose worker is this process's from then on
 * @fd:		Borrowed
 * @name:	The device's, for errors
 * @ret:	The features of the kernel's side; VHOST_RING_FEATURES are among them
 *
 * Context: setup
 * Syscalls: ioctl
 * Return: 0; -EOPNOTSUPP when the kernel is too old; or -errno
 */
MUST_CHECK int vhost_own(int fd, const char *name, uint64_t *ret, struct err *err);

/**
 * vhost_lend() - Describe ring @q of @d to the kernel: memory, place, size and eventfds
 * @fd:		The device's /dev/vhost-*
 * @ring:	The kernel's number of it
 *
 * The ring is lent afterwards in every case.
 * Context: locked
 * Syscalls: ioctl
 * Return: 0 or -errno
 */
MUST_CHECK int vhost_lend(struct device *d, unsigned int q, int fd, unsigned int ring);

/**
 * vhost_begun() - The kernel serves ring @q: leave the doorbell to it
 *
 * That it may have been rung before is repeated.
 * Context: locked
 * Syscalls: epoll_ctl write
 */
void vhost_begun(struct device *d, unsigned int q);

/**
 * vhost_fetch() - Fetch a lent ring back, which the kernel does not serve any more
 *
 * A kernel that does not let go of the ring ends this process: to go on would be a promise that the guest's
 * memory is its own again.
 * Context: locked
 * Syscalls: ioctl
 */
void vhost_fetch(struct device *d, unsigned int q, int fd, unsigned int ring);

#endif
