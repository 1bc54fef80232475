/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/config/bundle_process.h"

#include <errno.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/resource.h>

#include "runtime/config/bundle_caps.h"
#include "runtime/util/json.h"

#define UINT32_LIMIT 4294967295ULL
#define GROUPS_MAX   65536 /* Linux's NGROUPS_MAX */
#define NICE_MAX     19
#define PRIORITY_MAX 99
#define SCHED_ISO    4 /* a number that Linux keeps free */

#define PROC(member) offsetof(struct bundle_process, member)
#define TABLE(fields)                                                                              \
	{                                                                                          \
		.field = (fields), .nr = ARRAY_SIZE(fields)                                        \
	}

/* Of all tables of nested objects the offsets count from struct bundle_process, so these are at offset 0. */
#define NESTED(n, t)                                                                               \
	{                                                                                          \
		.name = n, .kind = SCHEMA_OBJECT, .flags = SCHEMA_INSIDE, .table = (t)             \
	}

/* ---- terminal, user ------------------------------------------------------------------------ */

static const struct schema_field size_fields[] = {
	{.name = "height",
	 .kind = SCHEMA_UINT,
	 .flags = SCHEMA_REQUIRED,
	 .off = PROC(console.height),
	 .max = 65535},
	{.name = "width",
	 .kind = SCHEMA_UINT,
	 .flags = SCHEMA_REQUIRED,
	 .off = PROC(console.width),
	 .max = 65535},
};
static const struct schema_table size_table = TABLE(size_fields);

static const struct schema_field gid_field = {.kind = SCHEMA_UINT, .max = BUNDLE_USER_ID_MAX};
static const struct schema_field user_fields[] = {
	{.name = "uid", .kind = SCHEMA_UINT, .off = PROC(user.uid), .max = BUNDLE_USER_ID_MAX},
	{.name = "gid", .kind = SCHEMA_UINT, .off = PROC(user.gid), .max = BUNDLE_USER_ID_MAX},
	{.name = "umask", .kind = SCHEMA_INT, .off = PROC(user.umask), .max = 07777},
	{.name = "additionalGids",
	 .kind = SCHEMA_ARRAY,
	 .off = PROC(user.gids),
	 .max = GROUPS_MAX,
	 .elem = &gid_field},
	{.name = "username", .kind = SCHEMA_STRING, .off = SCHEMA_NOWHERE},
};
static const struct schema_table user_table = TABLE(user_fields);

/* ---- limits -------------------------------------------------------------------------------- */

#define LIMIT(name) [name] = #name

static const char *const rlimit_types[RLIM_NLIMITS + 1] = {
	LIMIT(RLIMIT_CPU),	LIMIT(RLIMIT_FSIZE), LIMIT(RLIMIT_DATA),   LIMIT(RLIMIT_STACK),
	LIMIT(RLIMIT_CORE),	LIMIT(RLIMIT_RSS),   LIMIT(RLIMIT_NPROC),  LIMIT(RLIMIT_NOFILE),
	LIMIT(RLIMIT_MEMLOCK),	LIMIT(RLIMIT_AS),    LIMIT(RLIMIT_LOCKS),  LIMIT(RLIMIT_SIGPENDING),
	LIMIT(RLIMIT_MSGQUEUE), LIMIT(RLIMIT_NICE),  LIMIT(RLIMIT_RTPRIO), LIMIT(RLIMIT_RTTIME),
};
static const struct schema_field rlimit_fields[] = {
	{.name = "type",
	 .kind = SCHEMA_ENUM,
	 .flags = SCHEMA_REQUIRED,
	 .off = offsetof(struct bundle_rlimit, type),
	 .words = rlimit_types},
	{.name = "soft",
	 .kind = SCHEMA_UINT,
	 .flags = SCHEMA_REQUIRED,
	 .off = offsetof(struct bundle_rlimit, soft)},
	{.name = "hard",
	 .kind = SCHEMA_UINT,
	 .flags = SCHEMA_REQUIRED,
	 .off = offsetof(struct bundle_rlimit, hard)},
};
static const struct schema_table rlimit_table = {.field = rlimit_fields,
						 .nr = ARRAY_SIZE(rlimit_fields),
						 .size = sizeof(struct bundle_rlimit)};
static const struct schema_field rlimit_field = {.kind = SCHEMA_OBJECT, .table = &rlimit_table};

static int bundle_process_check_rlimits(struct schema_ctx *ctx, const struct schema_list *list)
{
	const struct bundle_rlimit *l = list->item;
	unsigned int seen = 0;

	for (unsigned int i = 0; i < list->nr; i++) {
		if (seen & (1U << l[i].type) || l[i].soft > l[i].hard) {
			schema_push(ctx, "rlimits");
			schema_push_index(ctx, i);
		}
		if (seen & (1U << l[i].type))
			return schema_fail(ctx, "a second %s", rlimit_types[l[i].type]);
		if (l[i].soft > l[i].hard)
			return schema_fail(ctx, "soft must be at most hard");
		seen |= 1U << l[i].type;
	}
	return 0;
}

/* ---- scheduling ---------------------------------------------------------------------------- */

static const char *const scheduler_policies[] = {[SCHED_NORMAL] = "SCHED_OTHER",
						 [SCHED_FIFO] = "SCHED_FIFO",
						 [SCHED_RR] = "SCHED_RR",
						 [SCHED_BATCH] = "SCHED_BATCH",
						 [SCHED_ISO] = "SCHED_ISO",
						 [SCHED_IDLE] = "SCHED_IDLE",
						 [SCHED_DEADLINE] = "SCHED_DEADLINE",
						 NULL};
const char *const bundle_scheduler_flags[] = {
	"SCHED_FLAG_RESET_ON_FORK",  "SCHED_FLAG_RECLAIM",
	"SCHED_FLAG_DL_OVERRUN",     "SCHED_FLAG_KEEP_POLICY",
	"SCHED_FLAG_KEEP_PARAMS",    "SCHED_FLAG_UTIL_CLAMP_MIN",
	"SCHED_FLAG_UTIL_CLAMP_MAX", NULL};
static const struct schema_field scheduler_flag_field = {.kind = SCHEMA_ENUM,
							 .words = bundle_scheduler_flags};
static const struct schema_field scheduler_fields[] = {
	{.name = "policy",
	 .kind = SCHEMA_ENUM,
	 .flags = SCHEMA_REQUIRED,
	 .off = PROC(scheduler.policy),
	 .words = scheduler_policies},
	{.name = "nice",
	 .kind = SCHEMA_INT,
	 .off = PROC(scheduler.nice),
	 .imin = -20,
	 .max = NICE_MAX},
	{.name = "priority",
	 .kind = SCHEMA_INT,
	 .off = PROC(scheduler.priority),
	 .max = PRIORITY_MAX},
	{.name = "flags",
	 .kind = SCHEMA_ARRAY,
	 .off = PROC(scheduler.flags),
	 .max = 16,
	 .elem = &scheduler_flag_field},
	{.name = "runtime", .kind = SCHEMA_UINT, .off = PROC(scheduler.runtime)},
	{.name = "deadline", .kind = SCHEMA_UINT, .off = PROC(scheduler.deadline)},
	{.name = "period", .kind = SCHEMA_UINT, .off = PROC(scheduler.period)},
};
static const struct schema_table scheduler_table = TABLE(scheduler_fields);

static const char *const io_classes[] = {"IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE",
					 NULL};
static const struct schema_field io_fields[] = {
	{.name = "class",
	 .kind = SCHEMA_ENUM,
	 .flags = SCHEMA_REQUIRED,
	 .off = PROC(io.class),
	 .words = io_classes},
	{.name = "priority", .kind = SCHEMA_UINT, .off = PROC(io.priority), .max = 7},
};
static const struct schema_table io_table = TABLE(io_fields);

static const struct schema_field affinity_fields[] = {
	{.name = "initial", .kind = SCHEMA_STRING, .off = SCHEMA_NOWHERE},
	{.name = "final", .kind = SCHEMA_STRING, .off = SCHEMA_NOWHERE},
};
static const struct schema_table affinity_table = TABLE(affinity_fields);

/* ---- the process --------------------------------------------------------------------------- */

#define INSIDE .flags = SCHEMA_INSIDE
#define LATER  .flags = SCHEMA_LATER, .off = SCHEMA_NOWHERE

static const struct schema_field process_fields[] = {
	{.name = "terminal", .kind = SCHEMA_BOOL, .off = PROC(terminal)},
	{.name = "consoleSize", .kind = SCHEMA_OBJECT, .table = &size_table},
	{.name = "args",
	 .kind = SCHEMA_ARRAY,
	 INSIDE,
	 .off = PROC(args),
	 .min = 1,
	 .elem = &schema_bytes_field},
	{.name = "cwd",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_REQUIRED | SCHEMA_INSIDE | SCHEMA_ABSOLUTE | SCHEMA_BYTES,
	 .off = PROC(cwd),
	 .max = PATH_MAX - 1},
	{.name = "env",
	 .kind = SCHEMA_ARRAY,
	 INSIDE,
	 .off = PROC(env),
	 .elem = &schema_bytes_field},
	NESTED("user", &user_table),
	{.name = "capabilities", .kind = SCHEMA_OBJECT, INSIDE, .decode = bundle_caps_decode},
	{.name = "noNewPrivileges", .kind = SCHEMA_BOOL, INSIDE, .off = PROC(no_new_privileges)},
	{.name = "rlimits",
	 .kind = SCHEMA_ARRAY,
	 INSIDE,
	 .off = PROC(rlimits),
	 .max = 256,
	 .elem = &rlimit_field},
	{.name = "oomScoreAdj",
	 .kind = SCHEMA_INT,
	 .off = PROC(oom_score_adj),
	 .imin = -1000,
	 .max = 1000},
	NESTED("scheduler", &scheduler_table),
	NESTED("ioPriority", &io_table),
	{.name = "execCPUAffinity", .kind = SCHEMA_OBJECT, LATER, .table = &affinity_table},
	{.name = "apparmorProfile", .kind = SCHEMA_STRING, LATER},
	{.name = "selinuxLabel", .kind = SCHEMA_STRING, LATER},
};
const struct schema_table bundle_process_table = {.field = process_fields,
						  .nr = ARRAY_SIZE(process_fields),
						  .size = sizeof(struct bundle_process),
						  .later = "not carried out in the guest"};

void bundle_process_init(struct bundle_process *p)
{
	*p = (struct bundle_process){
		.user.umask = BUNDLE_UNSET,
		.oom_score_adj = BUNDLE_UNSET,
		.scheduler.policy = -1,
		.io.class = -1,
	};
}

/* Linux has no such policy, and takes priorities only with some. */
static int bundle_process_check_scheduler(struct schema_ctx *ctx, const struct bundle_scheduler *s)
{
	const bool fixed = s->policy == SCHED_FIFO || s->policy == SCHED_RR;
	const size_t mark = schema_push(ctx, "scheduler");

	if (s->policy == SCHED_ISO) {
		schema_push(ctx, "policy");
		return schema_fail(ctx, "Linux has no SCHED_ISO");
	}
	if (s->policy >= 0 && fixed != (s->priority > 0)) {
		schema_push(ctx, "priority");
		return schema_fail(ctx, "must be %s with %s", fixed ? "1 to 99" : "0",
				   scheduler_policies[s->policy]);
	}
	schema_pop(ctx, mark);
	return 0;
}

/* What execve() wants, of a process that is run */
static int bundle_process_check_strings(struct schema_ctx *ctx, const struct bundle_process *p)
{
	const char *const *env = p->env.item;

	if (p->args.nr == 0) {
		schema_push(ctx, "args");
		return schema_fail(ctx, "required");
	}
	for (unsigned int i = 0; i < p->env.nr; i++) {
		if (env[i] && strchr(env[i], '=') && *env[i] != '=')
			continue;
		schema_push(ctx, "env");
		schema_push_index(ctx, i);
		return schema_fail(ctx, "must be NAME=value");
	}
	return 0;
}

int bundle_process_check(struct schema_ctx *ctx, const struct bundle_process *p)
{
	int rc = ctx->container ? bundle_process_check_strings(ctx, p) : 0;

	if (rc == 0)
		rc = bundle_process_check_scheduler(ctx, &p->scheduler);
	return rc < 0 ? rc : bundle_process_check_rlimits(ctx, &p->rlimits);
}

int bundle_process_load(const char *file, struct arena *arena, struct bundle_process *ret,
			const struct warn_to *warn, struct err *err)
{
	struct schema_ctx ctx = {.arena = arena, .err = err, .container = true};
	cleanup_json struct json_object *root = NULL;
	cleanup_free char *text = NULL;
	struct bundle_process p;
	size_t len;
	int rc = json_read_text(file, &text, &len, err);

	if (rc < 0)
		return rc;
	rc = arena_init(arena, bundle_arena_bytes(len));
	if (rc < 0)
		return err_set(err, -rc, "memory for %s", file);
	rc = json_parse(text, len, file, &root, err);
	if (rc < 0)
		return rc;
	if (warn) {
		ctx.warn = warn->line;
		ctx.warn_arg = warn->arg;
	}
	bundle_process_init(&p);
	if (!json_object_is_type(root, json_type_object))
		return err_text(err, EINVAL, "%s: must be an object", file);
	rc = schema_decode(&ctx, root, &bundle_process_table, &p);
	if (rc == 0)
		rc = bundle_process_check(&ctx, &p);
	if (rc < 0)
		return err_wrap(err, "%s", file);
	*ret = p;
	return 0;
}
