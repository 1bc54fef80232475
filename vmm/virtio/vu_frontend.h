/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: vhost-user front-end: a device in another process
 *
 * "Vhost-user Protocol" of QEMU's documentation, the front-end's side, for back-ends of ours and of
 * others. The peer is trusted with the guest's memory and with nothing else: each reply must have
 * the request's number, the reply flag, the exact size and no fds.
 */
#ifndef VMRUN_VMM_VIRTIO_VU_FRONTEND_H
#define VMRUN_VMM_VIRTIO_VU_FRONTEND_H

#include "devices/core/gmem.h"
#include "vmm/virtio/backend.h"
#include "vmm/virtio/vu_conn.h"
#include "vmm/virtio/vu_rings.h"

/**
 * struct vu_frontend - A device in another process
 * @be:			The transport's view; be.ops are this file's
 * @offered:		The back-end's feature bits, with VU_F_PROTOCOL_FEATURES
 * @dead:		An error that nothing follows
 * @config:		The configuration space as last heard; be.config_stale: ask again
 */
struct vu_frontend {
	struct backend be;
	struct vu_conn conn;
	uint64_t offered;
	bool dead;
	struct vu_rings rings;
	uint8_t config[BACKEND_CONFIG_MAX];
};

/** struct vu_frontend_args - What a front-end is made of */
struct vu_frontend_args {
	const char *name; /* borrowed for the front-end's life */
	int sock;	  /* connected; taken, even on failure */
	uint16_t virtio_id;
	const struct gmem *mem; /* its regions lie in @mem_fd in order, without gaps */
	int mem_fd;		/* borrowed during the call */
	unsigned int late_ms;	/* 0 = VU_LATE_MS */
	struct device_late late;
};

/**
 * vu_frontend_init() - Connect, agree on features, tell about memory, read the configuration space
 *
 * Makes every eventfd the device will need. Waits for answers, so the peer must be running (it may
 * still be on its way to it).
 * Context: setup.  Syscalls: eventfd2 socketpair fcntl setsockopt sendto sendmsg recvmsg read poll close
 * Return: 0 or -errno
 */
MUST_CHECK int vu_frontend_init(struct vu_frontend *f, const struct vu_frontend_args *args,
				struct err *err);

/**
 * vu_frontend_reread() - Ask for the configuration space again: the device may hold another by now
 *
 * As what backend_ops says about config: a failure is the end of the connection.
 * Syscalls: sendto sendmsg poll recvmsg read
 */
MUST_CHECK int vu_frontend_reread(struct vu_frontend *f, struct err *err);

/** vu_frontend_done() - Close everything; safe on a zeroed struct (sock 0 is never ours) */
void vu_frontend_done(struct vu_frontend *f);

#endif
