/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A seccomp filter's verdict without a kernel
 *
 * An interpreter for the instructions that libseccomp writes, and a walk over all paths that tells
 * which verdicts a system call can get at all, whatever its arguments.
 */
#ifndef VMRUN_TESTS_SUPPORT_BPF_H
#define VMRUN_TESTS_SUPPORT_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "devices/core/base.h"

/* No verdict of the kernel's: the program jumps out of itself or has an unknown instruction. */
#define BPF_BAD_PROGRAM 0xffffffffU

#define BPF_CAN_ALLOW	(1U << 0)
#define BPF_CAN_ERRNO	(1U << 1)
#define BPF_CAN_KILL	(1U << 2) /* by way of a trap or at once */
#define BPF_CAN_OTHER	(1U << 3)

/** bpf_run() - SECCOMP_RET_* with its data for one call; BPF_BAD_PROGRAM */
MUST_CHECK uint32_t bpf_run(const struct sock_filter *insn, unsigned int count,
			    const struct seccomp_data *call);

/** bpf_steps() - How many instructions run for a call whose arguments are 0 */
MUST_CHECK unsigned int bpf_steps(const struct sock_filter *insn, unsigned int count, uint32_t arch,
				  int nr);

/** bpf_verdicts() - BPF_CAN_* for system call @nr of architecture @arch over all its arguments */
MUST_CHECK unsigned int bpf_verdicts(const struct sock_filter *insn, unsigned int count,
				     uint32_t arch, int nr);

#endif
