/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What could not be done
 *
 * The functions that set up a session return 0 or -errno and take a struct fault last. Before each step they note in it what
 * they are about to do. The host has the words.
 */
#ifndef VMRUN_CMD_VMRUN_INIT_FAULT_H
#define VMRUN_CMD_VMRUN_INIT_FAULT_H

#include "devices/core/agent_msg.h"
#include "devices/core/base.h"

/** struct fault - @step: under way; @index: of its item */
struct fault {
	enum agent_step step;
	uint32_t index;
};

/** fault_step() - Note it. Return: @f, for a call that wants it */
static inline struct fault *fault_step(struct fault *f, enum agent_step step, uint32_t index)
{
	*f = (struct fault){step, index};
	return f;
}

#endif
