/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Between Unix sockets of the host and a vsock device
 *
 *   host  --connect PATH, "CONNECT port\n"--> bridge --CTL_VSOCK_CONNECT and the socket--> device
 *   guest --connect CID 2, port--> device --CTL_VSOCK_ASK--> bridge --connect PATH_port--> host program
 *                                  device <--CTL_VSOCK_FOUND and the socket-- bridge
 *
 * The host's programs find two sockets: PATH for streams, PATH_seqpacket for seqpacket. "OK hostport\n" comes
 * when the guest has accepted; a guest that does not listen means the end of file. Nothing here waits: what a
 * client has to say, and what a listener has to accept, is bounded in time, and so is the number of both. Bytes
 * behind a client's line stay in its socket, which is the device's from then on.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_BRIDGE_H
#define VMRUN_RUNTIME_SUPERVISOR_BRIDGE_H

#include <limits.h>

#include "devices/core/ctl.h"
#include "devices/core/loop.h"
#include "runtime/util/listen.h"

#define BRIDGE_LISTENERS  2
#define BRIDGE_CLIENTS	  16 /* connected, and not done with their line */
#define BRIDGE_LINE_BYTES 32
#define BRIDGE_CALLS                                                                               \
	32 /* of the guest, without an answer of ours or with one that the device has not confirmed */
#define BRIDGE_HANDED_MAX 16 /* connections of clients that the device has not confirmed */

struct bridge;

/**
 * struct bridge_client - A program of the host that connected
 * @fd:		Owned; -1: a free place
 * @line:	What it said so far, @len bytes
 */
struct bridge_client {
	struct bridge *b;
	int fd;
	bool seqpacket;
	uint64_t deadline_ns;
	unsigned int len;
	char line[BRIDGE_LINE_BYTES];
};

/** struct bridge_call - A connection of the guest whose listener has no room yet; deadline 0: a free place */
struct bridge_call {
	uint64_t ticket, deadline_ns;
	uint32_t port;
	bool seqpacket;
};

/**
 * struct bridge - One device's
 * @hand:	Sends a message to the device; its answer ends in bridge_answered(). Borrows @fd, -1: none
 * @path:	Of the sockets
 * @listener:	Stream, seqpacket
 * @accepting:	False while all places of clients are taken
 * @calls, @handed: How many CTL_VSOCK_FOUND, and CTL_VSOCK_CONNECT, have no answer
 * @at_ns:	When bridge_late() is due; 0: never
 */
struct bridge {
	struct loop *loop;
	int (*hand)(void *arg, const struct ctl_msg *m, int fd);
	void *arg;
	char path[PATH_MAX], path_seqpacket[PATH_MAX];
	struct listener listener[BRIDGE_LISTENERS];
	bool accepting;
	struct bridge_client client[BRIDGE_CLIENTS];
	struct bridge_call call[BRIDGE_CALLS];
	unsigned int calls, handed;
	uint64_t at_ns;
};

/** bridge_init() - Nothing is open; bridge_done() is safe from then on */
void bridge_init(struct bridge *b);

/**
 * bridge_open() - Listen at @path and @path_seqpacket
 * @loop:	Borrowed
 * @hand:	As in struct bridge
 *
 * Return: 0 or -errno: -EADDRINUSE when something else is at one of the paths
 */
MUST_CHECK int bridge_open(struct bridge *b, const char *path, struct loop *loop,
			   int (*hand)(void *arg, const struct ctl_msg *m, int fd), void *arg,
			   struct err *err);

/**
 * bridge_connections() - For how many connections a device has files, under this process's limit
 *
 * Each may take two of the device's, whose limit is this process's or lower.
 */
uint32_t bridge_connections(void);

/** bridge_done() - Close all sockets, and remove those that listen */
void bridge_done(struct bridge *b);

/** bridge_may_ask() - Whether a CTL_VSOCK_ASK is legal now: the device has not too many questions open */
bool bridge_may_ask(const struct bridge *b);

/** bridge_asked() - CTL_VSOCK_ASK of the device, of which bridge_may_ask() */
void bridge_asked(struct bridge *b, const struct ctl_msg *m);

/** bridge_answered() - The device has answered a CTL_VSOCK_FOUND (@found) or CTL_VSOCK_CONNECT */
void bridge_answered(struct bridge *b, bool found);

/** bridge_late() - b->at_ns has passed */
void bridge_late(struct bridge *b);

#endif
