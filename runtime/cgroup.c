/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "devices/core/fmt.h"
#include "runtime/cgroup_priv.h"
#include "runtime/process.h"

#define DEFAULT_PARENT	    "/vmrun"
#define MOUNTINFO_BYTES	    (64 * 1024)
#define MAKE_TRIES	    3
#define REMOVE_TRIES	    300
#define REMOVE_PAUSE_NS	    100000
#define REMOVE_PAUSE_MAX_NS 10000000

/* Who watches a VM reads these (statistics, OOM events); cpuset joins them only for a limit. */
static const char *const watched[] = {"memory", "cpu", "cpuacct", "pids"};

/* ---- finding hierarchies ---- */

bool cgroup_has_controller(const struct cgroup_mount *m, const char *name)
{
	char word[32];

	fmt_into(word, sizeof(word), ",%s,", name);
	return strstr(m->controllers, word);
}

static bool is_watched(const struct cgroup_mount *m, bool cpuset)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(watched); i++)
		if (cgroup_has_controller(m, watched[i]))
			return true;
	return cpuset && cgroup_has_controller(m, "cpuset");
}

static bool is_known(const struct cgroup *c, const struct cgroup_mount *m)
{
	unsigned int i;

	for (i = 0; i < c->nr_mounts; i++)
		if (c->mount[i].v2 == m->v2 && strcmp(c->mount[i].controllers, m->controllers) == 0)
			return true;
	return false;
}

/* ID PARENT MAJ:MIN ROOT MOUNTPOINT OPTIONS [TAG...] - TYPE SOURCE SUPER-OPTIONS */
static void parse_mount(char *line, struct cgroup *ret)
{
	struct cgroup_mount m = {0};
	char *dash = strstr(line, " - "), *rest, *word, *point = NULL, *type, *options;
	unsigned int i;

	if (!dash || ret->nr_mounts == CGROUP_MOUNTS_MAX)
		return;
	*dash = '\0';
	word = strtok_r(line, " ", &rest);
	for (i = 0; word && i < 5; i++, word = strtok_r(NULL, " ", &rest))
		point = word;
	type = strtok_r(dash + 3, " ", &rest);
	if (!type || strtok_r(NULL, " ", &rest) == NULL || i < 5)
		return;
	options = strtok_r(NULL, " ", &rest);
	m.v2 = strcmp(type, "cgroup2") == 0;
	if (!options || (!m.v2 && strcmp(type, "cgroup") != 0))
		return;
	/* A blank in a mount point is written as \040: nobody mounts cgroups at such places. */
	if (strlen(point) >= sizeof(m.path) || strchr(point, '\\'))
		return;
	fmt_into(m.path, sizeof(m.path), "%s", point);
	if (!m.v2)
		fmt_into(m.controllers, sizeof(m.controllers), ",%s,", options);
	if (!is_known(ret, &m))
		ret->mount[ret->nr_mounts++] = m;
}

void cgroup_parse_mounts(const char *mountinfo, struct cgroup *ret)
{
	char line[1024];

	ret->nr_mounts = 0;
	while (*mountinfo) {
		const size_t len = strcspn(mountinfo, "\n");

		if (len < sizeof(line)) {
			memcpy(line, mountinfo, len);
			line[len] = '\0';
			parse_mount(line, ret);
		}
		mountinfo += len;
		mountinfo += *mountinfo == '\n';
	}
}

static int read_mountinfo(struct cgroup *ret)
{
	cleanup_free char *text = calloc(1, MOUNTINFO_BYTES);
	cleanup_fd int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (!text)
		return -ENOMEM;
	/* Without /proc there are no cgroups to be found, which is no failure. */
	while (fd >= 0 && len < MOUNTINFO_BYTES - 1 &&
	       (n = read(fd, text + len, MOUNTINFO_BYTES - 1 - len)) > 0)
		len += (size_t)n;
	cgroup_parse_mounts(text, ret);
	return 0;
}

static bool read_line(const char *dir, const char *file, char *ret, size_t size)
{
	char path[PLAN_PATH_MAX + 64];
	cleanup_fd int fd = -1;
	ssize_t n;

	fmt_into(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, ret, size - 1);
	if (n < 0)
		return false;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}

/* ---- what is to be made ---- */

static int add_dir(struct cgroup *c, const char *path)
{
	if (c->nr_dirs == CGROUP_DIRS_MAX)
		return -ENOSPC;
	c->dir[c->nr_dirs] = strdup(path);
	if (!c->dir[c->nr_dirs])
		return -ENOMEM;
	c->nr_dirs++;
	return 0;
}

static bool is_below(const char *path, const char *parent)
{
	const size_t len = strlen(parent);

	return strncmp(path, parent, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Its processes would be taken for ours, and be killed with the VM. */
static bool is_occupied(const struct cgroup *c, const struct cgroup_mount *m)
{
	char path[PLAN_PATH_MAX], text[16];

	fmt_into(path, sizeof(path), "%s%s", m->path, c->leaf);
	return read_line(path, "cgroup.procs", text, sizeof(text)) && *text;
}

static int plan_mount(struct cgroup *c, const struct cgroup_mount *m)
{
	char path[PLAN_PATH_MAX];
	const size_t base = fmt_into(path, sizeof(path), "%s", m->path);
	char *at, *next;
	int r = 0;

	fmt_into(path + base, sizeof(path) - base, "%s", c->leaf);
	for (at = path + base; r == 0 && at; at = next) {
		next = strchr(at + 1, '/');
		if (next)
			*next = '\0';
		/* What is below our own parent directory is ours, whoever made it: it goes with the
		 * last VM in it. */
		if (access(path, F_OK) < 0 || is_below(path + base, DEFAULT_PARENT))
			r = add_dir(c, path);
		if (next)
			*next = '/';
	}
	return r;
}

int cgroup_plan(const struct plan_cgroup *plan, struct cgroup *ret, struct err *err)
{
	const bool cpuset = plan->cpuset_cpus || plan->cpuset_mems;
	unsigned int i, kept = 0;
	int r;

	*ret = (struct cgroup){0};
	if (!plan->path || plan->path[0] != '/' || strstr(plan->path, "/.."))
		return err_text(err, EINVAL,
				"/linux/cgroupsPath: not a path below the cgroup mount");
	fmt_into(ret->leaf, sizeof(ret->leaf), "%s", plan->path);
	r = read_mountinfo(ret);
	for (i = 0; r == 0 && i < ret->nr_mounts; i++)
		if (ret->mount[i].v2 || is_watched(&ret->mount[i], cpuset))
			ret->mount[kept++] = ret->mount[i];
	ret->nr_mounts = kept;
	for (i = 0; r == 0 && i < ret->nr_mounts; i++)
		r = is_occupied(ret, &ret->mount[i]) ? -EBUSY : plan_mount(ret, &ret->mount[i]);
	if (r < 0) {
		cgroup_done(ret);
		return err_set(err, -r, "cgroup %s%s", plan->path,
			       r == -EBUSY ? " has processes in it" : "");
	}
	return 0;
}

void cgroup_done(struct cgroup *c)
{
	unsigned int i;

	for (i = 0; i < c->nr_dirs; i++)
		free(c->dir[i]);
	*c = (struct cgroup){0};
}

/* ---- making ---- */

int cgroup_write(const char *dir, const char *file, const char *text)
{
	char path[PLAN_PATH_MAX + 64];
	cleanup_fd int fd = -1;

	fmt_into(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

/* v1 refuses processes in a cpuset that names no CPUs, and a new one names none. */
static void inherit_cpuset(const char *parent, const char *dir)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
	char text[256];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		if (read_line(dir, files[i], text, sizeof(text)) && !*text &&
		    read_line(parent, files[i], text, sizeof(text)))
			(void)cgroup_write(dir, files[i], text);
}

static void enable_controllers(const char *parent)
{
	static const char *const names[] = {"memory", "cpu", "cpuset", "pids"};
	char there[256], on[256], text[128] = "";
	size_t len = 0;
	unsigned int i;

	if (!read_line(parent, "cgroup.controllers", there, sizeof(there)) ||
	    !read_line(parent, "cgroup.subtree_control", on, sizeof(on)))
		return;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strstr(there, names[i]) && !strstr(on, names[i]))
			len += fmt_into(text + len, sizeof(text) - len, " +%s", names[i]);
	if (len)
		(void)cgroup_write(parent, "cgroup.subtree_control", text + 1);
}

/* mkdir -p of the leaf in one hierarchy, with what each level needs before it can be entered */
static bool make_leaf(const struct cgroup *c, const struct cgroup_mount *m, char *path, size_t size)
{
	const size_t base = fmt_into(path, size, "%s", m->path);
	char parent[PLAN_PATH_MAX];
	char *at, *next;

	fmt_into(path + base, size - base, "%s", c->leaf);
	for (at = path + base; at; at = next) {
		next = strchr(at + 1, '/');
		*at = '\0';
		fmt_into(parent, sizeof(parent), "%s", path);
		*at = '/';
		if (next)
			*next = '\0';
		if (m->v2)
			enable_controllers(parent);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return false;
		if (cgroup_has_controller(m, "cpuset"))
			inherit_cpuset(parent, path);
		if (next)
			*next = '/';
	}
	return true;
}

void cgroup_make(struct cgroup *c, const struct plan_cgroup *plan,
		 void (*warn)(void *arg, const char *text), void *arg)
{
	char path[PLAN_PATH_MAX];
	unsigned int i, try;

	for (i = 0; i < c->nr_mounts; i++)
		for (try = 0; try < MAKE_TRIES && !c->mount[i].usable; try++)
			/* Again, when the last VM beside us took the common parent away with it. */
			c->mount[i].usable = make_leaf(c, &c->mount[i], path, sizeof(path));
	cgroup_limit(c, plan, warn, arg);
}

pid_t cgroup_fork(struct cgroup *c)
{
	char path[PLAN_PATH_MAX];
	unsigned int i;

	for (i = 0; i < c->nr_mounts; i++) {
		struct clone_args args = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};
		cleanup_fd int fd = -1;
		long pid;

		if (!c->mount[i].v2 || !c->mount[i].usable)
			continue;
		fmt_into(path, sizeof(path), "%s%s", c->mount[i].path, c->leaf);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		args.cgroup = (uint64_t)fd;
		c->mount[i].inside = true;
		pid = fd < 0 ? -1 : syscall(SYS_clone3, &args, sizeof(args));
		if (pid >= 0)
			return (pid_t)pid;
		/* Before 5.7, or not permitted: then it is moved, or stays, like under v1. */
		c->mount[i].inside = false;
	}
	return fork();
}

void cgroup_enter(const struct cgroup *c)
{
	char path[PLAN_PATH_MAX];
	unsigned int i;

	for (i = 0; i < c->nr_mounts; i++) {
		if (!c->mount[i].usable || c->mount[i].inside)
			continue;
		fmt_into(path, sizeof(path), "%s%s", c->mount[i].path, c->leaf);
		/* A thread that moves itself needs no lock, a process a grace period of 5 to 15 ms.
		 * Without permission it runs where it is. */
		(void)cgroup_write(path, c->mount[i].v2 ? "cgroup.procs" : "tasks", "0");
	}
}

/* ---- removing ---- */

void cgroup_leave(char *const *dirs, unsigned int nr)
{
	char top[PLAN_PATH_MAX], file[PLAN_PATH_MAX + 16];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		char *slash;

		fmt_into(top, sizeof(top), "%s", dirs[i]);
		/* The root is the last one, going up, that is a cgroup at all. */
		while ((slash = strrchr(top, '/')) && slash != top) {
			*slash = '\0';
			fmt_into(file, sizeof(file), "%s/cgroup.procs", top);
			if (access(file, F_OK) < 0) {
				*slash = '/';
				break;
			}
		}
		(void)cgroup_write(top, "cgroup.procs", "0");
	}
}

void cgroup_kill(char *const *dirs, unsigned int nr)
{
	char path[PLAN_PATH_MAX + 16], text[4096];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		cleanup_fd int fd = -1;
		char *at, *rest;
		ssize_t n;

		fmt_into(path, sizeof(path), "%s/cgroup.procs", dirs[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		if (n <= 0)
			continue;
		text[n] = '\0';
		for (at = strtok_r(text, "\n", &rest); at; at = strtok_r(NULL, "\n", &rest)) {
			struct process p = {.pid = (pid_t)strtol(at, NULL, 10)};

			p.start = process_identify(p.pid);
			if (p.pid != getpid() && process_kill(&p, 0) < 0)
				continue; /* cgroup_remove() waits, and says so if it lives on */
		}
	}
}

static bool is_parent(char *const *dirs, unsigned int nr, const char *dir)
{
	const size_t len = strlen(dir);
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (strncmp(dirs[i], dir, len) == 0 && dirs[i][len] == '/')
			return true;
	return false;
}

/* The dead leave their cgroup a moment after they were waited for: mostly at once, so look often first. */
static bool remove_dir(const char *dir, bool parent)
{
	struct timespec pause = {.tv_nsec = REMOVE_PAUSE_NS};
	unsigned int try;

	for (try = 0; try < REMOVE_TRIES; try++) {
		if (rmdir(dir) == 0 || errno != EBUSY || parent)
			return true;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < REMOVE_PAUSE_MAX_NS)
			pause.tv_nsec *= 2;
	}
	return false;
}

int cgroup_remove(char *const *dirs, unsigned int nr, struct err *err)
{
	unsigned int i;
	int r = 0;

	for (i = nr; i-- > 0;) {
		/* Others may have moved in below a parent, and keep it then. */
		const bool parent = is_parent(dirs, nr, dirs[i]);

		if (!remove_dir(dirs[i], parent))
			r = err_set(err, EBUSY, "remove %s", dirs[i]);
	}
	return r;
}
