/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/task.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "cmd/vmrun-init/creds.h"
#include "cmd/vmrun-init/devnodes.h"
#include "cmd/vmrun-init/fault.h"
#include "cmd/vmrun-init/hidden.h"
#include "cmd/vmrun-init/inroot.h"
#include "cmd/vmrun-init/links.h"
#include "cmd/vmrun-init/lookup.h"
#include "cmd/vmrun-init/mounts.h"
#include "cmd/vmrun-init/pty.h"
#include "cmd/vmrun-init/rootfs.h"
#include "cmd/vmrun-init/stamp.h"
#include "cmd/vmrun-init/starthook.h"
#include "cmd/vmrun-init/sysctls.h"
#include "devices/core/fdio.h"

/* Process 1's own fds must not be within the container's reach, not even until execve. */
static int task_close_others(const struct task *t)
{
	unsigned int from = STDERR_FILENO + 1;

	while (true) {
		unsigned int report = (unsigned int)t->report, join = (unsigned int)t->container_fd;
		unsigned int next = ~0U;

		if (report >= from)
			next = report;
		if (t->container_fd >= 0 && join >= from && join < next)
			next = join;
		if (next > from && syscall(SYS_close_range, from, next - 1, 0) < 0)
			return -errno;
		if (next == ~0U)
			return 0;
		from = next + 1;
	}
}

static int task_streams(const struct task *t)
{
	cleanup_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	for (int i = 0; i < 3; i++)
		if (dup2(t->std[i] >= 0 ? t->std[i] : null, i) < 0)
			return -errno;
	return 0;
}

/* So that /proc/self/fd/0 has a path that leads somewhere; a /dev/null that is none stays away. */
static void task_own_null(const struct task *t)
{
	cleanup_fd int null = open("/dev/null", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (null < 0 || fstat(null, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return;
	for (int i = 0; i < 3; i++)
		if (t->std[i] < 0)
			(void)dup2(null, i);
}

/* Not signal(): C libraries keep some of them to themselves, but a program may find those ignored. */
static void task_reset_signals(void)
{
	static const struct {
		unsigned long handler, flags, restorer,
			mask; /* as the kernel has it; all zeros: SIG_DFL */
	} usual;

	for (int n = 1; n < _NSIG; n++)
		(void)!syscall(SYS_rt_sigaction, n, &usual, NULL, _NSIG / 8);
}

/* What is as it was in process 1, and must not be */
static int task_begin(const struct task *t)
{
	sigset_t none;
	int rc = task_streams(t);

	(void)sigemptyset(&none);
	task_reset_signals();
	if (rc == 0 && (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || setsid() < 0 ||
			prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0))
		rc = -errno;
	(void)umask(0022);
	return rc == 0 ? task_close_others(t) : rc;
}

/* @ret_slave: unchanged where there is no terminal */
static int task_terminal(const struct task *t, const struct agent_process *p, int root,
			 int *ret_slave, struct fault *f)
{
	const struct task_report r = {0};
	cleanup_fd int master = -1, slave = -1;
	int rc;

	if (!(p->flags & AGENT_TERMINAL))
		return 0;
	(void)fault_step(f, AGENT_STEP_CONSOLE, 0);
	master = pty_open(root, p, &slave);
	if (master < 0)
		return master;
	rc = fd_send(t->report, &r, sizeof(r), &master, 1);
	if (rc == 0 && t->container == 0)
		rc = pty_console(root, slave);
	if (rc == 0)
		*ret_slave = TAKE_FD(slave);
	return rc;
}

/* Everything in the root, until it can be entered */
static int task_fill(const struct task *t, const struct agent_process *p, int share, int root,
		     int *ret_slave, struct fault *f)
{
	struct mounts m;
	int rc = mounts_make(t->desc, share, root, &m, f);

	if (rc == 0)
		rc = devnodes_make(t->desc, root, fault_step(f, AGENT_STEP_DEVICE, 0));
	if (rc == 0)
		rc = task_terminal(t, p, root, ret_slave, f);
	if (rc == 0)
		(void)fault_step(f, AGENT_STEP_MOUNT, 0);
	if (rc == 0)
		rc = mounts_seal(&m);
	if (rc == 0)
		rc = links_apply(t->desc, f);
	if (rc == 0)
		rc = sysctls_apply(t->desc, f);
	if (rc == 0)
		rc = hidden_make(t->desc, root, f);
	return rc;
}

/* While the root can be written to; if it cannot, or a file is in the way, chdir() says so. */
static void task_make_cwd(const struct desc *d, const struct agent_process *p, int root)
{
	cleanup_fd int made = -1;

	if (p->flags & AGENT_CREATE_CWD)
		made = inroot_dir(root, desc_text(d, AGENT_PROCESS, 0, 0));
}

static int task_make(const struct task *t, const struct agent_process *p, int *ret_slave,
		     struct fault *f)
{
	cleanup_fd int share = -1, root = -1;
	int rc;

	(void)fault_step(f, AGENT_STEP_CGROUP, 0);
	if (unshare(CLONE_NEWCGROUP) < 0)
		return -errno;
	(void)fault_step(f, AGENT_STEP_ROOT, 0);
	root = rootfs_attach(t->desc, t->share, &share);
	if (root < 0)
		return root;
	rc = task_fill(t, p, share, root, ret_slave, f);
	if (rc < 0)
		return rc;
	task_make_cwd(t->desc, p, root);
	(void)fault_step(f, AGENT_STEP_ROOT, 0);
	rc = rootfs_seal(t->desc, root);
	if (rc == 0)
		rc = rootfs_enter(t->desc, root);
	return rc == 0 ? starthooks_run(t->desc, f) : rc;
}

static int task_join(const struct task *t, const struct agent_process *p, int *ret_slave,
		     struct fault *f)
{
	const int spaces = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
	cleanup_fd int root = -1;
	char path[32];
	int rc;

	(void)fault_step(f, AGENT_STEP_PROCESS, 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/root", t->container);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	rc = root < 0 ? -errno : task_terminal(t, p, root, ret_slave, f);
	if (rc < 0)
		return rc;
	(void)fault_step(f, AGENT_STEP_PROCESS, 0);
	return setns(t->container_fd, spaces) < 0 ? -errno : 0;
}

static int task_cwd(const char *cwd)
{
	char path[PATH_MAX];

	if (chdir(cwd) < 0)
		return -errno;
	/* One outside the root has no path. */
	return getcwd(path, sizeof(path)) && path[0] == '/' ? 0 : -ENOENT;
}

/* Limits, directory and user. @f: as all. The directory may be closed to root, on some shares, or to the user. */
static int task_become(const struct desc *d, const struct agent_process *p, struct fault *f)
{
	const char *cwd = desc_text(d, AGENT_PROCESS, 0, 0);
	int there, rc = creds_limits(d, p, f);

	if (rc < 0)
		return rc;
	(void)fault_step(f, AGENT_STEP_CWD, 0);
	there = task_cwd(cwd);
	if (there < 0 && there != -EACCES)
		return there;
	(void)fault_step(f, AGENT_STEP_USER, 0);
	if (p->flags & AGENT_NO_NEW_PRIVS && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (!(p->flags & AGENT_NO_NEW_PRIVS))
		rc = creds_filters(d, f);
	if (rc == 0)
		rc = creds_user(d, p, f);
	if (rc < 0 || there == 0)
		return rc;
	(void)fault_step(f, AGENT_STEP_CWD, 0);
	return task_cwd(cwd);
}

static int task_exec(const struct desc *d, const struct agent_process *p, int slave,
		     struct fault *f)
{
	char **args = desc_texts(d, AGENT_ARG), **env;
	char home[PATH_MAX], path[PATH_MAX];
	uint32_t n = d->count[AGENT_ENV];
	int rc;

	env = calloc((size_t)n + 2, sizeof(*env));
	if (!args || !env)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		env[i] = (char *)(uintptr_t)desc_text(d, AGENT_ENV, i, 0);
	if (!lookup_env(env, "HOME")) {
		lookup_home(p->uid, home);
		env[n] = home;
	}
	(void)fault_step(f, AGENT_STEP_CONSOLE, 0);
	rc = slave < 0 ? 0 : pty_take(slave);
	if (rc == 0)
		rc = task_become(d, p, f);
	if (rc < 0)
		return rc;
	(void)fault_step(f, AGENT_STEP_LOOKUP, 0);
	rc = args[0] ? lookup_program(args[0], lookup_env(env, "PATH"), path) : -EINVAL;
	(void)umask(p->flags & AGENT_UMASK ? p->umask & 0777 : 0022);
	if (rc == 0 && p->flags & AGENT_NO_NEW_PRIVS)
		rc = creds_filters(d, f);
	if (rc < 0)
		return rc;
	(void)fault_step(f, AGENT_STEP_EXEC, 0);
	(void)execve(path, args, env);
	return -errno;
}

/* For those who look where the time goes */
static void task_say_complete(const struct task *t)
{
	const struct task_report r = {.code = stamp_us()};

	(void)!fd_write_full(t->report, &r, sizeof(r));
}

void task_run(const struct task *t)
{
	cleanup_fd int slave = -1;
	struct agent_process p = {0};
	struct fault f = {.step = AGENT_STEP_PROCESS};
	struct task_report r;
	int rc = task_begin(t);

	(void)desc_get(t->desc, AGENT_PROCESS, 0, &p);
	if (rc == 0)
		rc = creds_oom_score(&p, &f);
	if (rc == 0)
		rc = t->container ? task_join(t, &p, &slave, &f) : task_make(t, &p, &slave, &f);
	if (rc == 0) {
		task_own_null(t);
		task_say_complete(t);
		rc = task_exec(t->desc, &p, slave, &f);
	}
	r = (struct task_report){f.step, (uint32_t)-rc, f.index};
	if (rc == STARTHOOK_FAILED && f.step == AGENT_STEP_HOOK)
		r.code = 0;
	/* If this fails process 1 sees a program that ends. */
	(void)!fd_write_full(t->report, &r, sizeof(r));
	_exit(127);
}
