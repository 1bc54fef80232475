/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Device nodes of the host, in whatever cgroup the caller is
 *
 * A device program of cgroup v2 says which device nodes the processes of a group may open: podman gives each pod one that
 * denies all, a user names a parent that has one. It is meant for the programs of a container, which run in a guest and
 * see no node of the host; but the processes that make the VM are in those groups too, and must open /dev/kvm, /dev/net/tun
 * and /dev/null. The kernel checks who opens, not who uses. So where the group denies it, a child that starts in the root of
 * the hierarchy opens the file, in the caller's namespaces and into the caller's table of files.
 *
 * That needs the right to put a process into the root. A user without it has what the group allows.
 */
#ifndef VMRUN_RUNTIME_UTIL_DEVICE_FILE_H
#define VMRUN_RUNTIME_UTIL_DEVICE_FILE_H

#include <sys/types.h>

#include "devices/core/base.h"

/**
 * device_file_open() - As openat(2), for a device node
 * @flags:	O_CLOEXEC and O_NOCTTY are added
 *
 * Syscalls: openat fstatfs clone3 eventfd2 dup3 close wait4 exit_group
 * Return: an fd, the caller's, or -errno
 */
MUST_CHECK int device_file_open(int dir, const char *path, int flags);

/**
 * device_file_null() - Open /dev/null for reading and writing
 *
 * Syscalls: as device_file_open()
 * Return: an fd, the caller's, or -errno
 */
MUST_CHECK int device_file_null(void);

/**
 * device_file_make() - Make a node of a character device
 *
 * Syscalls: mknodat, and those of device_file_open()
 * Return: 0 or -errno
 */
MUST_CHECK int device_file_make(int dir, const char *name, mode_t mode, dev_t dev);

#endif
