/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Inside the state file
 */
#ifndef VMRUN_RUNTIME_STATE_STATE_PRIV_H
#define VMRUN_RUNTIME_STATE_STATE_PRIV_H

#include "runtime/state/state.h"

/** state_lock_fd() - state_lock() of an open lock file */
MUST_CHECK int state_lock_fd(int fd);

/** state_read_text() - A file of the directory, whole; the caller's to free() */
MUST_CHECK int state_read_text(int dir, const char *name, char **ret, struct err *err);

/** state_net_to_json() - One network device; the caller's */
struct json_object *state_net_to_json(const struct net_made *made);

/** state_net_from_json() - And back; false when a field is wrong or cannot be of the VM @id */
MUST_CHECK bool state_net_from_json(struct json_object *o, const char *id, struct net_made *ret);

#endif
