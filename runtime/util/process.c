/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "devices/core/fmt.h"
#include "runtime/util/file.h"

#define START_FIELD 22

/* Reads /proc/PID/WHAT; false if it is empty or cannot be read. */
static bool process_read_proc(pid_t pid, const char *what, char *buf, size_t size)
{
	char path[40];

	fmt_into(path, sizeof(path), "/proc/%d/%s", pid, what);
	return file_read(AT_FDCWD, path, buf, size) > 0;
}

/* Field 3 of stat. Field 2, the name, may hold blanks and parentheses: the last parenthesis ends it. */
static char *process_read_stat(pid_t pid, char *buf, size_t size)
{
	char *at = process_read_proc(pid, "stat", buf, size) ? strrchr(buf, ')') : NULL;

	return at && at[1] == ' ' ? at + 2 : NULL;
}

bool process_in_io(pid_t pid)
{
	char stat[1024];
	const char *at = process_read_stat(pid, stat, sizeof(stat));

	return at && *at == 'D';
}

bool process_waits(pid_t pid, int fd, unsigned int nr)
{
	char stat[1024], call[256], *end;
	const char *at = process_read_stat(pid, stat, sizeof(stat));
	unsigned long long arg;

	if (!at || (*at != 'S' && *at != 'D'))
		return false;
	/* A number and arguments, or "running". Calls that sleep on an fd have it as their first argument. */
	if (*at == 'D' || !process_read_proc(pid, "syscall", call, sizeof(call)))
		return *at == 'D';
	at = strchr(call, ' ');
	if (!at || call[0] < '0' || call[0] > '9')
		return false;
	arg = strtoull(at + 1, &end, 16);
	return end != at + 1 && arg >= (unsigned int)fd && arg - (unsigned int)fd < nr;
}

bool process_dying(pid_t pid)
{
	static const char *const pending[] = {"SigPnd:", "ShdPnd:"};
	char status[4096];
	const char *at;

	if (!process_in_io(pid) || !process_read_proc(pid, "status", status, sizeof(status)))
		return false;
	for (unsigned int i = 0; i < ARRAY_SIZE(pending); i++) {
		at = strstr(status, pending[i]);
		if (at && strtoull(at + strlen(pending[i]), NULL, 16) & 1ULL << (SIGKILL - 1))
			return true;
	}
	return false;
}

uint64_t process_identify(pid_t pid)
{
	char stat[1024], *rest, *at = process_read_stat(pid, stat, sizeof(stat));

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
