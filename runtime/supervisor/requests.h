/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What users ask for, by the control socket and by signals
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_REQUESTS_H
#define VMRUN_RUNTIME_SUPERVISOR_REQUESTS_H

#include "runtime/supervisor/supervisor.h"

/** requests_serve() - Answer control socket and signals from now on */
MUST_CHECK int requests_serve(struct supervisor *s, struct err *err);

#endif
