/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: --block PATH,KEY[=VALUE]...: a disk on the command line, in crosvm's spelling
 */
#ifndef VMRUN_CMD_VMRUN_RUN_BLOCK_H
#define VMRUN_CMD_VMRUN_RUN_BLOCK_H

#include <json-c/json.h>

#include "devices/core/err.h"

/**
 * run_block() - The element of /vm/devices that an option stands for
 * @spec:	"PATH" or "path=PATH", then keys: the properties, or crosvm's names for them
 * @ret:	The caller's; untouched on failure
 *
 * Values are checked with the bundle.
 * Return: 0, or -EINVAL with one line that names the key
 */
MUST_CHECK int run_block(const char *spec, struct json_object **ret, struct err *err);

#endif
