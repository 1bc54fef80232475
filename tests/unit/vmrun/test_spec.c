/* SPDX-License-Identifier: BSD-3-Clause */
/* The examples of `vmrun spec` are bundles, and none of the types of devices is missing. */
#include <criterion/criterion.h>

#include "runtime/config/bundle_ask.h"

/* part of a program, in no library */
#include "cmd/vmrun/spec.c"
#include "cmd/vmrun/vmrun.c"

/* A bundle of it, which must be whole and without warnings */
static struct bundle *load(struct json_object *o)
{
	struct bundle *b = NULL;
	struct err err;

	cr_assert_eq(bundle_from_json(o, "/bundle", &b, &err), 0, "%s", err.msg);
	cr_assert_eq(b->nr_warnings, 0, "%s", b->warning[0]);
	return b;
}

Test(spec, the_example_is_a_bundle)
{
	struct json_object *o = json_tokener_parse(example);

	bundle_free(load(o));
	json_object_put(o);
}

Test(spec, the_full_one_is_a_bundle_with_every_type_of_device)
{
	struct json_object *o = spec_full();
	struct bundle *b = load(o);

	for (unsigned int id = 0; id < KINDS; id++)
		cr_expect_eq(bundle_listed(b, id) > 0, (kind_table[id].flags & KIND_TYPE) != 0,
			     "%s", kind_table[id].name);
	bundle_free(b);
	json_object_put(o);
}

Test(spec, the_one_of_a_container_is_a_bundle)
{
	struct json_object *o = json_tokener_parse(container);
	struct bundle *b = load(o);

	cr_expect(b->container && b->process_given && b->process.terminal && b->root.readonly);
	cr_expect_eq(b->mounts.nr, 7);
	cr_expect_str_eq(b->root.path, "rootfs");
	bundle_free(b);
	json_object_put(o);
}
