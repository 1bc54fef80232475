/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: --net [MODE][,KEY[=VALUE]]...: a network device in one word
 *
 * Keys are the properties of {"type": "net"}, and crosvm's names for some of them. This only splits
 * the words; the bundle's validation judges what they say.
 */
#ifndef VMRUN_CMD_VMRUN_RUN_NET_H
#define VMRUN_CMD_VMRUN_RUN_NET_H

#include <json-c/json.h>

#include "devices/core/err.h"

/**
 * run_net() - Make an element of /vm/devices
 * @ret:	Owned by the caller; untouched on failure
 *
 * Return: 0, -EINVAL with one line that names the word, -ENOMEM
 */
MUST_CHECK int run_net(const char *spec, struct json_object **ret, struct err *err);

#endif
