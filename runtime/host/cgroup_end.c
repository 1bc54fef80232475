/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/cgroup_end.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "devices/core/fmt.h"
#include "runtime/host/cgroup_files.h"
#include "runtime/util/file.h"

#define PAUSE_NS     100000
#define PAUSE_MAX_NS 10000000
#define LOCK_TRIES   50	 /* half a second: children of a dead supervisor let go at once */
#define DYING_TRIES  300 /* 3 s */
#define DEPTH_MAX    16
#define BELOW_MAX    512 /* groups below the leaf */

/* ---- leaving ---- */

static bool cgroup_end_move_to(const struct cgroup_mount *m, const char *below)
{
	char path[2 * PATH_MAX];
	cleanup_fd int dir = -1;

	fmt_into(path, sizeof(path), "%s%s", m->path, below);
	dir = cgroup_open(AT_FDCWD, path);
	return dir >= 0 && cgroup_write(dir, m->v2 ? "cgroup.procs" : "tasks", "0") == 0;
}

void cgroup_leave(const struct cgroup *c)
{
	for (unsigned int i = 0; i < c->nr_mounts; i++) {
		const struct cgroup_mount *m = &c->mount[i];

		if (m->leaf >= 0 && !cgroup_end_move_to(m, "") && m->v2)
			(void)cgroup_end_move_to(
				m,
				c->origin); /* v2's root may be an inner group of another namespace */
	}
}

/* ---- removing ---- */

/* Children that the dead supervisor was about to jail hold the lock of our own leaf for a moment. */
static bool cgroup_end_lock_patiently(int fd, unsigned int tries)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MAX_NS};

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (tries-- == 0)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static bool cgroup_end_is_cgroup(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 &&
	       (fs.f_type == CGROUP_SUPER_MAGIC || fs.f_type == CGROUP2_SUPER_MAGIC);
}

/* Opens and locks a directory on file if it is still the same one; -1 otherwise. */
static int cgroup_end_open_ours(const struct plan_cgroup_dir *d)
{
	cleanup_fd int fd = cgroup_open(AT_FDCWD, d->path);
	struct stat st;

	if (fd < 0 || !cgroup_end_is_cgroup(fd) || fstat(fd, &st) < 0)
		return -1;
	/* Without an inode it was planned, perhaps not made: it may be removed if it is empty. */
	if (d->ino && (d->ino != st.st_ino || d->dev != st.st_dev))
		return -1;
	return cgroup_end_lock_patiently(fd, d->leaf ? LOCK_TRIES : 0) ? TAKE_FD(fd) : -1;
}

/**
 * struct below - A walk over a leaf and the groups below it
 * @visit:	Called for each group, the deepest first; false ends the walk
 * @too_many:	The walk left out groups: too many, or too deep
 * @patient:	Processes of our own programs count as dying
 * @found:	A process is in the way: @pid (0: in a pid namespace that we cannot see), @comm
 */
struct below {
	bool (*visit)(struct below *b, int parent, const char *name);
	unsigned int nr;
	bool too_many;
	bool patient;
	bool found;
	pid_t pid;
	char comm[20];
};

static bool cgroup_end_walk(struct below *b, int parent, const char *name, unsigned int depth)
{
	const bool enough = depth < DEPTH_MAX && b->nr++ < BELOW_MAX;
	const int fd = enough ? cgroup_open(parent, name) : -1;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	bool go_on = true;

	b->too_many |= !enough;
	if (!d) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (go_on && (e = readdir(d)))
		if (e->d_type == DT_DIR && strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			go_on = cgroup_end_walk(b, fd, e->d_name, depth + 1);
	if (go_on)
		go_on = b->visit(b, parent, name);
	closedir(d);
	return go_on;
}

static bool cgroup_end_remove_one(struct below *b UNUSED, int parent, const char *name)
{
	return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

/* Dying processes and kernel threads have no program. */
static bool cgroup_end_is_in_the_way(struct below *b, pid_t pid)
{
	char path[40], exe[PATH_MAX], *name;
	cleanup_fd int proc = -1;
	ssize_t n;

	if (pid == 0)
		return true;
	fmt_into(path, sizeof(path), "/proc/%d", pid);
	proc = cgroup_open(AT_FDCWD, path);
	n = proc < 0 ? -1 : readlinkat(proc, "exe", exe, sizeof(exe) - 1);
	if (n < 0 && errno != EACCES && errno != EPERM)
		return false;
	exe[n > 0 ? n : 0] = '\0';
	(void)cgroup_read(proc, "comm", b->comm, sizeof(b->comm));
	name = strrchr(exe, '/');
	return !b->patient || !name ||
	       (strcmp(name, "/vmrun") != 0 && strncmp(name, "/vmrun-", 7) != 0);
}

static bool cgroup_end_find_living(struct below *b, int parent, const char *name)
{
	char text[4096], *rest;
	cleanup_fd int group = cgroup_open(parent, name);

	(void)file_read(group, "cgroup.procs", text, sizeof(text));
	for (char *at = strtok_r(text, "\n", &rest); at && !b->found;
	     at = strtok_r(NULL, "\n", &rest)) {
		b->pid = (pid_t)strtol(at, NULL, 10);
		b->found = cgroup_end_is_in_the_way(b, b->pid);
	}
	return !b->found;
}

/* Whether something is in the way that does not go by itself */
static bool cgroup_end_is_blocked(const struct plan_cgroup_dir *d, bool patient, struct err *err)
{
	struct below b = {.visit = cgroup_end_find_living, .patient = patient};

	(void)cgroup_end_walk(&b, AT_FDCWD, d->path, 0);
	if (b.found)
		err_text(err, EBUSY,
			 "cgroup %s: process %d (%s) in it does not belong to this VM: move it out",
			 d->path, b.pid, b.pid ? b.comm : "of another pid namespace");
	else if (b.too_many)
		err_text(err, EBUSY, "cgroup %s: too many groups below it: remove them", d->path);
	return b.found || b.too_many;
}

/* A dead process leaves its group a moment after it was waited for: mostly at once, so the first tries come
 * quickly. One cause holds all leaves of a VM: they share @tries. */
static int cgroup_end_remove_leaf(const struct plan_cgroup_dir *d, unsigned int *tries,
				  struct err *err)
{
	struct timespec pause = {.tv_nsec = PAUSE_NS};

	while (true) {
		struct below b = {.visit = cgroup_end_remove_one};

		if (cgroup_end_walk(&b, AT_FDCWD, d->path, 0))
			return 0;
		if (cgroup_end_is_blocked(d, true, err))
			return -EBUSY;
		if (*tries == 0)
			break;
		(*tries)--;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < PAUSE_MAX_NS)
			pause.tv_nsec *= 2;
	}
	if (cgroup_end_is_blocked(d, false, err))
		return -EBUSY;
	return err_text(err, EBUSY, "cgroup %s cannot be removed", d->path);
}

int cgroup_remove(const struct plan_cgroup_dir *dir, unsigned int nr, struct err *err)
{
	unsigned int tries = DYING_TRIES;
	struct err other;
	int rc = 0;

	for (unsigned int i = nr; i-- > 0;) {
		const struct plan_cgroup_dir *d = &dir[i];
		cleanup_fd int fd = d->made ? cgroup_end_open_ours(d) : -1;

		if (fd < 0)
			continue;
		if (d->leaf && d->ino) {
			const int one = cgroup_end_remove_leaf(d, &tries, rc ? &other : err);

			rc = rc < 0 ? rc : one;
		} else {
			(void)rmdir(d->path); /* unless something else uses it */
		}
	}
	return rc;
}
