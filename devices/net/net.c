/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: virtio-net, a network interface (virtio 1.3 section 5.1)
 *
 * Rings: rx0 tx0 rx1 tx1 ... and the control ring. Resource i is the TAP queue of pair i (a "port"),
 * non-blocking, with a struct virtio_net_hdr_v1 before each frame: what is on the TAP is what is in
 * the guest's buffers, and one readv or writev moves a frame between the two.
 *
 *   receive:   net_rx -> vnet_rx_frame -> pop, readv, fill, publish
 *   transmit:  net_tx -> net_send -> vnet_frame_ok (on a private copy of the header), writev
 *
 * A port's direction waits for one thing at a time (enum net_wait). Receive buffers popped and not
 * used stay in their ring's window for the next wake-up, and are put back when the ring stops or
 * moves (net_stop); a frame that could not be sent is put back at once.
 *
 * A driver that has some buffers out and not enough for the largest frame (vnet_rx.h) is waited for
 * NET_PATIENCE_NS.
 *
 * TAP queues of pairs that the driver does not use are served into the rings of those it does.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include "devices/core/bucket.h"
#include "devices/core/device.h"
#include "devices/net/vnet.h"
#include "devices/net/vnet_rx.h"

#define NET_F(name)	(1ULL << VIRTIO_NET_F_##name)
#define NET_HDR		sizeof(struct virtio_net_hdr_v1)

#define NET_BATCH	64     /* frames before others have their turn */
#define NET_SIGNAL	16     /* frames before the driver is told, */
#define NET_BATCH_BYTES 60000U /* or one of the largest: it is copied while the next is read */
#define NET_PATIENCE_NS 10000000ULL
#define NET_SLOT_TIMER	NET_PAIRS_MAX

_Static_assert(NET_SLOT_TIMER < BOOT_RES_MAX, "a slot for the timer");
_Static_assert(sizeof(struct virtio_net_hdr_v1) == 12, "what the TAP was told");

/** enum net_wait - What a direction of a port waits for */
enum net_wait { NET_WAIT_RING, NET_WAIT_TAP, NET_WAIT_TIME };

/**
 * struct net_port - One queue of the TAP
 * @watched:	Events the loop was told to wait for
 * @rx_due_ns:	When to go on without what is waited for; 0: never
 * @guess:	The next frame it hands out
 */
struct net_port {
	int fd;
	uint32_t watched;
	enum net_wait rx, tx;
	uint64_t rx_due_ns, tx_due_ns;
	struct vnet_guess guess;
};

/**
 * struct net - State of one interface
 * @nr_ports:	0: no TAP, what the guest sends goes nowhere
 * @pairs_max:	Queue pairs there are
 * @pairs:	Queue pairs the driver uses, as told by the control ring
 * @gone:	The TAP's interface was deleted
 * @armed_ns:	When the timer goes off; 0: it is not set
 * @window:	Buffers to receive into, of each receiving ring
 * @chain:	What is being sent, or the command at hand
 */
struct net {
	unsigned int nr_ports;
	unsigned int pairs_max;
	unsigned int pairs;
	bool gone, down;
	uint32_t tun_flags;
	int timer_fd;
	uint64_t armed_ns;
	struct limit to_guest, from_guest;
	struct net_port port[NET_PAIRS_MAX];
	struct virtio_net_config config;
	struct vq_window window[NET_PAIRS_MAX];
	struct vq_chain chain;
	struct vnet_rx rx;
	struct iovec iov[VQ_IOV_MAX + 1];
};

/*
 * Sets the timer to the earliest time something is due, unless it goes off before anyway.
 * Syscalls: timerfd_settime
 */
static void net_set_timer(struct net *n)
{
	struct itimerspec t = {.it_value.tv_sec = 0};
	uint64_t due = UINT64_MAX;

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
static void net_watch(struct device *d, struct net_port *p)
{
	struct net *n = d->state;
	uint32_t events = (p->rx == NET_WAIT_TAP ? (uint32_t)EPOLLIN : 0) |
			  (p->tx == NET_WAIT_TAP ? (uint32_t)EPOLLOUT : 0);

	if (p->rx_due_ns || p->tx_due_ns)
		net_set_timer(n);
	if (!n->gone && events != p->watched && loop_mod(d->loop, p->fd, events) == 0)
		p->watched = events;
}

/* The interface was deleted under us: the link is down, and what the guest sends goes nowhere */
static void net_lose_tap(struct device *d)
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
 * does, has the pairs enabled that the driver uses.
 */
static unsigned int net_rx_ring(const struct device *d, unsigned int i)
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

static void net_rx(struct device *d, unsigned int i)
{
	struct net *n = d->state;
	struct net_port *p = &n->port[i];
	unsigned int ring = net_rx_ring(d, i);
	struct vq *q = &d->vq[ring];
	struct vq_window *w = &n->window[ring / 2];
	enum vnet_step step = d->runs[ring] && !q->broken ? VNET_MORE : VNET_RING_DRY;
	uint64_t due = 0, untold = 0;

	for (unsigned int k = 0; k < NET_BATCH && step == VNET_MORE; k++) {
		uint64_t bytes = 0;

		due = limit_ready_ns(&n->to_guest);
		if (due)
			break;
		step = vnet_rx_frame(&n->rx, &p->guess, p->fd, q, w, &bytes);
		if (bytes > 0)
			limit_spend(&n->to_guest, bytes - NET_HDR);
		untold += bytes;
		if (untold < NET_BATCH_BYTES && k % NET_SIGNAL < NET_SIGNAL - 1)
			continue;
		device_signal(d, ring);
		untold = 0;
	}
	device_signal(d, ring);
	p->rx = due ? NET_WAIT_TIME : step <= VNET_TAP_EMPTY ? NET_WAIT_TAP : NET_WAIT_RING;
	if (step == VNET_RING_DRY && w->nr > 0)
		due = p->rx_due_ns ? p->rx_due_ns : limit_now_ns() + NET_PATIENCE_NS;
	p->rx_due_ns = due;
	if (step == VNET_RING_BROKEN) {
		vq_window_put_back(w, q);
		device_broken(d, ring, q->broken ? q->why : "receive buffer smaller than a header");
	}
	if (step == VNET_GONE)
		net_lose_tap(d);
	net_watch(d, p);
}

/* Goes on with ports that waited for buffers in @ring */
static void net_rx_kicked(struct device *d, unsigned int ring)
{
	struct net *n = d->state;

	for (unsigned int i = 0; i < n->nr_ports && !n->gone; i++) {
		if (n->port[i].rx == NET_WAIT_RING && net_rx_ring(d, i) == ring)
			net_rx(d, i);
	}
}

/**
 * net_send() - Put one frame on a port
 * @c:		Header and frame
 *
 * Context: locked.  Syscalls: writev
 * Return: 0 when the chain is done with, whether sent or refused; -EAGAIN when the TAP is full;
 * -EBADFD when it is gone
 */
static int net_send(struct device *d, const struct net_port *p, struct vq_chain *c)
{
	struct net *n = d->state;
	struct virtio_net_hdr_v1 h;
	unsigned int nr;
	uint64_t len;
	ssize_t rc;

	if (vq_read(c, &h, sizeof(h)) != sizeof(h))
		return 0;
	len = vq_left(c, VQ_READABLE);
	if (!vnet_frame_ok(&h, len, d->acked))
		return 0;
	n->iov[0] = (struct iovec){&h, sizeof(h)};
	nr = 1 + vq_iov(c, VQ_READABLE, len, n->iov + 1, VQ_IOV_MAX);
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

/* Sends what is in a ring to its port, or nowhere when it has none */
static void net_tx(struct device *d, unsigned int pair)
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
		sent = p ? net_send(d, p, c) : 0;
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
	device_signal(d, ring);
	if (rc == VQ_BROKEN)
		device_broken(d, ring, q->why);
	else if (rc == VQ_CHAIN && sent == 0)
		device_again(d, ring);
	if (!p)
		return;
	p->tx = due ? NET_WAIT_TIME : sent == -EAGAIN ? NET_WAIT_TAP : NET_WAIT_RING;
	p->tx_due_ns = due;
	if (sent == -EBADFD)
		net_lose_tap(d);
	net_watch(d, p);
}

static void net_control(struct device *d, unsigned int ring)
{
	struct net *n = d->state;
	struct vq *q = &d->vq[ring];
	struct vq_chain *c = &n->chain;
	unsigned int budget = DEVICE_BATCH;
	enum vq_result rc = VQ_EMPTY;

	while (budget-- > 0 && (rc = vq_pop(q, c)) == VQ_CHAIN) {
		if (!vnet_command(c, d->acked, n->pairs_max, &n->pairs)) {
			device_broken(d, ring, "command without header or status byte");
			return;
		}
		vq_push(q, c);
	}
	device_signal(d, ring);
	/* With another number of pairs, ports have other rings. */
	for (unsigned int i = 0; i < n->pairs_max; i++)
		net_rx_kicked(d, 2 * i);
	if (rc == VQ_BROKEN)
		device_broken(d, ring, q->why);
	else if (rc == VQ_CHAIN)
		device_again(d, ring);
}

static void net_queue(struct device *d, unsigned int q)
{
	const struct net *n = d->state;
	unsigned int control = d->acked & NET_F(MQ) ? 2 * n->pairs_max : 2;

	if (q == control)
		net_control(d, q);
	else if (q < control && q % 2 == 0)
		net_rx_kicked(d, q);
	/* A port that waits for its TAP or for time has no use for more to send. */
	else if (q < control && (q / 2 >= n->nr_ports || n->port[q / 2].tx == NET_WAIT_RING))
		net_tx(d, q / 2);
}

/* Something is due.  Syscalls: read timerfd_settime */
static void net_timer(struct device *d)
{
	struct net *n = d->state;
	uint64_t now = limit_now_ns(), times;

	if (read(n->timer_fd, &times, sizeof(times)) != sizeof(times))
		return;
	n->armed_ns = 0;
	for (unsigned int i = 0; i < n->nr_ports; i++) {
		struct net_port *p = &n->port[i];

		if (p->rx_due_ns && p->rx_due_ns <= now) {
			p->rx_due_ns = 0;
			p->guess.hungry = p->rx == NET_WAIT_RING;
			net_rx(d, i);
		}
		if (p->tx_due_ns && p->tx_due_ns <= now)
			net_tx(d, i);
	}
	net_set_timer(n);
}

static void net_event(struct device *d, unsigned int slot, uint32_t events)
{
	const struct net *n = d->state;

	if (slot == NET_SLOT_TIMER) {
		net_timer(d);
		return;
	}
	if (!(events & (EPOLLIN | EPOLLOUT)))
		net_lose_tap(d);
	if (events & EPOLLOUT)
		net_tx(d, slot);
	if (events & EPOLLIN && !n->gone)
		net_rx(d, slot);
}

/**
 * net_start() - Take note of what the driver accepted, and tell the TAP
 *
 * Context: locked.  Syscalls: ioctl
 * Return: 0 or -errno of the TAP; one that is gone is no reason not to start
 */
static int net_start(struct device *d, uint64_t features)
{
	struct net *n = d->state;
	uint32_t flags = vnet_tun_flags(features) & n->tun_flags;
	uint64_t mtu = n->config.mtu > VNET_USUAL ? n->config.mtu : VNET_USUAL;

	n->rx.guest_csum = features & NET_F(GUEST_CSUM);
	n->rx.mergeable = features & NET_F(MRG_RXBUF);
	n->rx.frame_max = flags & ~(uint32_t)TUN_F_CSUM ? VNET_LARGE : mtu + VNET_OVERHEAD;
	n->pairs = 1;
	if (n->tun_flags == 0 || n->gone || ioctl(n->port[0].fd, TUNSETOFFLOAD, flags) == 0)
		return 0;
	if (errno == EBADFD || errno == ENOLINK) /* a TAP's word for it, and a macvtap's */
		net_lose_tap(d);
	return n->gone ? 0 : -errno;
}

/* The ring stops, or is not where it was any more: the driver has its buffers back */
static void net_stop(struct device *d, unsigned int q)
{
	struct net *n = d->state;

	if (q % 2 == 0 && q / 2 < n->pairs_max)
		vq_window_put_back(&n->window[q / 2], &d->vq[q]);
}

static void net_reset(struct device *d)
{
	struct net *n = d->state;

	for (unsigned int i = 0; i < n->nr_ports; i++) {
		struct net_port *p = &n->port[i];

		*p = (struct net_port){.fd = p->fd, .watched = p->watched};
		vnet_guess_reset(&p->guess);
		net_watch(d, p);
	}
}

static int net_config(struct device *d, bool write, uint32_t off, void *buf, uint32_t len)
{
	struct net *n = d->state;

	if (write) /* the MAC is writable in devices older than VERSION_1 only */
		return -EPERM;
	n->config.status = n->nr_ports > 0 && !n->gone && !n->down ? VIRTIO_NET_S_LINK_UP : 0;
	memcpy(buf, (const uint8_t *)&n->config + off, len);
	return 0;
}

static int net_told(struct device *d, const struct ctl_msg *m, struct err *err)
{
	struct net *n = d->state;

	return vnet_told(&n->config, &n->down, m, err);
}

#define NET_F_ALWAYS                                                                               \
	(NET_F(MAC) | NET_F(MTU) | NET_F(STATUS) | NET_F(MRG_RXBUF) | NET_F(CTRL_VQ) |             \
	 NET_F(CTRL_RX))

/**
 * net_init() - Take over the TAP's queues
 * @d:		Zeroed state
 * @rec:	A resource a queue pair, or none; its settings are checked
 * @err:	Filled on failure
 *
 * Context: setup.  Syscalls: epoll_ctl timerfd_create
 * Return: 0 or -errno
 */
static int net_init(struct device *d, const struct boot_dev *rec, struct err *err)
{
	struct net *n = d->state;
	struct net_settings s;
	int rc = vnet_settings(rec, &s, err);

	if (rc < 0)
		return rc;
	if (rec->nr_res > NET_PAIRS_MAX)
		return err_text(err, EINVAL, "%s: %u resources, not up to %d", rec->name,
				rec->nr_res, NET_PAIRS_MAX);
	n->nr_ports = rec->nr_res;
	n->pairs_max = rec->nr_res ? rec->nr_res : 1;
	n->pairs = 1;
	n->config.max_virtqueue_pairs = (uint16_t)n->pairs_max;
	n->config.mtu = s.mtu ? s.mtu : VNET_USUAL;
	memcpy(n->config.mac, s.mac, ETH_ALEN);
	n->tun_flags = n->nr_ports ? s.tun_flags : 0;
	limit_init(&n->to_guest, &s.to_guest);
	limit_init(&n->from_guest, &s.from_guest);
	d->nr_queues = 2 * n->pairs_max + 1;
	d->features = NET_F_ALWAYS | vnet_offered(n->tun_flags);
	d->features |= n->pairs_max > 1 ? NET_F(MQ) : 0;
	n->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (n->timer_fd < 0)
		return err_set(err, errno, "%s: timerfd_create", rec->name);
	rc = device_watch(d, NET_SLOT_TIMER, n->timer_fd, EPOLLIN, err);
	for (unsigned int i = 0; i < n->nr_ports && rc == 0; i++) {
		n->port[i].fd = BOOT_FD_RES + (int)i;
		vnet_guess_reset(&n->port[i].guess);
		rc = device_watch(d, i, n->port[i].fd, 0, err);
	}
	return rc;
}

const struct device_ops net_device = {
	.kind = &kind_table[KIND_NET],
	.queue_max = VQ_SIZE_MAX,
	.features = NET_F_ALWAYS | NET_F(MQ) | VNET_F_OFFLOADS,
	.state_size = sizeof(struct net),
	.init = net_init,
	.start = net_start,
	.queue = net_queue,
	.stop = net_stop,
	.event = net_event,
	.config = net_config,
	.control = net_told,
	.reset = net_reset,
};
