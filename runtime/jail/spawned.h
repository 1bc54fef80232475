/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A jailed process, as the trusted side sees it: its log, and how it ended
 *
 * The log is a pipe in packet mode: one write of the process is one line. Lines have a budget; once it is
 * spent the pipe is not read. The process does not wait for a full pipe: it counts the lines it loses and says
 * so in the next one (devices/core/log.h).
 */
#ifndef VMRUN_RUNTIME_JAIL_SPAWNED_H
#define VMRUN_RUNTIME_JAIL_SPAWNED_H

#include "devices/core/boot.h"
#include "devices/core/bucket.h"
#include "devices/core/ctl.h"
#include "devices/core/log.h"
#include "runtime/jail/jail.h"
#include "runtime/util/refused_call.h"

#define SPAWNED_HOW_BYTES 224

/**
 * struct spawned - A started process; owns its fds
 * @jailed:	Its pid, 0 if there is none or after it was waited for; its pidfd
 * @control:	Our end of its control socket, non-blocking
 * @log:	Read end of its log pipe, non-blocking
 * @lines:	The budget of its log
 * @waits:	The budget of CTL_LATE, which the VMM repeats while it waits for a device
 * @said:	How many messages it sent, by enum ctl_type
 * @nr_res:	Of a device: its resources, from BOOT_FD_RES on
 * @late:	How often in a row it was late with an answer to the VMM while it was not waiting for the host;
 *		@late_ns: the last time, @tell_late_ns: the earliest time for the next line about it
 * @ready:	It sent CTL_READY
 * @unruly:	It was killed because it broke the rules of its control socket
 * @left:	It exited by itself, without a signal
 * @status:	As waitpid() has it, once the pid is 0
 * @was:	Its pid, once that is 0
 * @refused:	It said which system call its policy refused: @call
 */
struct spawned {
	char name[BOOT_NAME_BYTES];
	struct jailed jailed;
	int control;
	int log;
	struct bucket lines, waits;
	unsigned int said[CTL_TYPES];
	unsigned int nr_res, late;
	uint64_t late_ns, tell_late_ns;
	bool ready;
	bool unruly;
	bool left;
	int status;
	pid_t was;
	bool refused;
	struct refused_call call;
};

/** spawned_init() - Own nothing; spawned_done() - close all fds, without waiting for the process */
void spawned_init(struct spawned *p);
void spawned_done(struct spawned *p);

/** spawned_reap() - Reap it if it is dead; returns whether it is.  Syscalls: waitid */
bool spawned_reap(struct spawned *p);

/** spawned_describe() - Describe how it died: "killed by SIGKILL", "exited with code 1" */
void spawned_describe(const struct spawned *p, char *ret, size_t size);

/** enum spawned_said - The result of reading a log */
enum spawned_said {
	SPAWNED_LINE,
	SPAWNED_NOTHING, /* no line now */
	SPAWNED_LATER,	 /* the budget is spent */
	SPAWNED_END,	 /* no line will come: close the pipe */
};

/** struct spawned_line - One line, printable, without the letter of its level */
struct spawned_line {
	enum log_level level;
	char text[LOG_LINE_BYTES];
};

/**
 * spawned_read() - Read one line of its log
 * @last:	Its writers are gone: the rest is finite, and is read even if the budget is spent
 * @ret_at_ns:	On SPAWNED_LATER: when to read again
 *
 * Syscalls: read
 */
enum spawned_said spawned_read(struct spawned *p, bool last, struct spawned_line *ret,
			       uint64_t *ret_at_ns);

#endif
