/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The capabilities of a jailed process: none, or those that acting for the users of a guest takes
 *
 * They are capabilities in the process's own user namespace, and count only for inodes whose owner has an id there.
 */
#ifndef VMRUN_RUNTIME_JAIL_CAPS_H
#define VMRUN_RUNTIME_JAIL_CAPS_H

#include <sys/capability.h>

#include "devices/core/base.h"

/**
 * struct caps - Made by the parent: the child has no heap
 * @keep:	What the process keeps
 * @pass:	The sets in which the kept ones can become ambient; NULL if there are none
 */
struct caps {
	cap_t keep, pass;
};

/** caps_has() - Whether the caller has it now.  Syscalls: capget */
bool caps_has(cap_value_t cap);

/**
 * caps_init() - What a process keeps
 * @guests:	It acts for the users of a guest
 *
 * Context: the parent, before clone3
 * Return: 0 or -ENOMEM; either way the caller's to caps_done()
 */
MUST_CHECK int caps_init(struct caps *c, bool guests);
void caps_done(struct caps *c);

#define cleanup_caps __attribute__((cleanup(caps_done)))

/**
 * caps_apply() - Give up all others, and the means to gain any
 * @ret_step:	Names the step that failed; untouched on success
 *
 * Context: the child, before exec, with all capabilities
 * Syscalls: prctl capset
 * Return: 0 or -errno
 */
MUST_CHECK int caps_apply(const struct caps *c, const char **ret_step);

#endif
