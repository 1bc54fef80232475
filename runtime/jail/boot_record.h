/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: From the plan to the boot records (devices/core/boot.h) of its processes
 */
#ifndef VMRUN_RUNTIME_JAIL_BOOT_RECORD_H
#define VMRUN_RUNTIME_JAIL_BOOT_RECORD_H

#include "devices/core/boot.h"
#include "devices/core/err.h"
#include "devices/core/log.h"
#include "runtime/jail/program.h"
#include "runtime/plan/plan_types.h"

/**
 * boot_record_vmm() - Fill in the record of the VMM: the machine and its devices
 * @program:	The VMM's
 *
 * Return: 0, or -EINVAL for a seccomp program that does not fit
 */
MUST_CHECK int boot_record_vmm(const struct plan *p, const struct program *program,
			       enum log_level level, struct boot_vmm *ret, struct err *err);

/** boot_record_device() - Fill in the record of a device, as boot_record_vmm() does */
MUST_CHECK int boot_record_device(const struct plan_proc *proc, const struct program *program,
				  enum log_level level, struct boot_dev *ret, struct err *err);

/** boot_record_complete() - Add header and seccomp program to the record of a device */
MUST_CHECK int boot_record_complete(struct boot_dev *b, const struct program *program,
				    enum log_level level, struct err *err);

#endif
