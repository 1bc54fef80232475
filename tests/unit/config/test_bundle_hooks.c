/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "runtime/config/bundle.h"
#include "runtime/config/bundle_hooks.h"
#include "runtime/util/json.h"

static void expect_hooks(const struct bundle_hooks *h)
{
	const struct bundle_hook *prestart = h->kind[HOOK_PRESTART].item;
	const struct bundle_hook *poststop = h->kind[HOOK_POSTSTOP].item;

	cr_assert_eq(h->kind[HOOK_PRESTART].nr, 1);
	cr_expect_str_eq(prestart->path, "/x");
	cr_expect_eq(prestart->timeout_s, 0);
	cr_expect(prestart->args.nr == 0 && prestart->env.item == NULL);
	cr_assert_eq(h->kind[HOOK_POSTSTOP].nr, 2, "in order");
	cr_expect_str_eq(poststop[0].path, "/y");
	cr_expect_eq(poststop[0].timeout_s, 3);
	cr_assert_eq(poststop[0].args.nr, 2);
	cr_expect_str_eq(((const char **)poststop[0].args.item)[0], "why");
	cr_expect_null(((const char **)poststop[0].args.item)[1], "empty");
	cr_expect(poststop[0].env.nr == 0 && poststop[0].env.item, "an empty environment is one");
	cr_expect_str_eq(poststop[1].path, "/z");
	cr_expect_eq(h->kind[HOOK_POSTSTART].nr, 0);
}

Test(bundle_hooks, are_kept)
{
	static const char text[] =
		"{\"ociVersion\":\"1.2.0\",\"vm\":{\"kernel\":{\"path\":\"/k\"}},"
		"\"hooks\":{\"prestart\":[{\"path\":\"/x\"}],\"poststart\":[],"
		"\"poststop\":[{\"path\":\"/y\",\"timeout\":3,\"args\":[\"why\",\"\"],\"env\":[]},"
		"{\"path\":\"/z\"}]}}";
	struct json_object *root = NULL;
	struct arena arena = {0};
	struct bundle_hooks again;
	struct bundle *b;
	struct err err;

	cr_assert_eq(json_parse(text, strlen(text), "f", &root, &err), 0, "%s", err.msg);
	cr_assert_eq(bundle_from_json(root, "/b", &b, &err), 0, "%s", err.msg);
	expect_hooks(&b->hooks);
	/* As delete reads them, from the copy in the state directory */
	cr_assert_eq(arena_init(&arena, 1 << 20), 0);
	cr_assert_eq(bundle_hooks_parse(bundle_text(b), &arena, &again, &err), 0, "%s", err.msg);
	expect_hooks(&again);
	arena_done(&arena);
	bundle_free(b);
	json_object_put(root);
}

Test(bundle_hooks, of_a_text_without_any)
{
	struct arena arena = {0};
	struct bundle_hooks h;
	struct err err;

	cr_assert_eq(arena_init(&arena, 4096), 0);
	cr_expect_eq(bundle_hooks_parse("{}", &arena, &h, &err), 0);
	cr_expect_eq(bundle_hooks_parse("{\"hooks\":null}", &arena, &h, &err), 0);
	cr_expect_eq(h.kind[HOOK_POSTSTOP].nr, 0);
	cr_expect_eq(bundle_hooks_parse("{\"hooks\":7}", &arena, &h, &err), -EINVAL);
	cr_expect_str_eq(err.msg, "/hooks: must be an object");
	cr_expect_eq(bundle_hooks_parse("{", &arena, &h, &err), -EINVAL);
	arena_done(&arena);
}
