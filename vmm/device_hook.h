/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: How the VMM learns that a device's process is gone
 */
#ifndef VMRUN_VMM_DEVICE_HOOK_H
#define VMRUN_VMM_DEVICE_HOOK_H

#include "devices/core/err.h"

/**
 * struct device_hook - Called once when a device's process dies or breaks its protocol
 * @fn:		Called with the bus lock held, on any thread; may be NULL. It must not call back into the device
 * @device:	The device's name
 */
struct device_hook {
	void (*fn)(void *arg, const char *device, const struct err *why);
	void *arg;
};

#endif
