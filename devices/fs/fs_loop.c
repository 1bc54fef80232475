/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_loop.h"

#include <errno.h>
#include <time.h>

static uint64_t fs_loop_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* Carries a request out, unless it would have to wait for more than @wait */
static bool fs_loop_does(struct fs *fs, struct fs_request *r, enum fs_wait wait)
{
	r->wait = wait;
	r->rc = r->op->run(fs, r);
	r->wait = FS_WAIT_SERVER;
	/* A lock that another has is no reason to try it in a thread. */
	return r->rc != -EAGAIN || r->op->flags & FS_OP_LOCK;
}

/* Whether it is tried without waiting; one that reads much beside others is not */
static bool fs_loop_tries(const struct fs_request *r, bool alone)
{
	return r->op->flags & FS_OP_TRY && r->node->quick &&
	       (alone || vq_left(&r->chain, VQ_WRITABLE) <= FS_LOOP_BYTES);
}

/* Whether the loop may wait for it */
static bool fs_loop_may(const struct fs_loop *l, const struct fs_request *r, bool alone,
			uint64_t now_ns)
{
	const uint16_t flags = r->op->flags;

	if (flags & (FS_OP_SILENT | FS_OP_FIRST | FS_OP_LOOP))
		return true;
	if (flags & FS_OP_WAITS || !r->node->quick)
		return false;
	return flags & FS_OP_FAST || (alone && now_ns >= l->wary_until_ns);
}

bool fs_loop_run(struct fs_loop *l, struct fs *fs, struct fs_request *r, bool alone)
{
	uint64_t begin_ns, took_ns;
	bool done;

	if (r->rc < 0)
		return true; /* its answer is an error already */
	if (fs_loop_tries(r, alone) && fs_loop_does(fs, r, FS_WAIT_NOT))
		return true;
	begin_ns = fs_loop_now_ns();
	if (!fs_loop_may(l, r, alone, begin_ns))
		return false;
	done = fs_loop_does(fs, r, FS_WAIT_DISK);
	took_ns = fs_loop_now_ns() - begin_ns;
	if (took_ns > FS_LOOP_SLOW_NS)
		l->wary_until_ns = begin_ns + (1 + FS_LOOP_WARY) * took_ns;
	return done;
}
