/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The order of requests to a vhost-user back-end
 *
 * init:  GET_FEATURES, SET_OWNER, GET/SET_PROTOCOL_FEATURES, then as agreed GET_QUEUE_NUM,
 *        SET_BACKEND_REQ_FD (vu_channel.h) and GET_CONFIG, then SET_MEM_TABLE, and SET_VRING_NUM to
 *        find the maximum size of a ring.
 * start: SET_FEATURES, then the rings (vu_rings.h).
 */
#include "vmm/virtio/vu_frontend.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/eventfd.h>

#include "devices/core/kind.h"
#include "vmm/virtio/vu_channel.h"
#include "vmm/virtio/vu_others.h"

#define VU_FRONTEND_SIZE_MAX 256
#define VU_FRONTEND_SIZE_MIN 8

#define VU_DEVICE_BITS	     (((1ULL << 24) - 1) | ~((1ULL << 50) - 1)) /* virtio 1.3 section 6 */
#define VU_FRONTEND_FEATURES                                                                       \
	(VU_DEVICE_BITS | 1ULL << VIRTIO_RING_F_INDIRECT_DESC | 1ULL << VIRTIO_RING_F_EVENT_IDX |  \
	 1ULL << VIRTIO_F_VERSION_1)
#define VU_FRONTEND_PROTOCOL_FEATURES                                                              \
	(1ULL << VU_PF_MQ | 1ULL << VU_PF_REPLY_ACK | 1ULL << VU_PF_BACKEND_REQ |                  \
	 1ULL << VU_PF_CONFIG)

static struct vu_frontend *vu_frontend_of(struct backend *b)
{
	return container_of(b, struct vu_frontend, be);
}

/* An error ends the connection: it is unknown what the peer has understood. */
static int vu_frontend_die(struct vu_frontend *f, int rc)
{
	f->dead = true;
	return rc;
}

static int vu_frontend_get_config(struct vu_frontend *f, struct err *err)
{
	uint32_t bytes = f->be.config_bytes;
	size_t wire = offsetof(struct vu_config, data) + bytes;
	struct vu_msg m = vu_conn_msg(VU_GET_CONFIG, wire);
	int rc;

	m.config.bytes = bytes;
	rc = vu_conn_ask(&f->conn, &m, wire, err);
	if (rc < 0)
		return rc;
	if (m.config.offset != 0 || m.config.bytes != bytes)
		return err_text(err, EPROTO, "answer to GET_CONFIG has %u bytes at %u",
				m.config.bytes, m.config.offset);
	memcpy(f->config, m.config.data, bytes);
	f->be.config_stale = false;
	return 0;
}

static int vu_frontend_set_mem_table(struct vu_frontend *f, const struct vu_frontend_args *args,
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
			.user_addr = VU_USER_BASE + r->gpa,
			.offset = offset,
		};
		m.fd[i] = args->mem_fd;
		offset += r->bytes;
	}
	return vu_conn_do(&f->conn, &m, NULL, err);
}

/*
 * Finds the largest ring that the back-end accepts. vhost-user has no request for that, so this tries
 * SET_VRING_NUM; a back-end that does not acknowledge is assumed to accept the first size.
 */
static int vu_frontend_probe_size(struct vu_frontend *f, struct err *err)
{
	bool refused = false;

	for (uint16_t size = VU_FRONTEND_SIZE_MAX; size >= VU_FRONTEND_SIZE_MIN; size /= 2) {
		struct vu_msg m = vu_conn_msg(VU_SET_VRING_NUM, sizeof(m.state));
		int rc;

		m.state = (struct vu_vring_state){0, size};
		rc = vu_conn_do(&f->conn, &m, &refused, err);
		if (rc < 0)
			return rc;
		f->be.queue_max = size;
		if (!refused)
			return 0;
	}
	return err_text(err, EPROTO, "the device accepts no ring of %d to %d entries",
			VU_FRONTEND_SIZE_MIN, VU_FRONTEND_SIZE_MAX);
}

static int vu_frontend_agree_protocol(struct vu_frontend *f, const struct vu_frontend_args *args,
				      struct err *err)
{
	uint64_t offered = 0, nr = f->be.nr_queues;
	int rc = vu_conn_ask_u64(&f->conn, VU_GET_PROTOCOL_FEATURES, &offered, err);

	offered &= VU_FRONTEND_PROTOCOL_FEATURES;
	if (f->config_given)
		offered &= ~(1ULL << VU_PF_CONFIG | 1ULL << VU_PF_BACKEND_REQ);
	if (rc == 0)
		rc = vu_conn_post_u64(&f->conn, VU_SET_PROTOCOL_FEATURES, offered, err);
	if (rc < 0)
		return rc;
	f->conn.protocol_features = offered;
	if (vu_conn_agreed(&f->conn, VU_PF_MQ) &&
	    !(args->others && vu_others_counts_pairs(args->virtio_id)))
		rc = vu_conn_ask_u64(&f->conn, VU_GET_QUEUE_NUM, &nr, err);
	if (rc < 0)
		return rc;
	if (nr == 0)
		return err_text(err, EPROTO, "the device has no queues");
	f->be.nr_queues = (uint16_t)(nr < BACKEND_QUEUES_MAX ? nr : BACKEND_QUEUES_MAX);
	return 0;
}

static int vu_frontend_agree(struct vu_frontend *f, const struct vu_frontend_args *args,
			     struct err *err)
{
	struct vu_msg owner = vu_conn_msg(VU_SET_OWNER, 0);
	int rc = vu_conn_ask_u64(&f->conn, VU_GET_FEATURES, &f->offered, err);

	if (rc == 0)
		rc = vu_conn_post(&f->conn, &owner, err);
	if (rc < 0)
		return rc;
	f->be.features = f->offered & VU_FRONTEND_FEATURES;
	if (!(f->be.features & 1ULL << VIRTIO_F_VERSION_1))
		return err_text(err, EPROTO, "the device does not offer VIRTIO_F_VERSION_1");
	if (f->offered & 1ULL << VU_F_PROTOCOL_FEATURES)
		rc = vu_frontend_agree_protocol(f, args, err);
	if (rc == 0 && args->others)
		rc = vu_others_check(
			&f->be, f->config_given || vu_conn_agreed(&f->conn, VU_PF_CONFIG), err);
	if (rc < 0 || f->config_given)
		return rc;
	if (!vu_conn_agreed(&f->conn, VU_PF_CONFIG))
		f->be.config_bytes = 0;
	if (f->be.config_bytes == 0)
		return 0;
	/* Before the first GET_CONFIG, or a change right after that would be missed. */
	rc = vu_channel_open(&f->conn, &f->be.change_fd, err);
	return rc == 0 ? vu_frontend_get_config(f, err) : rc;
}

static int vu_frontend_gone(struct err *err)
{
	return err_text(err, EPIPE, "the device has failed before");
}

static int vu_frontend_start(struct backend *b, uint64_t features, const struct backend_queue *q,
			     struct err *err)
{
	struct vu_frontend *f = vu_frontend_of(b);
	bool protocol = f->offered & 1ULL << VU_F_PROTOCOL_FEATURES;
	int rc;

	if (f->dead)
		return vu_frontend_gone(err);
	rc = vu_conn_post_u64(&f->conn, VU_SET_FEATURES,
			      features | (f->offered & 1ULL << VU_F_PROTOCOL_FEATURES), err);
	if (rc == 0)
		rc = vu_rings_start(&f->rings, &f->conn, b, q, protocol, err);
	return rc < 0 ? vu_frontend_die(f, rc) : 0;
}

static int vu_frontend_stop(struct backend *b, unsigned int waited_ms, struct err *err)
{
	struct vu_frontend *f = vu_frontend_of(b);
	int rc;

	if (f->dead)
		return vu_frontend_gone(err);
	rc = vu_rings_stop(&f->rings, &f->conn, waited_ms, err);
	return rc < 0 ? vu_frontend_die(f, rc) : rc;
}

/* The device may store something else than was written, so this reads it back. */
static int vu_frontend_write_config(struct vu_frontend *f, uint32_t off, const void *buf,
				    uint32_t len, struct err *err)
{
	struct vu_msg m = vu_conn_msg(VU_SET_CONFIG, offsetof(struct vu_config, data) + len);
	bool refused;
	int rc;

	m.config.offset = off;
	m.config.bytes = len;
	memcpy(m.config.data, buf, len);
	rc = vu_conn_do(&f->conn, &m, &refused, err);
	return rc < 0 ? rc : vu_frontend_get_config(f, err);
}

int vu_frontend_reread(struct vu_frontend *f, struct err *err)
{
	int rc;

	if (f->dead)
		return vu_frontend_gone(err);
	rc = f->be.config_bytes && !f->config_given ? vu_frontend_get_config(f, err) : 0;
	return rc < 0 ? vu_frontend_die(f, rc) : 0;
}

static int vu_frontend_config(struct backend *b, bool write, uint32_t off, void *buf, uint32_t len,
			      struct err *err)
{
	struct vu_frontend *f = vu_frontend_of(b);
	int rc = 0;

	vr_assert(off <= b->config_bytes && len <= b->config_bytes - off);
	if (f->dead)
		return vu_frontend_gone(err);
	/* Answers come in the order of the requests, and those about rings are outstanding. */
	vr_assert(!f->rings.stopping || !(write || b->config_stale));
	if (f->config_given)
		b->config_stale = false;
	else if (write)
		rc = vu_frontend_write_config(f, off, buf, len, err);
	else if (b->config_stale)
		rc = vu_frontend_get_config(f, err);
	if (rc < 0)
		return vu_frontend_die(f, rc);
	if (!write)
		memcpy(buf, f->config + off, len);
	return 0;
}

static int vu_frontend_hear(struct backend *b, bool *ret_changed, struct err *err)
{
	return vu_channel_hear(&vu_frontend_of(b)->conn, b->change_fd, ret_changed, err);
}

static const struct backend_ops vu_frontend_ops = {
	.start = vu_frontend_start,
	.stop = vu_frontend_stop,
	.config = vu_frontend_config,
	.hear = vu_frontend_hear,
};

static int vu_frontend_make_eventfds(struct vu_frontend *f, struct err *err)
{
	for (unsigned int i = 0; i < f->be.nr_queues; i++) {
		int *fds[] = {&f->be.kick_fd[i], &f->be.call_fd[i], &f->be.err_fd[0]};

		for (unsigned int n = 0; n < ARRAY_SIZE(fds); n++) {
			if (*fds[n] < 0)
				*fds[n] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
			if (*fds[n] < 0)
				return err_set(err, errno, "eventfd");
		}
		/* One for all queues, to keep the number of fds in the main loop low. */
		f->be.err_fd[i] = f->be.err_fd[0];
	}
	return 0;
}

static int vu_frontend_connect(struct vu_frontend *f, const struct vu_frontend_args *args,
			       struct err *err)
{
	int rc = vu_conn_bound(&f->conn, err);

	if (rc == 0)
		rc = vu_frontend_agree(f, args, err);
	if (rc == 0)
		rc = vu_frontend_set_mem_table(f, args, err);
	if (rc == 0)
		rc = vu_frontend_probe_size(f, err);
	return rc < 0 ? rc : vu_frontend_make_eventfds(f, err);
}

int vu_frontend_init(struct vu_frontend *f, const struct vu_frontend_args *args, struct err *err)
{
	const struct kind *kind = kind_of_virtio(args->virtio_id);
	int rc;

	*f = (struct vu_frontend){
		.conn = {.name = args->name,
			 .sock = args->sock,
			 .late_ms = args->late_ms > 0 ? args->late_ms : VU_LATE_MS,
			 .late = args->late},
	};
	f->be = (struct backend){
		.ops = &vu_frontend_ops,
		.name = args->name,
		.virtio_id = args->virtio_id,
		.nr_queues = 1,
		.peer_fd = args->sock,
		.change_fd = -1,
	};
	for (unsigned int i = 0; i < BACKEND_QUEUES_MAX; i++)
		f->be.kick_fd[i] = f->be.call_fd[i] = f->be.err_fd[i] = -1;
	/* What vhost-user leaves to the front-end to know. */
	if (kind) {
		f->be.nr_queues = kind->queues.each;
		f->be.config_bytes = kind->config_bytes;
	}
	if (args->config_bytes > 0) {
		vr_assert(args->config_bytes <= sizeof(f->config));
		memcpy(f->config, args->config, args->config_bytes);
		f->be.config_bytes = args->config_bytes;
		f->config_given = true;
	}
	rc = vu_frontend_connect(f, args, err);
	if (rc < 0)
		vu_frontend_done(f);
	return rc;
}

static void vu_frontend_close(int *fd)
{
	if (*fd > 0)
		close(*fd);
	*fd = -1;
}

void vu_frontend_done(struct vu_frontend *f)
{
	vu_frontend_close(&f->conn.sock);
	f->be.peer_fd = -1;
	vu_frontend_close(&f->be.change_fd);
	vu_frontend_close(&f->be.err_fd[0]);
	for (unsigned int i = 0; i < BACKEND_QUEUES_MAX; i++) {
		vu_frontend_close(&f->be.kick_fd[i]);
		vu_frontend_close(&f->be.call_fd[i]);
		f->be.err_fd[i] = -1;
	}
}
