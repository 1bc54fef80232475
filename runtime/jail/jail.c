/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The stages of the jail, in order
 *
 *   parent: clone3: new user and pid namespaces    child: fds         none of the parent's is left
 *   parent: write the user namespace's maps        child: signals
 *                                                  child: namespaces  the others, but for cgroup
 *                                                  child: self        while there is a /proc
 *                                                  child: root        empty and read-only
 *   parent: go ----------------------------------> child: cgroup      its namespace
 *                                                  child: user        it is mapped by now
 *                                                  child: limits      after the user: some count per user
 *                                                  child: privileges  none, and no way to gain any
 *                                                  child: parent      die with it
 *                                                  child: exec
 *
 * The child starts in the cgroup of its parent: a supervisor is in the VM's leaf. It makes its namespaces
 * itself, because a network namespace takes long: so the children of one VM do it on several CPUs at once.
 *
 * From clone3 to exec the child uses system calls only: no heap, no stdio.
 */
#include "runtime/jail/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "devices/core/fmt.h"
#include "runtime/jail/caps.h"
#include "runtime/jail/root.h"
#include "runtime/util/nsfail.h"
#include "runtime/util/signal_names.h"

#define STACK_BYTES (8U << 20)

/**
 * struct child - The data of the child, prepared before clone3
 * @go_fd:	Read end of a pipe; a byte says that the maps are written
 * @program_fd, @error_fd: The jail's, moved behind the slots
 * @flag:	The namespace in the making
 * @caps:	What it keeps, usually nothing
 */
struct child {
	const struct jail *jail;
	int go_fd;
	int program_fd;
	int error_fd;
	int flag;
	const struct caps *caps;
};

static int jail_failed(const char **ret_step, const char *step)
{
	*ret_step = step;
	return -errno;
}

/* First, so that none of the supervisor's fds is open when a later stage fails. */
static int jail_stage_fds(struct child *c, const char **ret_step)
{
	const struct jail *j = c->jail;
	const int base = (int)j->nr_fds;
	int *const keep[] = {&c->go_fd, &c->program_fd, &c->error_fd};
	int moved[JAIL_FDS_MAX];

	/* All fds move above the slots first, so that none is overwritten before it was moved. */
	for (unsigned int i = 0; i < j->nr_fds; i++) {
		moved[i] = fcntl(j->fd[i], F_DUPFD_CLOEXEC, 2 * JAIL_FDS_MAX);
		if (moved[i] < 0)
			return jail_failed(ret_step, "duplicate");
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(keep); i++) {
		*keep[i] = fcntl(*keep[i], F_DUPFD_CLOEXEC, 2 * JAIL_FDS_MAX);
		if (*keep[i] < 0)
			return jail_failed(ret_step, "duplicate");
	}
	for (unsigned int i = 0; i < j->nr_fds; i++)
		if (dup2(moved[i], (int)i) < 0)
			return jail_failed(ret_step, "place");
	for (unsigned int i = 0; i < ARRAY_SIZE(keep); i++) {
		if (dup3(*keep[i], base + (int)i, O_CLOEXEC) < 0)
			return jail_failed(ret_step, "place");
		*keep[i] = base + (int)i;
	}
	if (close_range((unsigned int)base + ARRAY_SIZE(keep), ~0U, 0) < 0)
		return jail_failed(ret_step, "close the others");
	return 0;
}

/* The supervisor blocks signals and reads them from an fd. The program gets the defaults, except for the
 * signal of a write beyond RLIMIT_FSIZE: there the write fails instead. */
static int jail_stage_signals(struct child *c UNUSED, const char **ret_step)
{
	const struct sigaction ign = {.sa_handler = SIG_IGN};
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal_default(sig);
	(void)sigaction(SIGXFSZ, &ign, NULL);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return jail_failed(ret_step, "unblock");
	return 0;
}

/* One at a time: the kernel does not say which one it refuses. */
static int jail_unshare_one(struct child *c, int flag, const char **ret_step)
{
	c->flag = flag;
	if (unshare(flag) < 0)
		return jail_failed(ret_step, "unshare");
	c->flag = 0;
	return 0;
}

static int jail_stage_namespaces(struct child *c, const char **ret_step)
{
	static const int flags[] = {CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS};

	if (setsid() < 0)
		return jail_failed(ret_step, "setsid");
	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
		const int rc = jail_unshare_one(c, flags[i], ret_step);

		if (rc < 0)
			return rc;
	}
	/* A device must not know the host's name. */
	if (sethostname("jail", 4) < 0)
		return jail_failed(ret_step, "sethostname");
	return 0;
}

/*
 * The directory that has a name for each fd of this process: what is open is opened by it for another use. It is the
 * root of a mount of its own, from which no ".." leads to /proc.
 */
static int jail_stage_self(struct child *c, const char **ret_step)
{
	cleanup_fd int fd = -1;

	if (c->jail->self == 0)
		return 0;
	fd = c->jail->unconfined ? open("/proc/self/fd", O_PATH | O_CLOEXEC)
				 : (int)syscall(SYS_open_tree, AT_FDCWD, "/proc/self/fd",
						OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return jail_failed(ret_step, "open /proc/self/fd");
	if (dup2(fd, (int)c->jail->self) < 0)
		return jail_failed(ret_step, "place");
	return 0;
}

static int jail_stage_root(struct child *c UNUSED, const char **ret_step)
{
	umask(077);
	return root_empty(ret_step);
}

/* Without the byte the supervisor is dead or has given up. */
static int jail_stage_cgroup(struct child *c, const char **ret_step)
{
	char byte;
	ssize_t n;

	do
		n = read(c->go_fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(1);
	return jail_unshare_one(c, CLONE_NEWCGROUP, ret_step);
}

static int jail_stage_user(struct child *c, const char **ret_step)
{
	int rc = userns_become(&c->jail->ids);

	if (rc < 0)
		*ret_step = "setresuid";
	return rc;
}

/* After the change of user: with a limit of 0 processes setresuid marks the process as over the limit, and
 * execve fails. */
static int jail_stage_limits(struct child *c, const char **ret_step)
{
	const struct jail_limits *l = &c->jail->limits;
	const struct {
		__rlimit_resource_t resource;
		uint64_t value;
	} table[] = {
		{RLIMIT_NOFILE, l->nofile},
		{RLIMIT_NPROC, l->nproc},
		{RLIMIT_FSIZE, l->fsize_bytes},
		{RLIMIT_MEMLOCK, l->memlock_bytes},
		{RLIMIT_AS, l->space_bytes},
		/* With an unlimited stack the kernel uses its old, less random memory layout. */
		{RLIMIT_STACK, STACK_BYTES},
		{RLIMIT_CORE, 0},
		{RLIMIT_MSGQUEUE, 0},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		struct rlimit now;

		if (getrlimit(table[i].resource, &now) < 0)
			return jail_failed(ret_step, "getrlimit");
		/* Limits are never raised: the caller's own may be lower. */
		if (now.rlim_max > table[i].value)
			now.rlim_max = table[i].value;
		now.rlim_cur = now.rlim_max;
		if (setrlimit(table[i].resource, &now) < 0)
			return jail_failed(ret_step, "setrlimit");
	}
	return 0;
}

static int jail_stage_privileges(struct child *c, const char **ret_step)
{
	/* Best effort; failure is harmless: the policies forbid keyctl. */
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return jail_failed(ret_step, "no_new_privs");
	return caps_apply(c->caps, ret_step);
}

/* After the last change of credentials, which clears the signal. */
static int jail_stage_parent(struct child *c, const char **ret_step)
{
	struct pollfd p = {.fd = c->error_fd};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return jail_failed(ret_step, "pdeathsig");
	/* A supervisor that died before this sends no signal, but its error pipe has lost its reader.
	 * getppid() could not tell: the parent is outside of this pid namespace, always 0. */
	if (poll(&p, 1, 0) > 0 && (p.revents & POLLERR))
		_exit(1);
	return 0;
}

static int jail_stage_exec(struct child *c, const char **ret_step)
{
	char *const argv[] = {(char *)c->jail->name, NULL};
	char *const envp[] = {NULL};

	/* The caller's personality must not weaken the program's address space. */
	(void)syscall(SYS_personality, 0);
	execveat(c->program_fd, "", argv, envp, AT_EMPTY_PATH);
	return jail_failed(ret_step, c->jail->name);
}

/**
 * struct stage - One step of the child
 * @confines:	It is part of the sandbox, and left out where the user wants none
 */
static const struct stage {
	const char *name;
	int (*run)(struct child *c, const char **ret_step);
	bool confines;
} stages[] = {
	{"fds", jail_stage_fds, false},
	{"signals", jail_stage_signals, false},
	{"namespaces", jail_stage_namespaces, true},
	{"self", jail_stage_self, false},
	{"root", jail_stage_root, true},
	{"cgroup", jail_stage_cgroup, true},
	{"user", jail_stage_user, true},
	{"limits", jail_stage_limits, true},
	{"privileges", jail_stage_privileges, true},
	{"parent", jail_stage_parent, false},
	{"exec", jail_stage_exec, false},
};

static NORETURN void jail_child_main(struct child *c)
{
	struct jail_error e = {.index = c->jail->index};

	for (unsigned int i = 0; i < ARRAY_SIZE(stages); i++) {
		const char *step = "";
		int rc = c->jail->unconfined && stages[i].confines ? 0 : stages[i].run(c, &step);

		if (rc < 0) {
			e.code = -rc;
			e.flag = c->flag;
			fmt_into(e.text, sizeof(e.text), "%s: %s", stages[i].name, step);
			break;
		}
	}
	/* It is smaller than PIPE_BUF, so it is written whole or not at all. */
	if (write(c->error_fd, &e, sizeof(e)) < 0)
		_exit(2);
	_exit(1);
}

/* The parent sets it, because the child has no /proc. Raising it takes no privilege. */
static int jail_set_oom_score(pid_t pid, int adj, struct err *err)
{
	cleanup_fd int fd = -1;
	char path[40], text[16];

	if (adj == JAIL_OOM_INHERITED)
		return 0;
	fmt_into(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	fmt_into(text, sizeof(text), "%d", adj);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_set(err, errno, "%s", path);
	return 0;
}

/* The parent's part: maps and score, then the child may go on */
static int jail_let_go(const struct jail *j, pid_t pid, int go_wr, struct err *err)
{
	int rc = j->unconfined ? 0 : userns_write_maps(pid, &j->ids, err);

	if (rc == 0)
		rc = jail_set_oom_score(pid, j->oom_score_adj, err);
	/* The pidfd reports a child that died meanwhile; SIGPIPE is blocked or ignored. */
	if (rc == 0 && write(go_wr, "g", 1) != 1 && errno != EPIPE)
		rc = err_set(err, errno, "jail %s: pipe", j->name);
	return rc;
}

int jail_spawn(const struct jail *j, struct jailed *ret, struct err *err)
{
	const uint64_t namespaces = j->unconfined ? 0 : CLONE_NEWUSER | CLONE_NEWPID;
	cleanup_caps struct caps caps = {NULL, NULL};
	cleanup_fd int go_rd = -1, go_wr = -1, pidfd = -1;
	struct clone_args args = {
		.flags = namespaces | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	struct child c;
	int go[2], rc;
	long pid;

	vr_assert(j->nr_fds <= JAIL_FDS_MAX);
	if (caps_init(&caps, j->ids.guests) < 0)
		return err_set(err, ENOMEM, "jail");
	if (pipe2(go, O_CLOEXEC) < 0)
		return err_set(err, errno, "jail: pipe");
	go_rd = go[0];
	go_wr = go[1];
	c = (struct child){j, go_rd, j->program_fd, j->error_fd, 0, &caps};
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return namespaces ? nsfail_explain((int)namespaces, errno, "", err)
				  : err_set(err, errno, "start %s", j->name);
	if (pid == 0)
		jail_child_main(&c);
	rc = jail_let_go(j, (pid_t)pid, go_wr, err);
	if (rc < 0) {
		(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
		(void)waitid(P_PIDFD, (id_t)pidfd, NULL, WEXITED);
		return rc;
	}
	*ret = (struct jailed){(pid_t)pid, TAKE_FD(pidfd)};
	return 0;
}

int jail_describe(const struct jail_error *e, struct err *err)
{
	return e->flag ? nsfail_explain(e->flag, e->code, "", err)
		       : err_set(err, e->code, "jail: %s", e->text);
}

int jail_read_error(int fd, struct jail_error *ret)
{
	struct jail_error e;
	ssize_t n = read(fd, &e, sizeof(e));

	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		return 0;
	if (n != sizeof(e))
		return -EPROTO;
	e.text[sizeof(e.text) - 1] = '\0';
	*ret = e;
	return 1;
}
