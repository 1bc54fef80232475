/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Numbers of the policy language: constants, joined by "|"
 */
#ifndef VMRUN_POLICIES_VALUE_H
#define VMRUN_POLICIES_VALUE_H

#include "devices/core/err.h"
#include "policies/arch.h"
#include "policies/lex.h"

/** value_read() - Read a value; @l is behind it then, or at what is wrong */
MUST_CHECK int value_read(struct lex *l, const struct arch *a, uint64_t *ret, struct err *err);

/** value_errno() - Read an errno value: its name, or a number of at most 4095 */
MUST_CHECK int value_errno(struct lex *l, const struct arch *a, uint32_t *ret, struct err *err);

#endif
