/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A polling driver of virtio-vsock, streams only (virtio 1.3 section 5.10)
 */
#ifndef VMRUN_TESTS_GUESTS_LIB_VSOCK_DRV_H
#define VMRUN_TESTS_GUESTS_LIB_VSOCK_DRV_H

#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define VSOCK_HOST	2
#define VSOCK_HDR	44U
#define VSOCK_BUF_BYTES 4096U
#define VSOCK_DATA	(VSOCK_BUF_BYTES - VSOCK_HDR)
#define VSOCK_SEQPACKET (1ULL << 1)

enum { VSOCK_REQUEST = 1, VSOCK_RESPONSE, VSOCK_RST, VSOCK_SHUTDOWN, VSOCK_RW, VSOCK_CREDIT_UPDATE, VSOCK_CREDIT_REQUEST };

#define VSOCK_NO_MORE_READS  1
#define VSOCK_NO_MORE_WRITES 2

struct vsock_packet {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port, len;
	uint16_t type, op;
	uint32_t flags, buf_alloc, fwd_cnt;
	uint8_t data[VSOCK_DATA];
} __attribute__((packed));

/* The guest's, and what is sent next */
extern uint64_t vsock_cid;
extern struct vsock_packet vsock_out;

/* Finds the device and starts it; false when there is none. The features that were negotiated */
bool vsock_open(uint64_t *ret_features);

/* Sends @vsock_out as @bytes, as it is; false when the device does not take it */
bool vsock_send(uint32_t bytes);

/* Sends it with a header: @len bytes of data, @alloc and @fwd of the connection's credit */
bool vsock_say(uint16_t op, uint32_t from, uint32_t to, uint32_t len, uint32_t alloc, uint32_t fwd);

/* The device's next packet, to be given back; NULL: none now */
struct vsock_packet *vsock_poll(int32_t *ret_at);
void vsock_give_back(int32_t at);

/* Ring 3 may ring its doorbells */
void vsock_ring3(void);

/* The device is content, and resets */
bool vsock_close(void);
bool vsock_is_content(void);

#endif
