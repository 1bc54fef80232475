/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Rings lent to the kernel's back-end; private to vhost_net*.c
 *
 * An enabled ring is lent to the kernel, which receives the doorbell and interrupts the guest by itself. It
 * is fetched back when the ring stops or anything about it changes.
 */
#ifndef VMRUN_DEVICES_NET_VHOST_NET_RING_H
#define VMRUN_DEVICES_NET_VHOST_NET_RING_H

#include "devices/core/device.h"
#include "devices/net/vnet.h"

#define VN_RINGS_MAX (2 * NET_PAIRS_MAX)

/**
 * struct vn_pair - Two queues
 * @tap, @vhost: Resources
 * @detached:	The TAP's queue
 */
struct vn_pair {
	int tap, vhost;
	bool detached;
};

/**
 * struct vhost_net - State of one device
 * @nr_pairs:	Of @pair
 * @pairs:	Those in use
 * @kernel:	Features of every pair's /dev/vhost-net
 * @lent:	Rings the kernel has
 * @gone:	The TAP's interface was deleted
 * @down:	The supervisor took the link down
 * @timer_fd:	Goes off every VN_LOOK_S
 * @chain:	The control command at hand; here because it is large
 */
struct vhost_net {
	unsigned int nr_pairs;
	struct vn_pair pair[NET_PAIRS_MAX];
	uint64_t kernel;
	unsigned int pairs;
	bool lent[VN_RINGS_MAX];
	bool gone, down;
	int timer_fd;
	struct virtio_net_config config;
	struct vq_chain chain;
};

/**
 * vn_ioctl() - One request to the kernel
 *
 * By number: the C libraries disagree about the request's type, and some requests do not fit into one
 * of the two.
 * Context: any
 * Syscalls: ioctl
 * Return: 0 or -errno
 */
MUST_CHECK int vn_ioctl(int fd, unsigned long request, const void *arg);

/**
 * vn_lend() - Have the kernel serve ring @q; one that it does not take is broken
 *
 * Context: locked
 * Syscalls: ioctl epoll_ctl write
 */
void vn_lend(struct device *d, unsigned int q);

/**
 * vn_stop() - Fetch ring @q back, if it is lent
 *
 * Context: locked
 * Syscalls: ioctl
 */
void vn_stop(struct device *d, unsigned int q);

#endif
