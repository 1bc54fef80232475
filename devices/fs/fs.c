/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: virtio-fs, directories of the host (virtio 1.3 section 5.11)
 *
 * Queue 0 is for requests that must not wait behind others (FORGET, INTERRUPT), queue 1 for all others. The
 * guest's kernel speaks FUSE; fs_state.h has the life of a request, fs_ops.c what there is to ask for.
 *
 * The loop carries out what is done at once: most operations on names and inodes, where the file system is one of
 * the host's own (struct fs_found), and reads from the page cache. All else goes to threads, so that nothing waits
 * for a request that waits for the host: a fsync, a read from a disk, a file system whose server hangs.
 *
 * The device has no path: its root is empty. Resource 0 is a directory, the root of a mount of its own that holds
 * exactly what is shared; resource 1 is /proc/self/fd, likewise. From the first it goes down by names, without
 * following links, and by the second it opens for use what it has found.
 */
#include <errno.h>
#include <linux/virtio_fs.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include "devices/core/device.h"
#include "devices/core/linger.h"
#include "devices/core/pool.h"
#include "devices/fs/fs_attr.h"
#include "devices/fs/fs_close.h"
#include "devices/fs/fs_cred.h"
#include "devices/fs/fs_lock.h"
#include "devices/fs/fs_loop.h"
#include "devices/fs/fs_lost.h"
#include "devices/fs/fs_ops.h"
#include "devices/fs/fs_request.h"
#include "devices/fs/fs_slow.h"
#include "devices/fs/fs_tables.h"

#define FS_QUEUES  2U
#define FS_THREADS 8U
#define FS_CLOSERS 2U /* threads that close at a time, so that others are left */

_Static_assert(FS_CLOSERS + FS_SLOW < FS_THREADS, "a disk has a thread whatever hangs");

enum { FS_WATCH_POOL, FS_WATCH_TIMER };

/**
 * struct fs_device - State of one device
 * @busy:	Requests that threads have or will have, of each queue
 * @closers:	Slots in which threads close files
 * @free, @nr_free: Slots without a request
 * @timer_fd, @armed: For those that wait for locks; -1 if no locks are the host's
 */
struct fs_device {
	struct fs fs;
	struct virtio_fs_config config;
	struct pool pool;
	struct linger linger;
	struct fs_loop by_loop;
	struct fs_slow slow;
	unsigned int busy[FS_QUEUES];
	int timer_fd;
	bool armed;
	unsigned int closers;
	unsigned int nr_free;
	uint8_t free[FS_SLOTS];
	struct fs_request request[FS_SLOTS];
};

static void fs_run(void *arg, unsigned int slot)
{
	struct fs_device *f = arg;
	struct fs_request *r = &f->request[slot];

	r->rc = r->lost ? fs_lost_find(r, FS_WAIT_SERVER) : r->op->run(&f->fs, r);
}

/* Writes the answer; the chain can be pushed, and the slot is free. A request that waits for a lock keeps both. */
static void fs_over(struct device *d, struct fs_request *r)
{
	struct fs_device *f = d->state;

	if (fs_lock_waits(&f->fs, r))
		return;
	fs_request_answer(&f->fs, r);
	vq_push(&d->vq[r->queue], &r->chain);
	f->free[f->nr_free++] = (uint8_t)(r - f->request);
}

/* Whether the loop has carried out a request itself */
static bool fs_by_loop(struct device *d, struct fs_request *r)
{
	struct fs_device *f = d->state;
	const bool alone = f->busy[0] + f->busy[1] == 0 && !vq_has(&d->vq[r->queue], 1);

	return fs_loop_run(&f->by_loop, &f->fs, r, alone);
}

/* Carries a request out as far as the loop may, and gives it to a thread for the rest */
static void fs_go_on(struct device *d, struct fs_request *r)
{
	struct fs_device *f = d->state;
	bool over = true;

	while (over && fs_lost_next(&f->fs, r)) {
		int rc = r->from->quick ? fs_lost_find(r, FS_WAIT_NOT) : -EAGAIN;

		over = rc != -EAGAIN;
		if (over)
			fs_lost_end(&f->fs, r, rc);
	}
	if (over && fs_by_loop(d, r)) {
		fs_over(d, r);
		return;
	}
	f->busy[r->queue]++;
	if (fs_slow_begin(&f->slow, r))
		pool_give(&f->pool, (uint8_t)(r - f->request));
}

/* A thread has given a request back, and can have another */
static void fs_come_back(struct fs_device *f, const struct fs_request *r)
{
	struct fs_request *next = fs_slow_end(&f->slow, r);

	f->busy[r->queue]--;
	if (next)
		pool_give(&f->pool, (uint8_t)(next - f->request));
}

/* Looks after those that wait for locks, and comes back while there are any */
static void fs_wait(struct device *d)
{
	static const struct itimerspec soon = {.it_value.tv_nsec = FS_LOCK_AGAIN_NS};
	struct fs_device *f = d->state;
	struct fs_request *r;
	bool any = false;

	while ((r = fs_lock_next(&f->fs.locks))) {
		any = true;
		if (r->rc == -EAGAIN)
			r->rc = fs_lock_begin(&f->fs, r);
		fs_go_on(d, r);
	}
	for (unsigned int q = 0; any && q < FS_QUEUES; q++)
		device_signal(d, q);
	if (f->fs.locks.nr_waiting > 0 && !f->armed)
		f->armed = timerfd_settime(f->timer_fd, 0, &soon, NULL) == 0;
}

/* Has threads close what waits for it */
static void fs_have_closed(struct fs_device *f)
{
	while (f->nr_free > 0 && f->closers < FS_CLOSERS) {
		const uint8_t slot = f->free[f->nr_free - 1];

		if (!fs_close_begin(&f->fs, &f->request[slot]))
			return;
		f->nr_free--;
		f->closers++;
		pool_give(&f->pool, slot);
	}
}

/* Whether the loop has something to do, or will have without the driver */
static bool fs_is_busy(struct device *d)
{
	const struct fs_device *f = d->state;

	return f->busy[0] + f->busy[1] + f->fs.locks.nr_waiting > 0 || pool_has(&f->pool) ||
	       vq_has(&d->vq[0], 1) || vq_has(&d->vq[1], 1);
}

/* A loop with nothing to do waits a moment for a request */
static void fs_await(struct device *d, unsigned int q)
{
	struct fs_device *f = d->state;

	if (fs_is_busy(d))
		return;
	fs_have_closed(f);
	device_signal(d, q);
	linger(&f->linger, d->vq, FS_QUEUES);
}

static void fs_queue(struct device *d, unsigned int q)
{
	struct fs_device *f = d->state;
	enum vq_result rc = VQ_CHAIN;

	for (unsigned int n = 0; n < DEVICE_BATCH; n++) {
		struct fs_request *r;

		fs_await(d, q);
		rc = VQ_EMPTY; /* fs_event() goes on when a slot is free. */
		if (f->nr_free == 0)
			break;
		r = &f->request[f->free[f->nr_free - 1]];
		rc = vq_pop(&d->vq[q], &r->chain);
		if (rc != VQ_CHAIN)
			break;
		r->queue = q;
		if (!fs_request_begin(&f->fs, r)) {
			device_broken(d, q,
				      "request without header, or room for one in the answer");
			return;
		}
		f->nr_free--;
		fs_go_on(d, r);
	}
	fs_wait(d);
	fs_have_closed(f);
	device_end_turn(d, q, rc);
}

/* Ends requests that threads have carried out, one at least */
static void fs_collect(struct device *d)
{
	struct fs_device *f = d->state;
	uint8_t slots[FS_SLOTS];
	unsigned int nr = pool_take(&f->pool, slots, FS_SLOTS);

	for (unsigned int i = 0; i < nr; i++) {
		struct fs_request *r = &f->request[slots[i]];
		int rc;

		if (r->op == &fs_close_op) {
			(void)r->op->end(&f->fs, r);
			f->closers--;
			f->free[f->nr_free++] = slots[i];
			continue;
		}
		fs_come_back(f, r);
		if (!r->lost) {
			fs_over(d, r);
			continue;
		}
		rc = r->rc;
		r->rc = 0;
		fs_lost_end(&f->fs, r, rc);
		fs_go_on(d, r);
	}
	fs_have_closed(f);
}

static void fs_event(struct device *d, unsigned int slot, uint32_t events UNUSED)
{
	struct fs_device *f = d->state;
	uint64_t times;

	if (slot == FS_WATCH_TIMER && read(f->timer_fd, &times, sizeof(times)) > 0) {
		f->armed = false;
		fs_lock_again(&f->fs.locks);
		fs_wait(d);
	}
	if (!pool_has(&f->pool)) /* a stop may have taken it */
		return;
	fs_collect(d);
	fs_wait(d);
	for (unsigned int q = 0; q < FS_QUEUES; q++) {
		if (d->runs[q] && !d->vq[q].broken)
			fs_queue(d, q);
		else
			device_signal(d, q);
	}
}

static void fs_stop(struct device *d, unsigned int q)
{
	struct fs_device *f = d->state;

	while (f->busy[q] + f->closers > 0)
		fs_collect(d);
	fs_lock_stop(&f->fs.locks, q);
	fs_wait(d);
	for (unsigned int i = 0; i < FS_QUEUES; i++) {
		device_signal(d, i);
		if (i != q && d->runs[i]) /* it may have waited for a slot */
			device_again(d, i);
	}
}

static int fs_config(struct device *d, bool write, uint32_t off, void *buf, uint32_t len)
{
	const struct fs_device *f = d->state;

	if (write)
		return -EPERM;
	memcpy(buf, (const uint8_t *)&f->config + off, len);
	return 0;
}

static int fs_init_timer(struct device *d, struct err *err)
{
	struct fs_device *f = d->state;

	f->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (f->timer_fd < 0)
		return err_set(err, errno, "timer");
	return device_watch(d, FS_WATCH_TIMER, f->timer_fd, EPOLLIN, err);
}

/**
 * fs_setup() - Take over the directory and /proc/self/fd
 * @d:		Zeroed state
 * @rec:	Two resources
 *
 * Context: setup
 * Syscalls: fchdir statx fstatfs prctl timerfd_create
 * Return: 0 or -errno
 */
static int fs_setup(struct device *d, const struct boot_dev *rec, struct err *err)
{
	struct fs_device *f = d->state;
	struct fs_found root;
	struct fs_settings s;
	int rc = boot_settings(rec, &s, sizeof(s), err);

	f->timer_fd = -1;
	if (rc < 0)
		return rc;
	if (rec->nr_res != 2 || rec->nr_queues > FS_QUEUES || s.tag[0] == '\0' ||
	    s.cache >= FS_CACHES)
		return err_text(err, EINVAL, "%s: %u resources, %u queues", rec->name, rec->nr_res,
				rec->nr_queues);
	if (fchdir(BOOT_FD_RES + 1) < 0)
		return err_set(err, errno, "%s: enter /proc/self/fd", rec->name);
	rc = fs_found_init(BOOT_FD_RES, NULL, &root);
	if (rc < 0)
		return err_set(err, -rc, "%s: the shared directory", rec->name);
	(void)umask(0);
	f->fs.read_only = rec->flags & BOOT_DEV_READONLY;
	f->fs.squash = rec->flags & BOOT_DEV_SQUASH;
	f->fs.writeback = s.flags & FS_WRITEBACK;
	f->fs.posix_acl = s.flags & FS_POSIX_ACL;
	f->fs.security_ctx = s.flags & FS_SECURITY_CTX;
	f->fs.cache = (enum fs_cache)s.cache;
	memcpy(f->config.tag, s.tag, sizeof(f->config.tag));
	f->config.num_request_queues = 1;
	d->nr_queues = FS_QUEUES;
	fs_cred_init(&f->fs);
	rc = fs_tables_init(&f->fs, &root, s.flags & FS_HOST_LOCKS, err);
	for (unsigned int i = 0; i < FS_SLOTS; i++)
		f->free[f->nr_free++] = (uint8_t)i;
	if (rc == 0)
		rc = pool_init(&f->pool, FS_THREADS, fs_run, f, err);
	if (rc == 0)
		rc = device_watch(d, FS_WATCH_POOL, f->pool.done[0], EPOLLIN, err);
	return rc < 0 || f->fs.locks.max == 0 ? rc : fs_init_timer(d, err);
}

static void fs_left(struct device *d)
{
	struct fs_device *f = d->state;

	fs_op_forget(&f->fs);
	fs_have_closed(f);
	while (f->closers > 0)
		fs_collect(d);
}

static void fs_end(struct device *d)
{
	struct fs_device *f = d->state;

	pool_done(&f->pool);
	cleanup_close_fd(&f->timer_fd);
	fs_tables_done(&f->fs);
}

_Static_assert(FS_TAG_BYTES == sizeof(((struct virtio_fs_config *)0)->tag), "tag");

const struct device_ops fs_device = {
	.kind = &kind_table[KIND_FS],
	.queue_max = VQ_SIZE_MAX,
	.opens = true,
	.state_size = sizeof(struct fs_device),
	.init = fs_setup,
	.queue = fs_queue,
	.stop = fs_stop,
	.event = fs_event,
	.config = fs_config,
	.left = fs_left,
	.done = fs_end,
};
