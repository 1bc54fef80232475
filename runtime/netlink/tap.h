/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: TAP interfaces
 */
#ifndef VMRUN_RUNTIME_NETLINK_TAP_H
#define VMRUN_RUNTIME_NETLINK_TAP_H

#include "devices/core/err.h"
#include "devices/core/settings.h"

/**
 * struct tap - An open TAP or macvtap; its holder owns the fds
 * @fd:		One a queue pair, O_NONBLOCK, with a 12-byte virtio_net_hdr_v1 before each frame, little endian
 * @tun_flags:	TUN_F_* that TUNSETOFFLOAD of this kernel takes; none is on
 */
struct tap {
	char name[16];
	unsigned int nr;
	int fd[NET_PAIRS_MAX];
	uint32_t tun_flags;
};

/**
 * tap_open() - Make a TAP in the calling thread's network namespace
 * @name:	May hold "%d"; -EBUSY if it names an interface of another kind or a TAP in use
 * @pairs:	Queue pairs; more than one needs IFF_MULTI_QUEUE
 *
 * Takes a persistent TAP with one queue that is not in use as it is; more queues need a new TAP. A new TAP is
 * not persistent: it goes with its last fd. The errors about /dev/net/tun and permission say what to do.
 * Context: setup
 * Syscalls: openat ioctl(TUNSETIFF TUNSETVNETHDRSZ TUNSETVNETLE TUNSETOFFLOAD TUNGETFEATURES)
 */
MUST_CHECK int tap_open(const char *name, unsigned int pairs, struct tap *ret, struct err *err);

/**
 * tap_adopt() - As tap_open(), for an fd that the caller of vmrun opened
 * @fd:		Taken on success, the caller's on failure; becomes O_CLOEXEC and O_NONBLOCK
 *
 * -EINVAL if it is no TAP, or was not opened with IFF_NO_PI and IFF_VNET_HDR. Detaches a packet filter.
 * Context: setup
 * Syscalls: fcntl ioctl
 */
MUST_CHECK int tap_adopt(int fd, struct tap *ret, struct err *err);

/**
 * tap_macvtap() - As tap_open(), for a macvtap's character device
 *
 * Finds it in /sys, which must show the calling thread's network namespace. Needs CAP_SYS_ADMIN and
 * CAP_MKNOD, and Linux 5.2.
 * Context: setup
 * Syscalls: openat read fsopen fsconfig fsmount mknodat ioctl
 */
MUST_CHECK int tap_macvtap(int index, const char *name, unsigned int pairs, struct tap *ret,
			   struct err *err);

/** tap_close() - Close every fd; safe on a zeroed struct */
void tap_close(struct tap *t);

#endif
