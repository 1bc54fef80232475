/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Creating a VM: from the fork until all its processes are ready and the launcher has acknowledged
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_CREATE_H
#define VMRUN_RUNTIME_SUPERVISOR_CREATE_H

#include "runtime/supervisor/supervisor.h"

/**
 * create_begin() - Enter the cgroup, make networks, guest RAM and sockets, start all processes
 *
 * On return they are getting ready, and the loop hears the control socket, signals and the launcher.
 * Context: the supervisor, right after the fork.
 */
MUST_CHECK int create_begin(struct supervisor *s, struct err *err);

/** create_check_ready() - If all processes are ready: save the state and report to the launcher */
MUST_CHECK int create_check_ready(struct supervisor *s, struct err *err);

/** create_late() - s->create_by_ns has passed */
void create_late(struct supervisor *s);

/** create_report() - Tell the launcher how it went, if it is still there; NULL: the VM is created */
void create_report(struct supervisor *s, const struct err *err);

#endif
