/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: From /linux/seccomp to a program for the guest's kernel
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_SECCOMP_H
#define VMRUN_RUNTIME_PLAN_PLAN_SECCOMP_H

#include "devices/core/agent_spec.h"
#include "devices/core/err.h"
#include "runtime/config/bundle_inside.h"

/**
 * plan_seccomp_make() - Compile a filter
 * @ret:	With its instructions behind it, @ret_bytes in all; the caller's to free(). NULL: there is no filter
 *
 * libseccomp hands its program over in a file only.
 * Context: setup
 * Syscalls: memfd_create fstat pread close
 * Return: 0; -EINVAL with a JSON pointer; -errno
 */
MUST_CHECK int plan_seccomp_make(const struct bundle_seccomp *filter, struct agent_filter **ret,
				 size_t *ret_bytes, struct err *err);

#endif
