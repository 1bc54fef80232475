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

static void link_to(const char *target, const char *name)
{
	char link[80];

	snprintf(link, sizeof(link), "%s/%s", root, name);
	cr_assert_eq(symlink(target, link), 0);
}

Test(mount_points, where_links_lead)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/var", root);
	cr_assert_eq(mkdir(path, 0755), 0);
	link_to("/run/lock", "var/lock");
	link_to("../foo/bar/file", "var/file");
	link_to("loop", "loop");
	mount("/var/lock/x", 0);
	mount("/var/file", AGENT_MOUNT_FILE);
	mount("/loop/x", 0);
	make();
	cr_expect_eq(kind(root, "run/lock/x"), 'd');
	cr_expect_eq(kind(root, "foo/bar/file"), 'f');
}

Test(mount_points, of_a_link_below_a_mount_the_guest_makes)
{
	link_to("/run/lock", "lock");
	mount("/run", 0);
	mount("/lock", 0);
	make();
	cr_expect_eq(kind(root, "run"), 'd');
	cr_expect_eq(kind(root, "run/lock"), '-');
}

/* Each follows the next one twice. */
Test(mount_points, links_that_multiply_end, .timeout = 20)
{
	char name[16], target[40];

	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(target, sizeof(target), "l%d/../l%d", i + 1, i + 1);
		link_to(target, name);
	}
	mount("/l0/x", 0);
	make();
	cr_expect_eq(kind(root, "l60"), '-');
}

Test(mount_points, files_for_nodes)
{
	const struct agent_device node = {.type = S_IFCHR};

	mount("/dev", 0);
	spec_items_put(&items, AGENT_DEVICE, &node, sizeof(node), "/dev/foo");
	spec_items_put(&items, AGENT_DEVICE, &node, sizeof(node), "/below/foo");
	make();
	cr_expect_eq(kind(root, "below/foo"), 'f');
	cr_expect_eq(kind(root, "dev/foo"), '-');
}

Test(mount_points, names_in_dev)
{
	char target[16] = "";
	char path[80];

	mount("/devices", 0);
	make();
	cr_expect(kind(root, "dev/null") == 'f' && kind(root, "dev/console") == 'f');
	snprintf(path, sizeof(path), "%s/dev/stdin", root);
	cr_expect_gt(readlink(path, target, sizeof(target) - 1), 0);
	cr_expect_str_eq(target, "/proc/self/fd/0");
}

Test(mount_points, a_dev_that_is_mounted_has_none)
{
	mount("/dev", 0);
	make();
	cr_expect_eq(kind(root, "dev/null"), '-');
}

Test(mount_points, a_root_that_is_written_is_left_alone)
{
	source.readonly = false;
	mount("/proc", 0);
	make();
	cr_expect_eq(kind(root, "proc"), '-');
}
