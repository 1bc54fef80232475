/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/mountfd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/syscall.h>

static int mountfd_set(int fs, const char *key, const char *value)
{
	unsigned int cmd = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

	return syscall(SYS_fsconfig, fs, cmd, key, value, 0) < 0 ? -errno : 0;
}

static int mountfd_options(int fs, const char *data)
{
	cleanup_free char *copy = strdup(data);
	char *next = copy, *option;
	int rc = copy ? 0 : -ENOMEM;

	while (rc == 0 && (option = strsep(&next, ","))) {
		char *value = strchr(option, '=');

		if (value)
			*value++ = '\0';
		if (*option)
			rc = mountfd_set(fs, option, value);
	}
	return rc;
}

static int mountfd_configure(int fs, const char *source, uint64_t flags, const char *data)
{
	static const struct {
		uint64_t flag;
		const char *name;
	} names[] = {
		{MS_SYNCHRONOUS, "sync"},
		{MS_DIRSYNC, "dirsync"},
		{MS_LAZYTIME, "lazytime"},
	};
	int rc = *source ? mountfd_set(fs, "source", source) : 0;

	for (unsigned int i = 0; rc == 0 && i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			rc = mountfd_set(fs, names[i].name, NULL);
	return rc == 0 ? mountfd_options(fs, data) : rc;
}

int mountfd_new(const char *type, const char *source, uint64_t flags, const char *data,
		bool readonly)
{
	cleanup_fd int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	int rc, fd;

	if (fs < 0)
		return -errno;
	rc = readonly ? mountfd_set(fs, "ro", NULL) : 0;
	if (rc == 0)
		rc = mountfd_configure(fs, source, flags, data);
	if (rc == 0 && syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		rc = -errno;
	if (rc < 0)
		return rc;
	fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int mountfd_clone(int fd, bool recursive)
{
	int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
	int tree = (int)syscall(SYS_open_tree, fd, "", flags | (recursive ? AT_RECURSIVE : 0));

	return tree < 0 ? -errno : tree;
}

static int mountfd_setattr(int fd, struct mount_attr *a, bool recursive)
{
	int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);

	return syscall(SYS_mount_setattr, fd, "", flags, a, sizeof(*a)) < 0 ? -errno : 0;
}

static uint64_t mountfd_attributes(uint64_t flags)
{
	static const struct {
		uint64_t flag, attribute;
	} names[] = {
		{MS_RDONLY, MOUNT_ATTR_RDONLY},		{MS_NOSUID, MOUNT_ATTR_NOSUID},
		{MS_NODEV, MOUNT_ATTR_NODEV},		{MS_NOEXEC, MOUNT_ATTR_NOEXEC},
		{MS_NODIRATIME, MOUNT_ATTR_NODIRATIME}, {MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW},
	};
	uint64_t attributes = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			attributes |= names[i].attribute;
	return attributes;
}

int mountfd_flags(int fd, uint64_t set, uint64_t clear, bool recursive)
{
	const uint64_t times = MS_NOATIME | MS_RELATIME | MS_STRICTATIME;
	struct mount_attr a = {
		.attr_set = mountfd_attributes(set),
		.attr_clr = mountfd_attributes(clear & ~set),
	};

	/* One of three ways to keep times, not bits of their own; relatime is the usual one. */
	if ((set | clear) & times) {
		a.attr_clr |= MOUNT_ATTR__ATIME;
		a.attr_set |= set & MS_NOATIME	     ? MOUNT_ATTR_NOATIME
			      : set & MS_STRICTATIME ? MOUNT_ATTR_STRICTATIME
						     : MOUNT_ATTR_RELATIME;
	}
	if (a.attr_set == 0 && a.attr_clr == 0)
		return 0;
	return mountfd_setattr(fd, &a, recursive);
}

int mountfd_propagation(int fd, uint64_t propagation)
{
	static const uint64_t ways[] = {MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE};
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < ARRAY_SIZE(ways); i++) {
		struct mount_attr a = {.propagation = ways[i]};

		if (propagation & ways[i])
			rc = mountfd_setattr(fd, &a, propagation & MS_REC);
	}
	return rc;
}

int mountfd_attach(int fd, int onto)
{
	int flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

	return syscall(SYS_move_mount, fd, "", onto, "", flags) < 0 ? -errno : 0;
}
