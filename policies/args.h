/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: How much of an argument the kernel looks at
 *
 * A seccomp filter sees 64-bit registers. Where the kernel's parameter is an int it ignores the
 * upper half, and so must a rule: otherwise "!=" and ">" can be passed with rubbish in the upper
 * half, and an honest caller that sign-extends (an ioctl number with bit 31 set, AT_FDCWD) is
 * killed.
 */
#ifndef VMRUN_POLICIES_ARGS_H
#define VMRUN_POLICIES_ARGS_H

#include "devices/core/base.h"

/**
 * args_is_32bit() - Whether the kernel takes argument @arg of system call @name as a 32-bit number
 *
 * false for a syscall the table does not have: all 64 bits then count, which can only kill too
 * much.
 */
MUST_CHECK bool args_is_32bit(const char *name, unsigned int arg);

/**
 * args_known() - Whether the table has @name
 *
 * policyc refuses an expression on a syscall that the table does not have.
 */
MUST_CHECK bool args_known(const char *name);

#endif
