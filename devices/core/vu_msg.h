/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: vhost-user messages: layout, codec, rules
 *
 * "Vhost-user Protocol" of QEMU's documentation, the part vmrun speaks. One message is a 12-byte
 * header, a payload and up to VU_FDS_MAX fds. Every request has a rule: in which state it is legal,
 * whether only once, its exact payload size (or the range), how many fds come with it, and whether
 * it is answered. A message that breaks its rule ends the connection.
 *
 * The back-end's own requests come on a channel of their own, which the front-end hands over
 * (SET_BACKEND_REQ_FD). They have the same layout, their own numbers, and rules of the same kind.
 */
#ifndef VMRUN_DEVICES_CORE_VU_MSG_H
#define VMRUN_DEVICES_CORE_VU_MSG_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "devices/core/fdio.h"
#include "devices/core/gmem.h"

#define VU_CONFIG_BYTES_MAX    256
#define VU_FDS_MAX	       8
#define VU_PAYLOAD_MAX	       (12 + VU_CONFIG_BYTES_MAX)

#define VU_VERSION	       0x1U
#define VU_FLAG_VERSION	       0x3U
#define VU_FLAG_REPLY	       (1U << 2)
#define VU_FLAG_NEED_REPLY     (1U << 3)

#define VU_VRING_INDEX_MASK    0xffU
#define VU_VRING_NO_FD	       (1U << 8)

#define VU_F_PROTOCOL_FEATURES 30 /* virtio feature bit */

enum vu_protocol_feature {
	VU_PF_MQ = 0,
	VU_PF_REPLY_ACK = 3,
	VU_PF_BACKEND_REQ = 5,
	VU_PF_CONFIG = 9,
	VU_PF_INFLIGHT_SHMFD = 12,
	VU_PF_RESET_DEVICE = 13,
	VU_PF_STATUS = 16,
};

enum vu_request {
	VU_GET_FEATURES = 1,
	VU_SET_FEATURES = 2,
	VU_SET_OWNER = 3,
	VU_RESET_OWNER = 4,
	VU_SET_MEM_TABLE = 5,
	VU_SET_VRING_NUM = 8,
	VU_SET_VRING_ADDR = 9,
	VU_SET_VRING_BASE = 10,
	VU_GET_VRING_BASE = 11,
	VU_SET_VRING_KICK = 12,
	VU_SET_VRING_CALL = 13,
	VU_SET_VRING_ERR = 14,
	VU_GET_PROTOCOL_FEATURES = 15,
	VU_SET_PROTOCOL_FEATURES = 16,
	VU_GET_QUEUE_NUM = 17,
	VU_SET_VRING_ENABLE = 18,
	VU_SET_BACKEND_REQ_FD = 21,
	VU_GET_CONFIG = 24,
	VU_SET_CONFIG = 25,
	VU_GET_INFLIGHT_FD = 31,
	VU_SET_INFLIGHT_FD = 32,
	VU_RESET_DEVICE = 34,
	VU_SET_STATUS = 39,
	VU_GET_STATUS = 40,
	VU_REQUESTS = 45, /* one more than the highest of the protocol */
};

/** enum vu_backend_request - Requests that a back-end makes */
enum vu_backend_request {
	VU_CONFIG_CHANGE = 2,	 /* BACKEND_CONFIG_CHANGE_MSG */
	VU_BACKEND_REQUESTS = 3, /* one more than the highest that is spoken */
};

struct vu_hdr {
	uint32_t request;
	uint32_t flags;
	uint32_t bytes; /* of the payload */
};

struct vu_vring_state {
	uint32_t index;
	uint32_t num;
};

struct vu_vring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc_user_addr;
	uint64_t used_user_addr;
	uint64_t avail_user_addr;
	uint64_t log_gpa;
};

struct vu_mem_region {
	uint64_t gpa;
	uint64_t bytes;
	uint64_t user_addr;
	uint64_t offset;
};

struct vu_mem_table {
	uint32_t nr;
	uint32_t reserved;
	struct vu_mem_region region[GMEM_REGIONS_MAX];
};

struct vu_config {
	uint32_t offset;
	uint32_t bytes;
	uint32_t flags;
	uint8_t data[VU_CONFIG_BYTES_MAX];
};

/**
 * struct vu_inflight_area - Where the in-flight regions of all rings are (vq_track.h), one behind the other
 * @bytes:	Of the file, from @offset on; in an answer 0: there are none
 * @reserved:	Not in the specification, but on the wire of QEMU and others, as padding
 */
struct vu_inflight_area {
	uint64_t bytes;
	uint64_t offset;
	uint16_t nr_queues;
	uint16_t queue_size;
	uint32_t reserved;
};

/**
 * struct vu_msg - One message in memory
 * @fd:		The first @nr_fds are owned by the holder of the message
 */
struct vu_msg {
	struct vu_hdr hdr;
	union {
		uint64_t u64;
		struct vu_vring_state state;
		struct vu_vring_addr addr;
		struct vu_mem_table mem;
		struct vu_config config;
		struct vu_inflight_area inflight;
		uint8_t bytes[VU_PAYLOAD_MAX];
	};
	unsigned int nr_fds;
	int fd[FDIO_FDS_MAX];
};

_Static_assert(sizeof(struct vu_hdr) == 12, "vhost-user header");
_Static_assert(sizeof(struct vu_vring_addr) == 40, "vhost-user vring address");
_Static_assert(sizeof(struct vu_inflight_area) == 24, "vhost-user in-flight area");
_Static_assert(sizeof(struct vu_mem_table) == 8 + 32 * GMEM_REGIONS_MAX, "vhost-user memory table");

/**
 * struct vu_rule - When a request is legal
 * @name:	The specification's name of it without VHOST_USER_; NULL = not spoken
 * @needs:	Bits that must be set: VU_STATE_* for a request of the front-end; protocol features, by
 *		their numbers, for one of the back-end
 * @once:	Whether it may come only once per connection
 * @bytes_min, @bytes_max: Payload size, both inclusive
 * @fds_min, @fds_max:	Fds that come with it
 * @replies:	Whether it has an answer of its own (REPLY_ACK aside)
 */
struct vu_rule {
	const char *name;
	uint32_t needs;
	bool once;
	uint16_t bytes_min, bytes_max;
	uint8_t fds_min, fds_max;
	bool replies;
};

#define VU_STATE_OWNED	  (1U << 0) /* SET_OWNER was seen */
#define VU_STATE_PROTOCOL (1U << 1) /* SET_PROTOCOL_FEATURES was seen */
#define VU_STATE_FEATURES (1U << 2) /* SET_FEATURES was seen */
#define VU_STATE_MEMORY	  (1U << 3) /* SET_MEM_TABLE was seen */

/**
 * vu_rule() - The rule for a request number
 * @request:	Hostile
 *
 * Context: any
 * Syscalls: none
 * Return: static; NULL when the request is not spoken
 */
const struct vu_rule *vu_rule(uint32_t request);

/**
 * vu_rule_check() - Hold a message against its rule
 * @m:		From vu_recv()
 * @state:	VU_STATE_* of the connection
 * @seen:	Bitmap of requests seen so far, for rules that allow one once
 *
 * Checks version and direction flags too.
 * Context: any
 * Syscalls: none
 * Return: 0 or -EPROTO with a message naming request and rule
 */
MUST_CHECK int vu_rule_check(const struct vu_msg *m, uint32_t state, uint64_t seen,
			     struct err *err);

/**
 * vu_backend_rule() - The rule for a request of a back-end, as vu_rule()
 * @request:	Hostile
 *
 * Context: any
 * Syscalls: none
 * Return: static; NULL when the request is not spoken
 */
const struct vu_rule *vu_backend_rule(uint32_t request);

/**
 * vu_backend_rule_check() - Hold what came on the back-end's channel against its rule
 * @m:		As received, @nr_fds included
 * @agreed:	Protocol features that both sides speak
 *
 * As vu_rule_check().
 * Context: any
 * Syscalls: none
 * Return: 0 or -EPROTO with a message naming request and rule
 */
MUST_CHECK int vu_backend_rule_check(const struct vu_msg *m, uint64_t agreed, struct err *err);

/**
 * vu_recv() - Receive one whole message
 * @sock:	Stream socket; borrowed
 * @ret:	Filled on 1: its fds are the caller's, to be closed by vu_msg_close() or taken. What
 *		lies past the payload is zero
 *
 * The header's size is bounded before the payload is read. Blocks until the message is whole. Fds that
 * come with a later byte than the first are dropped by the kernel.
 * Context: any
 * Syscalls: recvmsg read close
 * Return: 1; 0 when the peer closed between messages; -EPROTO or -errno with every fd closed
 */
MUST_CHECK int vu_recv(int sock, struct vu_msg *ret, struct err *err);

/**
 * vu_send() - Send a message with m->hdr.bytes of payload; its fds are borrowed
 * @sock:	Stream socket; borrowed
 * @m:		Its fds are borrowed: the peer gets duplicates
 *
 * Context: any
 * Syscalls: sendto; sendmsg where there are fds
 * Return: 0 or -errno
 */
MUST_CHECK int vu_send(int sock, const struct vu_msg *m, struct err *err);

/**
 * vu_try_send() - As vu_send(), without waiting, and with one fd at most; the supervisor's side
 *
 * Context: any
 * Syscalls: sendto; sendmsg where there is an fd
 * Return: as fd_try_send()
 */
MUST_CHECK int vu_try_send(int sock, const struct vu_msg *m);

/**
 * vu_msg_close() - Close the fds a message still owns
 * @m:		Fds that were taken are -1
 *
 * Context: any
 * Syscalls: close
 */
void vu_msg_close(struct vu_msg *m);

#endif
