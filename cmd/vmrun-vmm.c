/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: vmrun-vmm: the virtual machine monitor of one VM
 *
 * The supervisor starts it in its jail, with the fds of enum boot_slot. It builds the machine stage by
 * stage, installs its filter, loads the kernel, sends CTL_READY, and serves. It opens nothing; after
 * lockdown() it allocates nothing and creates no thread.
 */
#include <errno.h>

#include "devices/core/boot.h"
#include "devices/core/ctl.h"
#include "devices/core/lockdown.h"
#include "devices/core/log.h"
#include "vmm/control.h"
#include "vmm/machine.h"

static int vmm_record(struct machine *m, struct err *err)
{
	int rc = boot_recv_vmm(m->control, &m->boot, err);

	if (rc == 0)
		log_init(BOOT_FD_LOG, (enum log_level)m->boot.hdr.log_level);
	return rc;
}

static int vmm_close(struct machine *m, struct err *err UNUSED)
{
	static const int done_with[] = {BOOT_FD_KVM, BOOT_FD_KERNEL, BOOT_FD_INITRD};

	for (size_t i = 0; i < ARRAY_SIZE(done_with); i++)
		close(done_with[i]);
	if (!m->returns) /* a device that returns gets it again */
		close(BOOT_FD_RAM);
	return 0;
}

static int vmm_lock_files(struct machine *m, struct err *err)
{
	return lockdown_files(&m->boot.filter, -1, err);
}

static int vmm_lock(struct machine *m, struct err *err)
{
	return lockdown(&m->boot.filter, err);
}

static int vmm_ready(struct machine *m, struct err *err)
{
	int rc = ctl_send(m->control, CTL_READY, 0, 0, NULL);

	return rc < 0 ? err_set(err, -rc, "control socket") : 0;
}

/* @phase: what machine_phase() reports when the stage is over */
static const struct {
	int (*run)(struct machine *m, struct err *err);
	const char *phase;
} stages[] = {
	{vmm_record, NULL},	{vmm_lock_files, NULL},	  {machine_kvm, "kvm"},
	{machine_memory, NULL}, {machine_vcpus, "vcpus"}, {machine_devices, "devices"},
	{control_watch, NULL},	{machine_slots, "slots"}, {vmm_lock, "locked"},
	{machine_load, "load"}, {vmm_close, NULL},	  {vmm_ready, NULL},
};

static int vmm_fail(const struct machine *m, const struct err *err)
{
	if (ctl_send(m->control, CTL_FAILED, (uint32_t)err->code, 0, err->msg) < 0)
		log_err("%s", err->msg);
	return EXIT_FAILURE;
}

int main(void)
{
	static struct machine machine; /* too large for a stack */
	struct machine *m = &machine;
	struct err err = {0};

	m->control = BOOT_FD_CONTROL;
	log_init(BOOT_FD_LOG, LOG_LEVEL_INFO);
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		if (stages[i].run(m, &err) < 0)
			_exit(vmm_fail(m, &err));
		if (stages[i].phase)
			machine_phase(m, stages[i].phase);
	}
	if (control_run(m, &err) < 0) {
		log_err("%s", err.msg);
		_exit(EXIT_FAILURE);
	}
	_exit(EXIT_SUCCESS);
}
