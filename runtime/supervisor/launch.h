/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The supervisor: one process per VM, from create to the end of the guest
 *
 *   launcher (create, run)                         supervisor
 *     reserve ROOT/ID, state.json: creating
 *     make cgroup directories
 *     fork ---------------------------------------> setsid
 *     let go of the lock, go ---------------------> enter the cgroup; state.json: its pid
 *                                                   guest RAM, sockets, jails, wait for all READY
 *                                                   state.json: created; control socket
 *     <------------------------------------ report
 *     run the hooks of create (hooks.h)
 *     write the pid file
 *     ack ----------------------------------------> serve; if the VM has ended meanwhile: end
 *     <------------------------------------ report
 *     exit (the caller's subreaper inherits the supervisor), or wait for it
 *
 * If the launcher dies before the ack, the supervisor reads end of file and undoes everything; if the
 * supervisor dies before its last report, the launcher does. After the ack the supervisor answers the control socket
 * (client.h) and signals (signals.h) until the guest ends or a process of the VM dies. Then it ends the other
 * processes, records the cause, and exits with the cause's exit code.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_LAUNCH_H
#define VMRUN_RUNTIME_SUPERVISOR_LAUNCH_H

#include <sys/types.h>

#include "devices/core/err.h"
#include "runtime/supervisor/handover.h"

/**
 * launch() - Create a VM
 * @ret_pid:	The supervisor, a child of the caller
 *
 * The caller has one thread, and its heap holds nothing that must not be copied.
 * Return: 0 with the VM created (or started), or -errno with nothing left behind
 */
MUST_CHECK int launch(const struct launch *l, pid_t *ret_pid, struct err *err);

#endif
