/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "runtime/util/nsfail.h"

#define MOUNTED	 "1 0 0:1 / / rw - tmpfs none rw\n2 1 0:2 / /proc rw - proc proc rw\n"
#define CHROOTED "2 1 0:2 / /proc rw - proc proc rw\n"
#define WIDE	 "user.max_user_namespaces=100 user.max_pid_namespaces=100 user.max_net_namespaces=100"

/* What a host says below /proc, which namespace it refused and how, and what the user hears */
static const struct {
	const char *sysctls;
	const char *mountinfo;
	int flags;
	int errnum;
	const char *words[2];
} table[] = {
	{"user.max_user_namespaces=0 user.max_pid_namespaces=5",
	 MOUNTED,
	 CLONE_NEWUSER | CLONE_NEWPID,
	 ENOSPC,
	 {"cannot make a new user namespace", "user.max_user_namespaces is 0"}},
	{"user.max_user_namespaces=5 user.max_pid_namespaces=0",
	 MOUNTED,
	 CLONE_NEWUSER | CLONE_NEWPID,
	 ENOSPC,
	 {"cannot make a new pid namespace", "user.max_pid_namespaces is 0"}},
	{"user.max_net_namespaces=0",
	 MOUNTED,
	 CLONE_NEWNET,
	 ENOSPC,
	 {"cannot make a new net namespace", "user.max_net_namespaces is 0: raise it with sysctl"}},
	{WIDE,
	 MOUNTED,
	 CLONE_NEWUSER | CLONE_NEWPID,
	 ENOSPC,
	 {"cannot make another user namespace",
	  "raise user.max_user_namespaces with sysctl (100 here"}},
	{WIDE,
	 MOUNTED,
	 CLONE_NEWCGROUP,
	 ENOSPC,
	 {"cannot make another cgroup namespace", "(-1 here"}},
	{WIDE " kernel.unprivileged_userns_clone=0",
	 MOUNTED,
	 CLONE_NEWUSER | CLONE_NEWPID,
	 EPERM,
	 {"cannot make a new user namespace",
	  "kernel.unprivileged_userns_clone is 0: set it to 1"}},
	{WIDE " kernel.unprivileged_userns_clone=1",
	 CHROOTED,
	 CLONE_NEWUSER | CLONE_NEWPID,
	 EPERM,
	 {"in a chroot", "pivot_root"}},
	{WIDE " kernel.apparmor_restrict_unprivileged_userns=1",
	 MOUNTED,
	 CLONE_NEWNS,
	 EACCES,
	 {"cannot make a new mnt namespace",
	  "kernel.apparmor_restrict_unprivileged_userns is 1: set it to 0"}},
	{WIDE " kernel.apparmor_restrict_unprivileged_userns=0",
	 MOUNTED,
	 CLONE_NEWUSER,
	 EPERM,
	 {"cannot make a new user namespace", "a seccomp filter"}},
	{WIDE,
	 MOUNTED,
	 CLONE_NEWUSER | CLONE_NEWPID,
	 EINVAL,
	 {"built without user namespaces", ""}},
	{WIDE,
	 MOUNTED,
	 CLONE_NEWUSER | CLONE_NEWPID,
	 ENOSYS,
	 {"seccomp filter forbids clone3", ""}},
	{WIDE, MOUNTED, CLONE_NEWUTS, ENOMEM, {"uts namespace: Cannot allocate memory", ""}},
	{"", "", CLONE_NEWUSER, EPERM, {"cannot make a new user namespace", "seccomp"}},
};

static void write_file(const char *root, const char *name, const char *text)
{
	char path[256], *at;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	/* a sysctl's name has dots where its path has slashes */
	for (at = path + strlen(root) + sizeof("/proc/sys"); (at = strchr(at, '.'));)
		*at = '/';
	f = fopen(path, "w");
	cr_assert(f, "%s", path);
	fputs(text, f);
	fclose(f);
}

static void make_proc(const char *root, const char *sysctls, const char *mountinfo)
{
	char cmd[256], text[512], name[128], *word, *rest;

	snprintf(cmd, sizeof(cmd),
		 "rm -rf %s && mkdir -p %s/proc/sys/user %s/proc/sys/kernel %s/proc/self", root,
		 root, root, root);
	cr_assert_eq(system(cmd), 0);
	if (*mountinfo)
		write_file(root, "proc/self/mountinfo", mountinfo);
	snprintf(text, sizeof(text), "%s", sysctls);
	for (word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		char *value = strchr(word, '=');

		*value++ = '\0';
		snprintf(name, sizeof(name), "proc/sys/%s", word);
		write_file(root, name, value);
	}
}

Test(nsfail, says_which_why_and_what_to_do)
{
	char root[] = "/tmp/vmrun-nsfail-XXXXXX", cmd[64];

	cr_assert(mkdtemp(root));
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct err err = {0};

		make_proc(root, table[i].sysctls, table[i].mountinfo);
		cr_expect_eq(nsfail_explain(table[i].flags, table[i].errnum, root, &err),
			     -table[i].errnum);
		for (size_t n = 0; n < ARRAY_SIZE(table[i].words); n++)
			cr_expect(strstr(err.msg, table[i].words[n]), "%zu: %s", i, err.msg);
		cr_expect(strlen(err.msg) < 220, "%zu: room for a name before it", i);
	}
	snprintf(cmd, sizeof(cmd), "rm -rf %s", root);
	cr_assert_eq(system(cmd), 0);
}
