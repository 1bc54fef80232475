/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: vhost-user front-end: a device in another process
 *
 * The front-end's side of "Vhost-user Protocol" in QEMU's documentation; the back-end may be ours or
 * another. It is trusted with the guest's memory and with nothing else: a reply must have the number of the
 * request, the reply flag, the exact size and no fds.
 */
#ifndef VMRUN_VMM_VIRTIO_VU_FRONTEND_H
#define VMRUN_VMM_VIRTIO_VU_FRONTEND_H

#include "devices/core/gmem.h"
#include "vmm/virtio/backend.h"
#include "vmm/virtio/vu_conn.h"
#include "vmm/virtio/vu_rings.h"

/**
 * struct vu_frontend - A device in another process
 * @be:			The transport's view
 * @offered:		The back-end's feature bits, with VU_F_PROTOCOL_FEATURES
 * @dead:		There was an error: no message follows
 * @config:		Last known configuration space; be.config_stale = read it again
 * @config_given:	It was given: the back-end is not asked for it, and the driver cannot change it
 */
struct vu_frontend {
	struct backend be;
	struct vu_conn conn;
	uint64_t offered;
	bool dead, config_given;
	struct vu_rings rings;
	uint8_t config[BACKEND_CONFIG_MAX];
};

/** struct vu_frontend_args - Arguments of vu_frontend_init() */
struct vu_frontend_args {
	const char *name; /* borrowed for the front-end's life */
	int sock;	  /* connected; taken, even on failure */
	uint16_t virtio_id;
	const struct gmem *mem; /* its regions lie in @mem_fd in order, without gaps */
	int mem_fd;		/* borrowed during the call */
	bool others;		/* it is not ours (vu_others.h) */
	const void *config;	/* the configuration space, of @config_bytes; 0: ask the back-end */
	uint16_t config_bytes;
	unsigned int late_ms;	/* 0 = VU_LATE_MS */
	struct device_late late;
};

/**
 * vu_frontend_init() - Agree on features, send the memory table, read the configuration space
 *
 * Creates all eventfds of the device. Waits for answers, so the peer must be running or about to.
 * Context: setup
 * Syscalls: eventfd2 socketpair fcntl setsockopt sendto sendmsg recvmsg read poll close
 * Return: 0 or -errno
 */
MUST_CHECK int vu_frontend_init(struct vu_frontend *f, const struct vu_frontend_args *args,
				struct err *err);

/**
 * vu_frontend_reread() - Read the configuration space again, which the device may have changed
 *
 * After a failure the back-end is dead, as in struct backend_ops.
 * Syscalls: sendto sendmsg poll recvmsg read
 */
MUST_CHECK int vu_frontend_reread(struct vu_frontend *f, struct err *err);

/** vu_frontend_done() - Close everything; safe on a zeroed struct (sock 0 is never ours) */
void vu_frontend_done(struct vu_frontend *f);

#endif
