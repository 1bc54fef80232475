/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Between Unix sockets of the host and a vsock device
 *
 * A device of ours carries the connections:
 *
 *   host  --connect PATH, "CONNECT port\n"--> bridge --CTL_VSOCK_CONNECT and the socket--> device
 *   guest --connect CID 2, port--> device --CTL_VSOCK_ASK--> bridge --connect PATH_port--> host program
 *                                  device <--CTL_VSOCK_FOUND and the socket-- bridge
 *
 * Or the kernel does (vhost-vsock), by AF_VSOCK sockets, and the device only moves bytes between two sockets:
 *
 *   host  --connect PATH, "CONNECT port\n"--> bridge --connect CID, port--> guest
 *   guest --connect CID 2, a port of "listen"--> bridge --connect PATH_port--> host program
 *                                  device <--CTL_VSOCK_CONNECT and both sockets-- bridge
 *
 * The host's programs find two sockets: PATH for streams, PATH_seqpacket for seqpacket. The latter is not there
 * where the kernel carries: its non-blocking sockets may send a part of a message and say EAGAIN.
 * "OK hostport\n" comes when the guest has accepted; a guest that does not listen means the end of file. Nothing
 * here waits: what a client has to say, and what a listener has to accept, is bounded in time, and so is the
 * number of both. Bytes behind a client's line stay in its socket, which is the device's from then on.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_BRIDGE_H
#define VMRUN_RUNTIME_SUPERVISOR_BRIDGE_H

#include <limits.h>

#include "devices/core/ctl.h"
#include "devices/core/loop.h"
#include "devices/core/settings.h"
#include "runtime/supervisor/bridge_line.h"
#include "runtime/util/listen.h"

#define BRIDGE_LISTENERS 2
#define BRIDGE_CLIENTS	 16 /* connected, and not done with their line */
#define BRIDGE_CALLS                                                                               \
	32 /* of the guest, without an answer of ours or with one that the device has not confirmed */
#define BRIDGE_HANDED_MAX 16 /* connections of clients that the device has not confirmed */

struct bridge;

/**
 * struct bridge_client - A program of the host that connected
 * @fd:		Owned; -1: a free place
 */
struct bridge_client {
	struct bridge *b;
	int fd;
	bool seqpacket;
	uint64_t deadline_ns;
	struct bridge_line line;
};

/**
 * struct bridge_call - A connection of the guest whose listener has no room yet; deadline 0: a free place
 * @guest:	The guest's end, owned, where the kernel carries; otherwise @ticket names it
 */
struct bridge_call {
	uint64_t ticket, deadline_ns;
	int guest;
	uint32_t port;
	bool seqpacket;
};

/**
 * struct bridge - One device's
 * @hand:	Sends a message to the device; its answer ends in bridge_answered(). Borrows @fd, -1: none
 * @path:	Of the sockets
 * @listener:	Stream, seqpacket
 * @cid:	The guest's, where the kernel carries its connections; 0: the device does
 * @port:	Then: the host's ports at which they arrive, each with the socket that listens; @nr_ports
 * @accepting:	False while all places of clients are taken; @hearing: of the guest's calls
 * @calls, @handed: How many CTL_VSOCK_FOUND, and CTL_VSOCK_CONNECT, have no answer. Where the kernel carries,
 *		@calls wait for a listener
 * @at_ns:	When bridge_late() is due; 0: never
 */
struct bridge {
	struct loop *loop;
	int (*hand)(void *arg, const struct ctl_msg *m, int fd);
	void *arg;
	char path[PATH_MAX], path_seqpacket[PATH_MAX];
	struct listener listener[BRIDGE_LISTENERS];
	uint32_t cid;
	struct bridge_port {
		int fd;
		uint32_t port;
	} port[VSOCK_LISTEN_MAX];
	unsigned int nr_ports;
	bool accepting, hearing;
	struct bridge_client client[BRIDGE_CLIENTS];
	struct bridge_call call[BRIDGE_CALLS];
	unsigned int calls, handed;
	uint64_t at_ns;
};

/** bridge_init() - Nothing is open; bridge_done() is safe from then on */
void bridge_init(struct bridge *b);

/**
 * bridge_open() - Listen at @path and @path_seqpacket
 * @path:	NULL: nowhere, and the guest reaches no program of the host
 * @loop:	Borrowed
 * @hand:	As in struct bridge
 *
 * Return: 0 or -errno: -EADDRINUSE when something else is at one of the paths
 */
MUST_CHECK int bridge_open(struct bridge *b, const char *path, struct loop *loop,
			   int (*hand)(void *arg, const struct ctl_msg *m, int fd), void *arg,
			   struct err *err);

/**
 * bridge_listen() - Listen for connections of the guest @cid, which the kernel carries
 * @b:		Not yet open: bridge_open() then opens the one socket for streams
 * @loop:	As bridge_open() gets it
 *
 * Return: 0 or -errno: -EADDRINUSE for a port on which another program listens
 */
MUST_CHECK int bridge_listen(struct bridge *b, uint32_t cid, const uint32_t *port, unsigned int nr,
			     struct loop *loop, struct err *err);

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
