/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "devices/core/fmt.h"
#include "runtime/util/file.h"

#define START_FIELD 22

/* Reads /proc/PID/WHAT, or with @tid that of a thread; false if it is empty or cannot be read. */
static bool process_read_proc(pid_t pid, pid_t tid, const char *what, char *buf, size_t size)
{
	char path[60];

	if (tid)
		fmt_into(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, what);
	else
		fmt_into(path, sizeof(path), "/proc/%d/%s", pid, what);
	return file_read(AT_FDCWD, path, buf, size) > 0;
}

/* Field 3 of stat. Field 2, the name, may hold blanks and parentheses: the last parenthesis ends it. */
static char *process_read_stat(pid_t pid, pid_t tid, char *buf, size_t size)
{
	char *at = process_read_proc(pid, tid, "stat", buf, size) ? strrchr(buf, ')') : NULL;

	return at && at[1] == ' ' ? at + 2 : NULL;
}

/* The state letter of a process's first thread, or of another; '?' if it is gone */
static char process_state(pid_t pid, pid_t tid)
{
	char stat[1024];
	const char *at = process_read_stat(pid, tid, stat, sizeof(stat));

	return at ? *at : '?';
}

bool process_in_io(pid_t pid)
{
	return process_state(pid, 0) == 'D';
}

/** struct fds - Some that follow each other */
struct fds {
	unsigned int first, nr;
};

/* Whether @is says so of some thread */
static bool process_some_thread(pid_t pid, bool (*is)(pid_t pid, pid_t tid, const struct fds *fds),
				const struct fds *fds)
{
	bool yes = false;
	struct dirent *e;
	char path[40];
	DIR *dir;

	fmt_into(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && !yes && (e = readdir(dir)) != NULL)
		yes = e->d_name[0] != '.' && is(pid, (pid_t)strtol(e->d_name, NULL, 10), fds);
	if (dir)
		closedir(dir);
	return yes;
}

/* Whether a thread sleeps uninterruptibly or in a call on one of @fds */
static bool process_thread_waits(pid_t pid, pid_t tid, const struct fds *fds)
{
	const char state = process_state(pid, tid);
	unsigned long long arg;
	char call[256], *at, *end;

	/* A number and arguments, or "running". Calls that sleep on an fd have it as their first argument. */
	if (state != 'S' || !process_read_proc(pid, tid, "syscall", call, sizeof(call)))
		return state == 'D';
	at = strchr(call, ' ');
	if (!at || call[0] < '0' || call[0] > '9')
		return false;
	arg = strtoull(at + 1, &end, 16);
	return end != at + 1 && arg >= fds->first && arg - fds->first < fds->nr;
}

bool process_waits(pid_t pid, int fd, unsigned int nr)
{
	const struct fds fds = {(unsigned int)fd, nr};
	const char state = process_state(pid, 0);

	return (state == 'S' || state == 'D') &&
	       process_some_thread(pid, process_thread_waits, &fds);
}

static bool process_thread_dying(pid_t pid, pid_t tid, const struct fds *fds UNUSED)
{
	static const char *const pending[] = {"SigPnd:", "ShdPnd:"};
	char status[4096];
	const char *at;

	if (process_state(pid, tid) != 'D' ||
	    !process_read_proc(pid, tid, "status", status, sizeof(status)))
		return false;
	for (unsigned int i = 0; i < ARRAY_SIZE(pending); i++) {
		at = strstr(status, pending[i]);
		if (at && strtoull(at + strlen(pending[i]), NULL, 16) & 1ULL << (SIGKILL - 1))
			return true;
	}
	return false;
}

bool process_dying(pid_t pid)
{
	return process_some_thread(pid, process_thread_dying, NULL);
}

uint64_t process_identify(pid_t pid)
{
	char stat[1024], *rest, *at = process_read_stat(pid, 0, stat, sizeof(stat));

	if (!at)
		return 0;
	at = strtok_r(at, " ", &rest);
	for (unsigned int field = 3; at && field < START_FIELD; field++)
		at = strtok_r(NULL, " ", &rest);
	return at ? strtoull(at, NULL, 10) : 0;
}

int process_open(const struct process *p)
{
	cleanup_fd int fd = -1;

	if (p->pid <= 0 || p->start == 0)
		return -ESRCH;
	fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (fd < 0)
		return -errno;
	if (process_identify(p->pid) != p->start)
		return -ESRCH;
	return TAKE_FD(fd);
}

int process_signal(int pidfd, int sig)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

int process_kill(const struct process *p, int timeout_ms)
{
	cleanup_fd int pidfd = process_open(p);
	struct pollfd poll_for = {.fd = pidfd, .events = POLLIN};
	int rc;

	if (pidfd == -ESRCH)
		return 0;
	if (pidfd < 0)
		return pidfd;
	rc = process_signal(pidfd, SIGKILL);
	if (rc < 0)
		return rc == -ESRCH ? 0 : rc;
	do
		rc = poll(&poll_for, 1, timeout_ms);
	while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return -errno;
	return rc ? 0 : -ETIMEDOUT;
}
