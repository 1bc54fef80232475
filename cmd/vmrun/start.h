/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: From a created VM to one that runs, with its hooks
 */
#ifndef VMRUN_CMD_VMRUN_START_H
#define VMRUN_CMD_VMRUN_START_H

#include "cmd/vmrun/vmrun.h"

/** start_ask() - Ask the supervisor to start it: the socket that is readable when it has, or cannot */
MUST_CHECK int start_ask(int dir, struct err *err);

/** start_answered() - Hear that on @sock, then as start_created() */
MUST_CHECK int start_answered(struct vmrun *v, int dir, int sock, struct err *err);

/**
 * start_created() - Have the supervisor start it, then run the poststart hooks
 * @dir:	State directory
 *
 * A VM whose hook fails is killed, and stays to be deleted.
 */
MUST_CHECK int start_created(struct vmrun *v, int dir, struct err *err);

#endif
