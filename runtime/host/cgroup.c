/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "devices/core/fmt.h"
#include "runtime/host/cgroup_files.h"
#include "runtime/util/file.h"

#define DEFAULT_PARENT "/vmrun"
#define DEPTH_MAX      32
#define TAKE_TRIES     100 /* of 5 ms: only an owner holds a lock longer */
#define TAKE_PAUSE_NS  5000000

/* ---- planning ---- */

/* Normalises the path: "/a//b/./" is "/a/b" */
static int cgroup_set_leaf(struct cgroup *c, const char *path, struct err *err)
{
	size_t len = 0;

	if (!path || path[0] != '/')
		return err_text(err, EINVAL,
				"/linux/cgroupsPath: not a path below the cgroup mount");
	for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
		const size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.')
			return err_text(err, EINVAL,
					"/linux/cgroupsPath: not a path below the cgroup mount");
		if (n != 1 || path[0] != '.')
			len += fmt_into(c->leaf + len, sizeof(c->leaf) - len, "/%.*s", (int)n,
					path);
		path += n;
	}
	if (len == 0 || strcmp(c->leaf, DEFAULT_PARENT) == 0)
		return err_text(err, EINVAL,
				"/linux/cgroupsPath: %s holds the groups of other VMs: name one "
				"below it",
				len ? c->leaf : "/");
	return 0;
}

static int cgroup_add_dir(struct cgroup *c, const char *path, bool leaf, bool made)
{
	struct plan_cgroup_dir *d = &c->dir[c->nr_dirs];

	if (c->nr_dirs == PLAN_CGROUP_DIRS_MAX)
		return -ENOSPC;
	*d = (struct plan_cgroup_dir){.path = strdup(path), .leaf = leaf, .made = made};
	if (!d->path)
		return -ENOMEM;
	c->nr_dirs++;
	return 0;
}

/* Groups below our own parent directory are ours, no matter which VM made them: the last one removes them. */
static bool cgroup_is_ours(const char *path)
{
	const size_t len = strlen(DEFAULT_PARENT);

	return strncmp(path, DEFAULT_PARENT, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static int cgroup_plan_mount(struct cgroup *c, const struct cgroup_mount *m)
{
	char path[2 * PATH_MAX];
	const size_t base = fmt_into(path, sizeof(path), "%s", m->path);
	char *next;
	int rc = 0;

	fmt_into(path + base, sizeof(path) - base, "%s", c->leaf);
	for (char *at = path + base; rc == 0 && at; at = next) {
		bool made;

		next = strchr(at + 1, '/');
		if (next)
			*next = '\0';
		made = access(path, F_OK) < 0 || cgroup_is_ours(path + base);
		if (made || !next)
			rc = cgroup_add_dir(c, path, !next, made);
		if (next)
			*next = '/';
	}
	return rc;
}

static void cgroup_find_origin(struct cgroup *c)
{
	char text[PATH_MAX], *rest;

	(void)file_read(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text));
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (strncmp(line, "0::/", 4) == 0 && !strstr(line, "/.."))
			fmt_into(c->origin, sizeof(c->origin), "%s", line + 3);
}

int cgroup_plan(const struct plan_cgroup *plan, struct cgroup *ret, struct err *err)
{
	int rc;

	*ret = (struct cgroup){.memory_max_bytes = plan->limit[LIMIT_MEMORY],
			       .limited = cgroup_is_limited(plan)};
	rc = cgroup_set_leaf(ret, plan->path, err);
	if (rc < 0)
		return rc;
	cgroup_find_origin(ret);
	rc = cgroup_find(plan->cpuset_cpus || plan->cpuset_mems, ret);
	for (unsigned int i = 0; rc == 0 && i < ret->nr_mounts; i++)
		rc = cgroup_plan_mount(ret, &ret->mount[i]);
	if (rc < 0) {
		cgroup_done(ret);
		return rc == -ENOSPC ? err_text(err, EINVAL, "/linux/cgroupsPath: too deep")
				     : err_set(err, -rc, "cgroup %s", plan->path);
	}
	return 0;
}

/* ---- making ---- */

/**
 * struct walk - The way down to the leaf of one hierarchy
 * @path:	Of the current group
 * @nr, @fd:	The groups passed, the mount first, the current one last
 */
struct walk {
	struct cgroup *c;
	struct cgroup_mount *m;
	char path[2 * PATH_MAX];
	unsigned int nr;
	int fd[DEPTH_MAX];
};

static void cgroup_walk_done(struct walk *w)
{
	while (w->nr > 0)
		close(w->fd[--w->nr]);
}

#define cleanup_walk __attribute__((cleanup(cgroup_walk_done)))

/* A new cpuset of v1 names no CPUs, and such a cpuset refuses processes. */
static void cgroup_inherit_cpuset(int parent, int dir)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
	char text[1024];

	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++)
		if (cgroup_read(dir, files[i], text, sizeof(text)) && !*text &&
		    cgroup_read(parent, files[i], text, sizeof(text)))
			(void)cgroup_write(dir, files[i], text);
}

/* One write each: the kernel refuses a write as a whole. Failures are ignored here: a limit that needs the
 * controller fails when it is set. */
static void cgroup_enable_controllers(int parent)
{
	static const char *const names[] = {"memory", "cpu", "cpuset", "pids"};
	char there[512], on[512], text[32];

	if (!cgroup_read(parent, "cgroup.controllers", there, sizeof(there)) ||
	    !cgroup_read(parent, "cgroup.subtree_control", on, sizeof(on)))
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		if (!cgroup_has_word(there, names[i]) || cgroup_has_word(on, names[i]))
			continue;
		fmt_into(text, sizeof(text), "+%s", names[i]);
		(void)cgroup_write(parent, "cgroup.subtree_control", text);
	}
}

/* Opens the group @name in @parent, makes it if needed, locks it and checks that it still has that name. */
static int cgroup_hold(int parent, const char *name, int lock, bool *ret_made)
{
	const struct timespec pause = {.tv_nsec = TAKE_PAUSE_NS};

	for (unsigned int try = 0; try < TAKE_TRIES; try++) {
		cleanup_fd int fd = -1;
		struct stat by_fd, by_name;
		const bool made = mkdirat(parent, name, 0711) == 0;

		if (!made && errno != EEXIST)
			return -errno;
		fd = cgroup_open(parent, name);
		if (fd < 0 && fd != -ENOENT)
			return fd;
		if (fd >= 0 && flock(fd, lock | LOCK_NB) == 0 && fstat(fd, &by_fd) == 0 &&
		    fstatat(parent, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
		    by_fd.st_ino == by_name.st_ino) {
			*ret_made = made;
			return TAKE_FD(fd);
		}
		/* Retry: another VM's delete may have removed the shared parent, or holds it for a moment. */
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

static void cgroup_identify(const struct walk *w, int fd, bool made)
{
	struct cgroup *c = w->c;
	struct stat st;

	for (unsigned int i = 0; i < c->nr_dirs; i++) {
		struct plan_cgroup_dir *d = &c->dir[i];

		if (strcmp(d->path, w->path) != 0 || fstat(fd, &st) < 0)
			continue;
		d->dev = st.st_dev;
		d->ino = st.st_ino;
		/* Another process may have made it since the plan. */
		d->made = d->made && (made || cgroup_is_ours(w->path + strlen(w->m->path)));
	}
}

static int cgroup_step(struct walk *w, const char *name, bool last, struct err *err)
{
	const int parent = w->fd[w->nr - 1];
	const size_t len = strlen(w->path);
	bool made;
	int fd;

	if (w->nr == DEPTH_MAX)
		return err_text(err, EINVAL, "/linux/cgroupsPath: too deep");
	if (w->m->v2)
		cgroup_enable_controllers(parent);
	fmt_into(w->path + len, sizeof(w->path) - len, "/%s", name);
	fd = cgroup_hold(parent, name, last ? LOCK_EX : LOCK_SH, &made);
	if (fd == -EBUSY)
		return err_text(err, EBUSY,
				"cgroup %s belongs to another VM: choose another "
				"/linux/cgroupsPath",
				w->path);
	if (fd == -ENOTDIR)
		return err_text(err, ENOTDIR,
				"cgroup %s is a file of the cgroup file system: "
				"choose another /linux/cgroupsPath",
				w->path);
	if (fd < 0)
		return err_set(err, -fd, "cgroup %s", w->path);
	w->fd[w->nr++] = fd;
	if (cgroup_has_controller(w->m, "cpuset"))
		cgroup_inherit_cpuset(parent, fd);
	cgroup_identify(w, fd, made);
	if (cgroup_dir_frozen(fd))
		return err_text(err, EBUSY, "cgroup %s is frozen: thaw it first", w->path);
	return 0;
}

/* Foreign processes would get the VM's limits and keep the group from being removed. */
static int cgroup_check_empty(const struct walk *w, struct err *err)
{
	const int fd = w->fd[w->nr - 1];
	char text[32];

	if (cgroup_read(fd, "cgroup.procs", text, sizeof(text)) && *text)
		return err_text(err, EBUSY,
				"cgroup %s has processes in it: choose another "
				"/linux/cgroupsPath",
				w->path);
	if (cgroup_has_children(fd))
		return err_text(err, EBUSY,
				"cgroup %s has cgroups below it: choose another "
				"/linux/cgroupsPath",
				w->path);
	return 0;
}

static int cgroup_make_leaf(struct cgroup *c, struct cgroup_mount *m, struct err *err)
{
	cleanup_walk struct walk w = {.c = c, .m = m};
	char leaf[PATH_MAX], *rest;
	int rc = cgroup_open(AT_FDCWD, m->path);

	if (rc < 0)
		return err_set(err, -rc, "cgroup %s", m->path);
	w.fd[w.nr++] = rc;
	fmt_into(w.path, sizeof(w.path), "%s", m->path);
	fmt_into(leaf, sizeof(leaf), "%s", c->leaf);
	rc = 0;
	for (char *name = strtok_r(leaf, "/", &rest); rc == 0 && name;
	     name = strtok_r(NULL, "/", &rest))
		rc = cgroup_step(&w, name, *rest == '\0', err);
	if (rc == 0)
		rc = cgroup_check_empty(&w, err);
	if (rc == 0)
		m->leaf = w.fd[--w.nr];
	return rc;
}

/* These are conflicts, not missing rights: the VM must not run without a group. */
static bool cgroup_is_refusal(int rc)
{
	return rc == -EBUSY || rc == -ENOTDIR || rc == -EINVAL;
}

int cgroup_make(struct cgroup *c, struct err *err)
{
	if (cgroup_freezer_frozen(c))
		return err_text(err, EBUSY, "cgroup %s%s is frozen: thaw it first", c->freezer,
				c->leaf);
	for (unsigned int i = 0; i < c->nr_mounts; i++) {
		struct err why;
		const int rc = cgroup_make_leaf(c, &c->mount[i], &why);

		if (cgroup_is_refusal(rc)) {
			*err = why;
			return rc;
		}
		if (rc < 0 && !c->failure.code)
			c->failure = why;
	}
	c->oom_before = cgroup_oom_kills(c);
	return 0;
}

pid_t cgroup_fork(struct cgroup *c)
{
	for (unsigned int i = 0; i < c->nr_mounts; i++) {
		struct cgroup_mount *m = &c->mount[i];
		struct clone_args args = {.flags = CLONE_INTO_CGROUP,
					  .exit_signal = SIGCHLD,
					  .cgroup = (uint64_t)m->leaf};
		long pid;

		if (!m->v2 || m->leaf < 0)
			continue;
		m->inside = true;
		pid = syscall(SYS_clone3, &args, sizeof(args));
		if (pid >= 0)
			return (pid_t)pid;
		/* Not permitted: cgroup_enter() moves the child, as under v1, or it stays outside. */
		m->inside = false;
	}
	return fork();
}

void cgroup_hand_over(struct cgroup *c)
{
	for (unsigned int i = 0; i < c->nr_mounts; i++) {
		const int held = c->mount[i].leaf;

		if (held < 0)
			continue;
		c->mount[i].leaf = cgroup_open(held, ".");
		close(held);
	}
}

int cgroup_enter(const struct cgroup *c, struct err *err)
{
	for (unsigned int i = 0; i < c->nr_mounts; i++) {
		const struct cgroup_mount *m = &c->mount[i];
		int rc;

		if (m->leaf < 0 || m->inside)
			continue;
		/* "tasks" moves one thread without a lock; moving a process costs a grace period of 5 to 15 ms. */
		rc = cgroup_write(m->leaf, m->v2 ? "cgroup.procs" : "tasks", "0");
		if (rc < 0 && c->limited)
			return err_set(err, -rc, "enter the cgroup %s%s", m->path, c->leaf);
	}
	return 0;
}
