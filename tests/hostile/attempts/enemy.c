/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Where the enemy takes over
 *
 * The linker turns the program's calls of lockdown(), lockdown_later(), refused_watch(), gmem_map(), syscall() and prctl()
 * into those of the __wrap_ functions here; __real_ are the program's own. Attempts are made behind the last filter. The jail gives its programs an empty environment. That of
 * tests/hostile/stages.c says more, for suites that need one process to be the enemy or one stage to be missing:
 *
 *   HOSTILE=PROCESS:WHAT	only PROCESS ("block0") is one. WHAT is "all"; "die NAME": the attempt with that name, with
 *				the handler that ships; "abi x32", "abi i386"; "burn"; or a lie (lies.h)
 *   WITHOUT=STAGE,...		stages that the jail leaves out; "seccomp", "landlock" and "dumpable" are this process's
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "devices/core/gmem.h"
#include "devices/core/lockdown.h"
#include "devices/core/log.h"
#include "devices/core/loop.h"
#include "devices/core/refused.h"
#include "tests/hostile/attempts/attempt.h"
#include "tests/hostile/attempts/lies.h"

static bool locked;

static const char *without(const char *stage)
{
	const char *all = getenv("WITHOUT");

	return all ? strstr(all, stage) : NULL;
}

/* The order for this process; NULL: none, it is honest */
static const char *orders(void)
{
	const char *told = getenv("HOSTILE");
	const size_t len = strlen(program_invocation_name);

	if (!told)
		return "all";
	return strncmp(told, program_invocation_name, len) == 0 && told[len] == ':' ? told + len + 1
										    : NULL;
}

static bool is_order(const char *word)
{
	const char *told = orders();

	return told && strncmp(told, word, strlen(word)) == 0;
}

long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, ...);
long __wrap_syscall(long nr, ...)
{
	long v[6];
	va_list args;

	va_start(args, nr);
	for (unsigned int i = 0; i < ARRAY_SIZE(v); i++)
		v[i] = va_arg(args, long);
	va_end(args);
	if ((nr == SYS_seccomp && without("seccomp")) ||
	    (nr == SYS_landlock_restrict_self && without("landlock")))
		return 0;
	return __real_syscall(nr, v[0], v[1], v[2], v[3], v[4], v[5]);
}

int __wrap_prctl(int op, ...);
int __wrap_prctl(int op, ...)
{
	unsigned long value;
	va_list args;

	va_start(args, op);
	value = va_arg(args, unsigned long);
	va_end(args);
	if (op == PR_GET_NO_NEW_PRIVS && without("no_new_privs"))
		return 1;
	if (op == PR_SET_DUMPABLE && without("dumpable"))
		return 0;
	return (int)CALL2(SYS_prctl, op, value);
}

int __real_refused_watch(struct err *err);
int __wrap_refused_watch(struct err *err);
int __wrap_refused_watch(struct err *err)
{
	return is_order("all") ? attempt_watch() : __real_refused_watch(err);
}

/* The name of the kind is that of the process without its number. */
static const char *kind_of_process(void)
{
	static char kind[BOOT_NAME_BYTES];
	size_t len = strlen(program_invocation_name);

	while (len > 0 && program_invocation_name[len - 1] >= '0' &&
	       program_invocation_name[len - 1] <= '9')
		len--;
	memcpy(kind, program_invocation_name, len < sizeof(kind) ? len : sizeof(kind) - 1);
	return kind;
}

/* A number of the x32 ABI: that of getpid() */
static void call_x32(void)
{
	CALL0(SYS_getpid | 0x40000000);
}

/* By the gate of 32-bit programs: their getpid() */
static void call_i386(void)
{
	long rc = 20;

	__asm__ volatile("int $0x80" : "+a"(rc) : : "memory");
}

static void obey(const char *told)
{
	if (strcmp(told, "all") == 0) {
		attempts_run(attempt_themes_memory);
		attempts_run(attempt_themes_files);
		attempts_run(attempt_themes_kernel);
		attempts_run(attempt_themes_processes);
		/* Without a filter it has done things to itself that no device recovers from. */
		if (without("seccomp"))
			CALL1(SYS_exit_group, 0);
		attempts_sweep();
	}
	if (strncmp(told, "die ", 4) == 0)
		(void)attempts_one(told + 4);
	if (strcmp(told, "abi x32") == 0)
		call_x32();
	if (strcmp(told, "abi i386") == 0)
		call_i386();
	while (strcmp(told, "burn") == 0)
		__asm__ volatile("" : : : "memory");
}

int __real_lockdown(const struct boot_filter *filter, struct err *err);
int __wrap_lockdown(const struct boot_filter *filter, struct err *err);
int __wrap_lockdown(const struct boot_filter *filter, struct err *err)
{
	const char *told = orders();
	int rc;

	attempts_look(kind_of_process(), !without("seccomp"));
	rc = __real_lockdown(filter, err);
	locked = rc == 0;
	if (locked && told && (filter->later == 0 || without("seccomp")))
		obey(told);
	if (locked && told)
		lie_early(told);
	return rc;
}

int __real_lockdown_later(const struct boot_filter *filter, struct err *err);
int __wrap_lockdown_later(const struct boot_filter *filter, struct err *err);
int __wrap_lockdown_later(const struct boot_filter *filter, struct err *err)
{
	const int rc = __real_lockdown_later(filter, err);

	if (rc == 0 && filter->later > 0 && orders())
		obey(orders());
	return rc;
}

int __real_gmem_map(struct gmem *m, int fd, uint64_t offset, uint64_t gpa, uint64_t bytes,
		    uint64_t user_addr, struct err *err);
int __wrap_gmem_map(struct gmem *m, int fd, uint64_t offset, uint64_t gpa, uint64_t bytes,
		    uint64_t user_addr, struct err *err);
int __wrap_gmem_map(struct gmem *m, int fd, uint64_t offset, uint64_t gpa, uint64_t bytes,
		    uint64_t user_addr, struct err *err)
{
	const int rc = __real_gmem_map(m, fd, offset, gpa, bytes, user_addr, err);

	if (rc == 0 && locked && is_order("all"))
		attempts_ram(fd, m->region[0].base);
	if (rc == 0 && locked && orders())
		lie_mapped(orders(), fd);
	return rc;
}

int __real_loop_run(struct loop *l, struct err *err);
int __wrap_loop_run(struct loop *l, struct err *err);
int __wrap_loop_run(struct loop *l, struct err *err)
{
	if (orders())
		lie_served(orders());
	return __real_loop_run(l, err);
}
