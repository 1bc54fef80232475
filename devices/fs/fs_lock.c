/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "devices/core/sparse.h"
#include "devices/fs/fs_attr.h"

int fs_locks_init(struct fs_locks *t, uint32_t max, struct err *err)
{
	*t = (struct fs_locks){.max = max};
	if (max == 0)
		return 0;
	t->lock = sparse_calloc(max, sizeof(*t->lock));
	return t->lock ? 0 : err_set(err, ENOMEM, "a table of %u owners of locks", max);
}

void fs_locks_done(struct fs_locks *t)
{
	for (uint32_t i = 0; t->lock && i < t->top; i++)
		cleanup_close_fd(&t->lock[i].fd);
	free(t->lock);
	*t = (struct fs_locks){0};
}

/* ---- owners ---- */

/* Where a close may wait for a server, the place goes on until a thread has closed it. */
static void fs_lock_remove(struct fs *fs, struct fs_lock *l)
{
	const bool slow = l->fd >= 0 && !l->node->quick;

	if (slow) {
		*l = (struct fs_lock){.fd = l->fd, .closing = true};
		fs->locks.nr_closing++;
		return;
	}
	fs->locks.again |= l->held;
	cleanup_close_fd(&l->fd);
	*l = (struct fs_lock){.fd = -1};
}

struct fs_lock *fs_lock_closing(struct fs_locks *t)
{
	struct fs_lock *l = t->lock;

	if (t->nr_closing == 0)
		return NULL;
	while (!l->closing)
		l++;
	l->closing = false;
	l->gone = true;
	t->nr_closing--;
	return l;
}

void fs_lock_closed(struct fs_locks *t, struct fs_lock *l)
{
	t->again = true;
	*l = (struct fs_lock){.fd = -1};
}

/* Its locks are over; a request that is in work has its file still */
static void fs_lock_drop(struct fs *fs, struct fs_lock *l)
{
	if (l->busy)
		l->gone = true;
	else
		fs_lock_remove(fs, l);
}

static bool fs_lock_is_flock(const struct fuse_lk_in *in)
{
	return in->lk_flags & FUSE_LK_FLOCK;
}

int fs_lock_begin(struct fs *fs, struct fs_request *r)
{
	const struct fuse_lk_in *in = FS_ARGS(r, fuse_lk_in);
	struct fs_locks *t = &fs->locks;
	struct fs_lock *fresh = NULL;

	if (t->max == 0)
		return -ENOSYS;
	if (r->file->gone)
		return -EBADF;
	for (uint32_t i = 0; i < t->top; i++) {
		struct fs_lock *l = &t->lock[i];

		if (!l->node)
			fresh = l->fd < 0 ? l : fresh;
		else if (l->node == r->file->node && l->owner == in->owner &&
			 l->is_flock == fs_lock_is_flock(in)) {
			if (l->busy)
				return -EAGAIN;
			r->lock = l;
		}
	}
	if (!r->lock && !fresh && t->top == t->max)
		return -ENOLCK;
	if (!r->lock) {
		r->lock = fresh ? fresh : &t->lock[t->top++];
		*r->lock = (struct fs_lock){.node = r->file->node,
					    .owner = in->owner,
					    .is_flock = fs_lock_is_flock(in),
					    .fd = -1};
	}
	r->lock->busy = true;
	return 0;
}

/* What a request has changed of its owner's locks */
static void fs_lock_note(struct fs *fs, const struct fs_request *r, struct fs_lock *l)
{
	const struct fuse_lk_in *in = FS_ARGS(r, fuse_lk_in);
	const bool whole = in->lk.start == 0 && in->lk.end >= INT64_MAX;

	if (r->in.opcode == FUSE_GETLK)
		return;
	if (r->rc < 0) {
		/* flock(2) gives the old lock up before it tries to have another. */
		fs->locks.again |= l->is_flock && l->held;
		l->held &= !l->is_flock;
		return;
	}
	fs->locks.again |= in->lk.type != F_WRLCK;
	if (in->lk.type == F_UNLCK) {
		l->held &= !whole && !l->is_flock;
		return;
	}
	l->held = true;
	l->file = r->file;
}

void fs_lock_end(struct fs *fs, struct fs_request *r)
{
	struct fs_lock *l = r->lock;

	if (!l)
		return;
	r->lock = NULL;
	l->busy = false;
	fs_lock_note(fs, r, l);
	if (!l->held || l->gone || r->file->gone)
		fs_lock_remove(fs, l);
}

int fs_lock_flush(struct fs *fs, struct fs_request *r)
{
	for (uint32_t i = 0; i < fs->locks.top; i++) {
		struct fs_lock *l = &fs->locks.lock[i];

		if (l->node == r->file->node && !l->is_flock &&
		    l->owner == FS_ARGS(r, fuse_flush_in)->lock_owner)
			fs_lock_drop(fs, l);
	}
	return 0;
}

/* Those taken by way of it: a flock, and those of the file itself (F_OFD_SETLK), which no flush ends */
int fs_lock_release(struct fs *fs, struct fs_request *r)
{
	for (uint32_t i = 0; i < fs->locks.top; i++) {
		struct fs_lock *l = &fs->locks.lock[i];

		if (l->node && l->file == r->file)
			fs_lock_drop(fs, l);
	}
	return 0;
}

void fs_locks_drop(struct fs *fs)
{
	struct fs_locks *t = &fs->locks;

	for (uint32_t i = 0; i < t->top; i++)
		if (t->lock[i].node)
			fs_lock_drop(fs, &t->lock[i]);
	for (unsigned int i = 0; i < t->nr_waiting; i++)
		t->waiting[i]->rc = -EINTR;
}

/* ---- the operations ---- */

static int fs_lock_open(const struct fs_request *r, int flags)
{
	char path[FS_PATH_BYTES];

	/* O_NONBLOCK: who holds a lease on it is not waited for. */
	return openat(AT_FDCWD, fs_path(r->file->fd, path), flags | O_CLOEXEC | O_NONBLOCK);
}

/* The owner's own open file; one that cannot be written takes locks for reading alone */
static int fs_lock_have(struct fs_request *r)
{
	struct fs_lock *l = r->lock;

	if (l->fd >= 0)
		return 0;
	if (r->file->node->type != S_IFREG)
		return -EINVAL;
	l->fd = fs_lock_open(r, l->is_flock ? O_RDONLY : O_RDWR);
	if (l->fd < 0 && !l->is_flock)
		l->fd = fs_lock_open(r, O_RDONLY);
	return l->fd < 0 ? -errno : 0;
}

static int fs_lock_range(const struct fuse_file_lock *lk, struct flock *ret)
{
	if (lk->start > lk->end || lk->start > INT64_MAX ||
	    (lk->type != F_RDLCK && lk->type != F_WRLCK && lk->type != F_UNLCK))
		return -EINVAL;
	*ret = (struct flock){
		.l_type = (short)lk->type,
		.l_whence = SEEK_SET,
		.l_start = (off_t)lk->start,
		.l_len = lk->end >= INT64_MAX ? 0 : (off_t)(lk->end - lk->start + 1),
	};
	return 0;
}

int fs_lock_get(struct fs *fs UNUSED, struct fs_request *r)
{
	const struct fuse_lk_in in = *FS_ARGS(r, fuse_lk_in);
	struct fuse_lk_out *out = FS_OUT(r, fuse_lk_out);
	struct flock lock;
	int rc = fs_lock_range(&in.lk, &lock);

	if (rc < 0)
		return rc;
	/* The guest's own open file has no locks of its own: all that is found is in the way of a new owner. */
	if (fcntl(r->lock->fd < 0 ? r->file->fd : r->lock->fd, F_OFD_GETLK, &lock) < 0)
		return -errno;
	out->lk.type = (uint32_t)lock.l_type;
	if (lock.l_type == F_UNLCK)
		return 0;
	out->lk.start = (uint64_t)lock.l_start;
	out->lk.end = lock.l_len ? (uint64_t)(lock.l_start + lock.l_len - 1) : INT64_MAX;
	return 0;
}

int fs_lock_set(struct fs *fs UNUSED, struct fs_request *r)
{
	static const int how[] = {
		[F_RDLCK] = LOCK_SH | LOCK_NB,
		[F_WRLCK] = LOCK_EX | LOCK_NB,
		[F_UNLCK] = LOCK_UN | LOCK_NB,
	};
	struct flock lock;
	int rc = fs_lock_range(&FS_ARGS(r, fuse_lk_in)->lk, &lock);

	if (rc == 0 && lock.l_type == F_UNLCK && r->lock->fd < 0)
		return 0;
	if (rc == 0)
		rc = fs_lock_have(r);
	if (rc < 0)
		return rc;
	if (r->lock->is_flock)
		rc = flock(r->lock->fd, how[lock.l_type]);
	else
		rc = fcntl(r->lock->fd, F_OFD_SETLK, &lock);
	return rc < 0 ? (errno == EACCES ? -EAGAIN : -errno) : 0;
}

/* ---- requests that wait ---- */

bool fs_lock_waits(struct fs *fs, struct fs_request *r)
{
	struct fs_locks *t = &fs->locks;

	/* Others than SETLKW wait only for their owner's place. */
	if (r->rc != -EAGAIN || !(r->op->flags & FS_OP_LOCK) ||
	    (r->lock && r->in.opcode != FUSE_SETLKW))
		return false;
	fs_lock_end(fs, r);
	for (unsigned int i = 0; i < FS_INTERRUPTS; i++)
		r->rc = t->interrupt[i] == r->in.unique ? -EINTR : r->rc;
	if (r->rc == -EAGAIN && t->nr_waiting == FS_WAITING)
		r->rc = -ENOLCK;
	if (r->rc != -EAGAIN)
		return false;
	t->waiting[t->nr_waiting++] = r;
	return true;
}

void fs_lock_again(struct fs_locks *t)
{
	t->again = true;
}

struct fs_request *fs_lock_next(struct fs_locks *t)
{
	struct fs_request *r;
	unsigned int i = 0;

	if (t->again)
		t->round = t->nr_waiting;
	t->again = false;
	while (i < t->nr_waiting && t->waiting[i]->rc == -EAGAIN)
		i++;
	if (i == t->nr_waiting && t->round == 0)
		return NULL;
	/* One that has ended, or the oldest: what goes on waiting joins the end. */
	i = i < t->nr_waiting ? i : 0;
	t->round -= t->round > 0;
	r = t->waiting[i];
	t->nr_waiting--;
	for (; i < t->nr_waiting; i++)
		t->waiting[i] = t->waiting[i + 1];
	return r;
}

void fs_lock_stop(struct fs_locks *t, unsigned int queue)
{
	for (unsigned int i = 0; i < t->nr_waiting; i++)
		if (t->waiting[i]->queue == queue)
			t->waiting[i]->rc = -ENOLCK;
}

void fs_lock_interrupt(struct fs_locks *t, uint64_t unique)
{
	for (unsigned int i = 0; i < t->nr_waiting; i++) {
		if (t->waiting[i]->in.unique == unique) {
			t->waiting[i]->rc = -EINTR;
			return;
		}
	}
	/* It may be in work, or on its way in the other ring. Numbers are not used twice. */
	t->interrupt[t->next_interrupt++ % FS_INTERRUPTS] = unique;
}
