/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Shared directories in a plan
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_FS_H
#define VMRUN_RUNTIME_PLAN_PLAN_FS_H

#include "runtime/plan/plan_device.h"

/** plan_fs_add() - Add the fs devices of a bundle */
MUST_CHECK int plan_fs_add(struct plan_build *bd);

/** plan_fs_of() - What process @proc shares, or NULL */
const struct plan_fs *plan_fs_of(const struct plan *p, unsigned int proc);

/** plan_fs_free() - Free what @f owns */
void plan_fs_free(struct plan_fs *f);

#endif
