/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/nsfail.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/util/file.h"

static const struct kind {
	int flag;
	const char *name;
} kinds[] = {
	{CLONE_NEWUSER, "user"},     {CLONE_NEWPID, "pid"}, {CLONE_NEWNS, "mnt"},
	{CLONE_NEWNET, "net"},	     {CLONE_NEWIPC, "ipc"}, {CLONE_NEWUTS, "uts"},
	{CLONE_NEWCGROUP, "cgroup"},
};

/* Reads the number in a file of /proc/sys; -1 without one. */
static long nsfail_read_sysctl(const char *root, const char *name)
{
	char path[128], text[24];

	fmt_into(path, sizeof(path), "%s/proc/sys/%s", root, name);
	return file_read(AT_FDCWD, path, text, sizeof(text)) > 0 ? strtol(text, NULL, 10) : -1;
}

/* In a chroot to a directory that is not a mount point, no mount is at "/". */
static bool nsfail_is_chroot(const char *root)
{
	char path[128], line[4096], point[4096];
	bool any = false, found = false;
	FILE *f;

	fmt_into(path, sizeof(path), "%s/proc/self/mountinfo", root);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		any = true;
		found = sscanf(line, "%*s %*s %*s %*s %4095s", point) == 1 &&
			strcmp(point, "/") == 0;
	}
	if (f)
		fclose(f);
	return any && !found;
}

static int nsfail_no_room(const struct kind *k, long limit, int errnum, struct err *err)
{
	if (limit == 0)
		return err_text(err, errnum,
				"cannot make a new %s namespace: user.max_%s_namespaces is 0: "
				"raise it with sysctl",
				k->name, k->name);
	return err_text(
		err, errnum,
		"cannot make another %s namespace: raise user.max_%s_namespaces with "
		"sysctl (%ld here; those of outer user namespaces count too, and 32 levels)",
		k->name, k->name, limit);
}

/* Of several kinds at once: the one that is switched off, or the first */
static int nsfail_explain_limit(int flags, int errnum, const char *root, struct err *err)
{
	const struct kind *first = NULL;
	long first_limit = -1;

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		char name[64];
		long limit;

		if (!(flags & kinds[i].flag))
			continue;
		fmt_into(name, sizeof(name), "user/max_%s_namespaces", kinds[i].name);
		limit = nsfail_read_sysctl(root, name);
		if (first && limit != 0)
			continue;
		first = &kinds[i];
		first_limit = limit;
		if (limit == 0)
			break;
	}
	return first ? nsfail_no_room(first, first_limit, errnum, err)
		     : err_set(err, errnum, "namespaces");
}

static int nsfail_explain_refusal(const char *name, int errnum, const char *root, struct err *err)
{
	if (nsfail_read_sysctl(root, "kernel/unprivileged_userns_clone") == 0)
		return err_text(
			err, errnum,
			"cannot make a new %s namespace without root: "
			"kernel.unprivileged_userns_clone is 0: set it to 1 with sysctl, or "
			"be root",
			name);
	if (nsfail_read_sysctl(root, "kernel/apparmor_restrict_unprivileged_userns") == 1)
		return err_text(
			err, errnum,
			"cannot make a new %s namespace without root: "
			"kernel.apparmor_restrict_unprivileged_userns is 1: set it to 0 with "
			"sysctl, or be root",
			name);
	if (nsfail_is_chroot(root))
		return err_text(err, errnum,
				"cannot make a new %s namespace in a chroot: enter the directory "
				"by pivot_root, as containers do",
				name);
	return err_text(err, errnum,
			"cannot make a new %s namespace: a chroot, a seccomp filter, a security "
			"module or ids that are not mapped forbid it: run vmrun outside of that",
			name);
}

int nsfail_explain(int flags, int errnum, const char *root, struct err *err)
{
	const char *name = "new";

	for (unsigned int i = ARRAY_SIZE(kinds); i-- > 0;)
		if (flags & kinds[i].flag)
			name = kinds[i].name;
	switch (errnum) {
	case ENOSPC:
	case EUSERS: return nsfail_explain_limit(flags, errnum, root, err);
	case EPERM:
	case EACCES: return nsfail_explain_refusal(name, errnum, root, err);
	case EINVAL:
		return err_text(err, errnum, "this kernel was built without %s namespaces", name);
	case ENOSYS:
		return err_text(err, errnum,
				"a seccomp filter forbids clone3: run vmrun outside of it");
	}
	return err_set(err, errnum, "%s namespace", name);
}
