/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: state.json, saved and loaded
 */
#ifndef VMRUN_RUNTIME_STATE_STATE_FILE_H
#define VMRUN_RUNTIME_STATE_STATE_FILE_H

#include "runtime/state/state.h"

/** state_save() - Replace state.json */
MUST_CHECK int state_save(int dir, const struct state *s, struct err *err);

/** state_save_status() - Replace state.json by one with another status; after a failure it is what it was, also in @s */
MUST_CHECK int state_save_status(int dir, struct state *s, enum state_status status,
				 struct err *err);

/**
 * state_load() - Read state.json and compare it with the lock
 *
 * If the file says that the VM lives and no process holds the lock, its supervisor was killed: then *ret says
 * stopped, with that cause.
 * Return: 0 with *ret the caller's (state_free); -ENOENT "container does not exist"
 */
MUST_CHECK int state_load(int dir, struct state **ret, struct err *err);

#endif
