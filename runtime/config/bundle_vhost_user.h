/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: {"type": "vhost-user"} of /vm/devices: a device that a program of others serves
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_VHOST_USER_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_VHOST_USER_H

#include "runtime/config/bundle_types.h"
#include "runtime/config/schema.h"

extern const struct schema_table bundle_vhost_user_table;

/** bundle_vhost_user_check() - Check @d, of this type: a file system has a tag, and cannot return */
MUST_CHECK int bundle_vhost_user_check(const struct bundle_device *d, struct err *err);

#endif
