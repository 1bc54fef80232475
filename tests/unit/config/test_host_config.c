/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/config/bundle_process.h"
#include "runtime/config/host_config.h"
#include "tests/support/temp_dir.h"

static char path[512];

static void setup(void)
{
	temp_dir_make();
	snprintf(path, sizeof(path), "%s/file.json", temp_dir);
}

TestSuite(host_config, .init = setup, .fini = temp_dir_remove);

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

Test(host_config, keeps_every_property)
{
	struct host_config c;
	struct err err;

	write_file("{\"kernel\":\"/k\",\"initrd\":\"/i\",\"parameters\":[\"a\",\"b=1\"],"
		   "\"memory\":134217728,\"vcpus\":2,\"annotations\":[\"org.vmrun.vcpus\"]}");
	cr_assert_eq(host_config_load(path, &c, &err), 0, "%s", err.msg);
	cr_expect_str_eq(c.kernel, "/k");
	cr_expect_str_eq(c.initrd, "/i");
	cr_expect_eq(strncmp(c.kernel_at, path, strlen(path)), 0);
	cr_expect_str_eq(c.kernel_at + strlen(path), ": /kernel");
	cr_expect_str_eq(c.initrd_at + strlen(path), ": /initrd");
	cr_expect_eq(c.parameters.nr, 2);
	cr_expect_eq(c.mem_bytes, 128 << 20);
	cr_expect_eq(c.vcpus, 2);
	cr_expect(host_config_allows(&c, HOST_CONFIG_VCPUS));
	cr_expect_not(host_config_allows(&c, HOST_CONFIG_KERNEL));
	host_config_done(&c);
}

/* An empty one, and what an installed vmrun and a build tree have beside this program */
Test(host_config, defaults)
{
	struct host_config c;
	struct err err;

	write_file("{}");
	cr_assert_eq(host_config_load(path, &c, &err), 0, "%s", err.msg);
	cr_expect(c.kernel[0] == '/' && strstr(c.kernel, "/vmlinuz"));
	cr_expect(c.initrd[0] == '/' && strstr(c.initrd, "/initrd"));
	cr_expect_null(strstr(c.kernel, ".."));
	cr_expect_str_eq(c.kernel_at, HOST_CONFIG_MADE);
	cr_expect_eq(c.mem_bytes, HOST_CONFIG_MEM_BYTES);
	cr_expect_eq(c.vcpus, 1);
	for (int a = 0; a < HOST_CONFIG_ANNOTATIONS; a++)
		cr_expect_not(host_config_allows(&c, (enum host_config_annotation)a));
	host_config_done(&c);
}

Test(host_config, errors)
{
	static const struct {
		const char *text, *msg;
	} wrong[] = {
		{"[]", ": must be an object"},
		{"{", ": line 1, column 2: not JSON"},
		{"{\"memroy\":1}", ": /memroy: unknown property, known are kernel, initrd"},
		{"{\"kernel\":\"k\"}", ": /kernel: must be an absolute path"},
		{"{\"memory\":1}", ": /memory: must be 33554432 to"},
		{"{\"memory\":33554433}", ": /memory: must be a multiple of 4096"},
		{"{\"vcpus\":0}", ": /vcpus: must be 1 to 32, is 0"},
		{"{\"parameters\":[\"\xc3\xa9\"]}", ": /parameters/0: must be printable ASCII"},
		{"{\"annotations\":[\"org.vmrun.x\"]}",
		 ": /annotations/0: must be org.vmrun.kernel"},
	};
	struct host_config c;
	struct err err;

	for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
		write_file(wrong[i].text);
		cr_expect_eq(host_config_load(path, &c, &err), -EINVAL, "%s", wrong[i].text);
		cr_expect(strncmp(err.msg, path, strlen(path)) == 0 &&
				  strncmp(err.msg + strlen(path), wrong[i].msg,
					  strlen(wrong[i].msg)) == 0,
			  "%s: %s", wrong[i].text, err.msg);
		host_config_done(&c);
	}
	cr_assert_eq(unlink(path), 0);
	cr_expect_eq(host_config_load(path, &c, &err), -ENOENT,
		     "one that was asked for must exist");
	host_config_done(&c);
}

/* ---- the process of an exec, in a file as well ---- */

static char warned[256];

static void on_warning(void *arg UNUSED, const char *text)
{
	snprintf(warned, sizeof(warned), "%s", text);
}

Test(host_config, the_process_of_an_exec)
{
	const struct warn_to warn = {.line = on_warning};
	struct arena arena = {0};
	struct bundle_process p;
	struct err err;

	write_file("{\"terminal\":true,\"args\":[\"sh\",\"\xff\"],\"cwd\":\"/w\",\"env\":[\"A=1\"],"
		   "\"user\":{\"uid\":3,\"gid\":4},\"capabilities\":{\"bounding\":[\"CAP_X\"]}}");
	cr_assert_eq(bundle_process_load(path, &arena, &p, &warn, &err), 0, "%s", err.msg);
	cr_expect(p.terminal && p.caps_given && p.user.uid == 3 && p.args.nr == 2);
	cr_expect_eq(p.user.umask, BUNDLE_UNSET);
	cr_expect_str_eq(((const char *const *)p.args.item)[1], "\xff");
	cr_expect_str_eq(warned, "/capabilities/bounding/0: CAP_X is no capability, and left out");
	arena_done(&arena);
}

Test(host_config, processes_that_are_none)
{
	static const struct {
		const char *text, *msg;
	} wrong[] = {
		{"{}", ": /cwd: required"},
		{"{\"cwd\":\"/\"}", ": /args: required"},
		{"7", ": must be an object"},
		{"{\"cwd\":\"/\",\"args\":[\"a\"],\"env\":[\"A\"]}",
		 ": /env/0: must be NAME=value"},
	};
	struct bundle_process p;
	struct err err;

	for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct arena arena = {0};

		write_file(wrong[i].text);
		cr_expect_eq(bundle_process_load(path, &arena, &p, NULL, &err), -EINVAL);
		cr_expect_str_eq(err.msg + strlen(path), wrong[i].msg);
		arena_done(&arena);
	}
}
