/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/starthook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "devices/core/fdio.h"

/* A file, not a pipe: a hook that does not read it stops no one. */
static int starthook_state(const struct desc *d)
{
	cleanup_fd int fd = memfd_create("state", MFD_CLOEXEC);
	const char *state = d->count[AGENT_STATE] ? desc_text(d, AGENT_STATE, 0, 0) : "";
	int rc = fd < 0 ? -errno : fd_write_full(fd, state, strlen(state));

	if (rc == 0 && lseek(fd, 0, SEEK_SET) < 0)
		rc = -errno;
	return rc < 0 ? rc : TAKE_FD(fd);
}

/* errno of the failure, as a status that a hook may also have; the pipe tells them apart */
NORETURN static void starthook_exec(char **args, char **env, const char *path, int state,
				    int failed)
{
	if (dup2(state, STDIN_FILENO) >= 0 &&
	    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO) >= 0 &&
	    dup2(STDOUT_FILENO, STDERR_FILENO) >= 0)
		(void)execve(path, args, env);
	(void)!write(failed, &errno, sizeof(errno));
	_exit(127);
}

static int starthook_wait(pid_t pid, uint32_t timeout_s)
{
	cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int timeout_ms = timeout_s == 0			? -1
			 : timeout_s > INT32_MAX / 1000 ? INT32_MAX
							: (int)timeout_s * 1000;
	int status, ready = poll(&p, 1, timeout_ms);

	if (ready <= 0)
		(void)kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	if (ready <= 0)
		return -ETIMEDOUT;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : STARTHOOK_FAILED;
}

static int starthook_spawn(const char *path, char **args, char **env, int state, uint32_t timeout_s)
{
	cleanup_fd int heard = -1, failed = -1;
	int fds[2], code;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	heard = fds[0];
	failed = fds[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		starthook_exec(args, env, path, state, failed);
	close(TAKE_FD(failed));
	if (read(heard, &code, sizeof(code)) == sizeof(code)) {
		(void)!waitpid(pid, NULL, 0);
		return -code;
	}
	return starthook_wait(pid, timeout_s);
}

static int starthook_run(const struct desc *d, uint32_t i)
{
	cleanup_fd int state = starthook_state(d);
	cleanup_free char **args = NULL, **env = NULL;
	const char *path = desc_text(d, AGENT_HOOK, i, 0);
	struct agent_hook h;

	if (state < 0)
		return state;
	(void)desc_get(d, AGENT_HOOK, i, &h);
	/* Without arguments of its own it has its path for one. */
	args = desc_list(d, AGENT_HOOK, i, h.nr_args ? 1 : 0, h.nr_args ? h.nr_args : 1);
	env = desc_list(d, AGENT_HOOK, i, 1 + h.nr_args, h.nr_env);
	if (!args || !env)
		return -ENOMEM;
	return starthook_spawn(path, args, env, state, h.timeout_s);
}

int starthooks_run(const struct desc *d, struct fault *f)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < d->count[AGENT_HOOK]; i++) {
		(void)fault_step(f, AGENT_STEP_HOOK, i);
		rc = starthook_run(d, i);
	}
	return rc;
}
