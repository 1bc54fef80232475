/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: struct supervisor: what a supervisor knows of its VM
 *
 * launch.h draws its life. Each part of it has a file, which README.md lists.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_SUPERVISOR_H
#define VMRUN_RUNTIME_SUPERVISOR_SUPERVISOR_H

#include "devices/core/loop.h"
#include "runtime/host/cgroup.h"
#include "runtime/host/view.h"
#include "runtime/jail/spawn.h"
#include "runtime/state/state.h"
#include "runtime/supervisor/child.h"
#include "runtime/supervisor/handover.h"

/** How many clients of the control socket may be connected without having asked */
#define SUPERVISOR_CLIENTS 64

/** How long processes have to leave when the VM has ended, before they are killed */
#define SUPERVISOR_LEAVE_NS (CHILD_LEAVE_MS * 1000000ULL)

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

struct supervisor;

/** How many questions to one process may be open */
#define ASK_MAX 72 /* of them up to 64 for vsock (bridge.h) */

/**
 * struct ask_then - What follows when a question to process @i ends
 * @done:	@answer is NULL when there was none. @err: code 0, or why it went wrong
 * @client:	Handed to @done, which owns it then; -1: none waits
 */
struct ask_then {
	void (*done)(struct supervisor *s, unsigned int i, int client, const struct ctl_msg *answer,
		     const struct err *err);
	int client;
};

/**
 * struct ask_queue - Questions to one process, the oldest first: it answers in order (ask.h)
 * @entry:	then.done NULL: it is over, but the answer is still to come
 */
struct ask_queue {
	unsigned int first, nr;
	struct asking {
		uint64_t deadline_ns;
		struct ask_then then;
	} entry[ASK_MAX];
};

/** How often a device may be started again within RESTART_WINDOW_NS */
#define RESTART_MAX 5

/**
 * struct restarting - One device that returns (restart.h)
 * @nr:		How often it was started again; @at_ns: when, the last RESTART_MAX times
 * @due_ns:	When it will be; 0: at no time
 * @ready_by_ns: When the new process must be ready; 0: it is, or there is none
 * @leave_by_ns: It has closed its connection to the VMM: when it is killed; 0: it has not
 * @error_fd:	Read end of the jail's error pipe until it is ready; -1
 */
struct restarting {
	unsigned int nr;
	uint64_t at_ns[RESTART_MAX];
	uint64_t due_ns, ready_by_ns, leave_by_ns;
	int error_fd;
};

/**
 * struct starting - A start under way
 * @client:	Receives the answer; owned, -1: none waits
 * @open:	Questions that have no answer yet
 * @lost:	By process: its question is open, and it died
 * @vmm_asked:	The VMM is asked last
 * @failure:	The first refusal
 */
struct starting {
	bool under_way;
	int client;
	unsigned int open;
	bool lost[PLAN_PROCS_MAX];
	bool vmm_asked;
	struct err failure;
};

/**
 * struct draining - The last output of a guest on its way out
 * @sink:	Where it goes, for poll() only; owned, -1: none. O_PATH: not opened yet
 * @device:	The process that has it; 0: none
 * @turns:	How often drain_wait() looked; 0: not yet
 * @idle:	How often in succession the device could have written
 * @is_last:	The device is all that is left of the VM
 */
struct draining {
	int sink[2];
	unsigned int device;
	unsigned int turns;
	unsigned int idle;
	bool is_last;
};

#define SUPERVISOR_USERS 8 /* of a console that is started again when it has died */

/**
 * struct console_user - One of them, attached, or about to be
 * @ticket:	By which the console knows it; 0: none
 * @fd:		The console's end of its socket, for the next process; owned
 * @client:	Waits for the answer; -1: it is attached
 * @port:	By name
 */
struct console_user {
	uint64_t ticket;
	int fd;
	int client;
	char port[CONSOLE_NAME_BYTES];
};

/**
 * struct supervisor - One VM
 * @launch:	What to launch; its plan stays as long as this process
 * @nr_programs: Of launch->program; owned as @assets is: processes are started from both until the VM ends
 * @dir, @lock:	Of the state directory
 * @report:	Socket to the launcher; -1 once it is gone
 * @host_net:	The network namespace in which it was started, while it is in a container's; -1: it is there
 * @error_fd:	Read end of the jails' error pipe; -1 once all are ready
 * @create_by_ns: When all processes must be ready; 0: they are
 * @client:	Connected, no request yet; -1: a free place. @next_client: the oldest
 * @deadline_ns: When the processes left are killed, or @doubt is resolved; 0: no such time
 * @doubt:	A device that left unasked, until @deadline_ns shows whether that is the cause. 0: the VMM accuses
 *		a device
 * @accused:	The accusation; empty: none
 * @ask:	By process: the questions that have no answer yet
 * @ask_by_ns:	When the next of them is late; 0: none is open
 * @pausing:	The VMM has been asked to pause or to resume, and has not answered
 * @spawn:	The sources of processes
 * @view:	What its mount namespace shows of a container
 * @restart:	By process; @restart_ns: when something is due there, 0: never
 * @other:	By plan->other, likewise with @others_ns (others.h)
 * @record_ns:	When the state, which could not be saved, is saved again; 0: it is saved (record.h)
 * @listen_again_ns: When logs over their budget are read again; 0: all are read
 * @tell_losses_ns: When the VM's log gets a line that counts its losses; 0: it lost none
 * @launcher:	The process that waits for the end and deletes; 0: none
 * @user:	Of the console, if it is one that returns; @last_ticket: of the last of them
 * @bridge:	The sockets of its vsock device; NULL: it has none
 * @apart:	It holds a pod, and has a mount namespace of its own
 * @agent:	The guest's process 1 (session.h); NULL: the VM runs no container
 * @failure:	Why creating failed, in STAGE_ENDING before STAGE_CREATED was reached
 * @failed:	Whether it did
 */
struct supervisor {
	const struct launch *launch;
	unsigned int nr_programs;
	struct assets *assets;
	enum stage stage;
	struct loop loop;
	int dir;
	int lock;
	int report;
	int host_net;
	int signal_fd;
	int listen_fd;
	int error_fd;
	int client[SUPERVISOR_CLIENTS];
	unsigned int next_client;
	uint64_t create_by_ns;
	uint64_t deadline_ns;
	int doubt;
	char accused[ERR_MSG_BYTES];
	struct ask_queue ask[PLAN_PROCS_MAX];
	uint64_t ask_by_ns;
	bool pausing;
	struct spawn spawn;
	struct view view;
	struct restarting restart[PLAN_PROCS_MAX];
	uint64_t restart_ns;
	struct restarting other[BOOT_DEVICES_MAX];
	uint64_t others_ns;
	uint64_t record_ns;
	uint64_t listen_again_ns;
	uint64_t tell_losses_ns;
	bool failed;
	struct err failure;
	struct starting start;
	struct draining drain;
	pid_t launcher;
	struct console_user user[SUPERVISOR_USERS];
	uint64_t last_ticket;
	bool apart;
	struct bridge *bridge;
	struct agent *agent;
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

/**
 * supervisor_let_go() - No process will be started any more: close programs, disks and the plan's other files
 *
 * Until then this process has the devices' files open as the devices themselves have, and with disks their
 * locks. It lets go of them before the devices do, so that a lock, or a mount, is free when its device has left.
 * Syscalls: close
 */
void supervisor_let_go(struct supervisor *s);

#endif
