/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_settings.h"

#include <string.h>

void plan_set_settings(struct plan_proc *proc, const void *settings, size_t bytes)
{
	vr_assert(bytes <= sizeof(proc->settings));
	memcpy(proc->settings, settings, bytes);
	proc->settings_bytes = bytes;
}

void plan_settings(const struct plan_proc *proc, void *ret, size_t bytes)
{
	vr_assert(bytes == proc->settings_bytes);
	memcpy(ret, proc->settings, bytes);
}
