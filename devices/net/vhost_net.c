/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: virtio-net whose rings the kernel serves (virtio 1.3 section 5.1; Linux' vhost-net)
 *
 * Queues 2i and 2i + 1 receive and send for pair i; a pair is a queue of the TAP and a /dev/vhost-net.
 * Packets never come here: the rings are lent to the kernel (core/vhost.h). This process serves the
 * control queue, which is the third one before VIRTIO_NET_F_MQ was negotiated and the last one after.
 *
 * The TAP passes every frame, so the commands about receive filters, which may let more through than
 * was asked for, do nothing. An unused pair has its queue of the TAP detached: the kernel spreads frames
 * over the others.
 *
 * A deleted interface takes the link down and nothing else: the kernel keeps the rings, drops what the
 * guest sends, and has nothing for it to receive. A TAP wakes its readers when its interface goes, but a
 * reader would wake for each frame too. So this process polls: it sets the TAP's events in epoll anew
 * once a second, which looks at the TAP. It looks at the first pair's queue, which is never detached: a
 * detached one looks the same. A macvtap does not even show it then, only when the driver starts the
 * device anew.
 */
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <net/if.h>
#include <string.h>
#include <sys/timerfd.h>

#include "devices/core/vhost.h"
#include "devices/net/vnet.h"

#define VN_BIT(f)      (1ULL << VIRTIO_NET_F_##f)
#define VN_MTU_DEFAULT 1500
#define VN_RINGS_MAX   (2 * NET_PAIRS_MAX)
#define VN_LOOK_S      1 /* how often it checks that the TAP is still there */

/* What is watched */
enum vn_slot { VN_SLOT_TAP, VN_SLOT_TIMER };

/* What the device offers with every kernel and TAP */
#define VN_OWN (VN_BIT(MAC) | VN_BIT(MTU) | VN_BIT(STATUS) | VN_BIT(CTRL_VQ) | VN_BIT(CTRL_RX))

/**
 * struct vn_pair - Two queues
 * @tap, @vhost: Resources
 * @detached:	The TAP's queue
 */
struct vn_pair {
	int tap, vhost;
	bool detached;
};

/**
 * struct vhost_net - State of one device
 * @nr_pairs:	Of @pair
 * @pairs:	Those in use
 * @kernel:	Features of every pair's /dev/vhost-net
 * @lent:	Rings the kernel has
 * @gone:	The TAP's interface was deleted
 * @down:	The supervisor took the link down
 * @timer_fd:	Goes off every VN_LOOK_S
 * @chain:	The control command at hand; here because it is large
 */
struct vhost_net {
	unsigned int nr_pairs;
	struct vn_pair pair[NET_PAIRS_MAX];
	uint64_t kernel;
	unsigned int pairs;
	bool lent[VN_RINGS_MAX];
	bool gone, down;
	int timer_fd;
	struct virtio_net_config config;
	struct vq_chain chain;
};

/* ---- the interface ----------------------------------------------------------------------- */

/* The interface was deleted: takes the link down; the kernel drops what the guest sends */
static void vn_lose_tap(struct device *d)
{
	struct vhost_net *n = d->state;

	if (n->gone)
		return;
	n->gone = true;
	loop_del(d->loop, n->pair[0].tap);
	loop_del(d->loop, n->timer_fd);
	log_warn("%s: the host's interface is gone", d->ops->kind->name);
	device_config_changed(d);
}

/* Has the loop look at the TAP as it is now.  Syscalls: read epoll_ctl */
static void vn_look(struct device *d)
{
	const struct vhost_net *n = d->state;
	uint64_t times;

	/* Without either, the next time will do. */
	if (read(n->timer_fd, &times, sizeof(times)) == sizeof(times) &&
	    loop_mod(d->loop, n->pair[0].tap, 0) < 0)
		return;
}

static void vn_event(struct device *d, unsigned int slot, uint32_t events)
{
	(void)events;
	if (slot == VN_SLOT_TIMER)
		vn_look(d);
	else
		vn_lose_tap(d);
}

/**
 * vn_tell_tap() - Set the TAP's offloads to those that the driver understands
 *
 * Also notices that its interface is gone.
 * Context: locked
 * Syscalls: ioctl
 * Return: 0, also when it is gone, or -errno
 */
static int vn_tell_tap(struct device *d, uint64_t features)
{
	const struct vhost_net *n = d->state;
	const uintptr_t tun = vnet_tun_flags(features);
	int rc = n->gone ? 0 : vhost_ioctl(n->pair[0].tap, TUNSETOFFLOAD, (const void *)tun);

	/* A TAP's word for it, and a macvtap's. */
	if (rc != -EBADFD && rc != -ENOLINK)
		return rc;
	vn_lose_tap(d);
	return 0;
}

/* ---- pairs ------------------------------------------------------------------------------- */

/**
 * vn_use_pairs() - Let the TAP, if it is still there, spread frames over the first @nr pairs
 *
 * Context: locked
 * Syscalls: ioctl
 */
static int vn_use_pairs(struct vhost_net *n, unsigned int nr)
{
	for (unsigned int i = 0; i < n->nr_pairs && !n->gone; i++) {
		struct vn_pair *p = &n->pair[i];
		const bool detach = i >= nr;
		struct ifreq r = {.ifr_flags = detach ? IFF_DETACH_QUEUE : IFF_ATTACH_QUEUE};
		int rc;

		if (p->detached == detach)
			continue;
		rc = vhost_ioctl(p->tap, TUNSETQUEUE, &r);
		if (rc < 0)
			return rc;
		p->detached = detach;
	}
	n->pairs = nr;
	return 0;
}

/**
 * vn_start() - Take over the features that the driver accepted
 *
 * Context: locked
 * Syscalls: ioctl
 */
static int vn_start(struct device *d, uint64_t features)
{
	struct vhost_net *n = d->state;
	const uint64_t kernel = features & n->kernel;
	int rc;

	/* A driver from before virtio 1.0 expects another header. */
	if (!(features & 1ULL << VIRTIO_F_VERSION_1))
		return -EINVAL;
	rc = vn_tell_tap(d, features);
	for (unsigned int i = 0; rc == 0 && i < n->nr_pairs; i++)
		rc = vhost_ioctl(n->pair[i].vhost, VHOST_SET_FEATURES, &kernel);
	return rc < 0 ? rc : vn_use_pairs(n, 1);
}

/* ---- rings ------------------------------------------------------------------------------- */

/**
 * vn_set_backend() - Have the kernel serve a ring with @tap, or with -1 end that
 *
 * Context: locked
 * Syscalls: ioctl
 */
static int vn_set_backend(const struct vn_pair *p, unsigned int ring, int tap)
{
	const struct vhost_vring_file backend = {ring, tap};

	return vhost_ioctl(p->vhost, VHOST_NET_SET_BACKEND, &backend);
}

/* Fetches ring @q back, if it is lent */
static void vn_stop(struct device *d, unsigned int q)
{
	struct vhost_net *n = d->state;
	int rc;

	if (q >= VN_RINGS_MAX || !n->lent[q])
		return;
	rc = vn_set_backend(&n->pair[q / 2], q % 2, -1);
	vr_assert(rc == 0);
	vhost_fetch(d, q, n->pair[q / 2].vhost, q % 2);
	n->lent[q] = false;
}

/* Has the kernel serve ring @q; one that it does not take is broken */
static void vn_lend(struct device *d, unsigned int q)
{
	struct vhost_net *n = d->state;
	const struct vn_pair *p = &n->pair[q / 2];
	int rc = vhost_lend(d, q, p->vhost, q % 2);

	n->lent[q] = true;
	if (rc == 0)
		rc = vn_set_backend(p, q % 2, p->tap);
	if (rc == 0) {
		vhost_begun(d, q);
		return;
	}
	vn_stop(d, q);
	device_broken(d, q, "the kernel refuses it");
}

/* ---- control queue ----------------------------------------------------------------------- */

/* One command; false when no answer fits into its chain, or the TAP refuses */
static bool vn_command(struct device *d)
{
	struct vhost_net *n = d->state;
	unsigned int pairs = n->pairs;

	if (!vnet_command(&n->chain, d->acked, n->nr_pairs, &pairs))
		return false;
	if (vn_use_pairs(n, pairs) == 0)
		return true;
	/* An interface that is gone, perhaps unnoticed yet, refuses too. */
	return vn_tell_tap(d, d->acked) == 0 && vn_use_pairs(n, pairs) == 0;
}

static void vn_control_queue(struct device *d, unsigned int q)
{
	struct vhost_net *n = d->state;
	unsigned int budget = DEVICE_BATCH;
	enum vq_result rc = VQ_CHAIN;
	bool answered = true;

	while (answered && budget-- > 0 && (rc = vq_pop(&d->vq[q], &n->chain)) == VQ_CHAIN) {
		answered = vn_command(d);
		vq_push(&d->vq[q], &n->chain);
	}
	device_signal(d, q);
	if (!answered)
		device_broken(d, q, "control command that cannot be answered");
	else if (rc == VQ_BROKEN)
		device_broken(d, q, d->vq[q].why);
	else if (rc == VQ_CHAIN)
		device_again(d, q);
}

static void vn_queue(struct device *d, unsigned int q)
{
	const struct vhost_net *n = d->state;
	const bool mq = d->acked & VN_BIT(MQ);
	const unsigned int rings = mq ? 2 * n->nr_pairs : 2;

	if (q < rings)
		vn_lend(d, q);
	else if (q == rings && d->acked & VN_BIT(CTRL_VQ))
		vn_control_queue(d, q);
	else
		device_broken(d, q, "queue that was not negotiated");
}

/* ---- the rest ---------------------------------------------------------------------------- */

static int vn_config(struct device *d, bool write, uint32_t off, void *buf, uint32_t len)
{
	struct vhost_net *n = d->state;

	if (write)
		return -EPERM;
	n->config.status = n->gone || n->down ? 0 : VIRTIO_NET_S_LINK_UP;
	memcpy(buf, (const uint8_t *)&n->config + off, len);
	return 0;
}

static int vn_control(struct device *d, struct ctl_msg *m, int *fd UNUSED, struct err *err)
{
	struct vhost_net *n = d->state;

	return vnet_update(&n->config, &n->down, m, err);
}

/* Takes over what is behind one pair */
static int vn_init_pair(struct vhost_net *n, unsigned int i, const char *name, struct err *err)
{
	struct vn_pair *p = &n->pair[i];
	uint64_t features;
	int rc;

	p->tap = BOOT_FD_RES + (int)i;
	p->vhost = BOOT_FD_RES + (int)(n->nr_pairs + i);
	rc = vhost_own(p->vhost, name, &features, err);
	if (rc == 0)
		n->kernel &= features;
	return rc;
}

static int vn_check(const struct boot_dev *rec, struct net_settings *ret, struct err *err)
{
	const struct net_rate *rate[] = {&ret->to_guest, &ret->from_guest};
	unsigned int pairs = rec->nr_res / 2U;
	int rc = vnet_settings(rec, ret, err);

	if (rc < 0)
		return rc;
	if (rec->nr_res % 2 != 0 || pairs < 1 || pairs > NET_PAIRS_MAX ||
	    rec->nr_queues != 2 * pairs + 1)
		return err_text(err, EINVAL, "%s: %u resources and %u queues", rec->name,
				rec->nr_res, rec->nr_queues);
	for (unsigned int i = 0; i < ARRAY_SIZE(rate); i++) {
		if (rate[i]->bytes_per_s != 0 || rate[i]->packets_per_s != 0)
			return err_text(err, EINVAL,
					"%s: the kernel's back-end has no rate limits (backend "
					"user has)",
					rec->name);
	}
	return 0;
}

/**
 * vn_watch() - Watch the interface, and look at it from time to time
 *
 * Context: setup
 * Syscalls: timerfd_create timerfd_settime epoll_ctl
 */
static int vn_watch(struct device *d, const char *name, struct err *err)
{
	static const struct itimerspec every = {{VN_LOOK_S, 0}, {VN_LOOK_S, 0}};
	struct vhost_net *n = d->state;
	int rc;

	n->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (n->timer_fd < 0 || timerfd_settime(n->timer_fd, 0, &every, NULL) < 0)
		return err_set(err, errno, "%s: timer", name);
	rc = device_watch(d, VN_SLOT_TIMER, n->timer_fd, EPOLLIN, err);
	return rc < 0 ? rc : device_watch(d, VN_SLOT_TAP, n->pair[0].tap, 0, err);
}

static int vn_init(struct device *d, const struct boot_dev *rec, struct err *err)
{
	struct vhost_net *n = d->state;
	struct net_settings s;
	int rc = vn_check(rec, &s, err);

	if (rc < 0)
		return rc;
	n->nr_pairs = rec->nr_res / 2U;
	n->kernel = VHOST_RING_FEATURES | VN_BIT(MRG_RXBUF);
	for (unsigned int i = 0; rc == 0 && i < n->nr_pairs; i++)
		rc = vn_init_pair(n, i, rec->name, err);
	if (rc == 0)
		rc = vn_watch(d, rec->name, err);
	if (rc < 0)
		return rc;
	memcpy(n->config.mac, s.mac, sizeof(n->config.mac));
	n->config.max_virtqueue_pairs = (uint16_t)n->nr_pairs;
	n->config.mtu = s.mtu != 0 ? s.mtu : VN_MTU_DEFAULT;
	d->features = VN_OWN | (n->kernel & VN_BIT(MRG_RXBUF)) | vnet_offered(s.tun_flags) |
		      (n->nr_pairs > 1 ? VN_BIT(MQ) : 0);
	d->nr_queues = rec->nr_queues;
	return 0;
}

const struct device_ops vhost_net_device = {
	.kind = &kind_table[KIND_VHOST_NET],
	.queue_max = VQ_SIZE_MAX,
	.features = VN_OWN | VN_BIT(MRG_RXBUF) | VN_BIT(MQ) | VNET_F_OFFLOADS,
	.lends = true,
	.state_size = sizeof(struct vhost_net),
	.init = vn_init,
	.start = vn_start,
	.queue = vn_queue,
	.stop = vn_stop,
	.event = vn_event,
	.config = vn_config,
	.control = vn_control,
};
