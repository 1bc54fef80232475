/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_hooks.h"

#include <errno.h>

#include "runtime/config/bundle_hooks.h"
#include "runtime/plan/plan_device.h"
#include "runtime/util/json.h"

/* As execve() wants it; the caller's, also on failure */
static int plan_hooks_copy_list(const struct schema_list *from, char ***ret, struct err *err)
{
	const char *const *text = from->item;
	int rc = 0;

	*ret = calloc(from->nr + 1, sizeof(**ret));
	if (!*ret)
		return plan_no_memory(err);
	for (unsigned int i = 0; rc == 0 && i < from->nr; i++)
		rc = plan_copy(&(*ret)[i], text[i] ? text[i] : "", err);
	return rc;
}

static int plan_hooks_copy(const struct bundle_hook *from, struct plan_hook *to, struct err *err)
{
	const struct schema_list path = {.nr = 1, .item = (void *)&from->path};
	int rc = plan_copy(&to->path, from->path, err);

	to->timeout_s = (unsigned int)from->timeout_s;
	if (rc == 0)
		rc = plan_hooks_copy_list(from->args.nr ? &from->args : &path, &to->argv, err);
	if (rc == 0 && from->env.item)
		rc = plan_hooks_copy_list(&from->env, &to->env, err);
	return rc;
}

int plan_hooks_build(const struct bundle_hooks *from, struct plan_hooks *ret, struct err *err)
{
	int rc = 0;

	*ret = (struct plan_hooks){0};
	for (unsigned int k = 0; k < HOOK_KINDS; k++) {
		const struct bundle_hook *h = from->kind[k].item;
		const unsigned int nr = from->kind[k].nr;

		if (nr == 0)
			continue;
		ret->hook[k] = calloc(nr, sizeof(*ret->hook[k]));
		if (!ret->hook[k])
			return plan_no_memory(err);
		ret->nr[k] = nr;
		for (unsigned int i = 0; rc == 0 && i < nr; i++)
			rc = plan_hooks_copy(&h[i], &ret->hook[k][i], err);
	}
	return rc;
}

int plan_hooks_parse(const char *text, struct plan_hooks *ret, struct err *err)
{
	struct arena arena = {0};
	struct bundle_hooks hooks;
	int rc = arena_init(&arena, 4UL * JSON_TEXT_MAX);

	*ret = (struct plan_hooks){0};
	if (rc < 0)
		return err_set(err, -rc, "memory for the hooks");
	rc = bundle_hooks_parse(text, &arena, &hooks, err);
	if (rc == 0)
		rc = plan_hooks_build(&hooks, ret, err);
	arena_done(&arena);
	return rc;
}

static struct json_object *plan_hooks_json_list(char *const *list)
{
	struct json_object *all = json_object_new_array();

	for (unsigned int i = 0; list[i]; i++)
		json_object_array_add(all, json_object_new_string(list[i]));
	return all;
}

static struct json_object *plan_hooks_json_one(const struct plan_hook *h)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "path", h->path);
	json_add(o, "args", plan_hooks_json_list(h->argv));
	if (h->env)
		json_add(o, "env", plan_hooks_json_list(h->env));
	json_add_uint(o, "timeout", h->timeout_s);
	return o;
}

void plan_hooks_add_json(const struct plan_hooks *h, struct json_object *to)
{
	struct json_object *o = NULL;

	for (unsigned int k = 0; k < HOOK_KINDS; k++) {
		struct json_object *all = h->nr[k] ? json_object_new_array() : NULL;

		for (unsigned int i = 0; i < h->nr[k]; i++)
			json_object_array_add(all, plan_hooks_json_one(&h->hook[k][i]));
		if (all && !o)
			o = json_object_new_object();
		if (all)
			json_add(o, hook_names[k], all);
	}
	if (o)
		json_add(to, "hooks", o);
}

static void plan_hooks_free_list(char **list)
{
	for (unsigned int i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

void plan_hooks_free(struct plan_hooks *h)
{
	for (unsigned int k = 0; k < HOOK_KINDS; k++) {
		for (unsigned int i = 0; i < h->nr[k]; i++) {
			free(h->hook[k][i].path);
			plan_hooks_free_list(h->hook[k][i].argv);
			plan_hooks_free_list(h->hook[k][i].env);
		}
		free(h->hook[k]);
	}
	*h = (struct plan_hooks){0};
}
