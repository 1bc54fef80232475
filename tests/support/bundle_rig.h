/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Bundles from the text of a config.json
 */
#ifndef VMRUN_TESTS_SUPPORT_BUNDLE_RIG_H
#define VMRUN_TESTS_SUPPORT_BUNDLE_RIG_H

#include <criterion/criterion.h>
#include <string.h>

#include "runtime/config/bundle.h"
#include "runtime/util/json.h"

/** load() - Decode it, as that of /b; text that is not JSON fails the test */
static inline int load(const char *text, struct bundle **ret, struct err *err)
{
	struct json_object *root = NULL;
	int rc;

	*err = (struct err){0};
	cr_assert(json_parse(text, strlen(text), "f", &root, err) == 0, "%s: %s", text, err->msg);
	rc = bundle_from_json(root, "/b", ret, err);
	json_object_put(root);
	return rc;
}

/** good() - The same of one that must be right.  Return: the caller's, to bundle_free() */
static inline struct bundle *good(const char *text)
{
	struct bundle *b = NULL;
	struct err err;

	cr_assert(load(text, &b, &err) == 0, "%s: %s", text, err.msg);
	return b;
}

#endif
