/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: state.json: saved, loaded, compared with reality
 */
#ifndef VMRUN_RUNTIME_STATE_STATE_FILE_H
#define VMRUN_RUNTIME_STATE_STATE_FILE_H

#include "runtime/state/state.h"

/** state_save() - Replace state.json */
MUST_CHECK int state_save(int dir, const struct state *s, struct err *err);

/**
 * state_load() - Read state.json and hold it against reality
 *
 * When the file says that the VM lives and nobody holds the lock, its supervisor was killed: *ret then
 * says stopped, with that cause.
 * Return: 0 with *ret the caller's (state_free); -ENOENT "container does not exist"
 */
MUST_CHECK int state_load(int dir, struct state **ret, struct err *err);

#endif
