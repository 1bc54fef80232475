/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a jailed process in enemy hands tries
 *
 * The objects of this folder are linked with each program that ships. The linker's --wrap gives them the calls of
 * lockdown() and gmem_map(): the program's own main() comes as far as its filter with all that the real one gets,
 * then the attempts are made, then the program goes on as if they had not been.
 *
 * A policy's trap raises SIGSYS, and the call is not made. In place of refused.h's handler there is one that returns
 * to the attempt, so one process makes hundreds of them. An enemy could do the same, and gains a signal.
 *
 * Each theme writes one line to the log: how many calls were made, how many the policy refused, how many failed
 * and how many were carried out; then the attempts that got through, by their number in the theme.
 */
#ifndef VMRUN_TESTS_HOSTILE_ATTEMPTS_ATTEMPT_H
#define VMRUN_TESTS_HOSTILE_ATTEMPTS_ATTEMPT_H

#include <errno.h>
#include <sys/syscall.h>

#include "devices/core/base.h"
#include "devices/core/boot.h"

/* In place of an argument: the fd, the pid or the number whose turn it is */
#define EACH	     (-7777777L)
#define ANY_ERROR    (-1)

#define ATTEMPT_PIDS 64

/** enum attempt_each - What an attempt is made with, one after the other: EACH */
enum attempt_each {
	EACH_ONCE,
	EACH_FD,     /* those that the process holds */
	EACH_SOCKET, /* those of them that are sockets */
	EACH_PID,    /* those that are likely: from 2 on, and from its parent's on */
	EACH_NUMBER, /* from 0 on */
	EACH_RAM,    /* where guest RAM is mapped */
};

/**
 * enum attempt_result - What is left to do with what a call gave
 */
enum attempt_result {
	GIVES_NOTHING,
	GIVES_FD,
	GIVES_MEMORY, /* of a page */
	GIVES_CHILD,  /* that must end where it is 0 */
};

/**
 * struct attempt - One call, or a few that only make sense together
 * @nr, @arg:	The call; or
 * @run:	what makes them, with EACH's value: >= 0 or -errno
 * @number:	Of EACH_NUMBER
 * @reached:	The error of a call that comes past all that confines: its other arguments are bad
 * @may:	Kinds of process whose policy allows it ("fs block", "*"), with @error: 0, an errno or ANY_ERROR
 */
struct attempt {
	const char *name;
	long nr;
	long arg[6];
	long (*run)(long each);
	enum attempt_each each;
	unsigned int number;
	enum attempt_result gives;
	int reached;
	const char *may;
	int error;
};

/** struct attempt_theme - Attempts at one thing */
struct attempt_theme {
	const char *name;
	const struct attempt *attempt;
	unsigned int nr;
};

#define THEME(text, table)                                                                         \
	{                                                                                          \
		.name = (text), .attempt = (table), .nr = ARRAY_SIZE(table)                        \
	}
#define PATH(text) ((long)(text))

extern const struct attempt_theme attempt_themes_files[], attempt_themes_processes[],
	attempt_themes_kernel[], attempt_themes_memory[], attempt_themes_ram[];

/**
 * struct attempt_self - What the process knows of itself before its filter
 * @kind:	Of its boot record: "vmm", "block", ...
 * @fd:		What it holds, and how that is
 * @pid:	Of others, likely ones
 * @ram:	Where guest RAM is mapped
 */
struct attempt_self {
	const char *kind;
	bool filtered;
	unsigned int nr_fds, nr_pids;
	struct attempt_fd {
		int fd;
		bool is_socket;
		unsigned int mode;
		int flags;
	} fd[256];
	long pid[2 * ATTEMPT_PIDS];
	long ram;
};

/**
 * attempt_call() - A system call, without the C library's part in it
 *
 * Return: what the kernel returned
 */
static inline long attempt_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long rc = nr;

	__asm__ volatile("syscall"
			 : "+a"(rc)
			 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return rc;
}

#define CALL0(nr)	       attempt_call(nr, 0, 0, 0, 0, 0, 0)
#define CALL1(nr, a)	       attempt_call(nr, (long)(a), 0, 0, 0, 0, 0)
#define CALL2(nr, a, b)	       attempt_call(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define CALL3(nr, a, b, c)     attempt_call(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CALL4(nr, a, b, c, d)  attempt_call(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define CALL6(nr, a, b, c, d, e, f)                                                                \
	attempt_call(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/**
 * attempts_look() - Find out what the process holds
 * @kind:	Kept
 * @filtered:	There will be a filter: what it does not refuse has a line in the log
 *
 * Context: before the filter
 */
void attempts_look(const char *kind, bool filtered);

/**
 * attempts_run() - Make all attempts of a table of themes, which ends with one without a name
 *
 * Context: behind the filter; refused calls are to raise SIGSYS
 */
void attempts_run(const struct attempt_theme *themes);

/** attempts_held() - What the process knows of an fd that it holds */
const struct attempt_fd *attempts_held(long fd);

/**
 * attempts_ram() - Make those at guest RAM
 * @fd:		The file behind it, in place of all others
 *
 * Context: likewise
 */
void attempts_ram(int fd, void *base);

/**
 * attempts_one() - Make the attempts with one name, as often as it says
 *
 * Return: whether there is one
 */
bool attempts_one(const char *name);

/**
 * attempts_sweep() - Make each system call once, with arguments that are all ones, and say which the policy allows
 *
 * Those that would end the process are left out. Then those of x32 numbers and beyond all numbers.
 */
void attempts_sweep(void);

/**
 * attempt_say() - Write a line to the log, and wait until it takes it
 */
void attempt_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * attempt_watch() - Have a refused call return to the attempt
 *
 * Context: before the filter
 * Return: 0 or -errno
 */
int attempt_watch(void);

#endif
