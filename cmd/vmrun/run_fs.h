/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: --shared-dir of `vmrun run`: DIR:TAG[:ro][:KEY=VALUE]..., the keys those of config.json and crosvm's
 */
#ifndef VMRUN_CMD_VMRUN_RUN_FS_H
#define VMRUN_CMD_VMRUN_RUN_FS_H

#include <json-c/json.h>

#include "devices/core/err.h"

/** run_fs() - The device as config.json has it; what its values may be is checked with the rest of it */
MUST_CHECK int run_fs(const char *spec, struct json_object **ret, struct err *err);

#endif
