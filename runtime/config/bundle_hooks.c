/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/config/bundle_hooks.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "runtime/util/json.h"

#define INT32_LIMIT  2147483647ULL
#define HOOK(member) offsetof(struct bundle_hook, member)

static const struct schema_field hook_fields[] = {
	{.name = "path",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_REQUIRED | SCHEMA_ABSOLUTE,
	 .off = HOOK(path),
	 .max = PATH_MAX - 1},
	{.name = "args", .kind = SCHEMA_ARRAY, .off = HOOK(args), .elem = &schema_bytes_field},
	{.name = "env", .kind = SCHEMA_ARRAY, .off = HOOK(env), .elem = &schema_bytes_field},
	{.name = "timeout",
	 .kind = SCHEMA_UINT,
	 .off = HOOK(timeout_s),
	 .min = 1,
	 .max = INT32_LIMIT},
};
static const struct schema_table hook_table = {
	.field = hook_fields, .nr = ARRAY_SIZE(hook_fields), .size = sizeof(struct bundle_hook)};
static const struct schema_field hook_field = {.kind = SCHEMA_OBJECT, .table = &hook_table};

#define KIND(n, k, inside)                                                                         \
	{                                                                                          \
		.name = n, .kind = SCHEMA_ARRAY, .flags = (inside),                                \
		.off = offsetof(struct bundle_hooks, kind[k]), .max = 256, .elem = &hook_field     \
	}

static const struct schema_field hooks_fields[] = {
	KIND("prestart", HOOK_PRESTART, 0),
	KIND("createRuntime", HOOK_CREATE_RUNTIME, 0),
	KIND("createContainer", HOOK_CREATE_CONTAINER, 0),
	KIND("startContainer", HOOK_START_CONTAINER, SCHEMA_INSIDE),
	KIND("poststart", HOOK_POSTSTART, 0),
	KIND("poststop", HOOK_POSTSTOP, 0),
};
const struct schema_table bundle_hooks_table = {.field = hooks_fields,
						.nr = ARRAY_SIZE(hooks_fields),
						.size = sizeof(struct bundle_hooks),
						.later = "not run"};

int bundle_hooks_parse(const char *text, struct arena *arena, struct bundle_hooks *ret,
		       struct err *err)
{
	struct schema_ctx ctx = {.arena = arena, .err = err};
	cleanup_json struct json_object *root = NULL;
	struct json_object *hooks = NULL;
	int rc = json_parse(text, strlen(text), "config.json", &root, err);

	*ret = (struct bundle_hooks){0};
	if (rc < 0 || !json_object_object_get_ex(root, "hooks", &hooks) || !hooks)
		return rc;
	schema_push(&ctx, "hooks");
	if (!json_object_is_type(hooks, json_type_object))
		return schema_fail(&ctx, "must be an object");
	return schema_decode(&ctx, hooks, &bundle_hooks_table, ret);
}
