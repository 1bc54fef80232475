/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/dev_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "devices/core/ctl.h"
#include "devices/core/lockdown.h"
#include "devices/core/vu_backend.h"
#include "policies/policy.h"

#define CHILD_FDS_FROM 100 /* out of the slots' way */

/* Moves fds[i] to slot i, whatever was there before */
static void child_slots(const int *fds, unsigned int nr)
{
	int high[BOOT_FD_RES + BOOT_RES_MAX];

	for (unsigned int i = 3; i < nr; i++)
		high[i] = fcntl(fds[i], F_DUPFD, CHILD_FDS_FROM);
	for (unsigned int i = 3; i < nr; i++)
		vr_assert(dup2(high[i], (int)i) == (int)i);
	vr_assert(close_range(nr, ~0U, 0) == 0);
}

/* As cmd/vmrun-dev.c, which also judges what may come when */
static void child_control(void *arg, int control, uint32_t events UNUSED)
{
	struct device *d = arg;
	struct err err = {0};
	cleanup_fd int fd = -1;
	struct ctl_msg m;
	int rc = -EPROTO;

	if (ctl_recv_fd(control, &m, &fd) == 1 && d->ops->control)
		rc = d->ops->control(d, &m, &fd, &err);
	if (rc == -EPROTO || ctl_answer(control, &m, rc, &err) < 0)
		loop_stop(d->loop);
}

/* A sanitizer's runtime makes calls of its own that no policy allows. */
#ifdef __SANITIZE_ADDRESS__
#define CHILD_LOCKS_DOWN false
#else
#define CHILD_LOCKS_DOWN true
#endif

static void child_program(struct boot_filter *f, uint32_t *ret_count, uint32_t at,
			  const struct policy *p)
{
	vr_assert(p && p->count <= BOOT_FILTER_MAX - at);
	*ret_count = p->count;
	memcpy(f->insn + at, p->insn, p->count * sizeof(p->insn[0]));
}

static int child_lockdown(const char *policy, struct vu_backend *b, struct err *err)
{
	static struct boot_filter filter;
	const struct policy *early;
	char name[64];

	snprintf(name, sizeof(name), "%s_early", policy);
	early = policy_find(name);
	if (early)
		b->filter = &filter;
	if (!CHILD_LOCKS_DOWN)
		return 0;
	child_program(&filter, &filter.count, 0, early ? early : policy_find(policy));
	if (early)
		child_program(&filter, &filter.later, filter.count, policy_find(policy));
	return lockdown(&filter, err);
}

/* Hands the fd over on which the test sees the calls it wants to see */
static void child_watch(const int *watched)
{
	struct ctl_msg m = {.type = CTL_PHASE};
	int fd = watched[0] ? call_watch_install(watched, CALL_WATCH_MAX) : -1;

	if (!watched[0])
		return;
	vr_assert(fd >= 0 && fd_send(BOOT_FD_CONTROL, &m, sizeof(m), &fd, 1) == 0);
	close(fd);
}

static void child_write(pid_t pid, const char *file, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	vr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* The child: makes its namespace, and is root in it once the parent has said whom it maps */
static void child_enter(int control)
{
	struct ctl_msg m;

	vr_assert(unshare(CLONE_NEWUSER) == 0);
	vr_assert(ctl_send(control, CTL_PHASE, 0, 0, NULL) == 0 && ctl_recv(control, &m) == 1);
	vr_assert(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0);
}

/* The parent's part */
static void child_map(const struct dev_child *c)
{
	struct ctl_msg m;

	vr_assert(ctl_recv(c->control, &m) == 1);
	child_write(c->pid, "uid_map", c->ids);
	child_write(c->pid, "gid_map", c->ids);
	vr_assert(ctl_send(c->control, CTL_PHASE, 0, 0, NULL) == 0);
}

static int child_main(const struct device_ops *ops, const struct boot_dev *rec, const char *policy)
{
	static struct vu_backend backend;
	static struct device dev;
	static struct loop loop;
	struct err err;

	log_init(BOOT_FD_LOG, LOG_LEVEL_DEBUG);
	vr_assert(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	if (lockdown_files(&rec->filter, ops->opens ? BOOT_FD_RES : -1, &err) < 0 ||
	    loop_init(&loop, &err) < 0 ||
	    loop_add(&loop, BOOT_FD_CONTROL, EPOLLIN, child_control, &dev, &err) < 0 ||
	    device_init(&dev, ops, &loop, &err) < 0 || ops->init(&dev, rec, &err) < 0 ||
	    (ops->kind->virtio_id && vu_backend_init(&backend, &dev, BOOT_FD_VMM, &err) < 0) ||
	    child_lockdown(policy, &backend, &err) < 0)
		return ctl_send(BOOT_FD_CONTROL, CTL_FAILED, 0, 0, err.msg) == 0;
	if (ctl_send(BOOT_FD_CONTROL, CTL_READY, 0, 0, NULL) < 0 || loop_run(&loop, &err) < 0)
		return 1;
	vu_backend_done(&backend);
	if (ops->finish)
		ops->finish(&dev);
	return backend.broke_rules;
}

bool dev_child_start(struct dev_child *c, const struct device_ops *ops, const struct boot_dev *rec,
		     const int *res, const char *policy)
{
	const int vmm_type = ops->kind->virtio_id ? SOCK_STREAM : SOCK_SEQPACKET;
	int vmm[2], control[2];
	struct ctl_msg m;

	vr_assert(socketpair(AF_UNIX, vmm_type | SOCK_CLOEXEC, 0, vmm) == 0);
	vr_assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) == 0);
	c->pid = fork();
	vr_assert(c->pid >= 0);
	if (c->pid == 0) {
		int fds[BOOT_FD_RES + BOOT_RES_MAX] = {0};

		if (c->ids)
			child_enter(control[1]);
		fds[BOOT_FD_CONTROL] = control[1];
		fds[BOOT_FD_LOG] = STDERR_FILENO;
		fds[BOOT_FD_VMM] = vmm[1];
		for (unsigned int i = 0; i < rec->nr_res; i++)
			fds[BOOT_FD_RES + i] = res[i] == DEV_CHILD_SELF
						       ? open("/proc/self/fd", O_PATH | O_CLOEXEC)
						       : res[i];
		child_slots(fds, BOOT_FD_RES + rec->nr_res);
		child_watch(c->watched);
		_exit(child_main(ops, rec, policy));
	}
	close(vmm[1]);
	close(control[1]);
	c->vmm = vmm[0];
	c->control = control[0];
	if (c->ids)
		child_map(c);
	if (c->watched[0] && ctl_recv_fd(c->control, &m, &c->watch) != 1)
		return false;
	return ctl_recv(c->control, &m) == 1 && m.type == CTL_READY;
}

int dev_child_stop(struct dev_child *c)
{
	int status;

	close(c->vmm);
	close(c->control);
	vr_assert(waitpid(c->pid, &status, 0) == c->pid);
	return status;
}

bool dev_child_wait(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 10000) == 1;
}
