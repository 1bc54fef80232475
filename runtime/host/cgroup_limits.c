/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/cgroup_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/host/cgroup_files.h"

#define RESOURCES   "/linux/resources/"
#define LIST_BYTES  4096
#define VALUE_BYTES 64
#define ALREADY	    "" /* in place of a file: this version always does it */

/** enum readback - How the value read back compares with the value written */
enum readback {
	BACK_SAME,
	BACK_PAGES, /* the kernel counts in pages */
	BACK_LIST,  /* the kernel has its own way to write lists */
	BACK_FLAG,  /* "oom_kill_disable 1" */
	BACK_ANY,   /* not compared: the user names the file */
};

/** struct limit - One limit in both versions; NULL for a version that does not have it */
struct limit {
	const char *pointer, *controller, *v1, *v2;
	enum readback back;
};

static const struct limit limits[LIMITS] = {
	[LIMIT_MEMORY] = {RESOURCES "memory/limit", "memory", "memory.limit_in_bytes", "memory.max",
			  BACK_PAGES},
	[LIMIT_MEMORY_LOW] = {RESOURCES "memory/reservation", "memory",
			      "memory.soft_limit_in_bytes", "memory.low", BACK_PAGES},
	[LIMIT_MEMORY_SWAP] = {RESOURCES "memory/swap", "memory", "memory.memsw.limit_in_bytes",
			       "memory.swap.max", BACK_PAGES},
	[LIMIT_MEMORY_KERNEL] = {RESOURCES "memory/kernel", "memory", "memory.kmem.limit_in_bytes",
				 NULL, BACK_PAGES},
	[LIMIT_MEMORY_TCP] = {RESOURCES "memory/kernelTCP", "memory",
			      "memory.kmem.tcp.limit_in_bytes", NULL, BACK_PAGES},
	[LIMIT_SWAPPINESS] = {RESOURCES "memory/swappiness", "memory", "memory.swappiness", NULL,
			      BACK_SAME},
	[LIMIT_NO_OOM_KILLER] = {RESOURCES "memory/disableOOMKiller", "memory",
				 "memory.oom_control", NULL, BACK_FLAG},
	[LIMIT_HIERARCHY] = {RESOURCES "memory/useHierarchy", "memory", "memory.use_hierarchy",
			     ALREADY, BACK_SAME},
	[LIMIT_CPU_SHARES] = {RESOURCES "cpu/shares", "cpu", "cpu.shares", "cpu.weight", BACK_SAME},
	[LIMIT_CPU_PERIOD] = {RESOURCES "cpu/period", "cpu", "cpu.cfs_period_us", "cpu.max",
			      BACK_SAME},
	[LIMIT_CPU_QUOTA] = {RESOURCES "cpu/quota", "cpu", "cpu.cfs_quota_us", "cpu.max",
			     BACK_SAME},
	[LIMIT_CPU_BURST] = {RESOURCES "cpu/burst", "cpu", "cpu.cfs_burst_us", "cpu.max.burst",
			     BACK_SAME},
	[LIMIT_RT_PERIOD] = {RESOURCES "cpu/realtimePeriod", "cpu", "cpu.rt_period_us", NULL,
			     BACK_SAME},
	[LIMIT_RT_RUNTIME] = {RESOURCES "cpu/realtimeRuntime", "cpu", "cpu.rt_runtime_us", NULL,
			      BACK_SAME},
	[LIMIT_CPU_IDLE] = {RESOURCES "cpu/idle", "cpu", "cpu.idle", "cpu.idle", BACK_SAME},
	[LIMIT_PIDS] = {RESOURCES "pids/limit", "pids", "pids.max", "pids.max", BACK_SAME},
};

static const struct limit cpus = {RESOURCES "cpu/cpus", "cpuset", "cpuset.cpus", "cpuset.cpus",
				  BACK_LIST};
static const struct limit mems = {RESOURCES "cpu/mems", "cpuset", "cpuset.mems", "cpuset.mems",
				  BACK_LIST};

uint64_t cgroup_shares_to_weight(uint64_t shares)
{
	if (shares < 2)
		shares = 2;
	if (shares > 262144)
		shares = 262144;
	return 1 + (shares - 2) * 9999 / 262142;
}

bool cgroup_is_limited(const struct plan_cgroup *p)
{
	for (unsigned int i = 0; i < LIMITS; i++)
		if (p->limit[i] >= 0)
			return true;
	return p->cpuset_cpus || p->cpuset_mems || p->unified;
}

static void cgroup_limits_value_of(const struct plan_cgroup *p, enum resource_limit i, bool v2,
				   char ret[VALUE_BYTES])
{
	const long long v = p->limit[i], quota = p->limit[LIMIT_CPU_QUOTA];
	const int64_t period = p->limit[LIMIT_CPU_PERIOD];
	const bool lifted = quota < 0 || quota == PLAN_LIMIT_LIFTED;

	/* One file has both. */
	if (v2 && (i == LIMIT_CPU_QUOTA || i == LIMIT_CPU_PERIOD)) {
		const size_t n = lifted ? fmt_into(ret, VALUE_BYTES, "max")
					: fmt_into(ret, VALUE_BYTES, "%lld", quota);

		fmt_into(ret + n, VALUE_BYTES - n, " %lld",
			 period < 0 ? 100000LL : (long long)period);
	} else if (v == PLAN_LIMIT_LIFTED) {
		fmt_into(ret, VALUE_BYTES, "%s", v2 || i == LIMIT_PIDS ? "max" : "-1");
	} else if (v2 && i == LIMIT_CPU_SHARES) {
		fmt_into(ret, VALUE_BYTES, "%llu",
			 (unsigned long long)cgroup_shares_to_weight((uint64_t)v));
	} else if (v2 && i == LIMIT_MEMORY_SWAP) {
		fmt_into(ret, VALUE_BYTES, "%lld", v - (long long)p->limit[LIMIT_MEMORY]);
	} else {
		fmt_into(ret, VALUE_BYTES, "%lld", v);
	}
}

/* ---- reading back ---- */

#define NUMBERS_MAX 8192

/* FIRST, FIRST-LAST or FIRST-LAST:USED/GROUP, separated by blanks and commas */
static bool cgroup_limits_parse_list(const char *text, uint8_t ret[NUMBERS_MAX / 8])
{
	static const char between[] = ", \t\n";

	memset(ret, 0, NUMBERS_MAX / 8);
	for (text += strspn(text, between); *text; text += strspn(text, between)) {
		unsigned long first, last, used = 1, group = 1;
		char *end;

		if (*text < '0' || *text > '9')
			return false;
		first = last = strtoul(text, &end, 10);
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (*end == ':')
			used = strtoul(end + 1, &end, 10);
		if (*end == '/')
			group = strtoul(end + 1, &end, 10);
		if ((*end && !strchr(between, *end)) || last >= NUMBERS_MAX || first > last ||
		    group == 0 || used > group)
			return false;
		for (unsigned long i = first; i <= last; i++)
			if ((i - first) % group < used)
				ret[i / 8] |= (uint8_t)(1U << (i % 8));
		text = end;
	}
	return true;
}

bool cgroup_same_list(const char *a, const char *b)
{
	uint8_t in_a[NUMBERS_MAX / 8], in_b[NUMBERS_MAX / 8];

	return cgroup_limits_parse_list(a, in_a) && cgroup_limits_parse_list(b, in_b) &&
	       memcmp(in_a, in_b, sizeof(in_a)) == 0;
}

/* The kernel takes its largest number for no limit. */
static bool cgroup_limits_same_pages(const char *want, const char *got)
{
	const long long page = sysconf(_SC_PAGESIZE), w = strtoll(want, NULL, 10);
	const bool lifted = strcmp(want, "max") == 0 || w < 0 || w > INT64_MAX - 2 * page;

	if (strcmp(got, "max") == 0 || lifted)
		return lifted &&
		       (strcmp(got, "max") == 0 || strtoll(got, NULL, 10) > INT64_MAX - 2 * page);
	return llabs(strtoll(got, NULL, 10) - w) < page;
}

static bool cgroup_limits_is_set(const struct limit *l, const char *want, const char *got)
{
	switch (l->back) {
	case BACK_SAME: return strcmp(got, want) == 0;
	case BACK_PAGES: return cgroup_limits_same_pages(want, got);
	case BACK_LIST: return cgroup_same_list(want, got);
	case BACK_FLAG: return strcmp(got, "oom_kill_disable 1") == 0;
	case BACK_ANY: break;
	}
	return true;
}

/* ---- setting ---- */

/* A controller is in one hierarchy: v2 does not have those that v1 has. */
static const struct cgroup_mount *cgroup_limits_home_of(const struct cgroup *c,
							const char *controller)
{
	const struct cgroup_mount *v2 = NULL;

	for (unsigned int i = 0; i < c->nr_mounts; i++) {
		if (cgroup_has_controller(&c->mount[i], controller))
			return &c->mount[i];
		if (c->mount[i].v2)
			v2 = &c->mount[i];
	}
	return v2;
}

static int cgroup_limits_hand_down_at(int dir, const char *path, const char *controller,
				      struct err *err)
{
	char text[1024];
	int rc;

	if (!cgroup_read(dir, "cgroup.controllers", text, sizeof(text)) ||
	    !cgroup_has_word(text, controller))
		return err_text(err, ENOENT, "cgroup %s has no controller %s", path, controller);
	if (cgroup_read(dir, "cgroup.subtree_control", text, sizeof(text)) &&
	    cgroup_has_word(text, controller))
		return 0;
	fmt_into(text, sizeof(text), "+%s", controller);
	rc = cgroup_write(dir, "cgroup.subtree_control", text);
	if (rc == -EBUSY)
		return err_text(err, EBUSY,
				"cgroup %s has processes in it, and so cannot hand %s down: move "
				"them to a group below it, or choose another /linux/cgroupsPath",
				path, controller);
	return rc < 0 ? err_set(err, -rc, "cgroup %s: hand %s down", path, controller) : 0;
}

/* In v2 each group above the leaf must enable a controller for its children. */
static int cgroup_limits_hand_down(const struct cgroup *c, const struct cgroup_mount *m,
				   const char *controller, struct err *err)
{
	char path[2 * PATH_MAX];
	const size_t base = fmt_into(path, sizeof(path), "%s", m->path);
	const char *at = c->leaf;
	int rc = 0;

	for (; rc == 0 && at; at = strchr(at + 1, '/')) {
		cleanup_fd int dir = -1;

		fmt_into(path + base, sizeof(path) - base, "%.*s", (int)(at - c->leaf), c->leaf);
		dir = cgroup_open(AT_FDCWD, path);
		rc = dir < 0 ? err_set(err, -dir, "cgroup %s", path)
			     : cgroup_limits_hand_down_at(dir, path, controller, err);
	}
	return rc;
}

static int cgroup_limits_read_back(const struct limit *l, const struct cgroup_mount *m,
				   const char *file, const char *value, struct err *err)
{
	char got[LIST_BYTES] = "", name[VALUE_BYTES];

	/* v2 has two files: the list asked for, and the effective one. */
	fmt_into(name, sizeof(name), "%s%s", file,
		 m->v2 && l->back == BACK_LIST ? ".effective" : "");
	if (l->back != BACK_ANY && !cgroup_read(m->leaf, name, got, sizeof(got)))
		return err_set(err, errno, "%s: read %s", l->pointer, name);
	if (!cgroup_limits_is_set(l, value, got))
		return err_text(err, EINVAL, "%s: asked for %.*s, the kernel gives %.*s (%s)",
				l->pointer, 60, value, 60, *got ? got : "nothing", name);
	return 0;
}

static int cgroup_limits_set(const struct cgroup *c, const struct limit *l, const char *value,
			     struct err *err)
{
	const struct cgroup_mount *m = cgroup_limits_home_of(c, l->controller);
	const char *file = m && m->v2 ? l->v2 : l->v1;
	int rc;

	if (!m)
		return err_text(err, ENOENT, "%s: this host has no cgroup with %s", l->pointer,
				l->controller);
	if (m->leaf < 0)
		return err_text(err, c->failure.code ? c->failure.code : EPERM,
				"%s: no cgroup is available (be root, or have one delegated): %s",
				l->pointer, c->failure.msg);
	if (!file)
		return err_text(err, EOPNOTSUPP, "%s: cgroup v%d has no such limit", l->pointer,
				m->v2 ? 2 : 1);
	if (!*file)
		return 0;
	rc = cgroup_write(m->leaf, file, value);
	if (rc == -ENOENT && m->v2) {
		if (cgroup_limits_hand_down(c, m, l->controller, err) < 0)
			return err_wrap(err, "%s", l->pointer);
		rc = cgroup_write(m->leaf, file, value);
	}
	if (rc < 0)
		return err_set(err, -rc, "%s: %s = %.*s", l->pointer, file, 60, value);
	return cgroup_limits_read_back(l, m, file, value, err);
}

/* A file by its name: in v2 only, and only of a controller. */
static int cgroup_limits_set_unified(const struct cgroup *c, const char *file, const char *value,
				     struct err *err)
{
	char pointer[128], controller[32];
	const struct limit l = {
		.pointer = pointer, .controller = controller, .v2 = file, .back = BACK_ANY};
	const size_t n = strcspn(file, ".");

	fmt_into(pointer, sizeof(pointer), RESOURCES "unified/%.*s", 64, file);
	fmt_into(controller, sizeof(controller), "%.*s", (int)n, file);
	if (strchr(file, '/') || !file[n] || n == 0 || strcmp(controller, "cgroup") == 0)
		return err_text(err, EINVAL, "%s: not a file of a controller", pointer);
	return cgroup_limits_set(c, &l, value, err);
}

/* Tries all of them; returns the first failure. */
static int cgroup_limits_set_numbers(const struct cgroup *c, const struct plan_cgroup *p,
				     struct err *err)
{
	struct err other;
	int rc = 0;

	for (unsigned int i = 0; i < LIMITS; i++) {
		const struct cgroup_mount *m = cgroup_limits_home_of(c, limits[i].controller);
		char value[VALUE_BYTES];
		int one;

		if (p->limit[i] < 0 || (i == LIMIT_CPU_SHARES && p->limit[LIMIT_CPU_IDLE] == 1))
			continue; /* an idle group has no weight, and the kernel takes none */
		cgroup_limits_value_of(p, (enum resource_limit)i, m && m->v2, value);
		one = cgroup_limits_set(c, &limits[i], value, rc < 0 ? &other : err);
		rc = rc < 0 ? rc : one;
	}
	return rc;
}

int cgroup_limit(const struct cgroup *c, const struct plan_cgroup *p, struct err *err)
{
	int rc = cgroup_limits_set_numbers(c, p, err);

	/* An existing group has limits already, and one of them may refuse the first until a later one is set. */
	if (rc < 0)
		rc = cgroup_limits_set_numbers(c, p, err);
	if (rc == 0 && p->cpuset_cpus)
		rc = cgroup_limits_set(c, &cpus, p->cpuset_cpus, err);
	if (rc == 0 && p->cpuset_mems)
		rc = cgroup_limits_set(c, &mems, p->cpuset_mems, err);
	if (rc < 0 || !p->unified)
		return rc;
	json_object_object_foreach(p->unified, file, value)
	{
		rc = cgroup_limits_set_unified(c, file, json_object_get_string(value), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
