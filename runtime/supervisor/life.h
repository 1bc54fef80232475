/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The life of a supervisor: create, then the loop, then taking down what is left
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_LIFE_H
#define VMRUN_RUNTIME_SUPERVISOR_LIFE_H

#include "runtime/supervisor/supervisor.h"

/** life_lead() - The life of the supervisor; never returns */
NORETURN void life_lead(struct supervisor *s);

#endif
