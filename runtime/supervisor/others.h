/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Devices that back-ends of others serve: this process knows their sockets, the VMM does not
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_OTHERS_H
#define VMRUN_RUNTIME_SUPERVISOR_OTHERS_H

#include "devices/core/err.h"
#include "runtime/plan/plan.h"

/**
 * others_name() - Name the socket in what the VMM says of such a device
 * @text:	"device NAME: WHY"
 * @err:	Its message becomes "POINTER: WHY (PATH)"; untouched if NAME is another device
 *
 * Return: whether it is such a device
 */
bool others_name(const struct plan *p, const char *text, struct err *err);

#endif
