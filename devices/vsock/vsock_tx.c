/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: From the guest: one packet after the other
 *
 * The header is copied once. A packet whose source is not this guest is dropped; one for no connection is
 * answered with RST, unless it is one. What is not legal in a connection's state resets it.
 */
#include "devices/vsock/vsock_tx.h"

#include "devices/vsock/vsock_ask.h"
#include "devices/vsock/vsock_host.h"
#include "devices/vsock/vsock_say.h"

#define VSOCK_OPS    8
#define VSOCK_OP(op) (1U << VIRTIO_VSOCK_OP_##op)

/* What a guest may send in a state, beside RST, which it always may */
static const unsigned int vsock_tx_legal[VSOCK_STATES] = {
	[VSOCK_ASKED] = VSOCK_OP(SHUTDOWN) | VSOCK_OP(CREDIT_UPDATE) | VSOCK_OP(CREDIT_REQUEST),
	[VSOCK_OFFERED] = VSOCK_OP(RESPONSE),
	[VSOCK_OPEN] = VSOCK_OP(SHUTDOWN) | VSOCK_OP(RW) | VSOCK_OP(CREDIT_UPDATE) |
		       VSOCK_OP(CREDIT_REQUEST),
};

static void vsock_tx_refuse(struct vsock *v, const struct virtio_vsock_hdr *h)
{
	const struct vsock_reset r = {
		.host_cid = h->dst_cid,
		.guest_port = h->src_port,
		.host_port = h->dst_port,
		.type = h->type,
	};

	if (h->op != VIRTIO_VSOCK_OP_RST)
		vsock_say_reset(v, &r);
}

/* The guest connects */
static void vsock_tx_request(struct vsock *v, const struct virtio_vsock_hdr *h)
{
	struct vsock_conn *c = vsock_host_begin(v, h->src_port, h->dst_port,
						h->type == VIRTIO_VSOCK_TYPE_SEQPACKET);

	if (!c) {
		log_limited(&v->silent, LOG_LEVEL_WARN, "vsock: all %u connections are taken",
			    v->table.nr);
		vsock_tx_refuse(v, h);
		return;
	}
	c->state = VSOCK_ASKED;
	vsock_credit_heard(&c->credit, h->buf_alloc, h->fwd_cnt);
	vsock_table_move(&v->table, c, VSOCK_LIST_ASK);
	vsock_ask(v);
}

static void vsock_tx_response(struct vsock *v, struct vsock_conn *c)
{
	c->state = VSOCK_OPEN;
	if (vsock_host_greet(c))
		vsock_say(v, c, 0);
	else
		vsock_host_abort(v, c);
}

static void vsock_tx_shutdown(struct vsock *v, struct vsock_conn *c, uint32_t flags)
{
	const uint8_t both = VIRTIO_VSOCK_SHUTDOWN_RCV | VIRTIO_VSOCK_SHUTDOWN_SEND;

	c->guest_shut = (uint8_t)(c->guest_shut | (flags & both));
	if (c->guest_shut == both || c->state == VSOCK_ASKED) {
		/* The guest waits for this RST. What it sent is on our side. */
		vsock_say_reset_of(v, c);
		vsock_host_over(v, c);
		return;
	}
	if (c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_RCV)
		vsock_host_stop(v, c);
	vsock_host_flush(v, c);
}

static void vsock_tx_data(struct vsock *v, struct vsock_conn *c, const struct virtio_vsock_hdr *h)
{
	if (c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND || !vsock_credit_take(&c->credit, h->len))
		vsock_host_abort(v, c);
	else
		vsock_host_write(v, c, &v->chain, h->len,
				 c->seqpacket && h->flags & VIRTIO_VSOCK_SEQ_EOM);
}

/* A packet for a connection */
static void vsock_tx_deliver(struct vsock *v, struct vsock_conn *c,
			     const struct virtio_vsock_hdr *h)
{
	if (h->op == VIRTIO_VSOCK_OP_RST) {
		vsock_host_over(v, c);
		return;
	}
	if (h->op >= VSOCK_OPS || !(vsock_tx_legal[c->state] >> h->op & 1)) {
		vsock_host_abort(v, c);
		return;
	}
	vsock_credit_heard(&c->credit, h->buf_alloc, h->fwd_cnt);
	switch (h->op) {
	case VIRTIO_VSOCK_OP_RESPONSE: vsock_tx_response(v, c); break;
	case VIRTIO_VSOCK_OP_SHUTDOWN: vsock_tx_shutdown(v, c, h->flags); break;
	case VIRTIO_VSOCK_OP_RW: vsock_tx_data(v, c, h); break;
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		if (c->state == VSOCK_OPEN)
			vsock_say(v, c, VSOCK_SAY_CREDIT);
		break;
	default:
		if (c->state == VSOCK_OPEN)
			vsock_say(v, c, 0);
	}
}

static bool vsock_tx_type_is_ours(const struct device *d, uint16_t type)
{
	return type == VIRTIO_VSOCK_TYPE_STREAM ||
	       (type == VIRTIO_VSOCK_TYPE_SEQPACKET && d->acked & 1ULL << VIRTIO_VSOCK_F_SEQPACKET);
}

/* One packet; what is wrong with its chain, or NULL */
static const char *vsock_tx_packet(struct device *d)
{
	struct vsock *v = d->state;
	struct virtio_vsock_hdr h;
	struct vsock_conn *c;

	if (vq_read(&v->chain, &h, sizeof(h)) < sizeof(h))
		return "packet without a whole header";
	if (h.len > vq_left(&v->chain, VQ_READABLE))
		return "packet shorter than its header says";
	if (h.src_cid != v->cid) {
		log_limited(&v->strange, LOG_LEVEL_WARN, "vsock: a packet from CID %llu, not %llu",
			    (unsigned long long)h.src_cid, (unsigned long long)v->cid);
		return NULL;
	}
	if (h.dst_cid != VSOCK_HOST_CID || !vsock_tx_type_is_ours(d, h.type)) {
		vsock_tx_refuse(v, &h);
		return NULL;
	}
	c = vsock_table_find(&v->table, h.src_port, h.dst_port);
	if (c && c->seqpacket == (h.type == VIRTIO_VSOCK_TYPE_SEQPACKET))
		vsock_tx_deliver(v, c, &h);
	else if (!c && h.op == VIRTIO_VSOCK_OP_REQUEST)
		vsock_tx_request(v, &h);
	else
		vsock_tx_refuse(v, &h);
	return NULL;
}

void vsock_tx(struct device *d)
{
	struct vsock *v = d->state;
	struct vq *q = &d->vq[VSOCK_TX];
	unsigned int budget = DEVICE_BATCH;
	enum vq_result rc = VQ_CHAIN;
	const char *why = NULL;

	while (!why && budget-- > 0 && vsock_say_may_begin(v) &&
	       (rc = vq_pop(q, &v->chain)) == VQ_CHAIN) {
		why = vsock_tx_packet(d);
		vq_fill(q, &v->chain);
	}
	vq_publish(q);
	/* vsock_rx() rings the doorbell when there is room again. */
	v->tx_held = !vsock_say_may_begin(v);
	device_end_turn(d, VSOCK_TX, v->tx_held && rc == VQ_CHAIN ? VQ_EMPTY : rc);
	if (why)
		device_broken(d, VSOCK_TX, why);
}
