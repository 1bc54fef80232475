/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Threads for file systems whose server may hang
 *
 * A request of such a file system (!node->quick) may keep its thread without end. So they have a part of the threads, and
 * each file system a part of that: a server that hangs holds up those who use it, and not another server, or a disk.
 * Further requests wait for their turn here, in their slots.
 */
#ifndef VMRUN_DEVICES_FS_FS_SLOW_H
#define VMRUN_DEVICES_FS_FS_SLOW_H

#include "devices/fs/fs_state.h"

#define FS_SLOW	    5U /* threads for all of them */
#define FS_SLOW_ONE 3U /* for one */

/**
 * struct fs_slow - Their requests
 * @work, @nr_work: Those that threads have
 * @late, @nr_late: Those that wait, in their order
 */
struct fs_slow {
	const struct fs_request *work[FS_SLOW];
	struct fs_request *late[FS_SLOTS];
	unsigned int nr_work, nr_late;
};

/**
 * fs_slow_begin() - A request is to have a thread
 *
 * Context: locked
 * Syscalls: none
 * Return: whether it may have one now; otherwise fs_slow_end() returns it later
 */
MUST_CHECK bool fs_slow_begin(struct fs_slow *s, struct fs_request *r);

/**
 * fs_slow_end() - A request has given its thread back
 *
 * Context: locked
 * Syscalls: none
 * Return: one that may have a thread now, or NULL
 */
MUST_CHECK struct fs_request *fs_slow_end(struct fs_slow *s, const struct fs_request *r);

#endif
