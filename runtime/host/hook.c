/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "runtime/util/clock.h"
#include "runtime/util/device_file.h"
#include "runtime/util/signal_names.h"

#define WORDS_BYTES 120 /* of what it said last */
#define LAST_READS  32	/* more than a full pipe needs */
#define MS	    1000000ULL
#define FAILED_FD   3 /* of the child: an errno value, if the program cannot be run */

extern char **environ;

/**
 * struct hook - A hook that runs
 * @says:	Its standard error
 * @failed:	Brings why it does not run; end of file: it does
 * @words, @nr:	The last that it said
 */
struct hook {
	pid_t pid;
	int pidfd;
	int says[2], failed[2];
	size_t nr;
	char words[WORDS_BYTES];
};

static void hook_done(struct hook *k)
{
	cleanup_close_fd(&k->pidfd);
	for (unsigned int i = 0; i < 2; i++) {
		cleanup_close_fd(&k->says[i]);
		cleanup_close_fd(&k->failed[i]);
	}
}
#define cleanup_hook __attribute__((cleanup(hook_done)))

/* A file in memory: a hook that does not read it holds nothing up. */
static int hook_state_file(const char *state, int *ret, struct err *err)
{
	cleanup_fd int fd = memfd_create("state", MFD_CLOEXEC);

	if (fd < 0 || fd_write_full(fd, state, strlen(state)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, errno, "state of the VM");
	*ret = TAKE_FD(fd);
	return 0;
}

/* ---- the child ---- */

static int hook_enter_netns(const char *path)
{
	const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	return path && (fd < 0 || setns(fd, CLONE_NEWNET) < 0) ? -errno : 0;
}

/* Signals that the verb blocks or ignores are its own affair. */
static void hook_reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal_default(sig);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static NORETURN void hook_exec(const struct plan_hook *h, const struct hook_place *place,
			       const struct hook *k, int state, int null)
{
	int rc;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	hook_reset_signals();
	rc = hook_enter_netns(place->netns);
	if (chdir(place->cwd) < 0 && chdir("/") < 0)
		rc = -errno;
	/* None of these is below 4: the verb has 0 to 2, and the first pipe lies above. */
	if (rc == 0 &&
	    (dup2(state, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	     dup2(k->says[1], STDERR_FILENO) < 0 || dup3(k->failed[1], FAILED_FD, O_CLOEXEC) < 0))
		rc = -errno;
	/* conmon waits until all that inherited its pipes have closed them. */
	if (rc == 0 && syscall(SYS_close_range, FAILED_FD + 1, ~0U, 0) < 0)
		rc = -errno;
	if (rc == 0) {
		(void)execve(h->path, h->argv, h->env ? h->env : environ);
		rc = -errno;
		(void)!write(FAILED_FD, &rc, sizeof(rc));
	} else {
		(void)!write(k->failed[1], &rc, sizeof(rc));
	}
	_exit(127);
}

/* ---- the verb ---- */

/* Above FAILED_FD, so that no dup2() of the child overwrites one that it needs yet */
static int hook_pipe(int ret[2])
{
	int low[2];

	if (pipe2(low, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	for (unsigned int i = 0; i < 2; i++) {
		ret[i] = fcntl(low[i], F_DUPFD_CLOEXEC, FAILED_FD + 1);
		close(low[i]);
	}
	return ret[0] < 0 || ret[1] < 0 ? -EMFILE : 0;
}

static int hook_start(const struct plan_hook *h, const struct hook_place *place, struct hook *k,
		      struct err *err)
{
	cleanup_fd int null = device_file_null(), state = -1;
	int rc = hook_state_file(place->state, &state, err);

	if (rc < 0)
		return rc;
	if (null < 0 || hook_pipe(k->says) < 0 || hook_pipe(k->failed) < 0)
		return err_set(err, errno, "hook");
	/* The hook's own writes wait for this process to read. */
	if (fcntl(k->says[1], F_SETFL, 0) < 0)
		return err_set(err, errno, "hook");
	k->pid = fork();
	if (k->pid < 0)
		return err_set(err, errno, "fork");
	if (k->pid == 0)
		hook_exec(h, place, k, state, null);
	k->pidfd = (int)syscall(SYS_pidfd_open, k->pid, 0);
	cleanup_close_fd(&k->says[1]);
	cleanup_close_fd(&k->failed[1]);
	k->says[1] = k->failed[1] = -1;
	return 0;
}

/* Keeps the end of what it says; false when there is no more */
static bool hook_listen(struct hook *k)
{
	char buf[4096];
	const ssize_t n = read(k->says[0], buf, sizeof(buf));
	const size_t got = n > 0 ? (size_t)n : 0;
	const size_t add = got < WORDS_BYTES ? got : WORDS_BYTES;
	const size_t keep = k->nr + add <= WORDS_BYTES ? k->nr : WORDS_BYTES - add;

	memmove(k->words, k->words + k->nr - keep, keep);
	memcpy(k->words + keep, buf + got - add, add);
	k->nr = keep + add;
	return n > 0;
}

/* Until it has ended: whether it did in time. What it leaves running may keep its standard error open. */
static bool hook_wait(struct hook *k, unsigned int timeout_s)
{
	const uint64_t end_ns = clock_ns() + timeout_s * 1000ULL * MS;
	struct pollfd p[2] = {{.fd = k->pidfd, .events = POLLIN},
			      {.fd = k->says[0], .events = POLLIN}};

	for (;;) {
		const uint64_t now = clock_ns();
		const uint64_t left = timeout_s && end_ns > now ? (end_ns - now) / MS + 1 : 0;

		if (timeout_s && left == 0)
			return false;
		if (poll(p, 2, timeout_s ? (left < INT32_MAX ? (int)left : INT32_MAX) : -1) < 0)
			continue;
		if (p[1].revents && !hook_listen(k))
			p[1].fd = -1;
		if (p[0].revents)
			return true;
	}
}

/* What it said, as an end of a sentence: "" if nothing */
static void hook_words(struct hook *k, char *ret, size_t size)
{
	size_t from = 0;

	while (k->nr > 0 && (k->words[k->nr - 1] == '\n' || k->words[k->nr - 1] == ' '))
		k->nr--;
	while (from < k->nr && (k->words[from] == '\n' || k->words[from] == ' '))
		from++;
	/* Of several lines one is made. */
	for (size_t i = from; i < k->nr; i++)
		if (k->words[i] == '\n')
			k->words[i] = ' ';
	ret[0] = '\0';
	if (from < k->nr)
		fmt_into(ret, size, ": %.*s", (int)(k->nr - from), k->words + from);
}

static int hook_verdict(const struct plan_hook *h, struct hook *k, const siginfo_t *info,
			bool in_time, struct err *err)
{
	char words[WORDS_BYTES + 3], name[24];
	int why = 0;

	if (read(k->failed[0], &why, sizeof(why)) == sizeof(why))
		return err_set(err, -why, "%s", h->path);
	for (unsigned int i = 0; i < LAST_READS && hook_listen(k); i++)
		;
	hook_words(k, words, sizeof(words));
	if (!in_time)
		return err_text(err, ETIMEDOUT, "%s: timed out after %u s%s", h->path, h->timeout_s,
				words);
	if (info->si_code != CLD_EXITED) {
		signal_name(info->si_status, name, sizeof(name));
		return err_text(err, ECHILD, "%s: killed by %s%s", h->path, name, words);
	}
	return info->si_status == 0 ? 0
				    : err_text(err, ECHILD, "%s: exit status %d%s", h->path,
					       info->si_status, words);
}

int hook_run(const struct plan_hook *h, const struct hook_place *place, struct err *err)
{
	cleanup_hook struct hook k = {.pidfd = -1, .says = {-1, -1}, .failed = {-1, -1}};
	siginfo_t info = {0};
	bool in_time;
	int rc = hook_start(h, place, &k, err);

	if (rc < 0)
		return rc;
	in_time = k.pidfd >= 0 && hook_wait(&k, h->timeout_s);
	if (!in_time)
		(void)kill(k.pid, SIGKILL);
	if (waitid(P_PID, (id_t)k.pid, &info, WEXITED) < 0)
		return err_set(err, errno, "wait for %s", h->path);
	return hook_verdict(h, &k, &info, in_time, err);
}
