/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/session_run.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "cmd/vmrun-init/birth.h"
#include "cmd/vmrun-init/fault.h"
#include "cmd/vmrun-init/inroot.h"
#include "cmd/vmrun-init/leaf.h"
#include "cmd/vmrun-init/session_report.h"
#include "cmd/vmrun-init/stamp.h"

#define SESSION_SPEC_STEP 65536

static int session_pipe(struct session *s, enum agent_stream which, uid_t uid, int *ret_std)
{
	bool in = which == AGENT_STDIN;
	struct copier *c = in ? &s->in : which == AGENT_STDOUT ? &s->out : &s->errors;
	int ends[2], ours, sock = TAKE_FD(s->sock[which]);

	if (sock < 0)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		close(sock);
		return -errno;
	}
	*ret_std = ends[in ? 0 : 1];
	ours = ends[in ? 1 : 0];
	/* open("/dev/stdout") by a user that is not root */
	if (fchown(*ret_std, uid, (gid_t)-1) < 0) {
		close(sock);
		close(ours);
		return -errno;
	}
	return in ? session_copy(s, c, sock, ours) : session_copy(s, c, ours, sock);
}

/* @first: the container's, for one of exec. @cgroup: one below the container's, in which this is to be; -1: none */
static pid_t session_clone(struct session *s, const struct session *first, int cgroup)
{
	int leaf = s->all->cgroup, own = s->all->own;
	cleanup_fd int moved = -1;
	pid_t pid;

	if (s == first)
		return birth_first(leaf, &s->pidfd);
	if (cgroup >= 0)
		return birth_into(first->pidfd, own, cgroup, &s->pidfd);
	pid = birth_into(first->pidfd, own, leaf, &s->pidfd);
	if (pid != -EBUSY)
		return pid;
	/* The container has cgroups of its own below, as systemd makes them; then its own has no processes. */
	moved = leaf_of(leaf, first->pid);
	return moved < 0 ? moved : birth_into(first->pidfd, own, moved, &s->pidfd);
}

/* @std: what the process gets */
static int session_birth(struct session *s, const struct desc *d, const int std[3], int cgroup)
{
	const struct session *first = session_find(s->all, 0);
	struct task t = {
		.desc = d,
		.share = s->all->share,
		.std = {std[0], std[1], std[2]},
		.container = s == first ? 0 : first->pid,
		.container_fd = s == first ? -1 : first->pidfd,
	};
	cleanup_fd int report = -1;
	int ends[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	report = t.report = ends[1];
	rc = session_listen(s, ends[0]);
	if (rc < 0)
		return rc;
	s->oom_kills = leaf_oom_kills(s->all->cgroup);
	s->pid = session_clone(s, first, cgroup);
	if (s->pid == 0)
		task_run(&t);
	if (s->pid < 0)
		return s->pid;
	s->state = SESSION_BORN;
	return 0;
}

/* What the description says of cgroups. Return: 0; @ret_fd: the one that the process is to be in, -1: the container's */
static int session_cgroup(const struct session *s, const struct desc *d, int *ret_fd)
{
	uint64_t pids = 0;

	if (s->id == 0)
		return desc_get(d, AGENT_PIDS, 0, &pids) ? leaf_pids(s->all->cgroup, pids) : 0;
	if (d->count[AGENT_CGROUP] == 0)
		return 0;
	*ret_fd = inroot_open(s->all->cgroup, desc_text(d, AGENT_CGROUP, 0, 0),
			      O_RDONLY | O_DIRECTORY);
	return *ret_fd < 0 ? *ret_fd : 0;
}

static int session_make(struct session *s, const struct desc *d, struct fault *f)
{
	const struct session *first = session_find(s->all, 0);
	cleanup_fd int cgroup = -1;
	struct agent_process p;
	int std[3] = {-1, -1, -1}, rc = 0;

	(void)fault_step(f, AGENT_STEP_SPEC, 0);
	if (!desc_get(d, AGENT_PROCESS, 0, &p))
		return -EINVAL;
	(void)fault_step(f, AGENT_STEP_CGROUP, 0);
	rc = session_cgroup(s, d, &cgroup);
	if (rc < 0)
		return rc;
	(void)fault_step(f, AGENT_STEP_PROCESS, 0);
	if (s->id != 0 && !(first && first->state == SESSION_BORN && first->started))
		return -ESRCH;
	for (unsigned int i = 0; rc == 0 && !(p.flags & AGENT_TERMINAL) && i < 3; i++)
		rc = session_pipe(s, AGENT_STDIN + i, p.uid, &std[i]);
	if (rc == 0)
		rc = session_birth(s, d, std, cgroup);
	for (unsigned int i = 0; i < 3; i++)
		cleanup_close_fd(&std[i]);
	return rc;
}

static void session_start(struct session *s)
{
	struct fault f = {.step = AGENT_STEP_SPEC};
	struct desc d;
	int rc;

	s->stamp[AGENT_START_SPEC] = stamp_us();
	rc = desc_parse(s->spec, s->spec_len, &d);
	if (rc == 0)
		rc = session_make(s, &d, &f);
	desc_done(&d);
	free(TAKE_PTR(s->spec));
	if (rc < 0)
		session_fail(s, f.step, -rc);
}

static int session_more_room(struct session *s)
{
	size_t room = s->spec_room ? 2 * s->spec_room : SESSION_SPEC_STEP;
	uint8_t *more;

	if (s->spec_len < s->spec_room)
		return 0;
	if (room > DESC_BYTES_MAX)
		return -E2BIG;
	more = realloc(s->spec, room);
	if (!more)
		return -ENOMEM;
	s->spec = more;
	s->spec_room = room;
	return 0;
}

static void session_spec_ready(void *arg, uint32_t events)
{
	struct session *s = arg;
	int rc = session_more_room(s);
	ssize_t n;

	(void)events;
	if (rc < 0) {
		session_fail(s, AGENT_STEP_SPEC, -rc);
		return;
	}
	n = read(s->spec_watch.fd, s->spec + s->spec_len, s->spec_room - s->spec_len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		s->spec_len += (size_t)n;
		return;
	}
	watch_end(&s->spec_watch);
	if (n < 0)
		session_fail(s, AGENT_STEP_SPEC, errno);
	else
		session_start(s);
}

void session_begin(struct session *s)
{
	const struct session *first = session_find(s->all, 0);

	if (!first || first->state == SESSION_ENDED) {
		session_fail(s, AGENT_STEP_PROCESS, ESRCH);
		return;
	}
	for (unsigned int i = 0; i < AGENT_STREAMS; i++)
		if (s->port[i] && s->sock[i] < 0)
			return;
	if (s->sock[AGENT_SPEC] < 0) {
		session_fail(s, AGENT_STEP_SPEC, EINVAL);
		return;
	}
	watch_init(&s->spec_watch, &s->all->poller, TAKE_FD(s->sock[AGENT_SPEC]),
		   session_spec_ready, s);
	if (fcntl(s->spec_watch.fd, F_SETFL, O_NONBLOCK) < 0 ||
	    watch_set(&s->spec_watch, EPOLLIN) < 0)
		session_fail(s, AGENT_STEP_SPEC, errno);
}

void session_give(struct session *s, enum agent_stream which, int sock)
{
	s->sock[which] = sock;
	session_begin(s);
}

/* Those that have no process yet: there is no container for one. Calls change the list, so from its beginning again */
static void session_fail_waiting(struct sessions *all)
{
	struct session *s = all->first;

	while (s) {
		bool waits = s->state == SESSION_WAITING;

		if (waits)
			session_fail(s, AGENT_STEP_PROCESS, ESRCH);
		s = waits ? all->first : s->next;
	}
}

void session_ended(struct session *s, uint32_t status)
{
	s->status = status;
	session_heard(s);
	copier_end(&s->in);
	copier_finish(&s->out);
	copier_finish(&s->errors);
	if (s->id == 0)
		session_fail_waiting(s->all);
	/* Not earlier: what ended above would have settled it. */
	s->state = SESSION_ENDED;
	session_settle(s);
}
