/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/vu_backend.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "devices/core/lockdown.h"

/* What the core itself adds to a device's features */
static const uint64_t vu_core_features = 1ULL << VIRTIO_F_VERSION_1 |
					 1ULL << VIRTIO_RING_F_INDIRECT_DESC |
					 1ULL << VIRTIO_RING_F_EVENT_IDX |
					 1ULL << VU_F_PROTOCOL_FEATURES;
static const uint64_t vu_core_protocol_features = 1ULL << VU_PF_MQ | 1ULL << VU_PF_REPLY_ACK |
						  1ULL << VU_PF_BACKEND_REQ | 1ULL << VU_PF_CONFIG |
						  1ULL << VU_PF_RESET_DEVICE;

/* What the kernel has in flight of a lent ring is not known here. */
static uint64_t vu_protocol_features(const struct vu_backend *b)
{
	return vu_core_protocol_features | (b->dev->ops->lends ? 0 : 1ULL << VU_PF_INFLIGHT_SHMFD);
}

/*
 * One function a request. Each gets a message that obeys its rule, may take its fds, and where the
 * rule says so turns it into the reply, or returns 1: the supervisor replies. An error goes to the front-end.
 */

static int vu_get_features(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	(void)err;
	m->hdr.bytes = sizeof(m->u64);
	m->u64 = b->dev->features | vu_core_features;
	return 0;
}

static int vu_set_features(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	const uint64_t unknown = m->u64 & ~(b->dev->features | vu_core_features);

	if (unknown)
		return err_text(err, EINVAL, "vhost-user: features 0x%lx were not offered",
				unknown);
	if (b->running > 0 && m->u64 != b->dev->acked)
		return err_text(err, EBUSY, "vhost-user: features change while a ring is running");
	b->dev->acked = m->u64;
	b->state |= VU_STATE_FEATURES;
	return 0;
}

static int vu_set_owner(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	(void)m;
	(void)err;
	b->state |= VU_STATE_OWNED;
	return 0;
}

/* RESET_OWNER is obsolete and means no more than this to the back-ends that still know it */
static int vu_reset_owner(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	(void)m;
	(void)err;
	vu_ring_stop_all(b);
	return 0;
}

/* Back to before SET_FEATURES. Memory, interrupts and the connection's own agreements stay. */
static int vu_reset_device(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	(void)m;
	(void)err;
	vu_ring_stop_all(b);
	if (b->dev->ops->left)
		b->dev->ops->left(b->dev);
	for (unsigned int q = 0; q < BOOT_QUEUES_MAX; q++)
		b->ring[q] = (struct vu_ring){.b = b};
	b->dev->acked = 0;
	b->state &= ~VU_STATE_FEATURES;
	return 0;
}

static int vu_get_protocol_features(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	(void)err;
	m->hdr.bytes = sizeof(m->u64);
	m->u64 = vu_protocol_features(b);
	return 0;
}

/*
 * Lends the device the channel if its message was agreed on. Otherwise the channel stays open unused:
 * front-ends that hand it over unconditionally complain when it is closed.
 */
static void vu_lend_channel(struct vu_backend *b)
{
	const uint64_t needs = vu_backend_rule(VU_CONFIG_CHANGE)->needs;

	b->dev->config_fd = (b->protocol_features & needs) == needs ? b->channel : -1;
}

static int vu_set_protocol_features(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	if (m->u64 & ~vu_protocol_features(b))
		return err_text(err, EINVAL, "vhost-user: protocol features 0x%lx were not offered",
				m->u64 & ~vu_protocol_features(b));
	b->protocol_features = m->u64;
	b->state |= VU_STATE_PROTOCOL;
	vu_lend_channel(b);
	return 0;
}

static int vu_set_backend_req_fd(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	if (!(b->protocol_features & 1ULL << VU_PF_BACKEND_REQ))
		return err_text(err, EPROTO, "vhost-user: SET_BACKEND_REQ_FD was not agreed on");
	cleanup_close_fd(&b->channel);
	b->channel = TAKE_FD(m->fd[0]);
	vu_lend_channel(b);
	return 0;
}

static int vu_get_queue_num(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	(void)err;
	m->hdr.bytes = sizeof(m->u64);
	m->u64 = b->dev->nr_queues;
	return 0;
}

/* Whether a configuration message holds the bytes it says it does */
static bool vu_config_ok(const struct vu_msg *m)
{
	const uint32_t held = m->hdr.bytes - (uint32_t)offsetof(struct vu_config, data);

	return m->config.bytes == held && m->config.offset <= VU_CONFIG_BYTES_MAX &&
	       held <= VU_CONFIG_BYTES_MAX - m->config.offset;
}

static int vu_get_config(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	const struct device_ops *ops = b->dev->ops;
	struct vu_config *c = &m->config;
	uint32_t have;

	(void)err;
	if (!vu_config_ok(m)) {
		m->hdr.bytes = 0; /* how the specification says "no" here */
		return 0;
	}
	/* A front-end that knows a newer layout asks for more than there is, and reads zeroes. */
	memset(c->data, 0, sizeof(c->data));
	have = c->offset < ops->kind->config_bytes ? ops->kind->config_bytes - c->offset : 0;
	have = have < c->bytes ? have : c->bytes;
	if (have > 0 && ops->config(b->dev, false, c->offset, c->data, have) < 0)
		m->hdr.bytes = 0;
	return 0;
}

static int vu_set_config(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	const struct device_ops *ops = b->dev->ops;
	struct vu_config *c = &m->config;

	if (!vu_config_ok(m) || c->offset > ops->kind->config_bytes ||
	    c->bytes > ops->kind->config_bytes - c->offset || !ops->config ||
	    ops->config(b->dev, true, c->offset, c->data, c->bytes) < 0)
		return err_text(err, EINVAL, "vhost-user: SET_CONFIG: %u bytes at %u cannot be set",
				c->bytes, c->offset);
	return 0;
}

/* A jailed device has no memory to give, and passes no fd on. The front-end may bring some. */
static int vu_get_inflight_fd(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	const int rc = b->region && vu_inflight_bytes(m->inflight.nr_queues,
						      m->inflight.queue_size) > 0
			       ? b->region(m, err)
			       : 0;

	if (rc != 0)
		return rc;
	m->inflight.bytes = 0;
	m->inflight.offset = 0;
	return 0;
}

static int vu_set_inflight_fd(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	if (!(b->protocol_features & 1ULL << VU_PF_INFLIGHT_SHMFD))
		return err_text(err, EPROTO, "vhost-user: SET_INFLIGHT_FD was not agreed on");
	if (b->running > 0 || b->settled)
		return err_text(err, EBUSY, "vhost-user: SET_INFLIGHT_FD while %s",
				b->settled ? "the memory is settled" : "a ring is running");
	return vu_inflight_set(&b->inflight, m, err);
}

static int (*const vu_handle[VU_REQUESTS])(struct vu_backend *, struct vu_msg *, struct err *) = {
	[VU_GET_FEATURES] = vu_get_features,
	[VU_SET_FEATURES] = vu_set_features,
	[VU_SET_OWNER] = vu_set_owner,
	[VU_RESET_OWNER] = vu_reset_owner,
	[VU_SET_MEM_TABLE] = vu_set_mem_table,
	[VU_SET_VRING_NUM] = vu_set_vring_num,
	[VU_SET_VRING_ADDR] = vu_set_vring_addr,
	[VU_SET_VRING_BASE] = vu_set_vring_base,
	[VU_GET_VRING_BASE] = vu_get_vring_base,
	[VU_SET_VRING_KICK] = vu_set_vring_kick,
	[VU_SET_VRING_CALL] = vu_set_vring_call,
	[VU_SET_VRING_ERR] = vu_set_vring_err,
	[VU_GET_PROTOCOL_FEATURES] = vu_get_protocol_features,
	[VU_SET_PROTOCOL_FEATURES] = vu_set_protocol_features,
	[VU_GET_QUEUE_NUM] = vu_get_queue_num,
	[VU_SET_VRING_ENABLE] = vu_set_vring_enable,
	[VU_SET_BACKEND_REQ_FD] = vu_set_backend_req_fd,
	[VU_GET_CONFIG] = vu_get_config,
	[VU_SET_CONFIG] = vu_set_config,
	[VU_GET_INFLIGHT_FD] = vu_get_inflight_fd,
	[VU_SET_INFLIGHT_FD] = vu_set_inflight_fd,
	[VU_RESET_DEVICE] = vu_reset_device,
};

/* As soon as all memory is there that will come, gives up what can map any */
static int vu_settle(struct vu_backend *b, struct err *err)
{
	const bool region = b->protocol_features & 1ULL << VU_PF_INFLIGHT_SHMFD;

	if (!b->filter || b->settled || !(b->state & VU_STATE_MEMORY) ||
	    (region && !b->inflight.base))
		return 0;
	b->settled = true;
	return lockdown_later(b->filter, err);
}

/* Answers a request that was carried out or failed with @rc, unless that is 1; 0 or -errno when all is over */
static int vu_answer(struct vu_backend *b, struct vu_msg *m, int rc, struct err *err)
{
	const struct vu_rule *rule = vu_rule(m->hdr.request);
	bool ack = !rule->replies && (m->hdr.flags & VU_FLAG_NEED_REPLY) &&
		   (b->protocol_features & 1ULL << VU_PF_REPLY_ACK);

	/* The guest writes configuration space; a refused write does not end the connection. */
	if (rc < 0 && !ack && m->hdr.request != VU_SET_CONFIG)
		return rc;
	if (rc < 0)
		log_limited(&b->limit, LOG_LEVEL_WARN, "%s", err->msg);
	if (rc > 0 || (!ack && !rule->replies))
		return 0;
	if (ack) {
		m->hdr.bytes = sizeof(m->u64);
		m->u64 = rc < 0;
	}
	m->hdr.flags = VU_VERSION | VU_FLAG_REPLY;
	return vu_send(b->sock, m, err);
}

/* Receives and carries out one message; 1, 0 when the front-end is gone, or -errno */
static int vu_serve_one(struct vu_backend *b, struct err *err)
{
	struct vu_msg m;
	int rc = vu_recv(b->sock, &m, err), settled;

	if (rc <= 0)
		return rc;
	rc = vu_rule_check(&m, b->state, b->seen, err);
	if (rc < 0) {
		vu_msg_close(&m);
		return rc;
	}
	b->seen |= 1ULL << m.hdr.request;
	rc = vu_handle[m.hdr.request](b, &m, err);
	vu_msg_close(&m);
	settled = rc < 0 ? 0 : vu_settle(b, err);
	rc = settled < 0 ? settled : vu_answer(b, &m, rc, err);
	return rc < 0 ? rc : 1;
}

static void vu_sock_ready(void *arg, int fd, uint32_t events)
{
	struct vu_backend *b = arg;
	struct err err = {0};
	int rc = vu_serve_one(b, &err);

	(void)fd;
	(void)events;
	if (rc > 0)
		return;
	/* A front-end that dies in the middle of something is gone, not malicious. */
	b->broke_rules = rc < 0 && rc != -EPIPE && rc != -ECONNRESET;
	if (b->broke_rules)
		log_err("%s", err.msg);
	vu_backend_done(b);
	loop_stop(b->dev->loop);
}

int vu_backend_init(struct vu_backend *b, struct device *dev, int sock, struct err *err)
{
	*b = (struct vu_backend){.dev = dev, .sock = sock, .channel = -1};
	for (unsigned int q = 0; q < BOOT_QUEUES_MAX; q++)
		b->ring[q].b = b;
	return loop_add(dev->loop, sock, EPOLLIN, vu_sock_ready, b, err);
}

void vu_backend_done(struct vu_backend *b)
{
	struct device *d = b->dev;

	if (!d)
		return;
	vu_ring_stop_all(b);
	loop_del(d->loop, b->sock);
	for (unsigned int q = 0; q < BOOT_QUEUES_MAX; q++) {
		cleanup_close_fd(&d->call_fd[q]);
		cleanup_close_fd(&d->err_fd[q]);
		d->call_fd[q] = d->err_fd[q] = -1;
	}
	d->config_fd = -1;
	cleanup_close_fd(&b->channel);
	b->channel = -1;
	if (!b->settled) {
		vu_inflight_done(&b->inflight);
		gmem_done(&d->mem);
	}
	d->acked = 0;
}
