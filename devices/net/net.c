/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: virtio-net, a network interface (virtio 1.3 section 5.1)
 *
 * Rings: rx0 tx0 rx1 tx1 ... and the control ring. Resource i is the TAP queue of pair i, a port
 * (net_port.h), which moves the frames. Here are the device's queues, events and settings.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

#include "devices/core/fdio.h"
#include "devices/net/net_port.h"

#define NET_SLOT_TIMER NET_PAIRS_MAX

_Static_assert(NET_SLOT_TIMER < BOOT_RES_MAX, "a slot for the timer");

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
	device_end_turn(d, ring, rc);
	/* With another number of pairs, ports have other rings. */
	for (unsigned int i = 0; i < n->pairs_max; i++)
		net_port_rx_kicked(d, 2 * i);
}

static void net_queue(struct device *d, unsigned int q)
{
	const struct net *n = d->state;
	unsigned int control = d->acked & NET_F(MQ) ? 2 * n->pairs_max : 2;

	if (q == control)
		net_control(d, q);
	else if (q < control && q % 2 == 0)
		net_port_rx_kicked(d, q);
	/* A port that waits for its TAP or for time does not need more to send. */
	else if (q < control && (q / 2 >= n->nr_ports || n->port[q / 2].tx == NET_WAIT_RING))
		net_port_tx(d, q / 2);
}

static void net_event(struct device *d, unsigned int slot, uint32_t events)
{
	const struct net *n = d->state;

	if (slot == NET_SLOT_TIMER) {
		net_port_due(d);
		return;
	}
	if (!(events & (EPOLLIN | EPOLLOUT)))
		net_port_lose(d);
	if (events & EPOLLOUT)
		net_port_tx(d, slot);
	if (events & EPOLLIN && !n->gone)
		net_port_rx(d, slot);
}

/**
 * net_start() - Take over the features that the driver accepted, and set the TAP's offloads
 *
 * Context: locked
 * Syscalls: ioctl
 * Return: 0, also when the TAP is gone, or its -errno
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
	if (errno == EBADFD ||
	    errno == ENOLINK) /* a TAP's errno when it is gone, and a macvtap's */
		net_port_lose(d);
	return n->gone ? 0 : -errno;
}

/* The ring stops or moves: gives the driver its buffers back */
static void net_stop(struct device *d, unsigned int q)
{
	struct net *n = d->state;

	if (q % 2 == 0 && q / 2 < n->pairs_max)
		vnet_rx_put_back(&n->in[q / 2], &d->vq[q]);
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

static int net_read_lease(int fd, struct net_lease *ret, struct err *err)
{
	int rc = fd_read_full(fd, ret, sizeof(*ret));

	return rc < 0 ? err_set(err, -rc, "read the lease") : lease_check(ret, err);
}

static int net_update(struct device *d, struct ctl_msg *m, int *fd, struct err *err)
{
	struct net *n = d->state;
	struct net_lease lease = n->answer.lease.net;
	int rc = *fd >= 0 ? net_read_lease(*fd, &lease, err) : 0;

	if (rc == 0)
		rc = vnet_update(&n->config, &n->down, m, err);
	if (rc == 0)
		rc = answer_init(&n->answer, &lease, err);
	lease_of(&n->answer.lease, n->config.mac, n->config.mtu);
	return rc;
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
 * Context: setup
 * Syscalls: epoll_ctl timerfd_create
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
	rc = answer_init(&n->answer, &s.lease, err);
	if (rc < 0)
		return err_wrap(err, "%s", rec->name);
	lease_of(&n->answer.lease, n->config.mac, n->config.mtu);
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
	.control = net_update,
	.reset = net_port_reset,
};
