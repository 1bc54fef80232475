/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: --vsock of `vmrun run`: CID, or cid=CID[,socket=PATH][,backend=NAME][,listen=PORT]...
 */
#ifndef VMRUN_CMD_VMRUN_RUN_VSOCK_H
#define VMRUN_CMD_VMRUN_RUN_VSOCK_H

#include <json-c/json.h>

#include "devices/core/err.h"

/** run_vsock() - The device as config.json has it; what its values may be is checked with the rest of it */
MUST_CHECK int run_vsock(const char *spec, struct json_object **ret, struct err *err);

#endif
