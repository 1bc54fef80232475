/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: /process of a config.json, and the process of an exec
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_PROCESS_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_PROCESS_H

#include "runtime/config/bundle_types.h"

#define BUNDLE_USER_ID_MAX 2147483647 /* of users and groups, as runc has it; shared files know no higher ones */

extern const struct schema_table bundle_process_table;

/* By number; bits of sched_setattr()'s flags by index */
extern const char *const bundle_scheduler_flags[];

/** bundle_process_init() - Set the defaults */
void bundle_process_init(struct bundle_process *p);

/** bundle_process_check() - What the table cannot; @ctx: with the pointer at the process */
MUST_CHECK int bundle_process_check(struct schema_ctx *ctx, const struct bundle_process *p);

/**
 * bundle_process_load() - Read and check a file that holds a process of the OCI specification, as exec --process has it
 * @arena:	Zeroed; its strings and lists, the caller's to arena_done() in any case
 * @warn:	Called with one line for each warning; may be NULL
 *
 * Context: setup
 * Syscalls: openat fstat read close mmap
 */
MUST_CHECK int bundle_process_load(const char *file, struct arena *arena,
				   struct bundle_process *ret, const struct warn_to *warn,
				   struct err *err);

#endif
