/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Devices that back-ends of others serve: this process knows their sockets, the VMM does not
 *
 * One with "onFailure": "restart" may come back: its owner starts its back-end again; vmrun does not.
 *
 *   CTL_LOST from the VMM ---> connect, again and again, for at most OTHERS_RETURN_NS
 *   CTL_DEVICE to the VMM, with the new connection
 *
 * It has the budget of our own devices (failure.h). What a new back-end says, the VMM judges.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_OTHERS_H
#define VMRUN_RUNTIME_SUPERVISOR_OTHERS_H

#include "devices/core/err.h"
#include "runtime/supervisor/supervisor.h"

/**
 * others_name() - Name the socket in what the VMM says of such a device
 * @text:	"device NAME: WHY"
 * @err:	Its message becomes "POINTER: WHY (PATH)"; untouched if NAME is another device
 *
 * Return: whether it is such a device
 */
bool others_name(const struct plan *p, const char *text, struct err *err);

/** others_returns() - Whether @name is such a device, and may come back */
bool others_returns(const struct supervisor *s, const char *name);

/** others_lost() - CTL_LOST: the VMM has lost the connection to one that others_returns() knows */
void others_lost(struct supervisor *s, const struct ctl_msg *m);

/** others_late() - s->others_ns has passed: try to connect where that is due */
void others_late(struct supervisor *s);

#endif
