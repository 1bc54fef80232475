/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What plan*.c share
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_PRIV_H
#define VMRUN_RUNTIME_PLAN_PLAN_PRIV_H

#include "runtime/config/bundle_priv.h"
#include "runtime/plan/plan.h"

/**
 * struct plan_build - A plan in the making
 * @nr:		Devices of each type so far, for their names
 * @interfaces:	As given to plan_build()
 */
struct plan_build {
	const struct bundle *b;
	struct plan *p;
	unsigned int nr[BUNDLE_DEVICE_TYPES];
	unsigned int (*interfaces)(const char *netns, struct netns_id *ret_id);
	struct err *err;
};

/** plan_add_device() - The next device: its process, and the VMM's end of the socket to it */
struct plan_proc *plan_add_device(struct plan_build *bd, enum bundle_device_type type);

/** plan_nr_rngs() - How many entropy sources the VM is going to have */
unsigned int plan_nr_rngs(const struct bundle *b);

/**
 * plan_net_add_all() - Add the network devices, which bundle_net_check() has seen: those listed, or the
 *			one implied, and behind them those that plan_build() adds for interfaces
 *
 * Context: setup.  Syscalls: none but the heap's
 * Return: 0 or -ENOMEM
 */
MUST_CHECK int plan_net_add_all(struct plan_build *bd);

/** plan_net_free() - Free what the entry owns */
void plan_net_free(struct plan_net *n);

/** plan_net_to_json() - One of plan->net; "device" is the name of its process */
struct json_object *plan_net_to_json(const struct plan *p, const struct plan_net *n);

/**
 * plan_cgroup_build() - Place and limits of the VM's processes, once all of these are in the plan
 *
 * Return: 0, -EINVAL for limits in which no such VM has room, -ENOMEM
 */
MUST_CHECK int plan_cgroup_build(struct plan_build *bd);

/** plan_cgroup_free() - Free what it owns */
void plan_cgroup_free(struct plan_cgroup *cg);

#endif
