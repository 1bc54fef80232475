/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/create.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/oom.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>

#include "devices/core/fmt.h"
#include "runtime/jail/spawn.h"
#include "runtime/plan/plan.h"
#include "runtime/state/state_file.h"
#include "runtime/supervisor/agent.h"
#include "runtime/supervisor/child.h"
#include "runtime/supervisor/console.h"
#include "runtime/supervisor/drain.h"
#include "runtime/supervisor/end.h"
#include "runtime/supervisor/holder.h"
#include "runtime/supervisor/namespaces.h"
#include "runtime/supervisor/nets.h"
#include "runtime/supervisor/requests.h"
#include "runtime/supervisor/start.h"
#include "runtime/supervisor/vsock.h"
#include "runtime/supervisor/watch.h"

#define OOM_LAST  (OOM_SCORE_ADJ_MIN + 1) /* the least that is no promise never to be killed */
#define OOM_RAISE 100
#define OWN_BYTES (4 << 20) /* resident of this process, and some more */

void create_report(struct supervisor *s, const struct err *err)
{
	struct handover_report r = {0};

	if (err) {
		r.code = err->code;
		fmt_into(r.text, sizeof(r.text), "%s", err->msg);
	}
	/* The end of file tells when the launcher is gone. */
	if (s->report >= 0 && send(s->report, &r, sizeof(r), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		oci_log_write(&s->log, LOG_LEVEL_DEBUG, "the launcher is gone");
}

/* The ack, or end of file: the launcher died, or could not write its pid file. */
static void create_on_launcher(void *arg, int fd, uint32_t events UNUSED)
{
	struct supervisor *s = arg;
	char ack[sizeof(HANDOVER_ACK)];
	const bool ok = recv(fd, ack, sizeof(ack), MSG_DONTWAIT) == sizeof(ack);
	struct err err;

	loop_del(&s->loop, fd);
	if (ok && s->stage >= STAGE_ENDING)
		return; /* it waits, and will hear why */
	if (ok)
		create_report(s, NULL);
	cleanup_close_fd(&s->report);
	s->report = -1;
	if (!ok) {
		err_text(&err, EPIPE, "the creating process is gone");
		end_failed(s, &err);
		return;
	}
	s->stage = STAGE_CREATED;
	phases_mark(s->phases, "created");
	if (s->launch->plan->pod && holder_confine(s, &err) < 0) {
		oci_log_write(&s->log, LOG_LEVEL_ERROR, "%s", err.msg);
		end_vm(s, END_VMM_KILLED, err.msg, true);
	}
	console_terminal_changed(s);
	if (s->launch->autostart && start_begin(s, -1, &err) < 0) {
		oci_log_write(&s->log, LOG_LEVEL_ERROR, "%s", err.msg);
		end_vm(s, END_VMM_KILLED, err.msg, true);
	}
}

int create_check_ready(struct supervisor *s, struct err *err)
{
	int rc;

	for (unsigned int i = 0; i < s->nr; i++)
		if (!s->proc[i].ready)
			return 0;
	loop_del(&s->loop, s->error_fd);
	cleanup_close_fd(&s->error_fd);
	s->error_fd = -1;
	s->create_by_ns = 0;
	s->stage = STAGE_READY;
	s->state->status = STATE_CREATED;
	for (unsigned int i = 0; i < s->nr; i++) {
		struct state_proc *p = &s->state->proc[i];
		const pid_t pid = s->proc[i].jailed.pid;

		memcpy(p->name, s->proc[i].name, sizeof(p->name));
		p->process = (struct process){pid, process_identify(pid)};
	}
	s->state->nr_procs = s->nr;
	s->state->nr_others = s->launch->plan->nr_others;
	for (unsigned int i = 0; i < s->state->nr_others; i++)
		memcpy(s->state->other[i].name, s->launch->plan->other[i].name,
		       sizeof(s->state->other[i].name));
	rc = state_save(s->dir, s->state, err);
	if (rc == 0)
		create_report(s, NULL);
	return rc;
}

void create_late(struct supervisor *s)
{
	char names[ERR_MSG_BYTES / 2] = "";
	size_t len = 0;
	struct err err;

	s->create_by_ns = 0;
	for (unsigned int i = 0; i < s->nr; i++)
		if (!s->proc[i].ready)
			len += fmt_into(names + len, sizeof(names) - len, "%s%s", len ? ", " : "",
					s->proc[i].name);
	err_text(&err, ETIMEDOUT, "%s: not ready after %d s", names, HANDOVER_CREATE_MS / 1000);
	end_failed(s, &err);
}

/* Keep nothing of the launcher's open: a caller that reads its output to the end waits for that end. */
static int create_let_go_of_stdio(int null)
{
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(null, fd) < 0)
			return -errno;
	return 0;
}

static int create_spawn_all(struct supervisor *s, struct spawn *sp, struct err *err)
{
	int pipe_fd[2], rc = spawn_prepare(sp, err);
	cleanup_fd int error_wr = -1;

	if (rc < 0)
		return rc;
	if (pipe2(pipe_fd, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set(err, errno, "error pipe");
	s->error_fd = pipe_fd[0];
	error_wr = sp->error_fd = pipe_fd[1];
	rc = watch_jails(s, err);
	phases_mark(s->phases, "guest RAM and sockets");
	while (rc == 0 && s->nr < s->launch->plan->nr_procs) {
		rc = spawn_process(sp, s->nr, &s->proc[s->nr], err);
		if (rc < 0)
			break;
		phases_add(s->phases, "jail", s->proc[s->nr].name, clock_ns());
		s->nr++;
		rc = watch_process(s, s->nr - 1, err);
	}
	return rc == 0 && create_let_go_of_stdio(sp->null_fd) < 0 ? err_set(err, errno, "/dev/null")
								  : rc;
}

/* A VMM is never started again: its files are as free as they are once the VMM itself has closed them. */
static void create_close_vmm_files(struct assets *a)
{
	cleanup_close_fd(&a->kvm);
	a->kvm = -1;
	for (unsigned int i = 0; i < PLAN_FDS_MAX; i++) {
		cleanup_close_fd(&a->proc[0].fd[i]);
		a->proc[0].fd[i] = -1;
	}
}

/* The reader of a pipe and the owner of a terminal wait for these to be closed. */
static void create_close_streams(const struct launch *l)
{
	for (unsigned int i = 0; i < 2; i++) {
		/* 0 to 2 are /dev/null by now. */
		if (l->stdio[i] > STDERR_FILENO)
			close(l->stdio[i]);
		if (l->console[i] > STDERR_FILENO)
			close(l->console[i]);
	}
	/* Creating has freed memory: give it back to the host. */
	malloc_trim(0);
}

/* Nothing has been made yet. Until GO the recorded pid, which delete kills, is the launcher's. */
static int create_wait_for_launcher(struct supervisor *s, struct err *err)
{
	char go[sizeof(HANDOVER_GO)];

	if (recv(s->report, go, sizeof(go), 0) == sizeof(go))
		return 0;
	cleanup_close_fd(&s->report);
	s->report = -1;
	return err_text(err, EPIPE, "the creating process is gone");
}

static bool create_write_oom_score(int fd, int adj)
{
	char text[16];
	const size_t len = fmt_into(text, sizeof(text), "%d", adj);

	return fd >= 0 && pwrite(fd, text, len, 0) == (ssize_t)len;
}

/* What the jailed processes get on top of this process's score, in thousandths of the limit or of the host's memory:
 * even the smallest of them must score higher. */
static int create_oom_raise(int64_t limit_bytes)
{
	const int64_t own = limit_bytes > 0 ? 1000LL * OWN_BYTES / limit_bytes : 0;

	return own > OOM_SCORE_ADJ_MAX ? OOM_SCORE_ADJ_MAX : own > OOM_RAISE ? (int)own : OOM_RAISE;
}

/* The kernel kills the process with the highest score. In a small VM that could be this one, which has to report the
 * death. So this one lowers its score if it may, and otherwise raises the others'. */
static int create_set_oom_scores(const struct supervisor *s, int adj, int *ret_jailed,
				 struct err *err)
{
	cleanup_fd int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	char text[16] = "";

	if (adj != PLAN_OOM_UNSET && !create_write_oom_score(fd, adj))
		return err_set(err, errno, "/process/oomScoreAdj: %d", adj);
	if (fd < 0 || pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return err_set(err, errno, "oom_score_adj");
	adj = atoi(text);
	if (adj <= OOM_LAST || !create_write_oom_score(fd, OOM_LAST))
		adj += create_oom_raise(s->cgroup->memory_max_bytes);
	*ret_jailed = adj < OOM_SCORE_ADJ_MAX ? adj : OOM_SCORE_ADJ_MAX;
	return 0;
}

static void create_name_sources(struct supervisor *s)
{
	const struct launch *l = s->launch;
	struct spawn *sp = &s->spawn;

	sp->plan = l->plan;
	sp->assets = s->assets;
	sp->program = l->program;
	memcpy(sp->stdio, l->stdio, sizeof(sp->stdio));
	memcpy(sp->console, l->console, sizeof(sp->console));
	sp->log_level = l->log.max;
}

int create_begin(struct supervisor *s, struct err *err)
{
	const struct launch *l = s->launch;
	struct spawn *sp = &s->spawn;
	int rc = create_wait_for_launcher(s, err);

	create_name_sources(s);
	if (rc == 0)
		rc = cgroup_enter(s->cgroup, err);
	phases_mark(s->phases, "cgroup entered");
	if (rc < 0)
		return rc;
	drain_note(s, l->plan, l->console[1]);
	rc = agent_open(s, err);
	if (rc < 0)
		return rc;
	console_take_terminal(s);
	/* From here on delete kills this process. */
	s->state->supervisor = (struct process){getpid(), process_identify(getpid())};
	rc = state_save(s->dir, s->state, err);
	if (rc == 0)
		rc = create_set_oom_scores(s, l->plan->oom_score_adj, &sp->oom_score_adj, err);
	if (rc == 0)
		rc = userns_choose(&sp->ids, err);
	if (rc == 0)
		rc = loop_init(&s->loop, err);
	if (rc == 0)
		rc = loop_add(&s->loop, s->report, EPOLLIN, create_on_launcher, s, err);
	if (rc == 0)
		rc = namespaces_enter(s, err);
	if (rc == 0)
		rc = nets_make(s, sp, err);
	if (rc == 0)
		rc = vsock_open(s, err);
	if (rc == 0)
		rc = create_spawn_all(s, sp, err);
	if (rc == 0 && l->plan->container && !l->plan->pod)
		rc = view_make(l->plan, &s->view, err);
	spawn_settle(sp);
	create_close_vmm_files(s->assets);
	create_close_streams(l);
	return rc < 0 ? rc : requests_serve(s, err);
}
