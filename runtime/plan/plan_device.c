/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_device.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/config/bundle_ask.h"

int plan_no_memory(struct err *err)
{
	return err_set(err, ENOMEM, "memory for the plan");
}

int plan_copy(char **ret, const char *s, struct err *err)
{
	if (!s)
		return 0;
	*ret = strdup(s);
	return *ret ? 0 : plan_no_memory(err);
}

void plan_common_fds(struct plan_proc *proc)
{
	for (int fd = 0; fd <= 2; fd++)
		proc->fd[fd].source = PLAN_FD_NULL;
	proc->fd[BOOT_FD_CONTROL].source = PLAN_FD_CONTROL;
	proc->fd[BOOT_FD_LOG].source = PLAN_FD_LOG;
}

struct plan_proc *plan_add_device(struct plan_build *bd, enum kind_id id)
{
	const struct kind *kind = &kind_table[id];
	unsigned int i = bd->p->nr_procs - 1;
	struct plan_proc *vmm = &bd->p->proc[0], *proc = &bd->p->proc[1 + i];

	/* bundle_vm_check() has counted them. */
	vr_assert(i < BOOT_DEVICES_MAX);
	bd->p->nr_procs++;
	proc->kind = kind;
	fmt_into(proc->name, sizeof(proc->name), "%s%u", kind->name, bd->nr[id]++);
	proc->program = kind->program;
	proc->policy = kind->policy;
	plan_common_fds(proc);
	proc->fd[BOOT_FD_VMM] = (struct plan_fd){.source = PLAN_FD_CHANNEL, .index = i};
	proc->nr_fds = BOOT_FD_RES;
	vmm->fd[BOOT_FD_DEVICE + i] = (struct plan_fd){.source = PLAN_FD_CHANNEL, .index = i};
	vmm->nr_fds = BOOT_FD_DEVICE + i + 1;
	return proc;
}

unsigned int plan_nr_plain(const struct bundle *b, enum kind_id id)
{
	const uint32_t flags = kind_table[id].flags;
	const unsigned int listed = bundle_listed(b, id);

	if (!(flags & KIND_TYPE) || id == KIND_SERIAL || id == KIND_BLOCK || id == KIND_NET)
		return 0;
	return listed == 0 && flags & KIND_IMPLIED ? 1 : listed;
}
