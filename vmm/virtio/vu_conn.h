/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A connection to a vhost-user back-end, and single exchanges on it
 *
 * vu_frontend.c combines them. We receive an answer only when all of it has arrived, and use MSG_PEEK until
 * then, so no peer can block us with half a message. SO_SNDTIMEO limits sending. After any error the
 * connection is useless, because it is unknown what the peer has understood.
 *
 * Waiting for an answer has no fixed limit: the device may be waiting for its host. We count steps instead
 * of reading a clock, since the clock goes on while the whole VM is frozen or stopped. Each time the wait
 * gets longer by late_ms, device_late decides whether to continue.
 */
#ifndef VMRUN_VMM_VIRTIO_VU_CONN_H
#define VMRUN_VMM_VIRTIO_VU_CONN_H

#include "devices/core/vu_msg.h"
#include "vmm/virtio/backend.h"

#define VU_LATE_MS 1000 /* default of late_ms */
#define VU_SEND_MS 5000 /* limit for a peer that does not receive */

/* A "user address" on the wire is the guest's plus this, so that our mapping's address stays private. */
#define VU_USER_BASE (1ULL << 44)

/**
 * struct vu_conn - One connection
 * @name:		Name of the device, borrowed
 * @sock:		Connected; vu_frontend.c closes it
 * @protocol_features:	Those that both sides agreed on
 * @late_ms:		Interval after which a wait asks @late
 * @waited_ms:		Length of the current wait
 */
struct vu_conn {
	const char *name;
	int sock;
	uint64_t protocol_features;
	unsigned int late_ms, waited_ms;
	struct device_late late;
};

/** vu_conn_agreed() - Whether both sides agreed on a protocol feature */
bool vu_conn_agreed(const struct vu_conn *c, enum vu_protocol_feature bit);

/** vu_conn_msg() - Build a request with a payload of @bytes zeroes */
struct vu_msg vu_conn_msg(enum vu_request request, size_t bytes);

/** vu_conn_bound() - Limit the time of sending to VU_SEND_MS.  Syscalls: setsockopt */
MUST_CHECK int vu_conn_bound(struct vu_conn *c, struct err *err);

/**
 * vu_conn_post() - Send a request, and do not wait for an answer
 *
 * vu_conn_post_u64(), vu_conn_post_state(): likewise, with such a payload.
 * Syscalls: sendto sendmsg
 */
MUST_CHECK int vu_conn_post(struct vu_conn *c, const struct vu_msg *m, struct err *err);
MUST_CHECK int vu_conn_post_u64(struct vu_conn *c, enum vu_request request, uint64_t value,
				struct err *err);
MUST_CHECK int vu_conn_post_state(struct vu_conn *c, enum vu_request request, uint32_t q,
				  uint32_t num, struct err *err);

/**
 * vu_conn_look() - Whether all of an answer has arrived
 * @waited_ms:	Time since the last look
 *
 * Syscalls: recvfrom poll, and those of late.fn
 * Return: 1 if it has, 0 if not, or -errno
 */
MUST_CHECK int vu_conn_look(struct vu_conn *c, unsigned int waited_ms, struct err *err);

/**
 * vu_conn_take() - Receive an answer that has arrived
 * @request:	It must answer this one, with @bytes of payload and no fds
 *
 * Syscalls: recvmsg read close
 * Return: 0 or -errno
 */
MUST_CHECK int vu_conn_take(struct vu_conn *c, uint32_t request, size_t bytes, struct vu_msg *ret,
			    struct err *err);

/**
 * vu_conn_ask() - Send a request that has an answer of its own, and receive the answer
 * @m:		The request; becomes the answer
 * @bytes:	Size of the answer's payload
 *
 * Syscalls: sendto sendmsg poll recvfrom recvmsg read close
 * Return: 0 or -errno
 */
MUST_CHECK int vu_conn_ask(struct vu_conn *c, struct vu_msg *m, size_t bytes, struct err *err);
/** vu_conn_ask_fd() - Likewise, for an answer that may bring an fd: the caller's, -1 if there is none */
MUST_CHECK int vu_conn_ask_fd(struct vu_conn *c, struct vu_msg *m, size_t bytes, int *ret_fd,
			      struct err *err);
MUST_CHECK int vu_conn_ask_u64(struct vu_conn *c, enum vu_request request, uint64_t *ret,
			       struct err *err);

/**
 * vu_conn_do() - Send a request and, with REPLY_ACK agreed on, wait until the back-end has carried it out
 * @m:		Overwritten
 * @ret_refused: Whether the back-end refused; NULL makes a refusal an error
 *
 * Return: 0 or -errno
 */
MUST_CHECK int vu_conn_do(struct vu_conn *c, struct vu_msg *m, bool *ret_refused, struct err *err);

#endif
