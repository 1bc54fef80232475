/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Bytes between programs at the VM's Unix sockets and connections that the kernel carries
 *
 *   program <--> Unix socket <--> relay <--> AF_VSOCK socket <--> vhost-vsock <--> guest
 *
 * The supervisor hands in both sockets. Nothing is held here: what one socket does not take stays in the
 * other one, since bytes are looked at, written, and only then read away. So a peer that does not read fills
 * the kernel's buffers of its own connection, and holds up no other.
 *
 * The guest's socket may still be connecting. When it is connected the program gets "OK <host port>".
 */
#ifndef VMRUN_DEVICES_VSOCK_VHOST_VSOCK_RELAY_H
#define VMRUN_DEVICES_VSOCK_VHOST_VSOCK_RELAY_H

#include "devices/core/ctl.h"
#include "devices/core/err.h"
#include "devices/core/settings.h"

#define RELAY_BYTES 65536

enum relay_side { RELAY_PROGRAM, RELAY_GUEST, RELAY_SIDES };

/**
 * struct relay_pair - One connection
 * @generation:	Counts the users of this place
 * @next:	Of the free places
 * @port:	The host's
 * @connecting:	The guest's end is, and the program waits for its line
 * @end:	@fd is owned, -1 in a free place. @can_read, @can_write: it has not said EAGAIN since it was
 *		ready last. @over: what comes from it goes nowhere any more
 */
struct relay_pair {
	uint32_t generation;
	uint32_t next;
	uint32_t port;
	bool connecting;
	struct relay_end {
		int fd;
		bool can_read, can_write, over;
	} end[RELAY_SIDES];
};

/**
 * struct relay - All connections
 * @epoll_fd:	Watches their sockets, edge-triggered; readable when relay_turn() has something to do
 * @half:	The guest's end of the connection whose other end comes with the next message; -1: none
 * @nr:		Places; @free is the first free one, @nr: none is
 */
struct relay {
	int epoll_fd;
	int half;
	uint32_t nr, free;
	uint8_t bytes[RELAY_BYTES];
	struct relay_pair pair[VSOCK_CONNS_MAX];
};

/**
 * relay_init() - Make room for @nr connections, up to VSOCK_CONNS_MAX
 * @r:		Zeroed
 *
 * Context: setup
 * Syscalls: epoll_create1
 * Return: 0 or -errno
 */
MUST_CHECK int relay_init(struct relay *r, uint32_t nr, struct err *err);

/**
 * relay_control() - CTL_VSOCK_CONNECT: with CTL_VSOCK_HALF the guest's end, then the program's
 * @fd:		What the relay keeps is set to -1
 *
 * Context: locked
 * Syscalls: recvmsg read write shutdown epoll_ctl close
 * Return: 0 or -errno; -EPROTO for another message
 */
MUST_CHECK int relay_control(struct relay *r, struct ctl_msg *m, int *fd, struct err *err);

/**
 * relay_turn() - Serve the sockets that are ready
 *
 * Context: locked
 * Syscalls: epoll_pwait recvmsg read write shutdown epoll_ctl close
 */
void relay_turn(struct relay *r);

#endif
