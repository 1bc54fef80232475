/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: TAP interfaces
 */
#ifndef VMRUN_RUNTIME_NETLINK_TAP_H
#define VMRUN_RUNTIME_NETLINK_TAP_H

#include "devices/core/err.h"
#include "devices/core/settings.h"

/**
 * struct tap - One interface, open; its fds are the holder's
 * @fd:		One a queue pair, O_NONBLOCK, with a 12-byte virtio_net_hdr_v1 before each frame, little endian
 * @tun_flags:	TUN_F_* this kernel's TUNSETOFFLOAD takes; none is on
 */
struct tap {
	char name[16];
	unsigned int nr;
	int fd[NET_PAIRS_MAX];
	uint32_t tun_flags;
};

/**
 * tap_open() - Make a TAP in the calling thread's network namespace
 * @name:	Wanted name; may hold "%d"; -EBUSY when it is taken by a device of another kind or in use
 * @pairs:	Queue pairs; more than one needs IFF_MULTI_QUEUE
 *
 * A persistent TAP with one queue that nobody uses is taken as it is; several queues only a new TAP
 * has. What is made here is not persistent: it goes with its last fd. Missing /dev/net/tun, missing
 * permission: errors that say what to do.
 * Context: setup.  Syscalls: openat ioctl(TUNSETIFF TUNSETVNETHDRSZ TUNSETVNETLE TUNSETOFFLOAD TUNGETFEATURES)
 */
MUST_CHECK int tap_open(const char *name, unsigned int pairs, struct tap *ret, struct err *err);

/**
 * tap_adopt() - As tap_open(), of an fd somebody else opened: checks that it is a TAP, sets header size
 * @fd:		Taken on success, the caller's on failure; becomes O_CLOEXEC and O_NONBLOCK
 *
 * -EINVAL for what is no TAP, or one not opened with IFF_NO_PI and IFF_VNET_HDR. A packet filter
 * attached to it is detached.
 * Context: setup.  Syscalls: fcntl ioctl
 */
MUST_CHECK int tap_adopt(int fd, struct tap *ret, struct err *err);

/**
 * tap_macvtap() - As tap_open(), of a macvtap's character device
 *
 * Found by /sys, which has to show the calling thread's network namespace. Needs CAP_SYS_ADMIN and
 * CAP_MKNOD, and Linux 5.2.
 * Context: setup.  Syscalls: openat read fsopen fsconfig fsmount mknodat ioctl
 */
MUST_CHECK int tap_macvtap(int index, const char *name, unsigned int pairs, struct tap *ret,
			   struct err *err);

/** tap_close() - Close every fd; safe on a zeroed struct */
void tap_close(struct tap *t);

#endif
