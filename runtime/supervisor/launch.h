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
 *     write the pid file
 *     ack ----------------------------------------> let go of the launcher's stdio; serve
 *     exit (the caller's subreaper inherits the supervisor), or wait for it
 *
 * When the launcher dies before the ack the supervisor reads end of file and undoes everything; when
 * the supervisor dies before the report the launcher does. After that the supervisor answers the control
 * socket (client.h) and signals (signals.h) until the guest ends or any process of the VM dies, takes down
 * what is left, records the cause, and exits with the cause's exit code.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_LAUNCH_H
#define VMRUN_RUNTIME_SUPERVISOR_LAUNCH_H

#include <sys/types.h>

#include "devices/core/err.h"
#include "runtime/host/assets.h"
#include "runtime/jail/program.h"
#include "runtime/plan/plan.h"
#include "runtime/util/clock.h"
#include "runtime/util/oci_log.h"

/**
 * struct launch - What to launch
 * @root:	State root
 * @plan, @assets, @program: The launcher keeps them; the supervisor lets go of its copies
 * @config:	JSON text for the state directory
 * @rootfs:	For the OCI state; may be empty
 * @stdio:	Borrowed: the VM's standard input and output
 * @console:	As in struct spawn
 * @pid_file:	Path or NULL
 * @log:	The supervisor's log after the launch
 * @autostart:	Start the guest without being asked
 * @waits:	The launcher waits for the end, and deletes
 * @warn:	For what cannot be carried out on this host
 * @phases:	Shared memory or NULL
 */
struct launch {
	const char *root;
	struct plan *plan;
	struct assets *assets;
	struct program program[PLAN_PROCS_MAX];
	const char *config;
	const char *rootfs;
	int stdio[2];
	int console[2];
	const char *pid_file;
	struct oci_log log;
	bool autostart;
	bool waits;
	void (*warn)(void *arg, const char *text);
	void *arg;
	struct phases *phases;
};

/**
 * supervisor_launch() - Create a VM
 * @ret_pid:	The supervisor, a child of the caller
 *
 * The caller has one thread, and holds nothing on its heap that it would mind seeing copied.
 * Return: 0 with the VM created (or started), or -errno with nothing left behind
 */
MUST_CHECK int supervisor_launch(const struct launch *l, pid_t *ret_pid, struct err *err);

#endif
