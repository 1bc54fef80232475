/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Front-end side of vhost-user, for tests
 *
 * Written from the protocol's specification and independently of vmm/ and of vu_msg.c, so that a
 * misreading on one side shows. Sends anything, sensible or not. Misuse by a test aborts it.
 */
#ifndef VMRUN_TESTS_SUPPORT_VU_PEER_H
#define VMRUN_TESTS_SUPPORT_VU_PEER_H

#include "tests/support/vq_driver.h"

#define VUP_BYTES_MAX  512
#define VUP_NEED_REPLY 8U
#define VUP_NO_FD      0x100U

/* Where the front-end pretends to have guest address 0 */
#define VUP_USER_BASE 0x7f4200000000ULL

enum vup_request {
	VUP_GET_FEATURES = 1,
	VUP_SET_FEATURES = 2,
	VUP_SET_OWNER = 3,
	VUP_RESET_OWNER = 4,
	VUP_SET_MEM_TABLE = 5,
	VUP_SET_VRING_NUM = 8,
	VUP_SET_VRING_ADDR = 9,
	VUP_SET_VRING_BASE = 10,
	VUP_GET_VRING_BASE = 11,
	VUP_SET_VRING_KICK = 12,
	VUP_SET_VRING_CALL = 13,
	VUP_SET_VRING_ERR = 14,
	VUP_GET_PROTOCOL_FEATURES = 15,
	VUP_SET_PROTOCOL_FEATURES = 16,
	VUP_GET_QUEUE_NUM = 17,
	VUP_SET_VRING_ENABLE = 18,
	VUP_SET_BACKEND_REQ_FD = 21,
	VUP_GET_CONFIG = 24,
	VUP_SET_CONFIG = 25,
	VUP_GET_INFLIGHT_FD = 31,
	VUP_SET_INFLIGHT_FD = 32,
	VUP_RESET_DEVICE = 34,
};

/* What a back-end says on its own channel */
#define VUP_BACKEND_CONFIG_CHANGE 2U

/** struct vup_msg - A message on the wire */
struct vup_msg {
	uint32_t request;
	uint32_t flags;
	uint32_t bytes;
	uint8_t payload[VUP_BYTES_MAX];
} __attribute__((packed));

/** vup_send() - Send a request; @fds are borrowed */
void vup_send(int sock, uint32_t request, uint32_t flags, const void *payload, uint32_t bytes,
	      const int *fds, unsigned int nr_fds);

/** vup_recv() - Receive an answer without waiting; false when there is none or the peer is gone */
bool vup_recv(int sock, struct vup_msg *ret);

/** vup_gone() - Whether the peer closed its end, or reads no more */
bool vup_gone(int sock);

/* Requests by their payload; @flags as in vup_send() */
void vup_empty(int sock, uint32_t request, uint32_t flags);
void vup_u64(int sock, uint32_t request, uint32_t flags, uint64_t v);
void vup_state(int sock, uint32_t request, uint32_t flags, uint32_t index, uint32_t num);
void vup_fd(int sock, uint32_t request, uint32_t flags, uint32_t index, int fd);

/** vup_mem_table() - All of @m, at VUP_USER_BASE + gpa */
void vup_mem_table(int sock, uint32_t flags, const struct vqd_mem *m);

/** vup_addr() - Where ring @index is: @d */
void vup_addr(int sock, uint32_t flags, uint32_t index, const struct vqd *d);

/** struct vup_inflight - Payload of the requests about in-flight regions */
struct vup_inflight {
	uint64_t bytes, offset;
	uint16_t nr_queues, queue_size;
} __attribute__((packed));

/** vup_inflight() - SET_INFLIGHT_FD, or without @fd (-1) GET_INFLIGHT_FD */
void vup_inflight(int sock, uint32_t flags, const struct vup_inflight *i, int fd);

/** vup_config() - GET_CONFIG or SET_CONFIG of @bytes at @offset; @data may be NULL */
void vup_config(int sock, uint32_t request, uint32_t flags, uint32_t offset, uint32_t bytes,
		const void *data);

#endif
