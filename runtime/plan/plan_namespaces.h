/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The namespaces of a container that its supervisor enters
 *
 * Every process of a VM has namespaces of its own, and so has the guest. Callers look at those of the pid that they know:
 * they put interfaces into its network namespace, and have other containers join what a pod shares. So that process,
 * the supervisor, is in the network, ipc and uts namespaces that config.json asks for. It stays in the caller's others:
 * the cgroup namespace, because from inside it could not leave and remove its own group; the mount, pid and user
 * namespaces, because it goes on to use paths, pids and ids of the host.
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_NAMESPACES_H
#define VMRUN_RUNTIME_PLAN_PLAN_NAMESPACES_H

#include "runtime/plan/plan_device.h"

/** plan_namespaces_build() - Plan them; none in a bundle with a kernel of its own */
MUST_CHECK int plan_namespaces_build(struct plan_build *bd);

/** plan_namespaces_add_json() - Add them to a plan's JSON, if there are any */
void plan_namespaces_add_json(const struct plan *p, struct json_object *to);

/** plan_namespaces_free() - Free what @p has of them */
void plan_namespaces_free(struct plan *p);

#endif
