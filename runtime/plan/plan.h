/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The plan: everything create is going to do, as data
 *
 * config.json -> struct bundle -> struct plan. plan_build() is pure: it opens no file and asks the host
 * only through functions that the caller passes in. Its output can be printed (create --dry-run) and
 * compared with a golden file. The supervisor carries a plan out and undoes it in reverse.
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_H
#define VMRUN_RUNTIME_PLAN_PLAN_H

#include "devices/core/err.h"
#include "runtime/plan/plan_types.h"

struct bundle;

/**
 * plan_build() - Make the plan of a bundle
 * @id:		state_check_id() has accepted it
 * @host:	NULL: nothing is known of it
 *
 * A namespace may have more interfaces than the config has devices to join them. Each of these gets a
 * device like the last one of that namespace, behind the listed devices, while the VM has room.
 * Context: setup
 * Syscalls: none but the heap's, and those of plan_spec_process()
 * Return: 0 with *ret owned by the caller (plan_free), or -EINVAL
 */
MUST_CHECK int plan_build(const struct bundle *b, const char *id, const struct plan_host *host,
			  struct plan **ret, struct err *err);
void plan_free(struct plan *p);

/** plan_disable_sandbox() - Run every process without a jail: no namespaces, no limits, no policy */
void plan_disable_sandbox(struct plan *p);

/** plan_shared_root() - The directory that is a container's root; NULL: it has none, or the VM runs no container */
const struct plan_source *plan_shared_root(const struct plan *p);

/** plan_other_fd() - The VMM's fd that is the socket of p->other[@i] */
const struct plan_fd *plan_other_fd(const struct plan *p, unsigned int i);

#endif
