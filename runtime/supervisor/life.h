/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: From the fork to the exit
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_LIFE_H
#define VMRUN_RUNTIME_SUPERVISOR_LIFE_H

#include "runtime/supervisor/supervisor.h"

/** create_late() - s->create_by_ns has passed */
void create_late(struct supervisor *s);

/** life_lead() - The life of the supervisor; never returns */
NORETURN void life_lead(struct supervisor *s, const struct launch *l);

#endif
