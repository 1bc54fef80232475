/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The vsock device of a plan
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_VSOCK_H
#define VMRUN_RUNTIME_PLAN_PLAN_VSOCK_H

#include "runtime/plan/plan_device.h"

/** plan_vsock_add() - Add the device that config.json lists, if it does */
MUST_CHECK int plan_vsock_add(struct plan_build *bd);

void plan_vsock_free(struct plan_vsock *v);

#endif
