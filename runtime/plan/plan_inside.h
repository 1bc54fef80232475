/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The description of a container: session 0 of its VM
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_INSIDE_H
#define VMRUN_RUNTIME_PLAN_PLAN_INSIDE_H

#include "runtime/plan/plan_device.h"

#define PLAN_INSIDE_ROOT "root"	    /* the name of the root in the shared directory */
#define PLAN_INSIDE_DISK "/dev/vda" /* the root, if the bundle has an image */

/** plan_inside_build() - Write bd->p->spec, of a container */
MUST_CHECK int plan_inside_build(struct plan_build *bd);

#endif
