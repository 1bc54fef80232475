/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/hostile/attempts/attempt.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "devices/core/fmt.h"
#include "devices/core/log.h"

#define NUMBERS	   1024U /* more than the kernel has calls */
#define KNOWN	   3U
#define WAIT_S	   5
#define REFUSED	   LONG_MIN /* no call returns it */
#define LIST_BYTES 400
#define WRONGS	   4 /* of a theme, that have a line */

static struct attempt_self self;
static jmp_buf attempt_back;

/* Not by a return, which is a system call that few policies have */
static void attempt_on_refusal(int sig UNUSED)
{
	longjmp(attempt_back, 1);
}

int attempt_watch(void)
{
	/* It is not blocked in its handler: that never returns. */
	const struct sigaction act = {.sa_handler = attempt_on_refusal, .sa_flags = SA_NODEFER};

	return sigaction(SIGSYS, &act, NULL) < 0 ? -errno : 0;
}

void attempts_look(const char *kind, bool filtered)
{
	const long parent = getppid() > 0 ? getppid() : 1, own = getpid();

	self.kind = kind;
	self.filtered = filtered;
	for (int fd = 0; fd < (int)ARRAY_SIZE(self.fd); fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0)
			continue;
		self.fd[self.nr_fds++] = (struct attempt_fd){
			.fd = fd,
			.is_socket = S_ISSOCK(st.st_mode),
			.mode = st.st_mode & 07777,
			.flags = fcntl(fd, F_GETFL),
		};
	}
	for (long i = 0; i < ATTEMPT_PIDS; i++) {
		if (2 + i != own)
			self.pid[self.nr_pids++] = 2 + i;
		if (parent > 1 + ATTEMPT_PIDS && parent + i != own)
			self.pid[self.nr_pids++] = parent + i;
	}
}

void attempt_say(const char *fmt, ...)
{
	char line[LOG_LINE_BYTES] = "W ";
	struct timespec now, end;
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = 2 + fmt_vinto(line + 2, sizeof(line) - 3, fmt, args);
	va_end(args);
	line[len++] = '\n';
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += WAIT_S;
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (write(BOOT_FD_LOG, line, len) < 0 && errno == EAGAIN && now.tv_sec < end.tv_sec);
}

static long attempt_make(const struct attempt *a, long each)
{
	long v[6];

	/* What is changed after setjmp() is not looked at after longjmp(). */
	if (setjmp(attempt_back))
		return REFUSED;
	if (a->run)
		return a->run(each);
	for (unsigned int i = 0; i < ARRAY_SIZE(v); i++)
		v[i] = a->arg[i] == EACH ? each : a->arg[i];
	return attempt_call(a->nr == EACH ? each : a->nr, v[0], v[1], v[2], v[3], v[4], v[5]);
}

static void attempt_clear(const struct attempt *a, long rc)
{
	if (a->gives == GIVES_CHILD && rc == 0)
		CALL1(SYS_exit_group, 0);
	/* No zombie is to be there for later attempts. */
	if (a->gives == GIVES_CHILD && rc > 0)
		CALL4(SYS_wait4, rc, 0, __WALL, 0);
	/* The policies allow both, or have not allowed what gave it. */
	if (a->gives == GIVES_FD && rc >= 0)
		CALL1(SYS_close, rc);
	if (a->gives == GIVES_MEMORY && rc >= 0)
		CALL2(SYS_munmap, rc, 4096);
}

static bool attempt_is_of(const char *kinds, const char *kind)
{
	const size_t len = strlen(kind);
	const char *at = kinds;

	if (!kinds || strcmp(kinds, "*") == 0)
		return kinds;
	while ((at = strstr(at, kind))) {
		if ((at == kinds || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
		at += len;
	}
	return false;
}

/**
 * struct tally - What came of a theme
 * @through:	The attempts that got through, by number
 */
struct tally {
	unsigned int made, refused, failed, done, wrong;
	char through[LIST_BYTES];
	size_t len;
};

static void attempt_count(struct tally *t, const struct attempt *a, long each, long rc)
{
	const int error = rc < 0 ? (int)-rc : 0;

	t->made++;
	if (rc == REFUSED) {
		t->refused++;
		return;
	}
	if (rc < 0)
		t->failed++;
	else
		t->done++;
	if (attempt_is_of(a->may, self.kind) && (a->error == ANY_ERROR || a->error == error))
		return;
	if (t->wrong++ < WRONGS && self.filtered)
		attempt_say("attempts: not refused: %s, %ld: %s", a->name, each,
			    rc < 0 ? strerror(error) : "done");
}

static unsigned int attempt_times(const struct attempt *a)
{
	switch (a->each) {
	case EACH_FD:
	case EACH_SOCKET: return self.nr_fds;
	case EACH_PID: return self.nr_pids;
	/* Without a filter the kernel looks for a module for each family of sockets that it does not know. */
	case EACH_NUMBER: return self.filtered || a->number < KNOWN ? a->number : KNOWN;
	default: return 1;
	}
}

/* The value of EACH for turn @i; false: this turn is none */
static bool attempt_turn(const struct attempt *a, unsigned int i, long *ret)
{
	*ret = a->each == EACH_NUMBER ? i : a->each == EACH_RAM ? self.ram : 0;
	if (a->each == EACH_FD || a->each == EACH_SOCKET)
		*ret = self.fd[i].fd;
	if (a->each == EACH_PID)
		*ret = self.pid[i];
	return a->each != EACH_SOCKET || self.fd[i].is_socket;
}

/* Whether it got through with any value */
static bool attempt_try(struct tally *t, const struct attempt *a)
{
	const unsigned int times = attempt_times(a);
	bool through = false;

	for (unsigned int i = 0; i < times; i++) {
		long each, rc;

		if (!attempt_turn(a, i, &each))
			continue;
		rc = attempt_make(a, each);
		attempt_clear(a, rc);
		attempt_count(t, a, each, rc);
		through |= rc >= 0 || (rc != REFUSED && a->reached && rc == -a->reached);
	}
	return through;
}

static void attempt_theme(const struct attempt_theme *theme)
{
	struct tally t = {0};

	for (unsigned int i = 0; i < theme->nr; i++)
		if (attempt_try(&t, &theme->attempt[i]))
			t.len += fmt_into(t.through + t.len, sizeof(t.through) - t.len, " %u", i);
	attempt_say("attempts: %s: made %u refused %u failed %u done %u wrong %u of %u; through:%s",
		    theme->name, t.made, t.refused, t.failed, t.done, t.wrong, theme->nr,
		    t.through);
}

void attempts_run(const struct attempt_theme *themes)
{
	for (; themes->name; themes++)
		attempt_theme(themes);
}

const struct attempt_fd *attempts_held(long fd)
{
	unsigned int i = self.nr_fds - 1;

	while (i > 0 && self.fd[i].fd != fd)
		i--;
	return &self.fd[i];
}

void attempts_ram(int fd, void *base)
{
	const unsigned int nr = self.nr_fds;
	const struct attempt_fd first = self.fd[0];

	self.nr_fds = 1;
	self.fd[0] = (struct attempt_fd){.fd = fd};
	self.ram = (long)base;
	attempts_run(attempt_themes_ram);
	self.nr_fds = nr;
	self.fd[0] = first;
}

static bool attempts_one_of(const struct attempt_theme *themes, const char *name)
{
	for (; themes->name; themes++) {
		for (unsigned int i = 0; i < themes->nr; i++) {
			struct tally t = {0};

			if (strcmp(themes->attempt[i].name, name) != 0)
				continue;
			attempt_try(&t, &themes->attempt[i]);
			return true;
		}
	}
	return false;
}

bool attempts_one(const char *name)
{
	return attempts_one_of(attempt_themes_files, name) ||
	       attempts_one_of(attempt_themes_processes, name) ||
	       attempts_one_of(attempt_themes_kernel, name) ||
	       attempts_one_of(attempt_themes_memory, name);
}

/* uretprobe and uprobe no filter sees, since Linux 6.14: outside of a probe they are SIGILL. */
static bool attempts_ends(unsigned int nr)
{
	return nr == SYS_exit || nr == SYS_exit_group || nr == SYS_rt_sigreturn || nr == 335 ||
	       nr == 336;
}

void attempts_sweep(void)
{
	const struct attempt all_ones = {.nr = EACH, .arg = {-1, -1, -1, -1, -1, -1}};
	struct tally t = {0};

	for (unsigned int nr = 0; nr < NUMBERS; nr++) {
		if (attempts_ends(nr))
			continue;
		t.made++;
		if (attempt_make(&all_ones, nr) != REFUSED)
			t.len += fmt_into(t.through + t.len, sizeof(t.through) - t.len, " %u", nr);
	}
	attempt_say("sweep: made %u; through:%s", t.made, t.through);
}
