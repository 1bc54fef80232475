/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_cgroup.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/plan/plan_guest.h"

#define PARENT	  "/vmrun/"
#define NAME_MAX_ 255
#define HASH_LEN  17	    /* "-" and 16 digits */
#define BYTES_MIN (4 << 20) /* the VM's own processes and the smallest guest */
#define SPARE	  4	    /* tasks: the kernel's threads for a VM count as its own */

/* ---- the name of the leaf ---- */

/* The kernel's own files in a cgroup have these names, or names that start with a controller's. */
static bool plan_cgroup_is_taken(const char *id)
{
	static const char *const words[] = {"tasks", "notify_on_release", "release_agent"};
	static const char *const prefixes[] = {
		"cgroup",     "cpu",	 "cpuacct", "cpuset",  "memory",  "pids",    "io",
		"blkio",      "hugetlb", "misc",    "devices", "freezer", "net_cls", "net_prio",
		"perf_event", "debug",	 "dmem",    "rdma",    "irq",
	};
	const size_t len = strcspn(id, ".");

	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(id, words[i]) == 0)
			return true;
	for (unsigned int i = 0; id[len] && i < ARRAY_SIZE(prefixes); i++)
		if (strlen(prefixes[i]) == len && memcmp(id, prefixes[i], len) == 0)
			return true;
	return *id == '_' || *id == '.';
}

static uint64_t plan_cgroup_hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325ULL; /* FNV-1a */

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3ULL;
	return h;
}

/* As systemd does it: a "_" in front tells an id from such a file. Different ids get different names. */
static void plan_cgroup_name_leaf(const char *id, char ret[NAME_MAX_ + 1])
{
	if (!plan_cgroup_is_taken(id))
		fmt_into(ret, NAME_MAX_ + 1, "%s", id);
	else if (strlen(id) < NAME_MAX_)
		fmt_into(ret, NAME_MAX_ + 1, "_%s", id);
	else
		fmt_into(ret, NAME_MAX_ + 1, "_%.*s-%016llx", NAME_MAX_ - 1 - HASH_LEN, id,
			 (unsigned long long)plan_cgroup_hash(id));
}

static int plan_cgroup_set_path(struct plan_build *bd)
{
	const char *path = bd->b->linux_.cgroups_path;
	char name[NAME_MAX_ + 1];
	size_t bytes;

	plan_cgroup_name_leaf(bd->p->id, name);
	/* The specification lets the runtime choose where a relative path starts. */
	path = path ? path : name;
	bytes = sizeof(PARENT) + strlen(path);
	bd->p->cgroup.path = malloc(bytes);
	if (!bd->p->cgroup.path)
		return plan_no_memory(bd->err);
	fmt_into(bd->p->cgroup.path, bytes, "%s%s", *path == '/' ? "" : PARENT, path);
	return 0;
}

/* ---- limits ---- */

/* For most limits 0 means none; for these two it is a value. */
static bool plan_cgroup_is_none_at_0(enum resource_limit i)
{
	return i != LIMIT_SWAPPINESS && i != LIMIT_PIDS;
}

/* With less, the supervisor is the largest process, and the kernel kills it first. */
static int plan_cgroup_check_memory(const struct plan_cgroup *cg, struct err *err)
{
	const int64_t limit = cg->limit[LIMIT_MEMORY];

	if (limit < 0 || limit >= BYTES_MIN)
		return 0;
	return err_text(err, EINVAL,
			"/linux/resources/memory/limit: %lld bytes are too few for a VM: its "
			"processes take %d, and the guest's memory comes on top",
			(long long)limit, BYTES_MIN);
}

static int plan_cgroup_check_swap(const struct plan_cgroup *cg, struct err *err)
{
	const int64_t swap = cg->limit[LIMIT_MEMORY_SWAP], memory = cg->limit[LIMIT_MEMORY];

	if (swap < 0 || (memory >= 0 && swap >= memory))
		return 0;
	return err_text(
		err, EINVAL,
		"/linux/resources/memory/swap: counts memory and swap together, so it needs "
		"a /linux/resources/memory/limit that is not larger");
}

/* Threads count as well, including kernel threads that work for the VM. */
static int plan_cgroup_check_pids(const struct plan *p, struct err *err)
{
	const int64_t limit = p->cgroup.limit[LIMIT_PIDS];
	int64_t needed = 1 + p->nr_procs + p->nr_vcpus + p->vsock.vhost + SPARE;

	for (unsigned int i = 0; i < p->nr_nets; i++)
		needed += p->net[i].vhost ? p->net[i].queue_pairs : 0;
	if (limit < 0 || limit >= needed)
		return 0;
	return err_text(err, EINVAL,
			"/linux/resources/pids/limit: this VM's processes and threads on the host "
			"need %lld, is %lld",
			(long long)needed, (long long)limit);
}

/* The limits of a container are those of what runs in its guest, and the host's part of the VM comes on top. Its guest
 * counts its processes. */
static void plan_cgroup_fit_container(const struct plan *p, struct plan_cgroup *cg)
{
	const int64_t more = (int64_t)PLAN_GUEST_OVERHEAD(p->mem_bytes);

	for (unsigned int i = LIMIT_MEMORY; i <= LIMIT_MEMORY_SWAP; i++)
		if (i != LIMIT_MEMORY_LOW && cg->limit[i] > 0 && cg->limit[i] < INT64_MAX - more)
			cg->limit[i] += more;
	cg->limit[LIMIT_PIDS] = -1;
}

int plan_cgroup_build(struct plan_build *bd)
{
	const struct bundle_cgroup *res = &bd->b->linux_.resources;
	struct plan_cgroup *cg = &bd->p->cgroup;
	int rc;

	for (unsigned int i = 0; i < LIMITS; i++) {
		cg->limit[i] = res->limit[i];
		if (cg->limit[i] < 0 ||
		    (cg->limit[i] == 0 && plan_cgroup_is_none_at_0((enum resource_limit)i)))
			cg->limit[i] = -1;
	}
	if (bd->p->container)
		plan_cgroup_fit_container(bd->p, cg);
	if (res->no_oom_killer)
		cg->limit[LIMIT_NO_OOM_KILLER] = 1;
	if (res->hierarchy)
		cg->limit[LIMIT_HIERARCHY] = 1;
	if (res->unified && json_object_object_length(res->unified))
		cg->unified = json_object_get(res->unified);
	rc = plan_copy(&cg->cpuset_cpus, res->cpus, bd->err);
	if (rc == 0)
		rc = plan_copy(&cg->cpuset_mems, res->mems, bd->err);
	if (rc == 0)
		rc = plan_cgroup_check_memory(cg, bd->err);
	if (rc == 0)
		rc = plan_cgroup_check_swap(cg, bd->err);
	if (rc == 0)
		rc = plan_cgroup_check_pids(bd->p, bd->err);
	return rc < 0 ? rc : plan_cgroup_set_path(bd);
}

void plan_cgroup_free(struct plan_cgroup *cg)
{
	free(cg->path);
	free(cg->cpuset_cpus);
	free(cg->cpuset_mems);
	json_object_put(cg->unified);
}
