/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/host/share_apart.h"
#include "tests/support/temp_dir.h"

TestSuite(share_apart, .init = temp_dir_make, .fini = temp_dir_remove);

static char hidden[256];

/* Below the directory of the test: @source, while the states are in @root; one that is not absolute is taken as it is */
static int check_as(const char *name, bool readonly, const char *source, const char *root)
{
	char path[128], state[128];
	struct plan_source s = {.path = path,
				.name = (char *)name,
				.pointer = (char *)"/source",
				.readonly = readonly};
	struct err err = {0};
	int rc;

	snprintf(path, sizeof(path), "%s%s", source[0] == '/' ? temp_dir : "", source);
	snprintf(state, sizeof(state), "%s%s", root[0] == '/' ? temp_dir : "", root);
	rc = share_keep_apart(&s, state, &err);
	cr_assert(rc == 0 || (strstr(err.msg, path) && strstr(err.msg, state)), "%s", err.msg);
	hidden[0] = '\0';
	if (s.hidden)
		snprintf(hidden, sizeof(hidden), "%s", s.hidden);
	free(s.hidden);
	return rc;
}

static int check(const char *source, const char *root)
{
	return check_as(NULL, true, source, root);
}

/* What is hidden of a read-only source with a name; NULL: it is refused */
static const char *hidden_of(const char *source, const char *root)
{
	return check_as("x", true, source, root) == 0 ? hidden : NULL;
}

static void make(const char *commands)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd), "cd %s && %s", temp_dir, commands);
	cr_assert_eq(system(cmd), 0);
}

Test(share_apart, the_state_is_not_shared)
{
	make("mkdir -p run/vmrun/id run/other && touch run/vmrun/id/state.json run/file && "
	     "ln -s run/vmrun state && ln -s run above && ln -s vmrun/id/state.json run/link");
	cr_expect_eq(check("/run/vmrun", "/run/vmrun"), -EINVAL);
	cr_expect_eq(check("/run", "/run/vmrun"), -EINVAL);
	cr_expect_eq(check("", "/run/vmrun"), 0, "no such path");
	cr_expect_eq(check("/", "/run/vmrun"), -EINVAL);
	cr_expect_eq(check("/run/vmrun/id", "/run/vmrun"), -EINVAL);
	cr_expect_eq(check("/run/vmrun/id/state.json", "/run/vmrun"), -EINVAL);
	cr_expect_eq(check("/run/other/../vmrun/.", "/run/vmrun"), -EINVAL);
	cr_expect_eq(check("/state", "/run/vmrun"), -EINVAL);
	cr_expect_eq(check("/above", "/run/vmrun"), -EINVAL);
	cr_expect_eq(check("/run/link", "/run/vmrun"), -EINVAL);
	cr_expect_eq(check("/run", "/state"), -EINVAL, "the root is a link");
	cr_expect_eq(check("/run/other", "/run/vmrun"), 0);
	cr_expect_eq(check("/run/file", "/run/vmrun"), 0);
	cr_expect_eq(check("/run/nowhere", "/run/vmrun"), 0);
}

Test(share_apart, nor_is_where_it_will_be)
{
	make("mkdir -p run/other");
	cr_expect_eq(check("/run", "/run/vmrun"), -EINVAL);
	cr_expect_eq(check("/run", "/run/a/b/c"), -EINVAL);
	cr_expect_eq(check("/", "/run/a/b/c"), -EINVAL);
	cr_expect_eq(check("/run/other", "/run/vmrun"), 0);
	cr_expect_eq(check("/run/other", "/run/other/vmrun/"), -EINVAL);
}

Test(share_apart, a_source_with_a_name_lacks_it)
{
	make("mkdir -p run/vmrun/id run/other && ln -s run/vmrun state && ln -s run above");
	cr_expect_str_eq(hidden_of("/run", "/run/vmrun"), "vmrun");
	cr_expect_str_eq(hidden_of("/above", "/run/vmrun"), "vmrun");
	cr_expect_str_eq(hidden_of("/", "/state"), "run/vmrun");
	cr_expect_str_eq(hidden_of("/run", "/run/a/b/c"), "a/b/c");
	cr_expect_str_eq(hidden_of("/run/other", "/run/vmrun"), "");
	cr_expect_null(hidden_of("/run/vmrun", "/run/vmrun"));
	cr_expect_null(hidden_of("/run/vmrun/id", "/run/vmrun"));
	cr_expect_null(hidden_of("/state", "/run/vmrun"));
	cr_expect_eq(check_as("x", false, "/run", "/run/vmrun"), 0);
	cr_expect_str_eq(hidden, "vmrun");
}
