/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/hook_kind.h"

#include <stddef.h>

const char *const hook_names[] = {
	[HOOK_PRESTART] = "prestart",
	[HOOK_CREATE_RUNTIME] = "createRuntime",
	[HOOK_CREATE_CONTAINER] = "createContainer",
	[HOOK_START_CONTAINER] = "startContainer",
	[HOOK_POSTSTART] = "poststart",
	[HOOK_POSTSTOP] = "poststop",
	[HOOK_KINDS] = NULL,
};
