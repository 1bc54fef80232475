/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The guest itself: what process 1 finds when the kernel starts it, and its end
 */
#ifndef VMRUN_CMD_VMRUN_INIT_GUEST_H
#define VMRUN_CMD_VMRUN_INIT_GUEST_H

#include "devices/core/err.h"

#define GUEST_SHARE "/share"

/** guest_mount() - Mount /proc, /sys and /dev. Return: 0 or -errno */
MUST_CHECK int guest_mount(struct err *err);

/**
 * guest_settle() - Leave the initrd for a root of its own, with the container's files at GUEST_SHARE
 *
 * The initrd's root has no parent, and so no container could leave it. A guest without the shared directory has an empty one.
 * Return: 0 or -errno
 */
MUST_CHECK int guest_settle(struct err *err);

/** guest_cgroup() - Make the container's cgroup. Return: its directory's fd or -errno */
MUST_CHECK int guest_cgroup(struct err *err);

/** guest_limits() - Process 1's own: fds for many sessions, no end for lack of memory. What sessions inherit of it are usual values */
void guest_limits(void);

/** guest_say() - A line for the kernel's log */
void guest_say(const char *line);

/** guest_power_off() - The end, disks first */
NORETURN void guest_power_off(void);

#endif
