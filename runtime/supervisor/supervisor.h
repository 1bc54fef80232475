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
#define SUPERVISOR_DRAIN_NS 2000000000ULL

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

/** supervisor_watch() - Watch process @i of s->proc */
MUST_CHECK int supervisor_watch(struct supervisor *s, unsigned int i, struct err *err);

/** supervisor_process() - Whose fd it is: control socket, log or pidfd */
struct spawned *supervisor_process(struct supervisor *s, int fd);

/** supervisor_watch_log() - Pass the log of @p on to the VM's, within its budget */
MUST_CHECK int supervisor_watch_log(struct supervisor *s, const struct spawned *p, struct err *err);

/** supervisor_last_lines() - @p is dead: pass on what it said before, and close its log */
void supervisor_last_lines(struct supervisor *s, struct spawned *p);

/** supervisor_listen_again() - s->listen_again_ns has passed */
void supervisor_listen_again(struct supervisor *s);

/** supervisor_note_losses() - If the VM's log has lost lines, see to it that it is told */
void supervisor_note_losses(struct supervisor *s);

/** supervisor_tell_losses() - s->tell_losses_ns has passed */
void supervisor_tell_losses(struct supervisor *s);

/** supervisor_watch_jails() - Watch the error pipe */
MUST_CHECK int supervisor_watch_jails(struct supervisor *s, struct err *err);

/** supervisor_fail() - Creating failed for this reason; the first one counts */
void supervisor_fail(struct supervisor *s, const struct err *err);

/**
 * supervisor_end() - The VM is over for this reason; the first one counts
 * @now:	Whether everybody is killed instead of being given time to drain
 */
void supervisor_end(struct supervisor *s, enum end_cause cause, const char *detail, bool now);

/** supervisor_kill() - Nothing is waited for any more: whoever is left is killed */
void supervisor_kill(struct supervisor *s);

/** supervisor_deadline() - s->deadline_ns has passed */
void supervisor_deadline(struct supervisor *s);

/** supervisor_create_late() - s->create_by_ns has passed */
void supervisor_create_late(struct supervisor *s);

/**
 * supervisor_drain_note() - Remember which process has the console
 * @console:	Where its output goes; duplicated
 *
 * Syscalls: fcntl
 */
void supervisor_drain_note(struct supervisor *s, const struct plan *p, int console);

/**
 * supervisor_drain() - The VM has ended and its time to leave is over
 *
 * Return: whether its last output waits for a reader. Then all but the serial device are killed, and it is
 * looked at again later
 */
bool supervisor_drain(struct supervisor *s);

/** supervisor_drain_alone() - A process died: undo what only it was for if the serial device is the last */
void supervisor_drain_alone(struct supervisor *s);

/** supervisor_note() - Remember what a start needs of the plan, which does not stay */
void supervisor_note(struct supervisor *s, const struct plan *p);

/**
 * supervisor_start() - Begin to start the guest
 * @client:	Gets the answer when the guest runs or cannot, taken on success; -1: a VM that cannot be
 *		started ends
 *
 * Return: 0; -EINVAL, -EBUSY when this is no time for a start; -errno of the network
 */
MUST_CHECK int supervisor_start(struct supervisor *s, int client, struct err *err);

/** supervisor_asked() - Whether the start waits for an answer of @p */
bool supervisor_asked(const struct supervisor *s, const struct spawned *p);

/** supervisor_answered() - CTL_DONE from a process that was asked */
void supervisor_answered(struct supervisor *s, const struct spawned *p, const struct ctl_msg *m);

/** supervisor_start_late() - s->start.deadline_ns has passed */
void supervisor_start_late(struct supervisor *s);

/** supervisor_start_cut() - The VM ended; a start under way is over, and why is told */
void supervisor_start_cut(struct supervisor *s, const char *why);

/** supervisor_serve() - Answer control socket and signals from now on */
MUST_CHECK int supervisor_serve(struct supervisor *s, struct err *err);

/**
 * supervisor_make_nets() - Carry out the plan's networks, before any process of the VM exists
 * @sp:		Gets the TAPs
 *
 * Context: in the host's namespace, alone in the process
 */
MUST_CHECK int supervisor_make_nets(struct supervisor *s, const struct launch *l, struct spawn *sp,
				    struct err *err);

/**
 * supervisor_join_nets() - What a start does first: netns mode's interfaces, as they are by now
 * @client:	Is told of interfaces that no device is left for, if it is one
 */
MUST_CHECK int supervisor_join_nets(struct supervisor *s, int client, struct err *err);

/** supervisor_undo_nets() - Remove the networks; what cannot be undone stays in s->state for delete */
void supervisor_undo_nets(struct supervisor *s);

/** supervisor_main() - The life of the supervisor; never returns */
NORETURN void supervisor_main(struct supervisor *s, const struct launch *l);

#endif
