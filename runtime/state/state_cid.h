/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A guest's vsock CID is one VM's of a state directory
 */
#ifndef VMRUN_RUNTIME_STATE_STATE_CID_H
#define VMRUN_RUNTIME_STATE_STATE_CID_H

#include "runtime/state/state.h"

/**
 * state_cid_check() - Check that no other VM that has not stopped has the CID of @own
 * @own:	Saved already, so that of two VMs made at once one at least sees the other
 *
 * Syscalls: openat getdents64 fstat read flock close
 * Return: 0, also without a CID; -EBUSY
 */
MUST_CHECK int state_cid_check(const char *root, const struct state *own, struct err *err);

#endif
