/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the launcher hands over to the supervisor by forking it, and what the two say to each other then
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_HANDOVER_H
#define VMRUN_RUNTIME_SUPERVISOR_HANDOVER_H

#include "devices/core/err.h"
#include "runtime/host/assets.h"
#include "runtime/jail/program.h"
#include "runtime/plan/plan_types.h"
#include "runtime/util/clock.h"
#include "runtime/util/oci_log.h"

/** How long all processes have to get ready: they read a kernel and an initrd, perhaps from a slow disk */
#define HANDOVER_CREATE_MS 60000

/** The launcher says GO when the lock is the supervisor's alone, and answers a good report by ACK, which is answered by another */
#define HANDOVER_GO  "go"
#define HANDOVER_ACK "ok"

/** struct handover_report - To the launcher: code 0, twice if all goes well; or an errno value and why, which is the last */
struct handover_report {
	int32_t code;
	char text[ERR_MSG_BYTES];
};

/**
 * struct launch - What to launch
 * @root:	State root
 * @plan, @assets, @program: What the VM is made of. Launcher and supervisor have a copy each; the supervisor
 *		keeps its own: a device will be started from it again
 * @config:	JSON text for the state directory
 * @rootfs:	For the OCI state; may be empty
 * @socket:	Path of a link to the control socket, absolute (state_link.h); NULL: none
 * @stdio:	Borrowed: the VM's standard input and output
 * @console:	As in struct spawn
 * @own_fd:	The launcher's end of @stdio, which the supervisor closes; -1: none
 * @pid_file:	Path or NULL
 * @log:	The supervisor's log after the launch
 * @autostart:	Start the guest as soon as the VM is created
 * @waits:	The launcher waits for the end, and deletes
 * @warn:	Receives warnings while the VM is created
 * @phases:	Shared memory or NULL
 */
struct launch {
	const char *root;
	struct plan *plan;
	struct assets *assets;
	struct program program[PLAN_PROCS_MAX];
	const char *config;
	const char *rootfs;
	const char *socket;
	int stdio[2];
	int console[2];
	int own_fd;
	const char *pid_file;
	struct oci_log log;
	bool autostart;
	bool waits;
	void (*warn)(void *arg, const char *text);
	void *arg;
	struct phases *phases;
};

#endif
