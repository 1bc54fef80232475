/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The settings of a device in a plan: bytes to all but those who fill them in
 *
 * plan_build() fills in what config.json says, assets_open() what only an opened disk tells, net_tell() what
 * only a TAP does. spawn_process() copies the bytes into the boot record, and the device checks them.
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_SETTINGS_H
#define VMRUN_RUNTIME_PLAN_PLAN_SETTINGS_H

#include "devices/core/settings.h"
#include "runtime/plan/plan_types.h"

/** plan_set_settings() - Replace the settings of a device; @bytes is at most BOOT_SETTINGS_MAX */
void plan_set_settings(struct plan_proc *proc, const void *settings, size_t bytes);

/** plan_settings() - Copy the settings of a device out; @bytes is the size that its kind has */
void plan_settings(const struct plan_proc *proc, void *ret, size_t bytes);

#endif
