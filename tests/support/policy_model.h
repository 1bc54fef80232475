/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a policy means, said a second time
 *
 * Parsed rules evaluated by rules_decide(), with the kernel's parameter widths. Compiled programs are held against it.
 */
#ifndef VMRUN_TESTS_SUPPORT_POLICY_MODEL_H
#define VMRUN_TESTS_SUPPORT_POLICY_MODEL_H

#include <linux/seccomp.h>

#include "policies/compile.h"

/** policy_model_run() - The verdict (SECCOMP_RET_*) that @r asks for */
MUST_CHECK uint32_t policy_model_run(const struct rules *r, const struct seccomp_data *call);

/**
 * policy_model_differs() - Search for a call that model and program judge differently
 * @ret_call:	Filled in when one was found
 *
 * Tries, for every rule, arguments on and around the values it compares with, with and without
 * rubbish in the upper half, alone and together; and each neighbouring syscall number.
 */
MUST_CHECK bool policy_model_differs(const struct rules *r, const struct compiled *p,
				     struct seccomp_data *ret_call);

#endif
