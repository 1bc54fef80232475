/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/state/cause.h"

#include <string.h>

/* 126, 127 and 128 + N belong to shells and orchestrators, 1 and 2 to vmrun's own errors. */
static const struct cause causes[END_CAUSES] = {
	[END_NONE] = {"none", 0, "the VM has not ended"},
	[END_POWEROFF] = {"poweroff", 0, "the guest powered off (ACPI S5)"},
	[END_RESET] = {"reset", 32, "the guest asked for a reset"},
	[END_VMM_KILLED] = {"vmm-killed", 33, "the VMM process died"},
	[END_PANIC] = {"panic", 34, "the guest's kernel panicked (pvpanic)"},
	[END_TRIPLE_FAULT] = {"triple-fault", 36, "a vCPU shut down on a triple fault"},
	[END_KVM_ERROR] = {"kvm-error", 37, "KVM could not go on running the guest"},
	[END_DEVICE_KILLED] = {"device-killed", 38, "a device process died, or stopped answering"},
	[END_KILLED] = {"killed", 137, "vmrun kill ID KILL, or delete --force"},
	[END_OOM_KILLED] = {"oom-killed", 137,
			    "the kernel killed a process of it for want of memory"},
	[END_EXITED] = {"exited", 0, "the container's process ended; the code is its status"},
	[END_INIT_LOST] = {"init-lost", 35, "the guest's vmrun-init ended, or broke its protocol"},
	[END_SUPERVISOR_KILLED] = {"supervisor-killed", 137, "the supervisor was killed"},
};

const struct cause *cause_info(enum end_cause c)
{
	vr_assert((unsigned int)c < END_CAUSES);
	return &causes[c];
}

enum end_cause cause_from_name(const char *name)
{
	for (unsigned int i = 0; name && i < END_CAUSES; i++)
		if (strcmp(name, causes[i].name) == 0)
			return (enum end_cause)i;
	return END_NONE;
}
