/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The order in which a vhost-user back-end is spoken to
 *
 * init:  GET_FEATURES, SET_OWNER, GET/SET_PROTOCOL_FEATURES, then as agreed GET_QUEUE_NUM,
 *        SET_BACKEND_REQ_FD (vu_channel.c) and GET_CONFIG, then SET_MEM_TABLE, and SET_VRING_NUM to
 *        learn how large a ring may be.
 * start: SET_FEATURES; for each enabled queue SET_VRING_NUM, BASE, ADDR, ERR, CALL, KICK; then
 *        SET_VRING_ENABLE for each.
 * stop:  GET_VRING_BASE for each: the answer means that the ring is not touched any more. It comes
 *        when the device has carried out what it is at, so a disk that stands still lets it wait.
 *
 * Ring and region addresses on the wire are the guest's plus a constant, not our own pointers:
 * where our mapping lies is nobody's business.
 */
#include "vmm/virtio/vu_frontend.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/eventfd.h>

#include "devices/core/kind.h"
#include "vmm/virtio/vu_channel.h"
#include "vmm/virtio/vu_conn.h"

#define VUF_USER_BASE	(1ULL << 44)
#define VUF_SIZE_MAX	256
#define VUF_SIZE_MIN	8

#define VUF_DEVICE_BITS (((1ULL << 24) - 1) | ~((1ULL << 50) - 1)) /* virtio 1.3 section 6 */
#define VUF_FEATURES                                                                               \
	(VUF_DEVICE_BITS | 1ULL << VIRTIO_RING_F_INDIRECT_DESC | 1ULL << VIRTIO_RING_F_EVENT_IDX | \
	 1ULL << VIRTIO_F_VERSION_1)
#define VUF_PROTOCOL_FEATURES                                                                      \
	(1ULL << VU_PF_MQ | 1ULL << VU_PF_REPLY_ACK | 1ULL << VU_PF_BACKEND_REQ |                  \
	 1ULL << VU_PF_CONFIG)

static struct vu_frontend *vuf_of(struct backend *b)
{
	return container_of(b, struct vu_frontend, be);
}

/* Nothing can follow an error: what the peer has understood is not known any more. */
static int vuf_die(struct vu_frontend *f, int rc)
{
	f->dead = true;
	return rc;
}

static int vuf_get_config(struct vu_frontend *f, struct err *err)
{
	uint32_t bytes = f->be.config_bytes;
	size_t wire = offsetof(struct vu_config, data) + bytes;
	struct vu_msg m = vu_conn_msg(VU_GET_CONFIG, wire);
	int rc;

	m.config.bytes = bytes;
	rc = vu_conn_ask(f, &m, wire, err);
	if (rc < 0)
		return rc;
	if (m.config.offset != 0 || m.config.bytes != bytes)
		return err_text(err, EPROTO, "answer to GET_CONFIG has %u bytes at %u",
				m.config.bytes, m.config.offset);
	memcpy(f->config, m.config.data, bytes);
	f->be.config_stale = false;
	return 0;
}

static int vuf_set_mem_table(struct vu_frontend *f, const struct vu_frontend_args *args,
			     struct err *err)
{
	const struct gmem *mem = args->mem;
	struct vu_msg m = vu_conn_msg(VU_SET_MEM_TABLE, offsetof(struct vu_mem_table, region) +
								mem->nr * sizeof(m.mem.region[0]));
	uint64_t offset = 0;

	m.mem.nr = mem->nr;
	m.nr_fds = mem->nr;
	for (unsigned int i = 0; i < mem->nr; i++) {
		const struct gmem_region *r = &mem->region[i];

		m.mem.region[i] = (struct vu_mem_region){
			.gpa = r->gpa,
			.bytes = r->bytes,
			.user_addr = VUF_USER_BASE + r->gpa,
			.offset = offset,
		};
		m.fd[i] = args->mem_fd;
		offset += r->bytes;
	}
	return vu_conn_do(f, &m, NULL, err);
}

/*
 * The largest ring the back-end takes. vhost-user has no question for this, but the answer to
 * SET_VRING_NUM; without answers the size that everyone takes has to do.
 */
static int vuf_probe_size(struct vu_frontend *f, struct err *err)
{
	bool refused = false;

	for (uint16_t size = VUF_SIZE_MAX; size >= VUF_SIZE_MIN; size /= 2) {
		struct vu_msg m = vu_conn_msg(VU_SET_VRING_NUM, sizeof(m.state));
		int rc;

		m.state = (struct vu_vring_state){0, size};
		rc = vu_conn_do(f, &m, &refused, err);
		if (rc < 0)
			return rc;
		f->be.queue_max = size;
		if (!refused)
			return 0;
	}
	return err_text(err, EPROTO, "the device takes no ring of %d to %d entries", VUF_SIZE_MIN,
			VUF_SIZE_MAX);
}

static int vuf_agree_protocol(struct vu_frontend *f, struct err *err)
{
	uint64_t offered = 0, nr = f->be.nr_queues;
	int rc = vu_conn_ask_u64(f, VU_GET_PROTOCOL_FEATURES, &offered, err);

	if (rc == 0)
		rc = vu_conn_post_u64(f, VU_SET_PROTOCOL_FEATURES, offered & VUF_PROTOCOL_FEATURES,
				      err);
	if (rc < 0)
		return rc;
	f->protocol_features = offered & VUF_PROTOCOL_FEATURES;
	if (vu_conn_agreed(f, VU_PF_MQ))
		rc = vu_conn_ask_u64(f, VU_GET_QUEUE_NUM, &nr, err);
	if (rc < 0)
		return rc;
	if (nr == 0)
		return err_text(err, EPROTO, "the device has no queues");
	f->be.nr_queues = (uint16_t)(nr < BACKEND_QUEUES_MAX ? nr : BACKEND_QUEUES_MAX);
	return 0;
}

static int vuf_agree(struct vu_frontend *f, struct err *err)
{
	struct vu_msg owner = vu_conn_msg(VU_SET_OWNER, 0);
	int rc = vu_conn_ask_u64(f, VU_GET_FEATURES, &f->offered, err);

	if (rc == 0)
		rc = vu_conn_post(f, &owner, err);
	if (rc < 0)
		return rc;
	f->be.features = f->offered & VUF_FEATURES;
	if (!(f->be.features & 1ULL << VIRTIO_F_VERSION_1))
		return err_text(err, EPROTO, "the device does not offer VIRTIO_F_VERSION_1");
	if (f->offered & 1ULL << VU_F_PROTOCOL_FEATURES)
		rc = vuf_agree_protocol(f, err);
	if (rc < 0)
		return rc;
	if (!vu_conn_agreed(f, VU_PF_CONFIG))
		f->be.config_bytes = 0;
	/* First, or a change after the first look would be missed. */
	rc = vu_channel_open(f, err);
	return rc == 0 && f->be.config_bytes ? vuf_get_config(f, err) : rc;
}

static int vuf_send_ring_fd(struct vu_frontend *f, enum vu_request request, unsigned int q, int fd,
			    struct err *err)
{
	struct vu_msg m = vu_conn_msg(request, sizeof(m.u64));

	m.u64 = q;
	m.fd[0] = fd;
	m.nr_fds = 1;
	/* KICK starts the ring, so that is when the back-end finds out what is wrong with it. */
	return request == VU_SET_VRING_KICK ? vu_conn_do(f, &m, NULL, err)
					    : vu_conn_post(f, &m, err);
}

static int vuf_start_ring(struct vu_frontend *f, unsigned int i, const struct backend_queue *q,
			  struct err *err)
{
	struct vu_msg addr = vu_conn_msg(VU_SET_VRING_ADDR, sizeof(addr.addr));
	const struct {
		enum vu_request request;
		int fd;
	} fds[] = {
		{VU_SET_VRING_ERR, f->be.err_fd[i]},
		{VU_SET_VRING_CALL, f->be.call_fd[i]},
		{VU_SET_VRING_KICK, f->be.kick_fd[i]},
	};
	int rc = vu_conn_post_state(f, VU_SET_VRING_NUM, i, q->size, err);

	addr.addr = (struct vu_vring_addr){
		.index = i,
		.desc_user_addr = VUF_USER_BASE + q->desc_gpa,
		.avail_user_addr = VUF_USER_BASE + q->avail_gpa,
		.used_user_addr = VUF_USER_BASE + q->used_gpa,
	};
	if (rc == 0)
		rc = vu_conn_post_state(f, VU_SET_VRING_BASE, i, 0, err);
	if (rc == 0)
		rc = vu_conn_post(f, &addr, err);
	for (unsigned int n = 0; rc == 0 && n < ARRAY_SIZE(fds); n++)
		rc = vuf_send_ring_fd(f, fds[n].request, i, fds[n].fd, err);
	if (rc == 0)
		f->started |= 1U << i;
	return rc;
}

static int vuf_enable_ring(struct vu_frontend *f, unsigned int i, struct err *err)
{
	struct vu_msg m = vu_conn_msg(VU_SET_VRING_ENABLE, sizeof(m.state));

	m.state = (struct vu_vring_state){i, 1};
	return vu_conn_do(f, &m, NULL, err);
}

static int vuf_gone(struct err *err)
{
	return err_text(err, EPIPE, "the device failed before");
}

static int vuf_start(struct backend *b, uint64_t features, const struct backend_queue *q,
		     struct err *err)
{
	struct vu_frontend *f = vuf_of(b);
	bool protocol = f->offered & 1ULL << VU_F_PROTOCOL_FEATURES;
	int rc;

	if (f->dead)
		return vuf_gone(err);
	rc = vu_conn_post_u64(f, VU_SET_FEATURES,
			      features | (f->offered & 1ULL << VU_F_PROTOCOL_FEATURES), err);
	for (unsigned int i = 0; rc == 0 && i < b->nr_queues; i++) {
		if (q[i].enabled)
			rc = vuf_start_ring(f, i, &q[i], err);
	}
	/* Without protocol features a ring that was kicked is enabled. */
	for (unsigned int i = 0; rc == 0 && protocol && i < b->nr_queues; i++) {
		if (q[i].enabled)
			rc = vuf_enable_ring(f, i, err);
	}
	return rc < 0 ? vuf_die(f, rc) : 0;
}

/* The device's word that it has let go of ring @i: 1, or 0 when it has not given it yet */
static int vuf_ring_stopped(struct vu_frontend *f, unsigned int i, unsigned int waited_ms,
			    struct err *err)
{
	struct vu_msg m;
	int rc = vu_conn_look(f, waited_ms, err);

	if (rc <= 0)
		return rc;
	rc = vu_conn_take(f, VU_GET_VRING_BASE, sizeof(m.state), &m, err);
	if (rc == 0 && m.state.index != i)
		rc = err_text(err, EPROTO, "answer about ring %u, not %u", m.state.index, i);
	f->stopping &= ~(1U << i);
	return rc < 0 ? rc : 1;
}

static int vuf_stop(struct backend *b, unsigned int waited_ms, struct err *err)
{
	struct vu_frontend *f = vuf_of(b);
	int rc = 0;

	if (f->dead)
		return vuf_gone(err);
	for (unsigned int i = 0; rc == 0 && i < b->nr_queues; i++) {
		if (f->started & 1U << i)
			rc = vu_conn_post_state(f, VU_GET_VRING_BASE, i, 0, err);
	}
	f->stopping |= f->started;
	f->started = 0;
	for (unsigned int i = 0; rc >= 0 && i < b->nr_queues; i++) {
		if (!(f->stopping & 1U << i))
			continue;
		rc = vuf_ring_stopped(f, i, waited_ms, err);
		if (rc == 0)
			return 1;
	}
	return rc < 0 ? vuf_die(f, rc) : 0;
}

/* What the device makes of a write is its business: what it then says it holds is what we show. */
static int vuf_write_config(struct vu_frontend *f, uint32_t off, const void *buf, uint32_t len,
			    struct err *err)
{
	struct vu_msg m = vu_conn_msg(VU_SET_CONFIG, offsetof(struct vu_config, data) + len);
	bool refused;
	int rc;

	m.config.offset = off;
	m.config.bytes = len;
	memcpy(m.config.data, buf, len);
	rc = vu_conn_do(f, &m, &refused, err);
	return rc < 0 ? rc : vuf_get_config(f, err);
}

int vu_frontend_reread(struct vu_frontend *f, struct err *err)
{
	int rc;

	if (f->dead)
		return vuf_gone(err);
	rc = f->be.config_bytes ? vuf_get_config(f, err) : 0;
	return rc < 0 ? vuf_die(f, rc) : 0;
}

static int vuf_config(struct backend *b, bool write, uint32_t off, void *buf, uint32_t len,
		      struct err *err)
{
	struct vu_frontend *f = vuf_of(b);
	int rc = 0;

	vr_assert(off <= b->config_bytes && len <= b->config_bytes - off);
	if (f->dead)
		return vuf_gone(err);
	/* Answers come in the order of the questions, and those about rings are still to come. */
	vr_assert(!f->stopping || !(write || b->config_stale));
	if (write)
		rc = vuf_write_config(f, off, buf, len, err);
	else if (b->config_stale)
		rc = vuf_get_config(f, err);
	if (rc < 0)
		return vuf_die(f, rc);
	if (!write)
		memcpy(buf, f->config + off, len);
	return 0;
}

static int vuf_hear(struct backend *b, bool *ret_changed, struct err *err)
{
	return vu_channel_hear(vuf_of(b), ret_changed, err);
}

static const struct backend_ops vuf_ops = {
	.start = vuf_start,
	.stop = vuf_stop,
	.config = vuf_config,
	.hear = vuf_hear,
};

static int vuf_make_eventfds(struct vu_frontend *f, struct err *err)
{
	for (unsigned int i = 0; i < f->be.nr_queues; i++) {
		int *fds[] = {&f->be.kick_fd[i], &f->be.call_fd[i], &f->be.err_fd[0]};

		for (unsigned int n = 0; n < ARRAY_SIZE(fds); n++) {
			if (*fds[n] < 0)
				*fds[n] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
			if (*fds[n] < 0)
				return err_set(err, errno, "eventfd");
		}
		/* Which queue it was is of no interest: the main loop has fds of 24 devices to watch. */
		f->be.err_fd[i] = f->be.err_fd[0];
	}
	return 0;
}

static int vuf_connect(struct vu_frontend *f, const struct vu_frontend_args *args, struct err *err)
{
	int rc = vu_conn_bound(f, err);

	if (rc == 0)
		rc = vuf_agree(f, err);
	if (rc == 0)
		rc = vuf_set_mem_table(f, args, err);
	if (rc == 0)
		rc = vuf_probe_size(f, err);
	return rc < 0 ? rc : vuf_make_eventfds(f, err);
}

int vu_frontend_init(struct vu_frontend *f, const struct vu_frontend_args *args, struct err *err)
{
	const struct kind *kind = kind_of_virtio(args->virtio_id);
	int rc;

	*f = (struct vu_frontend){.sock = args->sock, .late_ms = VU_LATE_MS, .late = args->late};
	f->be = (struct backend){
		.ops = &vuf_ops,
		.name = args->name,
		.virtio_id = args->virtio_id,
		.nr_queues = 1,
		.peer_fd = args->sock,
		.change_fd = -1,
	};
	if (args->late_ms > 0)
		f->late_ms = args->late_ms;
	for (unsigned int i = 0; i < BACKEND_QUEUES_MAX; i++)
		f->be.kick_fd[i] = f->be.call_fd[i] = f->be.err_fd[i] = -1;
	/* What vhost-user leaves to the front-end to know. */
	if (kind) {
		f->be.nr_queues = kind->queues.each;
		f->be.config_bytes = kind->config_bytes;
	}
	rc = vuf_connect(f, args, err);
	if (rc < 0)
		vu_frontend_done(f);
	return rc;
}

static void vuf_close(int *fd)
{
	if (*fd > 0)
		close(*fd);
	*fd = -1;
}

void vu_frontend_done(struct vu_frontend *f)
{
	vuf_close(&f->sock);
	f->be.peer_fd = -1;
	vuf_close(&f->be.change_fd);
	vuf_close(&f->be.err_fd[0]);
	for (unsigned int i = 0; i < BACKEND_QUEUES_MAX; i++) {
		vuf_close(&f->be.kick_fd[i]);
		vuf_close(&f->be.call_fd[i]);
		f->be.err_fd[i] = -1;
	}
}
