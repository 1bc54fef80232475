/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Words for AGENT_FAILED: the guest sends numbers, the host knows the names that they stand for
 *
 * In runc's words where orchestrators look for them.
 */
#ifndef VMRUN_RUNTIME_UTIL_AGENT_WORDS_H
#define VMRUN_RUNTIME_UTIL_AGENT_WORDS_H

#include <stddef.h>

#include "devices/core/agent_msg.h"
#include "devices/core/err.h"

/**
 * agent_words() - Why a session did not begin
 * @m:		AGENT_FAILED, checked: a step and an errno value that exist
 * @spec:	The description that the guest got, @bytes of it; NULL: unknown, and so are the names
 * @ret:	Filled; its code is never 0
 */
void agent_words(const struct agent_msg *m, const uint8_t *spec, size_t bytes, struct err *ret);

/** agent_words_status() - What a shell exits with then: 127 no such program, 126 it cannot be run, otherwise runc's */
int agent_words_status(const struct agent_msg *m);

#endif
