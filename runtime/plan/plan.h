/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The plan: everything create is going to do, as data
 *
 * config.json -> struct bundle -> struct plan. plan_build() is pure: it opens nothing, asks the host
 * nothing but by a function that it is given, and its output can be printed (create --dry-run) and
 * compared with a golden file. The supervisor carries a plan out and undoes it in reverse.
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_H
#define VMRUN_RUNTIME_PLAN_PLAN_H

#include "devices/core/err.h"
#include "runtime/plan/plan_types.h"
#include "runtime/util/netns_id.h"

struct bundle;

/**
 * plan_build() - Make the plan of a bundle
 * @id:		Checked by state_check_id() before
 * @interfaces:	How many interfaces with addresses a network namespace has now, and which it is; NULL: not
 *		known, as 0
 *
 * For interfaces beyond the network devices that join the namespace devices are added, behind those
 * listed: each like the last one of that namespace, as long as there is room in the VM.
 * Context: setup.  Syscalls: none but the heap's
 * Return: 0 with *ret owned by the caller (plan_free), or -EINVAL
 */
MUST_CHECK int plan_build(const struct bundle *b, const char *id,
			  unsigned int (*interfaces)(const char *netns, struct netns_id *ret_id),
			  struct plan **ret, struct err *err);
void plan_free(struct plan *p);

#endif
