/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Why a VM ended, in words and exit codes
 *
 * One table, which the READMEs and the exit code of the supervisor follow.
 */
#ifndef VMRUN_RUNTIME_STATE_CAUSE_H
#define VMRUN_RUNTIME_STATE_CAUSE_H

#include "devices/core/ctl.h"

/**
 * struct cause - One way to end
 * @name:	In state.json and `vmrun state`
 * @exit_code:	Of the supervisor, and of `vmrun run`
 * @meaning:	In words
 */
struct cause {
	const char *name;
	int exit_code;
	const char *meaning;
};

/** cause_info() - The row of @c; END_NONE has one too, named "none" */
const struct cause *cause_info(enum end_cause c);

/** cause_from_name() - The cause of that name; END_NONE for NULL and for an unknown name */
enum end_cause cause_from_name(const char *name);

#endif
