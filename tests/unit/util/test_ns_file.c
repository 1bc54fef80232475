/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/util/ns_file.h"

static const struct {
	int flag;
	const char *file, *word;
} kinds[] = {
	{CLONE_NEWNET, "net", "network"},
	{CLONE_NEWIPC, "ipc", "ipc"},
	{CLONE_NEWUTS, "uts", "uts"},
};

/* All pairs of a kind that is asked for and a kind that is found */
Test(ns_file, every_kind_but_the_one_asked_for_is_refused)
{
	static const char *const found[] = {"net", "ipc", "uts", "mnt", "pid", "user", "cgroup"};
	char path[64], says[128];
	struct err err;

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (unsigned int k = 0; k < ARRAY_SIZE(found); k++) {
			int fd = -1, rc;

			snprintf(path, sizeof(path), "/proc/self/ns/%s", found[k]);
			snprintf(says, sizeof(says), "%s is a namespace, but no %s namespace", path,
				 kinds[i].word);
			rc = ns_file_open(path, kinds[i].flag, &fd, &err);
			if (strcmp(found[k], kinds[i].file) == 0) {
				cr_expect_eq(rc, 0, "%s", err.msg);
				cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
				close(fd);
				continue;
			}
			cr_expect_eq(rc, -EINVAL, "%s as %s", found[k], kinds[i].word);
			cr_expect_str_eq(err.msg, says);
			cr_expect_eq(fd, -1, "outputs are untouched on failure");
		}
	}
}

Test(ns_file, what_is_no_namespace)
{
	struct err err;
	int fd = -1;

	cr_expect_eq(ns_file_open("/nowhere/at/all", CLONE_NEWUTS, &fd, &err), -ENOENT);
	cr_expect_str_eq(err.msg, "uts namespace /nowhere/at/all: No such file or directory");
	cr_expect_eq(ns_file_open("/dev/null", CLONE_NEWIPC, &fd, &err), -EINVAL);
	cr_expect_str_eq(err.msg, "/dev/null is no namespace");
	cr_expect_eq(fd, -1);
}
