/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A back-end that checks its transport, for tests of transports
 *
 * Included by one file of a test program. It holds the transport to struct backend_ops' contract:
 * what it is started with must be sound, and it is never started twice or spoken to after a
 * failure.
 */
#ifndef VMRUN_TESTS_SUPPORT_STUB_BACKEND_H
#define VMRUN_TESTS_SUPPORT_STUB_BACKEND_H

#include <errno.h>
#include <linux/virtio_config.h>
#include <string.h>
#include <sys/eventfd.h>

#include "devices/core/gmem.h"
#include "vmm/virtio/backend.h"

#define STUB_QUEUES	  3
#define STUB_QUEUE_MAX	  128
#define STUB_CONFIG_BYTES 12
#define STUB_FEATURES	  (1ULL << VIRTIO_F_VERSION_1 | 1ULL << 29 | 1ULL << 5)

/**
 * struct stub_backend - @fail: what the next call answers, and @dead from then on
 * @slow:	So many stops answer that it is not over yet
 * @returns:	It may come back; @away: so many writes of configuration space answer that it is away
 * @hear_rc, @hear_changed: What the next hear answers
 * @q:		What it was started with
 */
struct stub_backend {
	struct backend be;
	const struct gmem *mem;
	bool running, dead, returns;
	int fail;
	unsigned int starts, stops, resumes, hears, slow, away;
	int hear_rc;
	bool hear_changed;
	uint64_t features;
	struct backend_queue q[STUB_QUEUES];
	uint8_t config[STUB_CONFIG_BYTES];
};

static int stub_result(struct stub_backend *s, struct err *err)
{
	vr_assert(!s->dead);
	s->dead = s->fail < 0;
	return s->fail < 0 ? err_text(err, -s->fail, "stub: told to fail") : 0;
}

static int stub_start(struct backend *b, uint64_t features, const struct backend_queue *q,
		      struct err *err)
{
	struct stub_backend *s = container_of(b, struct stub_backend, be);

	vr_assert(!s->running);
	vr_assert((features & ~b->features) == 0 && (features & 1ULL << VIRTIO_F_VERSION_1));
	for (unsigned int i = 0; i < STUB_QUEUES; i++) {
		if (!q[i].enabled)
			continue;
		vr_assert(q[i].size > 0 && q[i].size <= b->queue_max);
		vr_assert((q[i].size & (q[i].size - 1)) == 0);
		vr_assert(q[i].desc_gpa % 16 == 0 &&
			  gmem_ptr(s->mem, q[i].desc_gpa, 16ULL * q[i].size));
		vr_assert(q[i].avail_gpa % 2 == 0 &&
			  gmem_ptr(s->mem, q[i].avail_gpa, 6 + 2ULL * q[i].size));
		vr_assert(q[i].used_gpa % 4 == 0 &&
			  gmem_ptr(s->mem, q[i].used_gpa, 6 + 8ULL * q[i].size));
	}
	memcpy(s->q, q, sizeof(s->q));
	s->features = features;
	s->running = true;
	s->starts++;
	return stub_result(s, err);
}

static int stub_stop(struct backend *b, unsigned int waited_ms UNUSED, struct err *err)
{
	struct stub_backend *s = container_of(b, struct stub_backend, be);

	vr_assert(s->running);
	if (s->slow > 0) {
		s->slow--;
		return 1;
	}
	s->running = false;
	s->stops++;
	return stub_result(s, err);
}

/* The test says what it goes on with: s->q is still what it was started with */
static int stub_resume(struct backend *b, struct err *err)
{
	struct stub_backend *s = container_of(b, struct stub_backend, be);

	vr_assert(!s->running && s->starts > 0);
	s->running = true;
	s->resumes++;
	return stub_result(s, err);
}

static int stub_config(struct backend *b, bool write, uint32_t off, void *buf, uint32_t len,
		       struct err *err)
{
	struct stub_backend *s = container_of(b, struct stub_backend, be);

	vr_assert(off <= STUB_CONFIG_BYTES && len <= STUB_CONFIG_BYTES - off);
	if (write && s->away > 0) {
		s->away--;
		return -EAGAIN;
	}
	if (write)
		memcpy(s->config + off, buf, len);
	else
		memcpy(buf, s->config + off, len);
	return stub_result(s, err);
}

static int stub_hear(struct backend *b, bool *ret_changed, struct err *err)
{
	struct stub_backend *s = container_of(b, struct stub_backend, be);

	s->hears++;
	*ret_changed = s->hear_changed;
	return s->hear_rc < 0 ? err_text(err, -s->hear_rc, "stub: said something wrong")
			      : s->hear_rc;
}

static bool stub_hung_up(struct backend *b)
{
	return container_of(b, struct stub_backend, be)->returns;
}

static void stub_init(struct stub_backend *s, const struct gmem *mem)
{
	static const struct backend_ops ops = {stub_start,  stub_stop, stub_resume,
					       stub_config, stub_hear, stub_hung_up};

	*s = (struct stub_backend){.mem = mem};
	s->be = (struct backend){
		.ops = &ops,
		.name = "stub0",
		.virtio_id = 2,
		.nr_queues = STUB_QUEUES,
		.queue_max = STUB_QUEUE_MAX,
		.config_bytes = STUB_CONFIG_BYTES,
		.features = STUB_FEATURES,
		.peer_fd = -1,
		.change_fd = -1,
	};
	for (unsigned int i = 0; i < STUB_CONFIG_BYTES; i++)
		s->config[i] = (uint8_t)(0xa0 + i);
	for (unsigned int i = 0; i < STUB_QUEUES; i++) {
		s->be.kick_fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		s->be.call_fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		s->be.err_fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
}

UNUSED static void stub_done(struct stub_backend *s)
{
	for (unsigned int i = 0; i < STUB_QUEUES; i++) {
		close(s->be.kick_fd[i]);
		close(s->be.call_fd[i]);
		close(s->be.err_fd[i]);
	}
}

#endif
