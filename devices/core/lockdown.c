/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/lockdown.h"

#include <errno.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "devices/core/refused.h"

/*
 * The kernel's struct landlock_ruleset_attr, with the fields of ABI 4 and 6 that older kernel
 * headers lack. An older kernel takes the longer struct as long as what it does not know is zero.
 */
struct lockdown_ruleset {
	uint64_t access_fs;
	uint64_t access_net;
	uint64_t scoped;
};

#define LOCKDOWN_IOCTL_DEV (1ULL << 15)

/* Rights each Landlock ABI added; the sum of those up to the kernel's is denied */
static const struct lockdown_ruleset lockdown_added[] = {
	[1] = {.access_fs = 0x1fff},		 /* execute, read, write, make, remove */
	[2] = {.access_fs = 1U << 13},		 /* rename and link across directories */
	[3] = {.access_fs = 1U << 14},		 /* truncate */
	[4] = {.access_net = 3},		 /* TCP bind and connect */
	[5] = {.access_fs = LOCKDOWN_IOCTL_DEV}, /* ioctl on device files opened from now on */
	/*
	 * Abstract unix sockets. Not the signal scope beside them: until 6.15 it also stops signals
	 * between threads of one process, and the pid namespace has no other process to signal.
	 */
	[6] = {.scoped = 1},
};

/* Without it only a privileged process could go on, and none of ours is */
static int lockdown_check_privs(struct err *err)
{
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return err_text(err, EPERM, "no_new_privs is not set");
	return 0;
}

/* Below a directory all is allowed but programs and device nodes */
static int lockdown_allow(int ruleset, int beneath, uint64_t handled, struct err *err)
{
	const uint64_t never = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
			       LOCKDOWN_IOCTL_DEV;
	const struct landlock_path_beneath_attr rule = {
		.allowed_access = handled & ~never,
		.parent_fd = beneath,
	};

	if (beneath >= 0 &&
	    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return err_set(err, errno, "landlock: allow a directory");
	return 0;
}

int lockdown_files(const struct boot_filter *filter, int beneath, struct err *err)
{
	struct lockdown_ruleset deny = {0};
	cleanup_fd int fd = -1;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	int rc;

	if (filter->flags & BOOT_FILTER_NONE)
		return 0;
	rc = lockdown_check_privs(err);
	if (rc < 0)
		return rc;
	if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return 0;
	/* The first ABI lets nothing be moved between directories. */
	if (abi == 1 && beneath >= 0)
		return 0;
	if (abi < 0)
		return err_set(err, errno, "landlock: ask for the version");
	for (size_t i = 1; i < ARRAY_SIZE(lockdown_added) && i <= (size_t)abi; i++) {
		deny.access_fs |= lockdown_added[i].access_fs;
		deny.access_net |= lockdown_added[i].access_net;
		deny.scoped |= lockdown_added[i].scoped;
	}
	fd = (int)syscall(SYS_landlock_create_ruleset, &deny, sizeof(deny), 0);
	if (fd < 0)
		return err_set(err, errno, "landlock: create ruleset for ABI %ld", abi);
	rc = lockdown_allow(fd, beneath, deny.access_fs, err);
	if (rc == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		rc = err_set(err, errno, "landlock: restrict self");
	return rc;
}

static int lockdown_seccomp(const struct sock_filter *insn, uint32_t count, struct err *err)
{
	const struct sock_fprog prog = {.len = (unsigned short)count,
					.filter = (struct sock_filter *)(uintptr_t)insn};
	const unsigned int tsync = SECCOMP_FILTER_FLAG_TSYNC;
	long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, tsync | SECCOMP_FILTER_FLAG_LOG,
			  &prog);

	if (rc < 0 && errno == EINVAL) /* a kernel before 4.14 cannot log */
		rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, tsync, &prog);
	if (rc < 0)
		return err_set(err, errno, "seccomp: load %u instructions", count);
	if (rc > 0)
		return err_text(err, ESRCH, "seccomp: thread %ld cannot take the filter", rc);
	return 0;
}

int lockdown(const struct boot_filter *filter, struct err *err)
{
	int rc;

	if (filter->flags & BOOT_FILTER_NONE)
		return 0;
	rc = lockdown_check_privs(err);
	if (rc < 0)
		return rc;
	if (filter->count == 0 || filter->count > BOOT_FILTER_MAX ||
	    filter->later > BOOT_FILTER_MAX - filter->count)
		return err_text(err, EINVAL, "seccomp: filter of %u instructions", filter->count);
	/* Here and not before execve, which makes every process dumpable again. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(err, errno, "dumpable");
	rc = refused_watch(err);
	return rc < 0 ? rc : lockdown_seccomp(filter->insn, filter->count, err);
}

int lockdown_later(const struct boot_filter *filter, struct err *err)
{
	int rc;

	if (filter->later == 0)
		return 0;
	rc = lockdown_seccomp(filter->insn + filter->count, filter->later, err);
	if (rc == 0)
		refused_by(2);
	return rc;
}
