/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The hooks of a container, by the moment at which they run, and their names
 */
#ifndef VMRUN_RUNTIME_UTIL_HOOK_KIND_H
#define VMRUN_RUNTIME_UTIL_HOOK_KIND_H

/** enum hook_kind - In the order in which they run */
enum hook_kind {
	HOOK_PRESTART,	       /* create: the VM is prepared. Deprecated, and as the next */
	HOOK_CREATE_RUNTIME,   /* create */
	HOOK_CREATE_CONTAINER, /* create: in the network namespace of the VM */
	HOOK_START_CONTAINER,  /* start: in the guest */
	HOOK_POSTSTART,	       /* start: the guest runs */
	HOOK_POSTSTOP,	       /* delete: nothing is left */
	HOOK_KINDS
};

extern const char *const hook_names[]; /* by enum hook_kind, as config.json has them, and a NULL */

#endif
