/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/vsock_drv.h"

#include "lib/ring3.h"

#define F_STREAM (1ULL << 0)
#define PATIENCE 1000
#define BUFS	 VIRTIO_RING_SIZE

static struct virtio_ring rx_ring, tx_ring, event_ring;
static struct virtio_drv rx, tx, events;
static struct vsock_packet buf[BUFS];
uint64_t vsock_cid;
struct vsock_packet vsock_out;

static void offer(uint16_t i)
{
	virtio_set_desc(&rx_ring.desc[i], &buf[i], VSOCK_BUF_BYTES, VIRTIO_DESC_WRITE, 0);
	virtio_offer(&rx_ring, i);
}

bool vsock_open(uint64_t *ret_features)
{
	if (!virtio_find(&rx, VIRTIO_VSOCK) || !virtio_negotiate(&rx, F_STREAM | VSOCK_SEQPACKET))
		return false;
	*ret_features = rx.features;
	vsock_cid = mmio_read64(rx.config);
	tx = events = rx;
	tx.queue = 1;
	events.queue = 2;
	if (!virtio_set_queue(&rx, &rx_ring) || !virtio_set_queue(&tx, &tx_ring) ||
	    !virtio_set_queue(&events, &event_ring) || !virtio_go(&rx))
		return false;
	for (uint16_t i = 0; i < BUFS; i++)
		offer(i);
	mmio_write16(rx.doorbell, rx.queue);
	return true;
}

bool vsock_send(uint32_t bytes)
{
	virtio_set_desc(&tx_ring.desc[0], &vsock_out, bytes, 0, 0);
	virtio_kick(&tx, &tx_ring, 0);
	/* Until the device has read it there is nothing to send the next one from. Ring 3 is faster than it by far. */
	for (unsigned int i = 0; i < PATIENCE; i++)
		if (virtio_wait(&tx, &tx_ring, 0) == 0)
			return true;
	return false;
}

bool vsock_say(uint16_t op, uint32_t from, uint32_t to, uint32_t len, uint32_t alloc, uint32_t fwd)
{
	vsock_out.src_cid = vsock_cid;
	vsock_out.dst_cid = VSOCK_HOST;
	vsock_out.src_port = from;
	vsock_out.dst_port = to;
	vsock_out.len = len;
	vsock_out.type = 1;
	vsock_out.op = op;
	vsock_out.flags = op == VSOCK_SHUTDOWN ? VSOCK_NO_MORE_READS | VSOCK_NO_MORE_WRITES : 0;
	vsock_out.buf_alloc = alloc;
	vsock_out.fwd_cnt = fwd;
	return vsock_send(VSOCK_HDR + len);
}

struct vsock_packet *vsock_poll(int32_t *ret_at)
{
	uint32_t len;

	*ret_at = virtio_poll(&rx, &rx_ring, &len);
	return *ret_at >= 0 ? &buf[*ret_at] : NULL;
}

void vsock_give_back(int32_t at)
{
	offer((uint16_t)at);
	mmio_write16(rx.doorbell, rx.queue);
}

void vsock_ring3(void)
{
	ring3_may(rx.doorbell);
	ring3_may(tx.doorbell);
}

bool vsock_is_content(void)
{
	return virtio_status(&rx) == 0x0f;
}

bool vsock_close(void)
{
	return virtio_reset(&rx);
}
