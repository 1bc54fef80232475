/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: One virtio-vsock device; private to vsock/
 *
 *   guest --tx ring--> vsock_tx.c --> vsock_host.c --> fd
 *   guest <--rx ring-- vsock_rx.c <-- vsock_host.c <-- fd
 *
 * Bytes go straight between the guest's buffers and the fd. Those that the fd does not take at once wait in
 * the connection's buffer, which is as large as the guest was promised: one peer that does not read holds up
 * its own connection and no other. Nothing waits for the guest: what it has yet to hear is a bit of its
 * connection, or an entry of the ring of resets.
 */
#ifndef VMRUN_DEVICES_VSOCK_VSOCK_STATE_H
#define VMRUN_DEVICES_VSOCK_VSOCK_STATE_H

#include <linux/virtio_vsock.h>

#include "devices/core/device.h"
#include "devices/vsock/vsock_table.h"

#define VSOCK_HOST_CID	2
#define VSOCK_RINGS	3
#define VSOCK_HDR	sizeof(struct virtio_vsock_hdr)
#define VSOCK_TOKEN_OUT (1ULL << 31) /* beside a ticket: the fd for writing, where there are two */
#define VSOCK_IOV_MAX	64	     /* pieces of one read or write */
#define VSOCK_ASKS_MAX	16	     /* questions to the supervisor without an answer */
#define VSOCK_RESETS	8192
#define VSOCK_RESETS_ON 256 /* above so many no packet is taken, and no connection begun */

enum vsock_ring { VSOCK_RX, VSOCK_TX, VSOCK_EVENT };

/* Each connection adds one reset at most, when it ends. */
_Static_assert(VSOCK_RESETS >= VSOCK_RESETS_ON + VSOCK_CONNS_MAX + 1, "room for every reset");

/** struct vsock_reset - A RST that the guest has yet to hear, with its header's words */
struct vsock_reset {
	uint64_t host_cid;
	uint32_t guest_port, host_port;
	uint16_t type;
};

/**
 * struct vsock - State of one device
 * @epoll_fd:	Watches the fds of all connections, edge-triggered; itself watched by the loop
 * @asks:	Questions to the supervisor without an answer
 * @half_in:	The reading end of a connection whose writing end comes with the next message; -1: none
 * @reset_at, @nr_resets: The part of @reset in use
 * @tx_held:	Packets of the guest wait until there is room for resets
 * @transport_reset: The guest has yet to hear that its connections are gone
 * @seen:	Rings that ran since all stopped, a bit each
 * @stopped:	They have; whether for another driver is not known yet
 * @stopped_at:	Their positions then
 * @chain, @iov: The packet at hand; here because they are large
 */
struct vsock {
	uint64_t cid;
	int epoll_fd;
	unsigned int asks;
	int half_in;
	bool tx_held, transport_reset, stopped;
	uint8_t seen;
	uint16_t stopped_at[VSOCK_RINGS];
	struct log_limit strange, silent;
	unsigned int reset_at, nr_resets;
	struct vsock_reset reset[VSOCK_RESETS];
	struct vq_chain chain;
	struct iovec iov[VSOCK_IOV_MAX];
	struct vsock_table table;
};

#endif
