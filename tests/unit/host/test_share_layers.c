/* SPDX-License-Identifier: BSD-3-Clause */
/* An overlay of the host's directories as one source of a share. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "runtime/host/share.h"
#include "runtime/host/share_apart.h"
#include "runtime/host/share_layers.h"
#include "tests/support/temp_dir.h"

TestSuite(share_layers, .init = temp_dir_make, .fini = temp_dir_remove);

static const char *all(const char *options)
{
	static char list[PATH_MAX];
	struct share_layers l = {.at = options};
	char dir[PATH_MAX];

	list[0] = '\0';
	while (share_layers_next(&l, dir))
		strcat(strcat(list, dir), "|");
	return list;
}

Test(share_layers, directories_of_the_options)
{
	cr_expect_str_eq(all("lowerdir=/a:/b,upperdir=/u:x,workdir=/w"), "/a|/b|/u:x|/w|");
	cr_expect_str_eq(all("userxattr,lowerdir=/a\\:b::/c:,index=off"), "/a:b|/c|");
	cr_expect_str_eq(all("xlowerdir=/a,metacopy=on"), "");
	cr_expect_str_eq(all("lowerdir=/a\\"), "/a\\|");
	cr_expect_str_eq(all(""), "");
}

static void sh(const char *commands)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd), "cd %s && %s", temp_dir, commands);
	cr_assert_eq(system(cmd), 0);
}

static char layers[256];

static struct plan_source overlay(bool readonly)
{
	snprintf(layers, sizeof(layers), "lowerdir=%s/l,upperdir=%s/u,workdir=%s/w", temp_dir,
		 temp_dir, temp_dir);
	return (struct plan_source){.path = temp_dir,
				    .name = (char *)"m0",
				    .layers = layers,
				    .readonly = readonly,
				    .pointer = (char *)"/mounts/0/source"};
}

static int create(int fd, const char *path)
{
	const int made = openat(fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (made < 0)
		return -errno;
	close(made);
	return 0;
}

Test(share_layers, what_is_written_goes_to_the_upper_one)
{
	struct plan_source s = overlay(false);
	struct err err = {0};
	int fd = -1;

	/* No overlay has its upper layer on another one, where the test may be. */
	if (geteuid() != 0 || system("grep -q overlay /proc/filesystems") != 0 ||
	    unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", temp_dir, "tmpfs", 0, NULL) < 0)
		cr_skip("takes a user who may mount overlays");
	sh("mkdir l u w && echo low >l/file");
	cr_assert_eq(share_open(&s, 1, &fd, &err), 0, "%s", err.msg);
	cr_expect_eq(faccessat(fd, "m0/file", F_OK, 0), 0);
	cr_expect_eq(create(fd, "m0/new"), 0);
	sh("test -e u/new && ! test -e l/new");
	close(fd);
	s = overlay(true);
	cr_assert_eq(share_open(&s, 1, &fd, &err), 0, "%s", err.msg);
	cr_expect_eq(create(fd, "m0/other"), -EROFS);
	close(fd);
	cr_assert_eq(umount2(temp_dir, MNT_DETACH), 0);
}

Test(share_layers, no_layer_holds_the_state)
{
	struct plan_source s = overlay(true);
	char root[128];
	struct err err = {0};

	sh("mkdir -p l u/vmrun w");
	snprintf(root, sizeof(root), "%s/u/vmrun", temp_dir);
	cr_expect_eq(share_keep_apart(&s, root, &err), -EINVAL);
	cr_expect(strstr(err.msg, "/u: holds"), "%s", err.msg);
	snprintf(root, sizeof(root), "%s/vmrun", temp_dir);
	cr_expect_eq(share_keep_apart(&s, root, &err), 0);
}
