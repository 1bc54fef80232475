/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: /process and /mounts of a config.json: OCI config.md
 *
 * Only terminal, consoleSize and oomScoreAdj of /process are carried out yet. The rest is checked too: a bundle that is
 * valid today must still be valid when a later version runs its process.
 */
#include "runtime/config/bundle_process.h"

#include <limits.h>
#include <string.h>

#include "runtime/config/bundle_types.h"

#define UINT32_LIMIT 4294967295ULL
#define LATER	     .flags = SCHEMA_LATER, .off = SCHEMA_NOWHERE
#define NEEDED	     .flags = SCHEMA_REQUIRED, .off = SCHEMA_NOWHERE
#define KEPT_NOWHERE .off = SCHEMA_NOWHERE
#define STRINGS(n)                                                                                 \
	{                                                                                          \
		.name = n, .kind = SCHEMA_ARRAY, KEPT_NOWHERE, .elem = &schema_string_field        \
	}
#define TABLE(fields)                                                                              \
	{                                                                                          \
		.field = (fields), .nr = ARRAY_SIZE(fields)                                        \
	}

/* ---- process ------------------------------------------------------------------------------- */

#define SIZE(member)                                                                               \
	(offsetof(struct bundle_process, console.member) - offsetof(struct bundle_process, console))

static const struct schema_field size_fields[] = {
	{.name = "height",
	 .kind = SCHEMA_UINT,
	 .flags = SCHEMA_REQUIRED,
	 .off = SIZE(height),
	 .max = 65535},
	{.name = "width",
	 .kind = SCHEMA_UINT,
	 .flags = SCHEMA_REQUIRED,
	 .off = SIZE(width),
	 .max = 65535},
};
static const struct schema_table size_table = TABLE(size_fields);

static const struct schema_field gid_field = {.kind = SCHEMA_UINT, .max = UINT32_LIMIT};
static const struct schema_field user_fields[] = {
	{.name = "uid", .kind = SCHEMA_UINT, KEPT_NOWHERE, .max = UINT32_LIMIT},
	{.name = "gid", .kind = SCHEMA_UINT, KEPT_NOWHERE, .max = UINT32_LIMIT},
	{.name = "umask", .kind = SCHEMA_UINT, KEPT_NOWHERE, .max = 07777},
	{.name = "additionalGids", .kind = SCHEMA_ARRAY, KEPT_NOWHERE, .elem = &gid_field},
	{.name = "username", .kind = SCHEMA_STRING, KEPT_NOWHERE},
};
static const struct schema_table user_table = TABLE(user_fields);

static const struct schema_field capabilities_fields[] = {
	STRINGS("bounding"),  STRINGS("effective"), STRINGS("inheritable"),
	STRINGS("permitted"), STRINGS("ambient"),
};
static const struct schema_table capabilities_table = TABLE(capabilities_fields);

static const char *const rlimit_types[] = {"RLIMIT_AS",
					   "RLIMIT_CORE",
					   "RLIMIT_CPU",
					   "RLIMIT_DATA",
					   "RLIMIT_FSIZE",
					   "RLIMIT_LOCKS",
					   "RLIMIT_MEMLOCK",
					   "RLIMIT_MSGQUEUE",
					   "RLIMIT_NICE",
					   "RLIMIT_NOFILE",
					   "RLIMIT_NPROC",
					   "RLIMIT_RSS",
					   "RLIMIT_RTPRIO",
					   "RLIMIT_RTTIME",
					   "RLIMIT_SIGPENDING",
					   "RLIMIT_STACK",
					   NULL};
static const struct schema_field rlimit_fields[] = {
	{.name = "type", .kind = SCHEMA_ENUM, NEEDED, .words = rlimit_types},
	{.name = "soft", .kind = SCHEMA_UINT, NEEDED},
	{.name = "hard", .kind = SCHEMA_UINT, NEEDED},
};
static const struct schema_table rlimit_table = TABLE(rlimit_fields);
static const struct schema_field rlimit_field = {.kind = SCHEMA_OBJECT, .table = &rlimit_table};

static int bundle_process_check_rlimits(struct schema_ctx *ctx, struct json_object *value)
{
	unsigned int seen = 0;

	for (size_t n = 0; n < json_object_array_length(value); n++) {
		struct json_object *type = NULL;
		unsigned int i = 0;

		json_object_object_get_ex(json_object_array_get_idx(value, n), "type", &type);
		while (strcmp(rlimit_types[i], json_object_get_string(type)))
			i++;
		if (seen & (1U << i)) {
			schema_push_index(ctx, n);
			return schema_fail(ctx, "a second %s", rlimit_types[i]);
		}
		seen |= 1U << i;
	}
	return 0;
}

static const char *const scheduler_policies[] = {"SCHED_OTHER",	   "SCHED_FIFO", "SCHED_RR",
						 "SCHED_BATCH",	   "SCHED_ISO",	 "SCHED_IDLE",
						 "SCHED_DEADLINE", NULL};
static const struct schema_field scheduler_fields[] = {
	{.name = "policy", .kind = SCHEMA_ENUM, NEEDED, .words = scheduler_policies},
	{.name = "nice", .kind = SCHEMA_INT, KEPT_NOWHERE, .imin = -20, .max = 19},
	{.name = "priority", .kind = SCHEMA_INT, KEPT_NOWHERE, .max = 99},
	STRINGS("flags"),
	{.name = "runtime", .kind = SCHEMA_UINT, KEPT_NOWHERE},
	{.name = "deadline", .kind = SCHEMA_UINT, KEPT_NOWHERE},
	{.name = "period", .kind = SCHEMA_UINT, KEPT_NOWHERE},
};
static const struct schema_table scheduler_table = TABLE(scheduler_fields);

static const char *const io_classes[] = {"IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE",
					 NULL};
static const struct schema_field io_fields[] = {
	{.name = "class", .kind = SCHEMA_ENUM, NEEDED, .words = io_classes},
	{.name = "priority", .kind = SCHEMA_UINT, KEPT_NOWHERE, .max = 7},
};
static const struct schema_table io_table = TABLE(io_fields);

static const struct schema_field affinity_fields[] = {
	{.name = "initial", .kind = SCHEMA_STRING, KEPT_NOWHERE},
	{.name = "final", .kind = SCHEMA_STRING, KEPT_NOWHERE},
};
static const struct schema_table affinity_table = TABLE(affinity_fields);

static const struct schema_field process_fields[] = {
	{.name = "terminal", .kind = SCHEMA_BOOL, .off = offsetof(struct bundle_process, terminal)},
	{.name = "consoleSize",
	 .kind = SCHEMA_OBJECT,
	 .off = offsetof(struct bundle_process, console),
	 .table = &size_table},
	{.name = "args", .kind = SCHEMA_ARRAY, LATER, .min = 1, .elem = &schema_string_field},
	{.name = "cwd",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_REQUIRED | SCHEMA_LATER | SCHEMA_ABSOLUTE,
	 KEPT_NOWHERE},
	{.name = "env", .kind = SCHEMA_ARRAY, LATER, .elem = &schema_string_field},
	{.name = "user", .kind = SCHEMA_OBJECT, LATER, .table = &user_table},
	{.name = "capabilities", .kind = SCHEMA_OBJECT, LATER, .table = &capabilities_table},
	{.name = "noNewPrivileges", .kind = SCHEMA_BOOL, LATER},
	{.name = "rlimits",
	 .kind = SCHEMA_ARRAY,
	 LATER,
	 .elem = &rlimit_field,
	 .check = bundle_process_check_rlimits},
	{.name = "oomScoreAdj",
	 .kind = SCHEMA_INT,
	 .off = offsetof(struct bundle_process, oom_score_adj),
	 .imin = -1000,
	 .max = 1000},
	{.name = "scheduler", .kind = SCHEMA_OBJECT, LATER, .table = &scheduler_table},
	{.name = "ioPriority", .kind = SCHEMA_OBJECT, LATER, .table = &io_table},
	{.name = "execCPUAffinity", .kind = SCHEMA_OBJECT, LATER, .table = &affinity_table},
	{.name = "apparmorProfile", .kind = SCHEMA_STRING, LATER},
	{.name = "selinuxLabel", .kind = SCHEMA_STRING, LATER},
};
const struct schema_table bundle_process_table = {.field = process_fields,
						  .nr = ARRAY_SIZE(process_fields),
						  .size = sizeof(struct bundle_process),
						  .later = "not carried out in the guest yet"};

/* ---- mounts -------------------------------------------------------------------------------- */

static const struct schema_field mount_fields[] = {
	{.name = "destination", .kind = SCHEMA_STRING, NEEDED, .max = PATH_MAX - 1},
	{.name = "type", .kind = SCHEMA_STRING, KEPT_NOWHERE},
	{.name = "source", .kind = SCHEMA_STRING, KEPT_NOWHERE},
	STRINGS("options"),
	{.name = "uidMappings", .kind = SCHEMA_ARRAY, KEPT_NOWHERE},
	{.name = "gidMappings", .kind = SCHEMA_ARRAY, KEPT_NOWHERE},
};
static const struct schema_table mount_table = TABLE(mount_fields);
const struct schema_field bundle_mount_field = {.kind = SCHEMA_OBJECT, .table = &mount_table};
