/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "runtime/util/device_file.h"
#include "runtime/util/signal_names.h"

#define STACK_BYTES                                                                                \
	(8ULL << 20) /* the usual one; an unlimited stack would change the memory layout */
#define PROCESS_BYTES (16ULL << 20) /* address space of one process beside guest RAM */
#define DATA_BYTES    (24ULL << 20)
#define QUEUE_FILES   4

/* The limits that can end a VM. A soft limit is a default, and may be raised up to the hard one. */
static const struct {
	int resource;
	const char *name;
	const char *flag; /* of the shells' ulimit */
	rlim_t raise_to;
} limits[] = {
	{RLIMIT_FSIZE, "RLIMIT_FSIZE", "f", RLIM_INFINITY},
	{RLIMIT_NOFILE, "RLIMIT_NOFILE", "n", RLIM_INFINITY},
	{RLIMIT_NPROC, "RLIMIT_NPROC", "u", RLIM_INFINITY},
	{RLIMIT_AS, "RLIMIT_AS", "v", RLIM_INFINITY},
	{RLIMIT_DATA, "RLIMIT_DATA", "d", RLIM_INFINITY},
	{RLIMIT_STACK, "RLIMIT_STACK", "s", STACK_BYTES},
	{RLIMIT_CPU, "RLIMIT_CPU", "t", RLIM_INFINITY},
	{RLIMIT_SIGPENDING, "RLIMIT_SIGPENDING", "i", RLIM_INFINITY},
};

/* A file that is opened must not take the number of a standard stream that the caller closed. */
static int inherited_settle_streams(struct err *err)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		int null;

		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* open() takes the lowest free number, which is this one. */
		null = device_file_null();
		if (null != fd)
			return err_set(err, -null, "standard stream %d is closed: /dev/null", fd);
	}
	return 0;
}

/* For example, with SIGCHLD ignored children cannot be waited for. */
static void inherited_settle_signals(void)
{
	const struct sigaction ign = {.sa_handler = SIG_IGN};
	struct sigaction was;
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGHUP || (sigaction(sig, NULL, &was) == 0 && was.sa_handler != SIG_IGN))
			signal_default(sig);
	/* A file that may not grow makes the write fail, and that error can name the file. */
	(void)sigaction(SIGXFSZ, &ign, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Timers of setitimer() and alarm() survive exec, and their signals end a process. */
static void inherited_settle_timers(void)
{
	static const struct {
		int which, sig;
	} timers[] = {{ITIMER_REAL, SIGALRM}, {ITIMER_VIRTUAL, SIGVTALRM}, {ITIMER_PROF, SIGPROF}};
	const struct sigaction ign = {.sa_handler = SIG_IGN};
	const struct itimerval off = {0};

	for (unsigned int i = 0; i < ARRAY_SIZE(timers); i++) {
		(void)setitimer(timers[i].which, &off, NULL);
		/* This also discards a signal that was pending because it was blocked. */
		(void)sigaction(timers[i].sig, &ign, NULL);
	}
}

static void inherited_settle_limits(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(limits); i++) {
		rlim_t to = limits[i].raise_to;
		struct rlimit l;

		if (getrlimit(limits[i].resource, &l) < 0)
			continue;
		to = to < l.rlim_max ? to : l.rlim_max;
		if (l.rlim_cur >= to)
			continue;
		l.rlim_cur = to;
		(void)setrlimit(limits[i].resource, &l);
	}
}

int inherited_settle(struct err *err)
{
	int rc = inherited_settle_streams(err);

	if (rc < 0)
		return rc;
	inherited_settle_timers();
	inherited_settle_signals();
	/* The caller decides about group and others; the owner must be able to use its own files. */
	(void)umask(umask(077) & 077);
	inherited_settle_limits();
	return 0;
}

int inherited_need(int resource, uint64_t need, struct err *err)
{
	struct rlimit l;
	unsigned int i = 0;

	if (getrlimit(resource, &l) < 0 || l.rlim_cur >= need)
		return 0;
	while (limits[i].resource != resource)
		i++;
	return err_text(err, EPERM, "%s is %llu, and %llu are needed: raise the limit (ulimit -%s)",
			limits[i].name, (unsigned long long)l.rlim_cur, (unsigned long long)need,
			limits[i].flag);
}

static uint64_t inherited_larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

int inherited_check(const struct plan *p, const struct assets *a, struct err *err)
{
	uint64_t file_bytes = p->mem_bytes, files = INHERITED_JAIL_FILES;
	int rc;

	for (unsigned int i = 0; i < p->nr_procs; i++) {
		/* A block device does not grow. */
		if (p->proc[i].writes_file && !(p->proc[i].dev_flags & BOOT_DEV_RAW_BLK))
			file_bytes = inherited_larger(file_bytes, a->proc[i].disk_bytes);
		files += QUEUE_FILES * inherited_larger(1, p->proc[i].nr_queues);
	}
	rc = inherited_need(RLIMIT_FSIZE, file_bytes, err);
	if (rc == 0)
		rc = inherited_need(RLIMIT_AS, p->mem_bytes + PROCESS_BYTES, err);
	if (rc == 0)
		rc = inherited_need(RLIMIT_DATA, DATA_BYTES, err);
	if (rc == 0)
		rc = inherited_need(RLIMIT_NPROC, p->nr_vcpus + p->nr_procs + 1, err);
	return rc < 0 ? rc : inherited_need(RLIMIT_NOFILE, files, err);
}
