/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The settings of a device, opaque bytes in its process of the plan
 *
 * plan_build() fills in the values of config.json, assets_open() those of an opened disk, net_fill_settings() those
 * of a TAP. spawn_process() copies the bytes into the boot record, and the device checks them.
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_SETTINGS_H
#define VMRUN_RUNTIME_PLAN_PLAN_SETTINGS_H

#include "devices/core/settings.h"
#include "runtime/plan/plan_types.h"

/** plan_set_settings() - Replace the settings of a device; @bytes is at most BOOT_SETTINGS_MAX */
void plan_set_settings(struct plan_proc *proc, const void *settings, size_t bytes);

/** plan_settings() - Copy the settings of a device to @ret; @bytes is the size for its kind */
void plan_settings(const struct plan_proc *proc, void *ret, size_t bytes);

#endif
