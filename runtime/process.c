/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "devices/core/fmt.h"

#define START_FIELD 22

uint64_t process_identify(pid_t pid)
{
	char path[40], stat[1024], *at, *rest;
	cleanup_fd int fd = -1;
	unsigned int field;
	ssize_t n;

	fmt_into(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, stat, sizeof(stat) - 1);
	if (n <= 0)
		return 0;
	stat[n] = '\0';
	/* Field 2, the name, may hold blanks and parentheses: the last one ends it. */
	at = strrchr(stat, ')');
	if (!at)
		return 0;
	at = strtok_r(at + 1, " ", &rest);
	for (field = 3; at && field < START_FIELD; field++)
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
	int r;

	if (pidfd == -ESRCH)
		return 0;
	if (pidfd < 0)
		return pidfd;
	r = process_signal(pidfd, SIGKILL);
	if (r < 0)
		return r == -ESRCH ? 0 : r;
	do
		r = poll(&poll_for, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return r ? 0 : -ETIMEDOUT;
}
