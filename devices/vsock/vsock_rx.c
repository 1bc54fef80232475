/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Towards the guest: resets first, then one packet of each connection in turn
 */
#include "devices/vsock/vsock_rx.h"

#include <string.h>

#include "devices/vsock/vsock_host.h"
#include "devices/vsock/vsock_say.h"

/* A header may fall into as many pieces as it has bytes. */
struct vsock_header {
	struct iovec iov[VSOCK_HDR];
	unsigned int nr;
};

/* Takes the room for a header out of the chain, to be filled once it is known what to say */
static struct vsock_header vsock_rx_reserve(struct vq_chain *chain)
{
	struct vsock_header h;

	h.nr = vq_iov(chain, VQ_WRITABLE, VSOCK_HDR, h.iov, ARRAY_SIZE(h.iov));
	vq_skip(chain, VQ_WRITABLE, VSOCK_HDR);
	return h;
}

static void vsock_rx_put_header(const struct vsock_header *h, const struct virtio_vsock_hdr *hdr)
{
	const uint8_t *from = (const uint8_t *)hdr;

	for (unsigned int i = 0; i < h->nr; i++) {
		memcpy(h->iov[i].iov_base, from, h->iov[i].iov_len);
		from += h->iov[i].iov_len;
	}
}

/* What data of the host fits into the chain and the guest's credit; 0: none now; < 0: none ever */
static ssize_t vsock_rx_read(struct vsock *v, struct vsock_conn *c, uint32_t *ret_flags)
{
	const uint32_t room = vsock_credit_room(&c->credit);
	unsigned int nr;
	ssize_t len;
	bool end;

	if (c->state != VSOCK_OPEN || c->in < 0 || !c->can_read || room == 0)
		return 0;
	nr = vq_iov(&v->chain, VQ_WRITABLE, room, v->iov, VSOCK_IOV_MAX);
	len = vsock_host_read(v, c, v->iov, nr, &end);
	if (len <= 0)
		return len;
	vq_skip(&v->chain, VQ_WRITABLE, (uint64_t)len);
	c->credit.sent += (uint32_t)len;
	*ret_flags = end ? VIRTIO_VSOCK_SEQ_EOM : 0;
	return len;
}

/* What comes next of all that the guest has yet to hear; 0: nothing; OP_RST: the connection cannot go on */
static uint16_t vsock_rx_choose(struct vsock *v, struct vsock_conn *c, struct virtio_vsock_hdr *hdr)
{
	static const struct {
		unsigned int say;
		uint16_t op;
	} first[] = {
		{VSOCK_SAY_REQUEST, VIRTIO_VSOCK_OP_REQUEST},
		{VSOCK_SAY_RESPONSE, VIRTIO_VSOCK_OP_RESPONSE},
	};
	uint32_t flags = 0;
	ssize_t len;

	for (unsigned int i = 0; i < ARRAY_SIZE(first); i++) {
		if (c->say & first[i].say) {
			c->say = (uint8_t)(c->say & ~first[i].say);
			return first[i].op;
		}
	}
	len = vsock_rx_read(v, c, &flags);
	if (len < 0)
		return VIRTIO_VSOCK_OP_RST;
	hdr->flags = flags;
	hdr->len = (uint32_t)len;
	if (len > 0)
		return VIRTIO_VSOCK_OP_RW;
	if (c->say & VSOCK_SAY_SHUTDOWN) {
		c->say = (uint8_t)(c->say & ~VSOCK_SAY_SHUTDOWN);
		hdr->flags = c->host_shut;
		return VIRTIO_VSOCK_OP_SHUTDOWN;
	}
	return c->say & VSOCK_SAY_CREDIT ? VIRTIO_VSOCK_OP_CREDIT_UPDATE : 0;
}

/* One packet of a connection into the chain; false when there was none after all */
static bool vsock_rx_packet(struct vsock *v, struct vsock_conn *c)
{
	const struct vsock_header at = vsock_rx_reserve(&v->chain);
	struct virtio_vsock_hdr hdr = {
		.src_cid = VSOCK_HOST_CID,
		.dst_cid = v->cid,
		.src_port = c->host_port,
		.dst_port = c->guest_port,
		.type = c->seqpacket ? VIRTIO_VSOCK_TYPE_SEQPACKET : VIRTIO_VSOCK_TYPE_STREAM,
	};

	hdr.op = vsock_rx_choose(v, c, &hdr);
	if (hdr.op == VIRTIO_VSOCK_OP_RST) {
		vsock_host_abort(v, c);
		return false;
	}
	vsock_say(v, c, 0);
	if (hdr.op == 0)
		return false;
	/* Each packet tells the guest about our buffer. */
	hdr.buf_alloc = c->credit.alloc;
	hdr.fwd_cnt = c->credit.told = c->credit.fwd;
	c->say = (uint8_t)(c->say & ~VSOCK_SAY_CREDIT);
	vsock_rx_put_header(&at, &hdr);
	return true;
}

static void vsock_rx_reset(struct vsock *v)
{
	const struct vsock_header at = vsock_rx_reserve(&v->chain);
	const struct vsock_reset *r = &v->reset[v->reset_at];
	const struct virtio_vsock_hdr hdr = {
		.src_cid = r->host_cid,
		.dst_cid = v->cid,
		.src_port = r->host_port,
		.dst_port = r->guest_port,
		.type = r->type,
		.op = VIRTIO_VSOCK_OP_RST,
	};

	vsock_rx_put_header(&at, &hdr);
	v->reset_at = (v->reset_at + 1) % VSOCK_RESETS;
	v->nr_resets--;
}

static bool vsock_rx_due(struct vsock *v)
{
	return v->nr_resets > 0 || vsock_table_first(&v->table, VSOCK_LIST_READY);
}

/* Fills the chain with what is due; false when nothing was after all */
static bool vsock_rx_fill(struct vsock *v)
{
	struct vsock_conn *c;

	if (v->nr_resets > 0) {
		vsock_rx_reset(v);
		return true;
	}
	c = vsock_table_first(&v->table, VSOCK_LIST_READY);
	vsock_table_move(&v->table, c, VSOCK_LIST_NONE);
	return vsock_rx_packet(v, c);
}

/* One chain; what the ring said */
static enum vq_result vsock_rx_turn(struct device *d)
{
	struct vsock *v = d->state;
	struct vq *q = &d->vq[VSOCK_RX];
	const enum vq_result rc = vq_pop(q, &v->chain);

	if (rc != VQ_CHAIN)
		return rc;
	if (vq_left(&v->chain, VQ_WRITABLE) <= VSOCK_HDR) {
		device_broken(d, VSOCK_RX, "receive buffer without room for data");
		return VQ_EMPTY;
	}
	if (vsock_rx_fill(v))
		vq_fill(q, &v->chain);
	else
		vq_unpop(q, v->chain.head);
	return VQ_CHAIN;
}

void vsock_rx(struct device *d)
{
	struct vsock *v = d->state;
	unsigned int budget = DEVICE_BATCH;
	enum vq_result rc = VQ_CHAIN;

	if (!d->runs[VSOCK_RX] || d->vq[VSOCK_RX].broken)
		return;
	while (rc == VQ_CHAIN && budget-- > 0 && vsock_rx_due(v))
		rc = vsock_rx_turn(d);
	vq_publish(&d->vq[VSOCK_RX]);
	device_end_turn(d, VSOCK_RX, vsock_rx_due(v) ? rc : VQ_EMPTY);
	if (v->tx_held && vsock_say_may_begin(v)) {
		v->tx_held = false;
		device_again(d, VSOCK_TX);
	}
}
