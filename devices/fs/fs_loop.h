/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the loop carries out itself
 *
 * To give a request to a thread and take it back costs two wake-ups, more than most requests do. So the loop
 * carries out what is done at once where the file system is one of the host's own; what it finds in a cache; and
 * anything if no other request is there to be held up. One may come meanwhile. So when a request took the loop
 * more than FS_LOOP_SLOW_NS, such as a write that the host throttles, threads have the likes of it for
 * FS_LOOP_WARY times as long: of its time no more than a part is waiting.
 */
#ifndef VMRUN_DEVICES_FS_FS_LOOP_H
#define VMRUN_DEVICES_FS_FS_LOOP_H

#include "devices/fs/fs_state.h"

#define FS_LOOP_SLOW_NS 5000000ULL
#define FS_LOOP_WARY	4U
#define FS_LOOP_BYTES	(64U << 10) /* a read of more is copied by a thread, if there are others */

/**
 * struct fs_loop - How the host has kept the loop waiting
 * @wary_until_ns: CLOCK_MONOTONIC
 */
struct fs_loop {
	uint64_t wary_until_ns;
};

/**
 * fs_loop_run() - Carry a request out, if the loop may
 * @alone:	No other request is in work or waits
 *
 * Context: locked
 * Syscalls: clock_gettime (vDSO), and those of the operation
 * Return: false when a thread has to do it; else r->rc is the outcome
 */
MUST_CHECK bool fs_loop_run(struct fs_loop *l, struct fs *fs, struct fs_request *r, bool alone);

#endif
