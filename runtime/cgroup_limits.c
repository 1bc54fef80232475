/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Limits: OCI's numbers as the files of v1 and v2
 */
#include <errno.h>

#include "devices/core/fmt.h"
#include "runtime/cgroup_priv.h"

/** struct setting - One limit; a NULL file: that version has it in another one */
struct setting {
	const char *controller, *v1, *v2;
	char value[96];
};

uint64_t cgroup_shares_to_weight(uint64_t shares)
{
	if (shares < 2)
		shares = 2;
	if (shares > 262144)
		shares = 262144;
	return 1 + (shares - 2) * 9999 / 262142;
}

static struct setting *setting(struct setting *list, unsigned int *nr, const char *controller,
			       const char *v1, const char *v2)
{
	struct setting *s = &list[(*nr)++];

	*s = (struct setting){.controller = controller, .v1 = v1, .v2 = v2};
	return s;
}

#define SETTINGS_MAX 8

static unsigned int settings_of(const struct plan_cgroup *p, struct setting s[SETTINGS_MAX])
{
	const uint64_t period = p->cpu_period_us ? p->cpu_period_us : 100000;
	const bool quota = p->cpu_quota_us >= 0;
	unsigned int n = 0;
	struct setting *e;

	if (p->memory_max_bytes >= 0) {
		e = setting(s, &n, "memory", "memory.limit_in_bytes", "memory.max");
		fmt_into(e->value, sizeof(e->value), "%lld", (long long)p->memory_max_bytes);
	}
	if (quota || p->cpu_period_us) {
		e = setting(s, &n, "cpu", "cpu.cfs_period_us", NULL);
		fmt_into(e->value, sizeof(e->value), "%llu", (unsigned long long)period);
		e = setting(s, &n, "cpu", NULL, "cpu.max");
		if (quota)
			fmt_into(e->value, sizeof(e->value), "%lld %llu",
				 (long long)p->cpu_quota_us, (unsigned long long)period);
		else
			fmt_into(e->value, sizeof(e->value), "max %llu",
				 (unsigned long long)period);
	}
	if (quota) {
		e = setting(s, &n, "cpu", "cpu.cfs_quota_us", NULL);
		fmt_into(e->value, sizeof(e->value), "%lld", (long long)p->cpu_quota_us);
	}
	if (p->cpu_shares) {
		e = setting(s, &n, "cpu", "cpu.shares", NULL);
		fmt_into(e->value, sizeof(e->value), "%llu", (unsigned long long)p->cpu_shares);
		e = setting(s, &n, "cpu", NULL, "cpu.weight");
		fmt_into(e->value, sizeof(e->value), "%llu",
			 (unsigned long long)cgroup_shares_to_weight(p->cpu_shares));
	}
	return n;
}

static unsigned int cpusets_of(const struct plan_cgroup *p, struct setting s[2])
{
	unsigned int n = 0;

	if (p->cpuset_cpus)
		fmt_into(setting(s, &n, "cpuset", "cpuset.cpus", "cpuset.cpus")->value,
			 sizeof(s->value), "%s", p->cpuset_cpus);
	if (p->cpuset_mems)
		fmt_into(setting(s, &n, "cpuset", "cpuset.mems", "cpuset.mems")->value,
			 sizeof(s->value), "%s", p->cpuset_mems);
	return n;
}

/* A controller is in one hierarchy: with v1 mounted beside v2 the files of v2 simply are not there.
 */
static int apply(const struct cgroup *c, const struct setting *s)
{
	char dir[PLAN_PATH_MAX];
	int r = -ENOENT;
	unsigned int i;

	for (i = 0; i < c->nr_mounts && r == -ENOENT; i++) {
		const struct cgroup_mount *m = &c->mount[i];
		const char *file = m->v2 ? s->v2 : s->v1;

		if (!m->usable || (!m->v2 && !cgroup_has_controller(m, s->controller)))
			continue;
		fmt_into(dir, sizeof(dir), "%s%s", m->path, c->leaf);
		r = file ? cgroup_write(dir, file, s->value) : r;
	}
	return r;
}

/* Either of v1's and v2's file is a success: a setting that only one of them knows comes in pairs.
 */
static bool needs_warning(const struct cgroup *c, const struct setting *s, int r)
{
	unsigned int i;

	if (r == 0)
		return false;
	for (i = 0; i < c->nr_mounts; i++)
		if (c->mount[i].usable && !c->mount[i].v2 &&
		    cgroup_has_controller(&c->mount[i], s->controller))
			return s->v1; /* v1 has the controller, so v2's file cannot be there */
	return s->v2;
}

void cgroup_limit(const struct cgroup *c, const struct plan_cgroup *plan,
		  void (*warn)(void *arg, const char *text), void *arg)
{
	struct setting s[SETTINGS_MAX];
	char text[ERR_MSG_BYTES];
	unsigned int i, n;

	n = settings_of(plan, s);
	n += cpusets_of(plan, s + n);
	for (i = 0; i < n; i++) {
		int r = apply(c, &s[i]);

		if (!needs_warning(c, &s[i], r))
			continue;
		fmt_into(text, sizeof(text), "cgroup limit %s = %s not set: %s",
			 s[i].v2 ? s[i].v2 : s[i].v1, s[i].value, err_describe(-r));
		warn(arg, text);
	}
}
