/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a device in another process is asked, and when
 *
 * init:  vu_terms.h
 * start: SET_FEATURES, the in-flight region (vu_region.h), then the rings (vu_rings.h)
 */
#include "vmm/virtio/vu_frontend.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "devices/core/virtqueue.h"

static struct vu_frontend *vu_frontend_of(struct backend *b)
{
	return container_of(b, struct vu_frontend, be);
}

bool vu_frontend_gone(int rc)
{
	return rc == -EPIPE || rc == -ECONNRESET;
}

void vu_frontend_lose(struct vu_frontend *f)
{
	f->away = true;
	f->region.sent = false;
	f->rings = (struct vu_rings){0};
	cleanup_close_fd(&f->conn.sock);
	f->conn.sock = f->be.peer_fd = -1;
	f->conn.waited_ms = 0;
}

/* An error ends the connection: it is unknown what the peer has understood. Returns 0 if another one may come. The
 * main thread closes the socket, which it watches. */
static int vu_frontend_fail(struct vu_frontend *f, int rc)
{
	if (f->returns && vu_frontend_gone(rc)) {
		f->away = true;
		f->rings = (struct vu_rings){0};
		return 0;
	}
	f->dead = true;
	return rc;
}

static int vu_frontend_was_dead(struct err *err)
{
	return err_text(err, EPIPE, "the device has failed before");
}

static int vu_frontend_give_region(struct vu_frontend *f, struct err *err)
{
	int rc;

	if (!f->fresh)
		return vu_region_send(&f->region, &f->conn, err);
	rc = vu_region_renew(&f->region, &f->conn, f->be.nr_queues, f->be.queue_max, err);
	f->fresh = rc < 0;
	return rc;
}

int vu_frontend_give(struct vu_frontend *f, struct err *err)
{
	const uint64_t protocol = f->terms.offered & 1ULL << VU_F_PROTOCOL_FEATURES;
	const bool fresh = f->fresh;
	int rc = vu_conn_post_u64(&f->conn, VU_SET_FEATURES, f->features | protocol, err);

	if (rc == 0)
		rc = vu_frontend_give_region(f, err);
	for (unsigned int i = 0; i < f->be.nr_queues; i++) {
		uint16_t *base = &f->rings.base[i];

		if (fresh || !vq_used_idx(f->ask.mem, f->queue[i].used_gpa, base))
			*base = 0;
	}
	return rc < 0 ? rc
		      : vu_rings_start(&f->rings, &f->conn, &f->be, f->queue, protocol != 0, err);
}

/* What is not fresh goes on at the used index: a device that gave its rings back had finished its requests. */
static int vu_frontend_resume(struct backend *b, struct err *err)
{
	struct vu_frontend *f = vu_frontend_of(b);
	int rc;

	if (f->dead)
		return vu_frontend_was_dead(err);
	f->running = true;
	if (f->away || f->joining)
		return 0;
	rc = vu_frontend_give(f, err);
	return rc < 0 ? vu_frontend_fail(f, rc) : 0;
}

static int vu_frontend_start(struct backend *b, uint64_t features, const struct backend_queue *q,
			     struct err *err)
{
	struct vu_frontend *f = vu_frontend_of(b);
	int rc;

	if (f->dead)
		return vu_frontend_was_dead(err);
	f->running = f->fresh = true;
	f->features = features;
	memcpy(f->queue, q, b->nr_queues * sizeof(*q));
	if (f->away || f->joining)
		return 0;
	rc = vu_frontend_give(f, err);
	return rc < 0 ? vu_frontend_fail(f, rc) : 0;
}

static int vu_frontend_stop(struct backend *b, unsigned int waited_ms, struct err *err)
{
	struct vu_frontend *f = vu_frontend_of(b);
	int rc;

	if (f->dead)
		return vu_frontend_was_dead(err);
	if (f->joining) /* and may have been given the rings already */
		return 1;
	f->running = false;
	if (f->away)
		return 0;
	rc = vu_rings_stop(&f->rings, &f->conn, waited_ms, err);
	return rc < 0 ? vu_frontend_fail(f, rc) : rc;
}

static int vu_frontend_get_config(struct vu_frontend *f, struct err *err)
{
	int rc = vu_terms_config(&f->conn, f->terms.config, f->be.config_bytes, err);

	if (rc == 0)
		f->be.config_stale = false;
	return rc;
}

static int vu_frontend_ask_config(struct vu_frontend *f, bool write, uint32_t off, const void *buf,
				  uint32_t len, struct err *err)
{
	int rc = 0;

	if (write) {
		memset(f->written + off, true, len);
		rc = vu_terms_write(&f->conn, off, buf, len, err);
	}
	/* The device may have stored something else. */
	return rc == 0 && (write || f->be.config_stale) ? vu_frontend_get_config(f, err) : rc;
}

int vu_frontend_reread(struct vu_frontend *f, struct err *err)
{
	int rc = 0;

	if (f->dead)
		return vu_frontend_was_dead(err);
	/* One that comes back is asked then. */
	if (!f->away && !f->joining && f->be.config_bytes && !f->ask.config_bytes)
		rc = vu_frontend_get_config(f, err);
	return rc < 0 ? vu_frontend_fail(f, rc) : 0;
}

static int vu_frontend_config(struct backend *b, bool write, uint32_t off, void *buf, uint32_t len,
			      struct err *err)
{
	struct vu_frontend *f = vu_frontend_of(b);
	int rc = 0;

	vr_assert(off <= b->config_bytes && len <= b->config_bytes - off);
	if (f->dead)
		return vu_frontend_was_dead(err);
	/* Answers come in the order of the requests, and those about rings are outstanding. */
	vr_assert(!f->rings.stopping || f->joining || !(write || b->config_stale));
	if (f->ask.config_bytes > 0)
		b->config_stale = false;
	else if (!f->away && !f->joining)
		rc = vu_frontend_ask_config(f, write, off, buf, len, err);
	if (rc < 0)
		rc = vu_frontend_fail(f, rc);
	if (rc == 0 && !write)
		memcpy(buf, f->terms.config + off, len);
	else if (rc == 0 && f->ask.config_bytes == 0 && (f->away || f->joining))
		rc = -EAGAIN;
	return rc;
}

static int vu_frontend_hear(struct backend *b, bool *ret_changed, struct err *err)
{
	return vu_channel_hear(&vu_frontend_of(b)->conn, b->change_fd, ret_changed, err);
}

static bool vu_frontend_hung_up(struct backend *b)
{
	struct vu_frontend *f = vu_frontend_of(b);

	if (f->returns && !f->dead)
		vu_frontend_lose(f);
	return f->returns && !f->dead;
}

static const struct backend_ops vu_frontend_ops = {
	.start = vu_frontend_start,
	.stop = vu_frontend_stop,
	.resume = vu_frontend_resume,
	.config = vu_frontend_config,
	.hear = vu_frontend_hear,
	.hung_up = vu_frontend_hung_up,
};

static void vu_frontend_close(int *fd)
{
	if (*fd > 0)
		close(*fd);
	*fd = -1;
}

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

static int vu_frontend_connect(struct vu_frontend *f, struct err *err)
{
	int rc = vu_conn_bound(&f->conn, err);

	if (rc == 0)
		rc = vu_terms_agree(&f->terms, &f->conn, &f->channel, &f->ask, err);
	if (rc < 0)
		return rc;
	f->be.features = f->terms.features;
	f->be.nr_queues = f->terms.nr_queues;
	f->be.queue_max = f->terms.queue_max;
	f->be.config_bytes = f->terms.config_bytes;
	f->be.change_fd = f->channel.ours;
	if (!f->returns) /* its end tells that no message will come */
		vu_frontend_close(&f->channel.theirs);
	return vu_frontend_make_eventfds(f, err);
}

int vu_frontend_init(struct vu_frontend *f, const struct vu_frontend_args *args, struct err *err)
{
	int rc;

	*f = (struct vu_frontend){
		.conn = {.name = args->name,
			 .sock = args->sock,
			 .late_ms = args->late_ms > 0 ? args->late_ms : VU_LATE_MS,
			 .late = args->late},
		.channel = {-1, -1},
		.ask = args->ask,
		.returns = args->returns,
		.region = args->region,
	};
	f->ask.tracked = args->returns;
	f->region.once = !args->ask.others;
	f->be = (struct backend){
		.ops = &vu_frontend_ops,
		.name = args->name,
		.virtio_id = args->ask.virtio_id,
		.peer_fd = args->sock,
		.change_fd = -1,
	};
	for (unsigned int i = 0; i < BACKEND_QUEUES_MAX; i++)
		f->be.kick_fd[i] = f->be.call_fd[i] = f->be.err_fd[i] = -1;
	rc = vu_frontend_connect(f, err);
	if (rc < 0)
		vu_frontend_done(f);
	return rc;
}

void vu_frontend_done(struct vu_frontend *f)
{
	vu_frontend_close(&f->conn.sock);
	f->be.peer_fd = -1;
	vu_frontend_close(&f->channel.ours);
	vu_frontend_close(&f->channel.theirs);
	f->be.change_fd = -1;
	vu_region_done(&f->region);
	vu_frontend_close(&f->be.err_fd[0]);
	for (unsigned int i = 0; i < BACKEND_QUEUES_MAX; i++) {
		vu_frontend_close(&f->be.kick_fd[i]);
		vu_frontend_close(&f->be.call_fd[i]);
		f->be.err_fd[i] = -1;
	}
}
