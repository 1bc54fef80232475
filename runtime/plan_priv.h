/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What plan.c and plan_net.c share
 */
#ifndef VMRUN_RUNTIME_PLAN_PRIV_H
#define VMRUN_RUNTIME_PLAN_PRIV_H

#include "runtime/bundle_priv.h"

/**
 * plan_net_fill() - Make process @proc of a plan a network device
 * @p:		The process has what every device has; plan->net gets the next entry
 * @d:		Checked by bundle_net_check()
 *
 * Context: setup.  Syscalls: none but the heap's
 * Return: 0 or -ENOMEM
 */
MUST_CHECK int plan_net_fill(struct plan *p, unsigned int proc, const struct bundle_device *d,
			     struct err *err);

/** plan_net_free() - Free what the entry owns */
void plan_net_free(struct plan_net *n);

/** plan_net_to_json() - One of plan->net; "device" is the name of its process */
struct json_object *plan_net_to_json(const struct plan *p, const struct plan_net *n);

#endif
