/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What processes say, and how they die
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_WATCH_H
#define VMRUN_RUNTIME_SUPERVISOR_WATCH_H

#include "runtime/supervisor/supervisor.h"

/** watch_jails() - Watch the error pipe */
MUST_CHECK int watch_jails(struct supervisor *s, struct err *err);

/** watch_process() - Watch process @i of s->proc */
MUST_CHECK int watch_process(struct supervisor *s, unsigned int i, struct err *err);

/** watch_deadline() - s->deadline_ns has passed */
void watch_deadline(struct supervisor *s);

#endif
