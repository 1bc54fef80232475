/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/cgroup_oom.h"

#include "devices/core/fmt.h"
#include "runtime/host/cgroup_files.h"

uint64_t cgroup_oom_kills(const struct cgroup *c)
{
	uint64_t kills = 0;

	for (unsigned int i = 0; i < c->nr_mounts; i++) {
		const struct cgroup_mount *m = &c->mount[i];

		if (m->leaf >= 0 && (m->v2 || cgroup_has_controller(m, "memory")))
			kills += cgroup_number(m->leaf,
					       m->v2 ? "memory.events" : "memory.oom_control",
					       "oom_kill");
	}
	return kills > c->oom_before ? kills - c->oom_before : 0;
}

bool cgroup_describe_oom(const struct cgroup *c, char *ret, size_t size)
{
	*ret = '\0';
	if (!c || cgroup_oom_kills(c) == 0)
		return false;
	if (c->memory_max_bytes >= 0)
		fmt_into(ret, size,
			 " (out of memory: raise /linux/resources/memory/limit, %lld bytes)",
			 (long long)c->memory_max_bytes);
	else
		fmt_into(ret, size, " (out of memory: the host's, or that of a cgroup above)");
	return true;
}
