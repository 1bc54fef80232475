/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/config/bundle_seccomp.h"

#include <errno.h>
#include <string.h>

#include "runtime/config/bundle_types.h"

#define ERRNO_MAX    4095 /* Linux's MAX_ERRNO */
#define ARGS_MAX     64
#define NAMES_MAX    4096
#define RULES_MAX    4096
#define SEC(member)  offsetof(struct bundle_seccomp, member)
#define RULE(member) offsetof(struct bundle_seccomp_rule, member)
#define ARG(member)  offsetof(struct bundle_seccomp_arg, member)

const char *const bundle_seccomp_actions[] = {
	"SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
	"SCMP_ACT_TRAP",  "SCMP_ACT_ERRNO",	   "SCMP_ACT_TRACE",
	"SCMP_ACT_ALLOW", "SCMP_ACT_LOG",	   NULL};
const char *const bundle_seccomp_operators[] = {"SCMP_CMP_NE",	      "SCMP_CMP_LT", "SCMP_CMP_LE",
						"SCMP_CMP_EQ",	      "SCMP_CMP_GE", "SCMP_CMP_GT",
						"SCMP_CMP_MASKED_EQ", NULL};
const char *const bundle_seccomp_flags[] = {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
					    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
					    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL};

/* A process of the host would have to answer; it sees neither the guest's memory nor its fds. */
static int bundle_seccomp_check_listener(struct schema_ctx *ctx, struct json_object *value)
{
	return schema_empty(value)
		       ? 0
		       : schema_fail(ctx,
				     "a process of the host cannot answer for a guest's kernel");
}

/* In front of the list of actions, which does not have it */
static int bundle_seccomp_refuse_notify(struct schema_ctx *ctx, struct json_object *rule,
					const char *property)
{
	struct json_object *action = NULL;
	const char *s;

	json_object_object_get_ex(rule, property, &action);
	s = json_object_is_type(action, json_type_string) ? json_object_get_string(action) : "";
	if (strcmp(s, "SCMP_ACT_NOTIFY") != 0)
		return 0;
	schema_push(ctx, property);
	return schema_fail(ctx, "SCMP_ACT_NOTIFY: a process of the host cannot answer for a "
				"guest's kernel");
}

static const struct schema_field arg_fields[] = {
	{.name = "index",
	 .kind = SCHEMA_UINT,
	 .flags = SCHEMA_REQUIRED,
	 .off = ARG(index),
	 .max = 5},
	{.name = "value", .kind = SCHEMA_UINT, .flags = SCHEMA_REQUIRED, .off = ARG(value)},
	{.name = "valueTwo", .kind = SCHEMA_UINT, .off = ARG(value_two)},
	{.name = "op",
	 .kind = SCHEMA_ENUM,
	 .flags = SCHEMA_REQUIRED,
	 .off = ARG(op),
	 .words = bundle_seccomp_operators},
};
static const struct schema_table arg_table = {.field = arg_fields,
					      .nr = ARRAY_SIZE(arg_fields),
					      .size = sizeof(struct bundle_seccomp_arg)};
static const struct schema_field arg_field = {.kind = SCHEMA_OBJECT, .table = &arg_table};

static const struct schema_field rule_fields[] = {
	{.name = "names",
	 .kind = SCHEMA_ARRAY,
	 .flags = SCHEMA_REQUIRED,
	 .off = RULE(names),
	 .min = 1,
	 .max = NAMES_MAX,
	 .elem = &schema_string_field},
	{.name = "action",
	 .kind = SCHEMA_ENUM,
	 .flags = SCHEMA_REQUIRED,
	 .off = RULE(action),
	 .words = bundle_seccomp_actions},
	{.name = "errnoRet", .kind = SCHEMA_INT, .off = RULE(errno_ret), .max = ERRNO_MAX},
	{.name = "args",
	 .kind = SCHEMA_ARRAY,
	 .off = RULE(args),
	 .max = ARGS_MAX,
	 .elem = &arg_field},
};
static const struct schema_table rule_table = {.field = rule_fields,
					       .nr = ARRAY_SIZE(rule_fields),
					       .size = sizeof(struct bundle_seccomp_rule)};

static int bundle_seccomp_decode_rule(struct schema_ctx *ctx, struct json_object *value,
				      void *target)
{
	struct bundle_seccomp_rule *r = target;
	const int rc = bundle_seccomp_refuse_notify(ctx, value, "action");

	if (r)
		r->errno_ret = BUNDLE_UNSET;
	return rc < 0 ? rc : schema_decode(ctx, value, &rule_table, r);
}

static const struct schema_field rule_field = {
	.kind = SCHEMA_OBJECT, .table = &rule_table, .decode = bundle_seccomp_decode_rule};
static const struct schema_field flag_field = {.kind = SCHEMA_ENUM, .words = bundle_seccomp_flags};

static const struct schema_field fields[] = {
	{.name = "defaultAction",
	 .kind = SCHEMA_ENUM,
	 .flags = SCHEMA_REQUIRED,
	 .off = SEC(action),
	 .words = bundle_seccomp_actions},
	{.name = "defaultErrnoRet", .kind = SCHEMA_INT, .off = SEC(errno_ret), .max = ERRNO_MAX},
	{.name = "architectures",
	 .kind = SCHEMA_ARRAY,
	 .off = SEC(architectures),
	 .max = 32,
	 .elem = &schema_string_field},
	{.name = "flags", .kind = SCHEMA_ARRAY, .off = SEC(flags), .max = 16, .elem = &flag_field},
	{.name = "listenerPath",
	 .kind = SCHEMA_STRING,
	 .off = SCHEMA_NOWHERE,
	 .check = bundle_seccomp_check_listener},
	{.name = "listenerMetadata",
	 .kind = SCHEMA_STRING,
	 .off = SCHEMA_NOWHERE,
	 .check = bundle_seccomp_check_listener},
	{.name = "syscalls",
	 .kind = SCHEMA_ARRAY,
	 .off = SEC(rules),
	 .max = RULES_MAX,
	 .elem = &rule_field},
};
static const struct schema_table table = {.field = fields, .nr = ARRAY_SIZE(fields)};

int bundle_seccomp_decode(struct schema_ctx *ctx, struct json_object *value, void *target)
{
	struct bundle_linux *l = target;
	struct bundle_seccomp *s = l ? &l->inside.seccomp : NULL;
	int rc;

	if (schema_empty(value))
		return 0;
	rc = bundle_seccomp_refuse_notify(ctx, value, "defaultAction");
	if (s)
		s->errno_ret = BUNDLE_UNSET;
	return rc < 0 ? rc : schema_decode(ctx, value, &table, s);
}
