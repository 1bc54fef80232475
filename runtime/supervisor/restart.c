/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/restart.h"

#include <errno.h>

#include "devices/core/fmt.h"
#include "runtime/jail/jail.h"
#include "runtime/supervisor/ask.h"
#include "runtime/supervisor/child.h"
#include "runtime/supervisor/console.h"
#include "runtime/supervisor/end.h"
#include "runtime/supervisor/failure.h"
#include "runtime/supervisor/nets.h"
#include "runtime/supervisor/record.h"
#include "runtime/supervisor/start.h"
#include "runtime/supervisor/watch.h"
#include "runtime/util/clock.h"

#define RESTART_READY_NS 10000000000ULL

static void restart_close(int *fd)
{
	cleanup_close_fd(fd);
	*fd = -1;
}

/* What the jail of the last process had to say */
static void restart_tell_jail_error(struct supervisor *s, unsigned int i)
{
	struct restarting *r = &s->restart[i];
	struct jail_error e;
	struct err err;

	if (r->error_fd >= 0 && jail_read_error(r->error_fd, &e) == 1) {
		jail_describe(&e, &err);
		oci_log_write(&s->log, LOG_LEVEL_WARN, "%s: %s", s->proc[i].name, err.msg);
	}
	restart_close(&r->error_fd);
}

/* A jail has a copy of the mount namespace that it comes from, and a user namespace. */
static int restart_spawn_at_home(struct supervisor *s, unsigned int i, struct err *err)
{
	int rc = view_go_home(&s->view, err);

	if (rc < 0)
		return rc;
	rc = spawn_process(&s->spawn, i, &s->proc[i], err);
	view_return(&s->view);
	return rc;
}

static int restart_spawn(struct supervisor *s, unsigned int i, struct err *err)
{
	int pipe_fd[2], rc = child_error_pipe(pipe_fd, err);

	if (rc < 0)
		return rc;
	s->restart[i].error_fd = pipe_fd[0];
	s->spawn.error_fd = pipe_fd[1];
	rc = spawn_reconnect(&s->spawn, i, err);
	if (rc == 0)
		rc = restart_spawn_at_home(s, i, err);
	close(pipe_fd[1]);
	restart_close(&s->spawn.channel[i - 1][1]);
	return rc < 0 ? rc : watch_process(s, i, err);
}

/* On record, so that delete finds the new process, and `state` the count */
static void restart_record(struct supervisor *s, unsigned int i)
{
	struct state_proc *record = &s->state->proc[i];
	const pid_t pid = s->proc[i].jailed.pid;

	record->process = (struct process){pid, process_identify(pid)};
	record->restarts = s->restart[i].nr;
	record_save(s);
}

static void restart_begin(struct supervisor *s, unsigned int i)
{
	struct restarting *r = &s->restart[i];
	const char *const name = s->launch->plan->proc[i].name;
	const uint64_t now = clock_ns();
	struct err err;

	restart_tell_jail_error(s, i);
	oci_log_write(&s->log, LOG_LEVEL_WARN, "%s: %s: it is started again (restart %u)", name,
		      s->state->proc[i].failure, r->nr + 1);
	r->due_ns = 0;
	r->at_ns[r->nr++ % RESTART_MAX] = now;
	r->ready_by_ns = now + RESTART_READY_NS;
	end_dismiss(s, &s->proc[i]);
	spawned_done(&s->proc[i]);
	if (restart_spawn(s, i, &err) < 0) {
		err_wrap(&err, "%s: %s, and was not started again", name,
			 s->state->proc[i].failure);
		end_vm(s, END_DEVICE_KILLED, err.msg, false);
		return;
	}
	restart_record(s, i);
}

static void restart_hand_over(struct supervisor *s, unsigned int i)
{
	int *const sock = &s->spawn.channel[i - 1][0];
	struct ctl_msg m = {.type = CTL_DEVICE, .arg = s->restart[i].nr};
	struct err err;
	int rc;

	fmt_into(m.text, sizeof(m.text), "%s", s->proc[i].name);
	rc = ctl_send_whole(s->proc[0].control, &m, *sock);
	restart_close(sock);
	if (rc == 0 || s->stage >= STAGE_ENDING)
		return;
	err_set(&err, -rc, "%s does not listen", s->proc[0].name);
	end_vm(s, END_VMM_KILLED, err.msg, true);
}

static void restart_told(struct supervisor *s, unsigned int i, int client UNUSED,
			 const struct ctl_msg *answer, const struct err *err)
{
	if (answer && err->code == 0)
		restart_hand_over(s, i);
	else if (s->stage < STAGE_ENDING) /* dead already, or else its death is the next failure */
		child_kill(&s->proc[i]);
}

/* It is ready: what it has to know that is not in its boot record, then the VMM's turn */
static void restart_introduce(struct supervisor *s, unsigned int i)
{
	const struct ask_then then = {restart_told, -1};
	cleanup_fd int fd = -1;
	struct ctl_msg m;
	struct err err;
	int rc;

	s->restart[i].ready_by_ns = 0;
	restart_close(&s->restart[i].error_fd);
	rc = s->stage == STAGE_RUNNING ? nets_message(s, i, &m, &fd, &err) : 0;
	if (rc == 0)
		rc = console_attach_again(s, i, &err);
	if (rc == 0) {
		restart_hand_over(s, i);
		start_again(s, i);
		return;
	}
	if (rc < 0 || ask_process(s, i, &m, fd, &then, &err) < 0)
		child_kill(&s->proc[i]);
}

static void restart_kill(struct supervisor *s, unsigned int i, const char *why)
{
	oci_log_write(&s->log, LOG_LEVEL_WARN, "%s: %s: it is killed", s->proc[i].name, why);
	s->restart[i].ready_by_ns = s->restart[i].leave_by_ns = 0;
	child_kill(&s->proc[i]);
}

void restart_late(struct supervisor *s)
{
	const uint64_t now = clock_ns();

	for (unsigned int i = 1; i < s->nr && s->stage < STAGE_ENDING; i++) {
		struct restarting *r = &s->restart[i];

		if (r->due_ns && now >= r->due_ns)
			restart_begin(s, i);
		else if (r->ready_by_ns && s->proc[i].ready)
			restart_introduce(s, i);
		else if (r->ready_by_ns && now >= r->ready_by_ns)
			restart_kill(s, i, "is not ready after 10 s");
		else if (r->leave_by_ns && now >= r->leave_by_ns)
			restart_kill(s, i, "has closed its connection to the VMM");
	}
	failure_set_deadline(s);
	if (s->stage >= STAGE_ENDING)
		s->restart_ns = 0;
}
