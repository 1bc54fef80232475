/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Inside the supervisor
 *
 * supervisor_launch.c the launcher's side, up to the fork and after it
 * supervisor.c       from the fork to the exit
 * supervisor_watch.c what the processes ask and answer, and how they end
 * supervisor_log.c   what they log
 * supervisor_start.c from the wish to start the guest to its running
 * supervisor_drain.c the end of a guest whose last output is still to be read
 * supervisor_net.c   networks made and undone
 * supervisor_ctl.c   what users ask for, by socket and by signal
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_SUPERVISOR_H
#define VMRUN_RUNTIME_SUPERVISOR_SUPERVISOR_H

#include "devices/core/loop.h"
#include "runtime/host/cgroup.h"
#include "runtime/jail/spawn.h"
#include "runtime/state/state.h"
#include "runtime/supervisor/launch.h"

/** How long all processes have to get ready: a kernel and an initrd are read from slow disks in it */
#define SUPERVISOR_CREATE_MS 60000

/** How many may have connected to the control socket and not have asked */
#define SUPERVISOR_CLIENTS 8

/** What the launcher says when the lock is the supervisor's alone, and what it answers to a good report */
#define SUPERVISOR_GO  "go"
#define SUPERVISOR_ACK "ok"

/** How long processes have to leave when the VM has ended, before they are killed */
#define SUPERVISOR_LEAVE_NS (CHILD_LEAVE_MS * 1000000ULL)

/** struct supervisor_report - To the launcher, once: code 0, or an errno value and why */
struct supervisor_report {
	int32_t code;
	char text[ERR_MSG_BYTES];
};

/**
 * enum stage - How far the VM is; only ever grows
 */
enum stage {
	STAGE_CREATING, /* not all processes are ready */
	STAGE_READY,	/* they are, but the launcher has not acknowledged */
	STAGE_CREATED,
	STAGE_RUNNING,
	STAGE_ENDING, /* the cause is known; processes are on their way out */
	STAGE_OVER,   /* no process is left */
};

/**
 * struct starting - A start under way
 * @deadline_ns: When all must be done; 0: no start is under way
 * @client:	Who asked for it, owned; -1 when nobody waits
 * @vmm_asked:	The VMM is asked last
 * @asked:	By process: CTL_DONE is to come
 * @failure:	The first refusal
 */
struct starting {
	uint64_t deadline_ns;
	int client;
	bool vmm_asked;
	bool asked[PLAN_PROCS_MAX];
	struct err failure;
};

/**
 * struct draining - The last output of a guest on its way out
 * @console:	What it goes to, for poll() alone; owned, -1 when there is none
 * @device:	Which process has it; 0: none
 * @turns:	How often it was looked at; 0: not yet
 * @idle:	How often in succession the device could have written
 * @alone:	The device is all that is left of the VM
 */
struct draining {
	int console;
	unsigned int device;
	unsigned int turns;
	unsigned int idle;
	bool alone;
};

/**
 * struct supervisor - One VM
 * @dir, @lock:	Of the state directory
 * @report:	Socket to the launcher; -1 once it is gone
 * @error_fd:	Read end of the jails' error pipe; -1 once all are ready
 * @create_by_ns: When all processes must be ready; 0: they are
 * @client:	Connected, not heard yet; -1: none. @next_client is who came first
 * @deadline_ns: When whoever is left gets killed; 0 = no such time
 * @doubt:	A device left without being told; whether that is the cause shows by @deadline_ns. 0: the
 *		VMM accuses a device
 * @accused:	What it says, empty while it does not
 * @listen_again_ns: When logs over their budget are read again; 0: there is none
 * @tell_losses_ns: When the VM's log is told again of lines it lost; 0: it knows
 * @guest:	For what its kernel is told
 * @launcher:	Who waits for the end and deletes; 0: nobody does
 * @failure:	Why creating failed, in STAGE_ENDING before STAGE_CREATED was reached
 * @failed:	Whether it did
 */
struct supervisor {
	enum stage stage;
	struct loop loop;
	int dir;
	int lock;
	int report;
	int signal_fd;
	int listen_fd;
	int error_fd;
	int client[SUPERVISOR_CLIENTS];
	unsigned int next_client;
	uint64_t create_by_ns;
	uint64_t deadline_ns;
	int doubt;
	char accused[ERR_MSG_BYTES];
	uint64_t listen_again_ns;
	uint64_t tell_losses_ns;
	bool failed;
	bool autostart;
	struct err failure;
	struct starting start;
	struct draining drain;
	struct net_guest guest;
	pid_t launcher;
	struct cgroup *cgroup;
	struct state *state;
	struct oci_log log;
	struct phases *phases;
	unsigned int nr;
	struct spawned proc[PLAN_PROCS_MAX];
};

/** supervisor_process() - The process of a control socket, log or pidfd */
struct spawned *supervisor_process(struct supervisor *s, int fd);

/** supervisor_is_vmm() - Whether @p is the VMM; all others are devices */
bool supervisor_is_vmm(const struct supervisor *s, const struct spawned *p);

#endif
