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

#define VU_LATE_MS 1000 /* after which device_late is asked, and again each time */
#define VU_SEND_MS 5000 /* for which a peer may take nothing of what is sent */

/**
 * struct vu_frontend - One connection
 * @be:			The transport's view; be.ops are this file's
 * @sock:		Owned
 * @offered:		The back-end's feature bits, with VU_F_PROTOCOL_FEATURES
 * @protocol_features:	Agreed ones
 * @dead:		An error that nothing follows
 * @started:		Bitmap of rings that were handed over since the last stop
 * @stopping:		Bitmap of rings that the device was asked to let go of, and has not
 * @waited_ms:		How long an answer is being waited for
 * @config:		The configuration space as last heard; be.config_stale: ask again
 */
struct vu_frontend {
	struct backend be;
	int sock;
	uint64_t offered;
	uint64_t protocol_features;
	bool dead;
	uint32_t started, stopping;
	unsigned int late_ms, waited_ms;
	struct device_late late;
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
