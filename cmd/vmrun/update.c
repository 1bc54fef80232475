/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "cmd/vmrun/found.h"
#include "cmd/vmrun/launch.h"
#include "cmd/vmrun/update_resources.h"
#include "runtime/config/bundle_types.h"
#include "runtime/host/cgroup_limits.h"
#include "runtime/state/state_dir.h"
#include "runtime/supervisor/client.h"
#include "runtime/util/json.h"

struct update_options {
	const char *resources;
	const char *flag[UPDATE_FLAGS];
	const char *ignored;
};

#define FLAG(name, what, text, i)                                                                  \
	{                                                                                          \
		name, 0, OPTION_STRING, what, text, offsetof(struct update_options, flag[i]), NULL \
	}

static const struct option_spec options[] = {
	{"resources", 'r', OPTION_STRING, "FILE",
	 "limits as OCI's /linux/resources has them; -: standard input",
	 offsetof(struct update_options, resources), NULL},
	FLAG("memory", "SIZE", "memory on the host, -1: any", UPDATE_MEMORY),
	FLAG("memory-reservation", "SIZE", "what it keeps when the host is short of memory",
	     UPDATE_MEMORY_RESERVATION),
	FLAG("memory-swap", "SIZE", "memory and swap together, -1: any", UPDATE_MEMORY_SWAP),
	FLAG("cpu-share", "N", "weight against others", UPDATE_CPU_SHARE),
	FLAG("cpu-quota", "US", "CPU time in each period, -1: any", UPDATE_CPU_QUOTA),
	FLAG("cpu-period", "US", "length of a period", UPDATE_CPU_PERIOD),
	FLAG("cpu-burst", "US", "what it may save for later", UPDATE_CPU_BURST),
	FLAG("cpu-idle", "0|1", "only time that no other wants", UPDATE_CPU_IDLE),
	FLAG("cpu-rt-period", "US", NULL, UPDATE_CPU_RT_PERIOD),
	FLAG("cpu-rt-runtime", "US", NULL, UPDATE_CPU_RT_RUNTIME),
	FLAG("cpuset-cpus", "LIST", "CPUs of the host, such as 0-3,7", UPDATE_CPUSET_CPUS),
	FLAG("cpuset-mems", "LIST", "its memory nodes", UPDATE_CPUSET_MEMS),
	FLAG("pids-limit", "N", "processes, -1: any", UPDATE_PIDS_LIMIT),
	FLAG("blkio-weight", "N", NULL, UPDATE_BLKIO_WEIGHT),
	{"l3-cache-schema", 0, OPTION_STRING, "TEXT", NULL,
	 offsetof(struct update_options, ignored), NULL},
	{"mem-bw-schema", 0, OPTION_STRING, "TEXT", NULL, offsetof(struct update_options, ignored),
	 NULL},
	{.name = NULL},
};

/* What one VM is updated from, and to */
struct update {
	struct found found;
	struct json_object *config; /* merged */
	struct json_object *given;
	struct bundle *bundle;
	struct plan *plan;
};

static void update_done(struct update *u)
{
	found_done(&u->found);
	json_object_put(u->config);
	json_object_put(u->given);
	bundle_free(u->bundle);
	plan_free(u->plan);
}
#define cleanup_update __attribute__((cleanup(update_done)))

static int update_load_config(struct update *u, struct err *err)
{
	cleanup_free char *text = NULL;
	int rc = state_read_text(u->found.dir, STATE_CONFIG, &text, err);

	return rc < 0 ? rc : json_parse(text, strlen(text), STATE_CONFIG, &u->config, err);
}

/* Planned as create plans it, so that the same rules hold */
static int update_plan(const struct vmrun *v, struct update *u, struct err *err)
{
	const struct state *s = u->found.state;
	int rc;

	update_merge(u->config, u->given);
	rc = bundle_from_json(u->config, s->bundle, &u->bundle, err);
	if (rc == 0)
		rc = launch_plan(v, u->bundle, s->id, &u->plan, err);
	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < LIMITS; i++)
		if (u->bundle->linux_.resources.limit[i] == -1 &&
		    !(u->plan->container && i == LIMIT_PIDS))
			u->plan->cgroup.limit[i] = PLAN_LIMIT_LIFTED;
	/* At create 0 asks for nothing. */
	if (u->bundle->linux_.resources.limit[LIMIT_CPU_IDLE] == 0)
		u->plan->cgroup.limit[LIMIT_CPU_IDLE] = 0;
	return 0;
}

/* /linux/resources/memory/checkBeforeUpdate: what would have to go at once is refused. */
static int update_check_memory(const struct update *u, struct err *err)
{
	static struct cgroup_stats now;
	struct json_object *memory = json_object_object_get(u->given, "memory");
	struct json_object *check = NULL;
	const int64_t limit = u->plan->cgroup.limit[LIMIT_MEMORY];

	if (!json_object_object_get_ex(memory, "checkBeforeUpdate", &check) ||
	    !json_object_get_boolean(check) || limit < 0)
		return 0;
	cgroup_found_stats(&u->found.cgroup, &now);
	return now.memory > (uint64_t)limit
		       ? err_text(
				 err, EBUSY,
				 "/linux/resources/memory/limit: %lld bytes are less than the %llu "
				 "that the VM has now",
				 (long long)limit, (unsigned long long)now.memory)
		       : 0;
}

static void update_warn(const struct vmrun *v, const struct update *u,
			const struct update_options *o)
{
	const int64_t limit = u->bundle->linux_.resources.limit[LIMIT_MEMORY];

	if (limit > 0 && (uint64_t)limit > u->found.state->mem_bytes &&
	    json_object_object_get_ex(u->given, "memory", NULL))
		vmrun_warn(v,
			   "the guest keeps its %llu bytes of memory: only its host's limit is new",
			   (unsigned long long)u->found.state->mem_bytes);
	if (o->ignored)
		vmrun_warn(v, "--l3-cache-schema and --mem-bw-schema are not carried out");
}

/* Processes of a container are the guest's to count. */
static int update_pids(const struct update *u, struct err *err)
{
	const int64_t limit = u->bundle->linux_.resources.limit[LIMIT_PIDS];
	const struct request q = {.op = REQUEST_PIDS_MAX, .value = limit > 0 ? (uint64_t)limit : 0};

	if (!u->plan->container || !json_object_object_get_ex(u->given, "pids", NULL))
		return 0;
	return client_ask(u->found.dir, &q, -1, NULL, NULL, err);
}

static int update_apply(struct update *u, struct err *err)
{
	int rc = update_check_memory(u, err);

	if (rc == 0)
		rc = cgroup_limit(&u->found.cgroup, &u->plan->cgroup, err);
	if (rc == 0)
		rc = update_pids(u, err);
	/* The next update begins with these. */
	return rc < 0 ? rc
		      : state_save_text(u->found.dir, STATE_CONFIG,
					json_object_to_json_string_ext(
						u->config, JSON_C_TO_STRING_NOSLASHESCAPE),
					err);
}

static int update(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	const struct update_options *o = a->opt;
	cleanup_update struct update u = {.found.dir = -1};
	int rc = vmrun_usage(v, o->resources ? update_read(o->resources, &u.given, err)
					     : update_from_flags(o->flag, &u.given, err));

	if (rc == 0)
		rc = found_open(v, a->arg[0], &u.found, err);
	if (rc == 0)
		rc = update_load_config(&u, err);
	if (rc == 0)
		rc = update_plan(v, &u, err);
	if (rc < 0)
		return rc;
	update_warn(v, &u, o);
	return update_apply(&u, err);
}

const struct verb verb_update = {
	.name = "update",
	.synopsis = "[OPTION]... ID",
	.summary = "Change the limits of a VM that exists",
	.options = options,
	.opt_bytes = sizeof(struct update_options),
	.min_args = 1,
	.max_args = 1,
	.of_vm = true,
	.run = update,
};
