/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/call_watch.h"

#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

int call_watch_install(const int *nr, unsigned int nr_calls)
{
	struct sock_filter insn[2 * CALL_WATCH_MAX + 2];
	struct sock_fprog prog = {.filter = insn};
	int fd;

	vr_assert(nr_calls <= CALL_WATCH_MAX);
	insn[prog.len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							offsetof(struct seccomp_data, nr));
	for (unsigned int i = 0; i < nr_calls && nr[i]; i++) {
		insn[prog.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
								(unsigned int)nr[i], 0, 1);
		insn[prog.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
								SECCOMP_RET_USER_NOTIF);
	}
	insn[prog.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			  &prog);
	return fd < 0 ? -errno : fd;
}

bool call_watch_next(int fd, struct call_watch *ret)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct seccomp_notif n = {0};

	if (poll(&p, 1, 10000) != 1 || ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n) < 0)
		return false;
	*ret = (struct call_watch){n.id, (int)n.pid, n.data};
	return true;
}

static void call_watch_answer(int fd, const struct seccomp_notif_resp *r)
{
	struct seccomp_notif_resp copy = *r;

	vr_assert(ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &copy) == 0);
}

void call_watch_go(int fd, const struct call_watch *w)
{
	call_watch_answer(fd, &(struct seccomp_notif_resp){
				      .id = w->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE});
}

void call_watch_fail(int fd, const struct call_watch *w, int errnum)
{
	call_watch_answer(fd, &(struct seccomp_notif_resp){.id = w->id, .error = -errnum});
}
