/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: vhost-user front-end: a device in another process
 *
 * The front-end's side of "Vhost-user Protocol" in QEMU's documentation; the back-end may be ours or
 * another. It is trusted with the guest's memory and with nothing else: a reply must have the number of the
 * request, the reply flag, the exact size and no fds.
 *
 * A device that may come back (@returns) is "away" after its connection has ended, until vu_rejoin() gets
 * another one. Meanwhile it has no rings: a reset is over at once, and DRIVER_OK takes effect later. The
 * configuration space reads as last known; a write waits.
 */
#ifndef VMRUN_VMM_VIRTIO_VU_FRONTEND_H
#define VMRUN_VMM_VIRTIO_VU_FRONTEND_H

#include "vmm/virtio/vu_region.h"
#include "vmm/virtio/vu_rings.h"
#include "vmm/virtio/vu_terms.h"

/**
 * struct vu_frontend - A device in another process; what vCPUs and vu_rejoin() share needs the bus lock
 * @be:			The transport's view
 * @ask, @returns:	As given to vu_frontend_init()
 * @terms:		What was agreed on; @terms.config: last known, be.config_stale = read it again
 * @dead:		There was an error: no message follows
 * @away:		The connection has ended, @conn.sock is -1
 * @joining:		The main thread talks to a new back-end: others leave the connection alone
 * @running:		The driver has set DRIVER_OK, with @features and @queue
 * @written:		Bytes of the configuration space that a driver has ever written
 * @fresh:		Since then no device had its rings: they begin at 0, and nothing is in flight
 */
struct vu_frontend {
	struct backend be;
	struct vu_conn conn;
	struct vu_channel channel;
	struct vu_ask ask;
	struct vu_terms terms;
	struct vu_region region;
	struct vu_rings rings;
	bool returns;
	bool dead, away, joining;
	bool running, fresh;
	bool written[BACKEND_CONFIG_MAX];
	uint64_t features;
	struct backend_queue queue[BACKEND_QUEUES_MAX];
};

/** struct vu_frontend_args - Arguments of vu_frontend_init() */
struct vu_frontend_args {
	const char *name;  /* borrowed for the front-end's life */
	int sock;	   /* connected; taken, even on failure */
	struct vu_ask ask; /* borrowed; beyond the call only if @returns */
	bool returns;
	struct vu_region region; /* for a device of ours that returns */
	unsigned int late_ms;	 /* 0 = VU_LATE_MS */
	struct device_late late;
};

/**
 * vu_frontend_init() - Agree on features, send the memory table, read the configuration space
 *
 * Creates all eventfds of the device. Waits for answers, so the peer must be running or about to.
 * Context: setup
 * Syscalls: eventfd2 setsockopt, and those of vu_terms_agree()
 * Return: 0 or -errno
 */
MUST_CHECK int vu_frontend_init(struct vu_frontend *f, const struct vu_frontend_args *args,
				struct err *err);

/**
 * vu_frontend_reread() - Read the configuration space again, which the device may have changed
 *
 * After a failure the back-end is dead, as in struct backend_ops.
 * Syscalls: sendto sendmsg poll recvfrom recvmsg read
 */
MUST_CHECK int vu_frontend_reread(struct vu_frontend *f, struct err *err);

/**
 * vu_frontend_give() - Give the device the rings of the running driver
 *
 * One that takes over from another hears where the rings go on, and what was in flight. If the back-end does
 * not track that, it gets requests again that were taken and not answered: right where they are answered in order.
 * Syscalls: sendto sendmsg poll recvfrom recvmsg read close
 * Return: 0 or -errno
 */
MUST_CHECK int vu_frontend_give(struct vu_frontend *f, struct err *err);

/** vu_frontend_lose() - The connection is of no use any more: close it.  Syscalls: close */
void vu_frontend_lose(struct vu_frontend *f);

/** vu_frontend_gone() - Whether @rc, of an exchange, means that the other process is gone */
bool vu_frontend_gone(int rc);

/** vu_frontend_done() - Close everything; safe on a zeroed struct (sock 0 is never ours) */
void vu_frontend_done(struct vu_frontend *f);

#endif
