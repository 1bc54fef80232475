/* SPDX-License-Identifier: BSD-3-Clause */
/* Mount points made in a root whose files may be hostile. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/host/mount_points.h"
#include "runtime/util/spec_items.h"
#include "tests/support/temp_dir.h"

static char root[64], outside[64];
static struct plan plan = {.container = true, .nr_fs = 1};
static struct plan_source source = {
	.path = root, .readonly = true, .pointer = (char[]){"/root/path"}};
static struct spec_items items;

static void setup(void)
{
	temp_dir_make();
	snprintf(root, sizeof(root), "%s/root", temp_dir);
	snprintf(outside, sizeof(outside), "%s/outside", temp_dir);
	cr_assert(mkdir(root, 0755) == 0 && mkdir(outside, 0755) == 0);
	plan.fs[0] = (struct plan_fs){.nr = 1, .source = &source};
}

static void teardown(void)
{
	spec_items_done(&items);
	temp_dir_remove();
}

TestSuite(mount_points, .init = setup, .fini = teardown);

static void mount(const char *at, uint32_t flags)
{
	const struct agent_mount m = {.flags = flags};

	spec_items_put(&items, AGENT_MOUNT, &m, sizeof(m), at);
}

static void make(void)
{
	plan.spec = items.bytes;
	plan.spec_bytes = items.len;
	mount_points_make(&plan);
}

/* 'd', 'f', or '-': nothing */
static char kind(const char *base, const char *path)
{
	char whole[256];
	struct stat st;

	snprintf(whole, sizeof(whole), "%s/%s", base, path);
	return lstat(whole, &st) < 0 ? '-'
	       : S_ISDIR(st.st_mode) ? 'd'
	       : S_ISREG(st.st_mode) ? 'f'
				     : '?';
}

Test(mount_points, directories_and_files)
{
	mount("/proc", 0);
	mount("/a/b//c/", 0);
	mount("/etc/hosts", AGENT_MOUNT_FILE);
	make();
	cr_expect_eq(kind(root, "proc"), 'd');
	cr_expect_eq(kind(root, "a/b/c"), 'd');
	cr_expect_eq(kind(root, "etc/hosts"), 'f');
	make();
	cr_expect_eq(kind(root, "etc/hosts"), 'f', "what is there stays");
}

Test(mount_points, what_is_below_a_mount_is_made_there)
{
	mount("/dev", 0);
	mount("/dev/pts", 0);
	make();
	cr_expect_eq(kind(root, "dev"), 'd');
	cr_expect_eq(kind(root, "dev/pts"), '-');
}

static void work_in(const char *cwd)
{
	const struct agent_process p = {.flags = AGENT_CREATE_CWD};

	spec_items_put(&items, AGENT_PROCESS, &p, sizeof(p), cwd);
}

Test(mount_points, the_working_directory)
{
	work_in("/srv/app");
	mount("/proc", 0);
	make();
	cr_expect_eq(kind(root, "srv/app"), 'd');
}

Test(mount_points, the_working_directory_below_a_mount)
{
	work_in("/data/app");
	mount("/data", 0);
	make();
	cr_expect_eq(kind(root, "data"), 'd');
	cr_expect_eq(kind(root, "data/app"), '-');
}

Test(mount_points, no_link_leads_out)
{
	char link[80];

	snprintf(link, sizeof(link), "%s/abs", root);
	cr_assert_eq(symlink(outside, link), 0);
	snprintf(link, sizeof(link), "%s/up", root);
	cr_assert_eq(symlink("../outside", link), 0);
	mount("/abs/x", 0);
	mount("/up/y", 0);
	mount("/../outside/z", 0);
	mount("/up", 0);
	make();
	cr_expect_eq(kind(outside, "x"), '-');
	cr_expect_eq(kind(outside, "y"), '-');
	cr_expect_eq(kind(outside, "z"), '-');
}

Test(mount_points, a_root_that_is_written_is_left_alone)
{
	source.readonly = false;
	mount("/proc", 0);
	make();
	cr_expect_eq(kind(root, "proc"), '-');
}
