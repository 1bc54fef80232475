/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/cgroup_found.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/core/fmt.h"
#include "runtime/host/cgroup_files.h"
#include "runtime/util/file.h"

#define NS_PER_S     1000000000ULL
#define NS_PER_US    1000ULL
#define V1_UNLIMITED (1ULL << 62) /* of memory: the largest number of pages, in bytes */
#define SOME_PIDS    64

/* ---- the leaves ---- */

static int cgroup_found_open(const struct plan_cgroup_dir *d)
{
	cleanup_fd int fd = cgroup_open(AT_FDCWD, d->path);
	struct stat st;

	if (fd < 0 || !d->ino || fstat(fd, &st) < 0 || st.st_ino != d->ino || st.st_dev != d->dev)
		return -1;
	return TAKE_FD(fd);
}

/* The record has absolute paths: that of a mount, then that of the leaf below it. */
static void cgroup_found_in(const struct plan_cgroup_dir *dir, unsigned int nr, struct cgroup *c,
			    struct cgroup_mount *m)
{
	const size_t len = strlen(m->path);

	for (unsigned int i = 0; i < nr && m->leaf < 0; i++) {
		if (!dir[i].leaf || strncmp(dir[i].path, m->path, len) != 0 ||
		    dir[i].path[len] != '/')
			continue;
		m->leaf = cgroup_found_open(&dir[i]);
		if (m->leaf >= 0)
			fmt_into(c->leaf, sizeof(c->leaf), "%s", dir[i].path + len);
	}
}

int cgroup_found(const struct plan_cgroup_dir *dir, unsigned int nr, struct cgroup *ret,
		 struct err *err)
{
	int rc;

	*ret = (struct cgroup){.memory_max_bytes = -1};
	err_text(&ret->failure, ENOENT, "the VM has none");
	rc = cgroup_find(true, ret);
	if (rc < 0)
		return err_set(err, -rc, "cgroups");
	for (unsigned int i = 0; i < ret->nr_mounts; i++)
		cgroup_found_in(dir, nr, ret, &ret->mount[i]);
	return 0;
}

/* ---- the processes ---- */

/* The first leaf: all have the same processes */
static int cgroup_found_leaf(const struct cgroup *c)
{
	for (unsigned int i = 0; i < c->nr_mounts; i++)
		if (c->mount[i].leaf >= 0)
			return c->mount[i].leaf;
	return -1;
}

int cgroup_found_pids(const struct cgroup *c, pid_t **ret)
{
	const int fd = openat(cgroup_found_leaf(c), "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	cleanup_free pid_t *pids = NULL;
	int nr = 0, room = 0, pid;

	if (!f)
		return -ENOENT;
	while (fscanf(f, "%d", &pid) == 1) {
		if (nr == room) {
			pid_t *more = realloc(pids, (size_t)(room + SOME_PIDS) * sizeof(*pids));

			if (!more)
				break;
			pids = more;
			room += SOME_PIDS;
		}
		pids[nr++] = pid;
	}
	fclose(f);
	*ret = TAKE_PTR(pids);
	return nr;
}

/* ---- what they use ---- */

/* The leaf of the hierarchy that has the controller; v2 has all that no v1 hierarchy has. *@ret_v2: it is that one */
static int cgroup_found_home(const struct cgroup *c, const char *controller, bool *ret_v2)
{
	int v2 = -1;

	*ret_v2 = false;
	for (unsigned int i = 0; i < c->nr_mounts; i++) {
		if (cgroup_has_controller(&c->mount[i], controller))
			return c->mount[i].leaf;
		if (c->mount[i].v2)
			v2 = c->mount[i].leaf;
	}
	*ret_v2 = true;
	return v2;
}

static uint64_t cgroup_found_read(int dir, const char *file)
{
	char text[64];

	return cgroup_read(dir, file, text, sizeof(text)) ? strtoull(text, NULL, 10) : 0;
}

static uint64_t cgroup_found_limit(int dir, const char *file)
{
	char text[64] = "";
	uint64_t v;

	if (!cgroup_read(dir, file, text, sizeof(text)) || strcmp(text, "max") == 0)
		return UINT64_MAX;
	v = strtoull(text, NULL, 10);
	return v >= V1_UNLIMITED ? UINT64_MAX : v;
}

static void cgroup_found_cpu(const struct cgroup *c, struct cgroup_stats *s)
{
	const uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	bool v2;
	int dir = cgroup_found_home(c, "cpuacct", &v2);

	if (v2) {
		s->cpu_ns = cgroup_number(dir, "cpu.stat", "usage_usec") * NS_PER_US;
		s->cpu_user_ns = cgroup_number(dir, "cpu.stat", "user_usec") * NS_PER_US;
		s->cpu_kernel_ns = cgroup_number(dir, "cpu.stat", "system_usec") * NS_PER_US;
	} else {
		s->cpu_ns = cgroup_found_read(dir, "cpuacct.usage");
		s->cpu_user_ns = cgroup_number(dir, "cpuacct.stat", "user") * tick_ns;
		s->cpu_kernel_ns = cgroup_number(dir, "cpuacct.stat", "system") * tick_ns;
	}
	dir = cgroup_found_home(c, "cpu", &v2);
	s->periods = cgroup_number(dir, "cpu.stat", "nr_periods");
	s->throttled_periods = cgroup_number(dir, "cpu.stat", "nr_throttled");
	s->throttled_ns = v2 ? cgroup_number(dir, "cpu.stat", "throttled_usec") * NS_PER_US
			     : cgroup_number(dir, "cpu.stat", "throttled_time");
}

static void cgroup_found_memory_v2(int dir, struct cgroup_stats *s)
{
	const uint64_t swap = cgroup_found_limit(dir, "memory.swap.max");

	s->memory = cgroup_found_read(dir, "memory.current");
	s->memory_limit = cgroup_found_limit(dir, "memory.max");
	s->memory_max = cgroup_found_read(dir, "memory.peak");
	s->memory_failures = cgroup_number(dir, "memory.events", "max");
	s->cache = cgroup_number(dir, "memory.stat", "file");
	s->swap = s->memory + cgroup_found_read(dir, "memory.swap.current");
	s->swap_limit = swap == UINT64_MAX || s->memory_limit == UINT64_MAX
				? UINT64_MAX
				: swap + s->memory_limit;
	s->oom_kills = cgroup_number(dir, "memory.events", "oom_kill");
}

static void cgroup_found_memory_v1(int dir, struct cgroup_stats *s)
{
	s->memory = cgroup_found_read(dir, "memory.usage_in_bytes");
	s->memory_limit = cgroup_found_limit(dir, "memory.limit_in_bytes");
	s->memory_max = cgroup_found_read(dir, "memory.max_usage_in_bytes");
	s->memory_failures = cgroup_found_read(dir, "memory.failcnt");
	s->cache = cgroup_number(dir, "memory.stat", "cache");
	s->swap = cgroup_found_read(dir, "memory.memsw.usage_in_bytes");
	s->swap_limit = cgroup_found_limit(dir, "memory.memsw.limit_in_bytes");
	s->oom_kills = cgroup_number(dir, "memory.oom_control", "oom_kill");
}

void cgroup_found_stats(const struct cgroup *c, struct cgroup_stats *ret)
{
	bool v2;
	int dir = cgroup_found_home(c, "memory", &v2);

	*ret = (struct cgroup_stats){0};
	cgroup_found_cpu(c, ret);
	if (v2)
		cgroup_found_memory_v2(dir, ret);
	else
		cgroup_found_memory_v1(dir, ret);
	(void)file_read(dir, "memory.stat", ret->memory_stat, sizeof(ret->memory_stat));
	dir = cgroup_found_home(c, "pids", &v2);
	ret->pids = cgroup_found_read(dir, "pids.current");
	ret->pids_limit = cgroup_found_limit(dir, "pids.max");
}
