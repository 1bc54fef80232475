/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_device.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/config/bundle_ask.h"

/* By enum bundle_device_type: what a device of that type is made of */
static const struct device_kind {
	const char *program;
	const char *policy;
	uint16_t virtio_id; /* virtio 1.3 section 5 */
	uint16_t bus;
} device_kinds[BUNDLE_DEVICE_TYPES] = {
	[BUNDLE_BLOCK] = {"vmrun-dev-block", "block_device", 2, BOOT_BUS_VIRTIO},
	[BUNDLE_NET] = {"vmrun-dev-net", "net_device", 1, BOOT_BUS_VIRTIO},
	[BUNDLE_RNG] = {"vmrun-dev-rng", "rng_device", 4, BOOT_BUS_VIRTIO},
	[BUNDLE_SERIAL] = {"vmrun-dev-serial", "serial_device", 0, BOOT_BUS_SERIAL},
};

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

struct plan_proc *plan_add_device(struct plan_build *bd, enum bundle_device_type type)
{
	const struct device_kind *kind = &device_kinds[type];
	unsigned int i = bd->p->nr_procs - 1;
	struct plan_proc *vmm = &bd->p->proc[0], *proc = &bd->p->proc[1 + i];

	/* bundle_vm_check() counted them */
	vr_assert(i < BOOT_DEVICES_MAX);
	bd->p->nr_procs++;
	proc->type = bundle_device_types[type];
	fmt_into(proc->name, sizeof(proc->name), "%s%u", proc->type, bd->nr[type]++);
	proc->program = kind->program;
	proc->policy = kind->policy;
	proc->virtio_id = kind->virtio_id;
	proc->bus = kind->bus;
	plan_common_fds(proc);
	proc->fd[BOOT_FD_BUS] = (struct plan_fd){.source = PLAN_FD_LINK, .index = i};
	proc->nr_fds = BOOT_FD_RES;
	vmm->fd[BOOT_FD_DEVICE + i] = (struct plan_fd){.source = PLAN_FD_LINK, .index = i};
	vmm->nr_fds = BOOT_FD_DEVICE + i + 1;
	return proc;
}

unsigned int plan_nr_rngs(const struct bundle *b)
{
	const unsigned int listed = bundle_listed(b, BUNDLE_RNG);

	return listed ? listed : 1;
}
