/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/net/net_port.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#define NET_BATCH	64     /* frames before others have their turn */
#define NET_SIGNAL	16     /* frames before the driver is interrupted, */
#define NET_BATCH_BYTES 60000U /* or one of the largest: it is copied while the next is read */
#define NET_PATIENCE_NS                                                                            \
	1000000000ULL /* no driver that works takes as long; its CPU may stand still */

_Static_assert(sizeof(struct virtio_net_hdr_v1) == 12, "the header size that the TAP was set to");

/*
 * Sets the timer to the earliest time at which something is due, unless it goes off before.
 * Syscalls: timerfd_settime
 */
static void net_port_set_timer(struct net *n)
{
	struct itimerspec t = {.it_value.tv_sec = 0};
	uint64_t due = n->answer.advertise_ns ? n->answer.advertise_ns : UINT64_MAX;

	for (unsigned int i = 0; i < n->nr_ports; i++) {
		uint64_t rx = n->port[i].rx_due_ns, tx = n->port[i].tx_due_ns;

		due = rx && rx < due ? rx : due;
		due = tx && tx < due ? tx : due;
	}
	if (due == UINT64_MAX || (n->armed_ns && n->armed_ns <= due))
		return;
	t.it_value.tv_sec = (time_t)(due / 1000000000U);
	t.it_value.tv_nsec = (long)(due % 1000000000U);
	if (timerfd_settime(n->timer_fd, TFD_TIMER_ABSTIME, &t, NULL) == 0)
		n->armed_ns = due;
}

/* Has the loop wait for what both directions of a port wait for */
static void net_port_watch(struct device *d, struct net_port *p)
{
	struct net *n = d->state;
	uint32_t events = (p->rx == NET_WAIT_TAP ? (uint32_t)EPOLLIN : 0) |
			  (p->tx == NET_WAIT_TAP ? (uint32_t)EPOLLOUT : 0);

	if (p->rx_due_ns || p->tx_due_ns || n->answer.advertise_ns)
		net_port_set_timer(n);
	if (!n->gone && events != p->watched && loop_mod(d->loop, p->fd, events) == 0)
		p->watched = events;
}

void net_port_lose(struct device *d)
{
	struct net *n = d->state;

	if (n->gone)
		return;
	n->gone = true;
	for (unsigned int i = 0; i < n->nr_ports; i++) {
		struct net_port *p = &n->port[i];

		loop_del(d->loop, p->fd);
		*p = (struct net_port){.fd = p->fd};
		device_again(d, 2 * i + 1);
	}
	log_warn("%s: the host's interface is gone", d->ops->kind->name);
	device_config_changed(d);
}

/*
 * The ring that frames of port @i go to. A front-end that keeps the control ring to itself, as QEMU
 * does, enables the pairs that the driver uses.
 */
static unsigned int net_port_rx_ring(const struct device *d, unsigned int i)
{
	const struct net *n = d->state;
	unsigned int pairs = !(d->acked & NET_F(MQ)) ? 1 : n->pairs_max;
	unsigned int ring;

	if (d->vq[2 * n->pairs_max].ready && n->pairs < pairs)
		pairs = n->pairs;
	vr_assert(pairs > 0); /* vnet_command() takes 1 to pairs_max, and reset says 1 */
	ring = 2 * (i % pairs);
	return d->runs[ring] ? ring : 0;
}

static void net_port_rx_broken(struct device *d, unsigned int ring)
{
	struct net *n = d->state;
	struct vq *q = &d->vq[ring];

	vnet_rx_put_back(&n->in[ring / 2], q);
	device_broken(d, ring, q->broken ? q->why : "receive buffer smaller than a header");
}

void net_port_rx(struct device *d, unsigned int i)
{
	struct net *n = d->state;
	struct net_port *p = &n->port[i];
	unsigned int ring = net_port_rx_ring(d, i);
	struct vq *q = &d->vq[ring];
	struct vnet_in *in = &n->in[ring / 2];
	enum vnet_step step = d->runs[ring] && !q->broken ? VNET_MORE : VNET_RING_DRY;
	uint64_t due = 0, untold = 0;

	for (unsigned int k = 0; k < NET_BATCH && step == VNET_MORE; k++) {
		uint64_t bytes = 0;

		due = limit_ready_ns(&n->to_guest);
		if (due)
			break;
		step = vnet_rx_frame(&n->rx, &p->guess, p->fd, q, in, &bytes);
		if (bytes > 0) {
			limit_spend(&n->to_guest, bytes - NET_HDR);
			p->rx_due_ns = 0; /* the frame in hand is another now */
		}
		untold += bytes;
		if (untold < NET_BATCH_BYTES && k % NET_SIGNAL < NET_SIGNAL - 1)
			continue;
		device_signal(d, ring);
		untold = 0;
	}
	device_signal(d, ring);
	p->rx = due ? NET_WAIT_TIME : step <= VNET_TAP_EMPTY ? NET_WAIT_TAP : NET_WAIT_RING;
	if (step == VNET_RING_DRY && in->held)
		due = p->rx_due_ns ? p->rx_due_ns : limit_now_ns() + NET_PATIENCE_NS;
	p->rx_due_ns = due;
	if (step == VNET_RING_BROKEN)
		net_port_rx_broken(d, ring);
	if (step == VNET_GONE)
		net_port_lose(d);
	net_port_watch(d, p);
}

void net_port_rx_kicked(struct device *d, unsigned int ring)
{
	struct net *n = d->state;

	for (unsigned int i = 0; i < n->nr_ports && !n->gone; i++) {
		if (n->port[i].rx == NET_WAIT_RING && net_port_rx_ring(d, i) == ring)
			net_port_rx(d, i);
	}
}

/* Gives the guest an answer. Without a buffer it is lost like any other frame: the client asks again. */
static void net_port_deliver(struct device *d, unsigned int pair)
{
	struct net *n = d->state;
	const struct frame_out *f = &n->answer.out;
	const unsigned int ring = net_port_rx_ring(d, pair);
	struct vq *q = &d->vq[ring];
	enum vnet_step step;

	if (!d->runs[ring] || q->broken)
		return;
	step = vnet_rx_put(&n->rx, q, &n->in[ring / 2], f->byte, f->len);
	if (step == VNET_MORE)
		limit_spend(&n->to_guest, f->len);
	device_signal(d, ring);
	if (step == VNET_RING_BROKEN)
		net_port_rx_broken(d, ring);
}

/*
 * Answers a frame that is not for the TAP; false, with @c as it was, for one that is. Its header and first
 * @peeked bytes are in n->sent. Its answer goes to the receiving ring of its own pair.
 */
static bool net_port_answer(struct device *d, unsigned int pair, struct vq_chain *c, size_t peeked)
{
	struct net *n = d->state;
	const struct virtio_net_hdr_v1 *h = &n->sent.h;
	const size_t left = vq_left(c, VQ_READABLE);
	const bool summed = !(h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM);
	uint8_t frame[FRAME_MAX];

	if (!n->answer.on || h->gso_type != VIRTIO_NET_HDR_GSO_NONE ||
	    !answer_is_ours(&n->answer, n->sent.head, peeked))
		return false;
	limit_spend(&n->from_guest, peeked + left);
	/* No message is longer than that. */
	if (left > sizeof(frame) - peeked)
		return true;
	memcpy(frame, n->sent.head, peeked);
	if (vq_read(c, frame + peeked, left) == left &&
	    answer_make(&n->answer, frame, peeked + left, summed))
		net_port_deliver(d, pair);
	return true;
}

/**
 * net_port_send() - Put one frame on a port, or answer it
 * @c:		Header and frame
 *
 * Context: locked
 * Syscalls: writev
 * Return: 0 when the chain is done with, whether sent or refused; -EAGAIN when the TAP is full;
 * -EBADFD when it is gone
 */
static int net_port_send(struct device *d, const struct net_port *p, struct vq_chain *c)
{
	struct net *n = d->state;
	const size_t read = vq_read(c, &n->sent, NET_HDR + (n->answer.on ? FRAME_HEAD : 0));
	const uint64_t left = vq_left(c, VQ_READABLE), len = read - NET_HDR + left;
	unsigned int nr;
	ssize_t rc;

	if (read < NET_HDR || !vnet_frame_ok(&n->sent.h, len, d->acked))
		return 0;
	if (net_port_answer(d, (unsigned int)(p - n->port), c, read - NET_HDR))
		return 0;
	n->iov[0] = (struct iovec){&n->sent, read};
	nr = 1 + vq_iov(c, VQ_READABLE, left, n->iov + 1, VQ_IOV_MAX);
	if (nr > VQ_IOV_MAX)
		return 0;
	do {
		rc = writev(p->fd, n->iov, (int)nr);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return errno == EAGAIN || errno == EBADFD ? -errno : 0;
	limit_spend(&n->from_guest, len);
	return 0;
}

void net_port_tx(struct device *d, unsigned int pair)
{
	struct net *n = d->state;
	struct net_port *p = pair < n->nr_ports && !n->gone ? &n->port[pair] : NULL;
	unsigned int ring = 2 * pair + 1, budget = d->runs[ring] ? DEVICE_BATCH : 0;
	struct vq *q = &d->vq[ring];
	struct vq_chain *c = &n->chain;
	enum vq_result rc = VQ_EMPTY;
	uint64_t due = 0;
	int sent = 0;

	for (unsigned int k = 0; k < budget && sent == 0; k++) {
		due = p ? limit_ready_ns(&n->from_guest) : 0;
		rc = due ? VQ_EMPTY : vq_pop(q, c);
		if (rc != VQ_CHAIN)
			break;
		sent = p ? net_port_send(d, p, c) : 0;
		if (sent == -EAGAIN)
			vq_unpop(q, c->head);
		else
			vq_fill(q, c);
		if (k % NET_SIGNAL == NET_SIGNAL - 1) {
			vq_publish(q);
			device_signal(d, ring);
		}
	}
	vq_publish(q);
	device_end_turn(d, ring, sent < 0 ? VQ_EMPTY : rc);
	if (!p)
		return;
	p->tx = due ? NET_WAIT_TIME : sent == -EAGAIN ? NET_WAIT_TAP : NET_WAIT_RING;
	p->tx_due_ns = due;
	if (sent == -EBADFD)
		net_port_lose(d);
	net_port_watch(d, p);
}

void net_port_due(struct device *d)
{
	struct net *n = d->state;
	uint64_t now = limit_now_ns(), times;

	if (read(n->timer_fd, &times, sizeof(times)) != sizeof(times))
		return;
	n->armed_ns = 0;
	if (n->answer.advertise_ns && n->answer.advertise_ns <= now) {
		answer_advertise(&n->answer);
		net_port_deliver(d, 0);
	}
	for (unsigned int i = 0; i < n->nr_ports; i++) {
		struct net_port *p = &n->port[i];

		if (p->rx_due_ns && p->rx_due_ns <= now) {
			p->rx_due_ns = 0;
			if (p->rx == NET_WAIT_RING)
				n->in[net_port_rx_ring(d, i) / 2].held = 0;
			net_port_rx(d, i);
		}
		if (p->tx_due_ns && p->tx_due_ns <= now)
			net_port_tx(d, i);
	}
	net_port_set_timer(n);
}

void net_port_reset(struct device *d)
{
	struct net *n = d->state;

	n->answer.advertise_ns = 0;
	for (unsigned int i = 0; i < n->nr_ports; i++) {
		struct net_port *p = &n->port[i];

		*p = (struct net_port){.fd = p->fd, .watched = p->watched};
		vnet_guess_reset(&p->guess);
		net_port_watch(d, p);
	}
}
