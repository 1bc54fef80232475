/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A process in its jail, as the trusted side knows it: what it says in its log, and how it ended
 *
 * The log is a pipe in packet mode: one write of the process is one line, whatever is in it. Lines have a
 * budget. Above it the pipe is not read; when it is full the process, which never waits for it either,
 * counts what it loses and says so in its next line (devices/core/log.h).
 */
#ifndef VMRUN_RUNTIME_JAIL_SPAWNED_H
#define VMRUN_RUNTIME_JAIL_SPAWNED_H

#include "devices/core/boot.h"
#include "devices/core/bucket.h"
#include "devices/core/log.h"
#include "runtime/jail/jail.h"

/**
 * struct spawned - A process that was started; all fds owned
 * @jailed:	Its pid, 0 when there is none or it has been waited for; its pidfd
 * @control:	Our end of its control socket, non-blocking
 * @log:	Read end of its log pipe, non-blocking
 * @lines:	The budget of its log
 * @waits:	The budget of CTL_LATE, which comes as long as a device is waited for
 * @said:	By enum ctl_type: how often
 * @nr_res:	Resources it was given, from BOOT_FD_RES on, if it is a device
 * @late:	How often in a row the VMM missed its answer, and it was not waiting for the host; @late_ns:
 *		when last, @tell_late_ns: from when on a line about it may be written again
 * @ready:	It said so
 * @unruly:	It was killed because it broke the rules of its control socket
 * @left:	It exited by itself, without a signal
 * @status:	As waitpid() has it, once the pid is 0
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
};

/** spawned_init() - Nothing is owned; spawned_done() - close everything; does not wait for it */
void spawned_init(struct spawned *p);
void spawned_done(struct spawned *p);

/** spawned_reap() - Wait for it if it is dead: whether it is.  Syscalls: waitid */
bool spawned_reap(struct spawned *p);

/** spawned_describe() - How it died: "killed by SIGKILL", "exited with code 1" */
void spawned_describe(const struct spawned *p, char *ret, size_t size);

/** enum spawned_said - What there is to be read of a log */
enum spawned_said {
	SPAWNED_LINE,
	SPAWNED_NOTHING, /* now */
	SPAWNED_LATER,	 /* the budget is spent */
	SPAWNED_END,	 /* nor ever will be: the pipe is to be closed */
};

/** struct spawned_line - One line: printable, and without its level */
struct spawned_line {
	enum log_level level;
	char text[LOG_LINE_BYTES];
};

/**
 * spawned_read() - Read one line of its log
 * @last:	Its writers are gone: what is left is finite, and is read whatever the budget
 * @ret_at_ns:	When there will be budget again; filled on SPAWNED_LATER
 *
 * Syscalls: read
 */
enum spawned_said spawned_read(struct spawned *p, bool last, struct spawned_line *ret,
			       uint64_t *ret_at_ns);

#endif
