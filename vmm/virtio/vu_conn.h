/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A connection to a vhost-user back-end, and single exchanges on it
 *
 * What vu_frontend.c puts together. An answer is received only once all of it is there: until then the
 * socket is looked at by MSG_PEEK, so that no peer can hold us by half a message. Sending is bounded by
 * SO_SNDTIMEO. After any error the connection is of no use: nobody can tell what the peer has understood.
 *
 * A wait has no end of its own: a device may be waiting for its host. It is counted, in steps rather
 * than by a clock, because while the VM is frozen or stopped as a whole the time passes for us and not
 * for the device; and device_late says each time it gets longer whether it goes on.
 */
#ifndef VMRUN_VMM_VIRTIO_VU_CONN_H
#define VMRUN_VMM_VIRTIO_VU_CONN_H

#include "devices/core/vu_msg.h"
#include "vmm/virtio/backend.h"

#define VU_LATE_MS 1000 /* after which device_late is asked, and again each time */
#define VU_SEND_MS 5000 /* for which a peer may take nothing of what is sent */

/* What the wire calls a user address is the guest's plus this: where our mapping lies is our own business. */
#define VU_USER_BASE (1ULL << 44)

/**
 * struct vu_conn - One connection
 * @name:		The device's, borrowed
 * @sock:		Owned by vu_frontend.c
 * @protocol_features:	Agreed ones
 * @late_ms:		How long a wait is when @late is asked, each time
 * @waited_ms:		How long an answer is being waited for
 */
struct vu_conn {
	const char *name;
	int sock;
	uint64_t protocol_features;
	unsigned int late_ms, waited_ms;
	struct device_late late;
};

/** vu_conn_agreed() - Whether both sides speak a protocol feature */
bool vu_conn_agreed(const struct vu_conn *c, enum vu_protocol_feature bit);

/** vu_conn_msg() - A request with @bytes of zeroes as payload */
struct vu_msg vu_conn_msg(enum vu_request request, size_t bytes);

/** vu_conn_bound() - Set how long a peer may not take what is sent.  Syscalls: setsockopt */
MUST_CHECK int vu_conn_bound(struct vu_conn *c, struct err *err);

/** vu_conn_post() - Send a request and do not wait.  Syscalls: sendto sendmsg
 *
 * vu_conn_post_u64(), vu_conn_post_state(): likewise, with such a payload.
 */
MUST_CHECK int vu_conn_post(struct vu_conn *c, const struct vu_msg *m, struct err *err);
MUST_CHECK int vu_conn_post_u64(struct vu_conn *c, enum vu_request request, uint64_t value,
				struct err *err);
MUST_CHECK int vu_conn_post_state(struct vu_conn *c, enum vu_request request, uint32_t q,
				  uint32_t num, struct err *err);

/**
 * vu_conn_look() - Whether an answer is there as a whole
 * @waited_ms:	How long was waited for it since the last look
 *
 * Syscalls: recvmsg poll, and those of late.fn
 * Return: 1; 0 when it is not, or -errno
 */
MUST_CHECK int vu_conn_look(struct vu_conn *c, unsigned int waited_ms, struct err *err);

/**
 * vu_conn_take() - Receive the answer that is there
 * @request:	What it must be the answer to, with @bytes of payload and no fds
 *
 * Syscalls: recvmsg read close
 * Return: 0 or -errno
 */
MUST_CHECK int vu_conn_take(struct vu_conn *c, uint32_t request, size_t bytes,
			    struct vu_msg *ret, struct err *err);

/**
 * vu_conn_ask() - Send a request that has an answer of its own, and receive that
 * @m:		Becomes the answer
 * @bytes:	What the answer's payload must have
 *
 * Syscalls: sendto sendmsg poll recvmsg read close
 * Return: 0 or -errno
 */
MUST_CHECK int vu_conn_ask(struct vu_conn *c, struct vu_msg *m, size_t bytes, struct err *err);
MUST_CHECK int vu_conn_ask_u64(struct vu_conn *c, enum vu_request request, uint64_t *ret,
			       struct err *err);

/**
 * vu_conn_do() - Send a request and, where both sides know REPLY_ACK, wait until it was carried out
 * @m:		Overwritten
 * @ret_refused: Whether the back-end would not; NULL makes that an error
 *
 * Return: 0 or -errno
 */
MUST_CHECK int vu_conn_do(struct vu_conn *c, struct vu_msg *m, bool *ret_refused,
			  struct err *err);

#endif
