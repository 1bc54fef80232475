/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/life.h"

#include <errno.h>
#include <sys/stat.h>

#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/supervisor/agent.h"
#include "runtime/supervisor/ask.h"
#include "runtime/supervisor/create.h"
#include "runtime/supervisor/destroy.h"
#include "runtime/supervisor/end.h"
#include "runtime/supervisor/holder.h"
#include "runtime/supervisor/lines.h"
#include "runtime/supervisor/nets.h"
#include "runtime/supervisor/others.h"
#include "runtime/supervisor/record.h"
#include "runtime/supervisor/restart.h"
#include "runtime/supervisor/session_late.h"
#include "runtime/supervisor/start.h"
#include "runtime/supervisor/vsock.h"
#include "runtime/supervisor/watch.h"

/* Handles a deadline that has passed: whether there was one. If not, how long to wait for the next, -1: for ever */
static bool life_deadlines(struct supervisor *s, int *ret_timeout_ms)
{
	const struct {
		uint64_t at_ns;
		void (*passed)(struct supervisor *s);
	} all[] = {
		{s->create_by_ns, create_late},	   {s->deadline_ns, watch_deadline},
		{s->ask_by_ns, ask_late},	   {s->restart_ns, restart_late},
		{s->others_ns, others_late},	   {s->record_ns, record_late},
		{s->listen_again_ns, lines_again}, {s->tell_losses_ns, lines_tell_losses},
		{vsock_at_ns(s), vsock_late},	   {agent_at_ns(s), agent_late},
		{session_at_ns(s), session_late},
	};
	uint64_t now = 0;

	*ret_timeout_ms = -1;
	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		int ms;

		if (!all[i].at_ns)
			continue;
		now = now ? now : clock_ns();
		if (now >= all[i].at_ns) {
			all[i].passed(s);
			return true;
		}
		ms = (int)((all[i].at_ns - now) / 1000000) + 1;
		if (*ret_timeout_ms < 0 || ms < *ret_timeout_ms)
			*ret_timeout_ms = ms;
	}
	return false;
}

/* One deadline, or the events that come first */
static void life_turn(struct supervisor *s, struct err *err)
{
	int rc, timeout_ms;

	lines_note_losses(s);
	if (life_deadlines(s, &timeout_ms))
		return;
	rc = loop_once(&s->loop, timeout_ms, err);
	if (rc == 0 && s->stage == STAGE_CREATING)
		rc = create_check_ready(s, err);
	if (rc < 0 && s->stage < STAGE_CREATED)
		end_failed(s, err);
	else if (rc < 0)
		end_vm(s, END_VMM_KILLED, err->msg, true);
}

static void life_serve(struct supervisor *s, struct err *err)
{
	while (s->stage != STAGE_OVER) {
		life_turn(s, err);
		if (s->stage < STAGE_ENDING)
			continue;
		ask_cut(s);
		start_cut(s);
		agent_cut(s);
	}
}

static void life_leave_cgroups(struct supervisor *s)
{
	cgroup_leave(s->cgroup);
	cgroup_done(s->cgroup);
}

/* The cgroup goes when the VM ends, not with its state directory. A launcher that waits removes it sooner than we can:
 * under v2 a process that moves itself waits for the kernel, one that exits does not. */
static bool life_launcher_removes(const struct supervisor *s)
{
	return s->launcher && getppid() == s->launcher;
}

static void life_remove_cgroups(struct supervisor *s)
{
	struct err err;

	life_leave_cgroups(s);
	if (cgroup_remove(s->state->cgroup_dir, s->state->nr_cgroup_dirs, &err) == 0)
		state_free_cgroups(s->state);
	else
		oci_log_write(&s->log, LOG_LEVEL_WARN, "%s", err.msg);
}

/* Whether delete removed the VM while the host still held one of its processes: its name may be another VM's now */
static bool life_was_deleted(const struct supervisor *s)
{
	struct stat st;

	return fstat(s->dir, &st) == 0 && st.st_nlink == 0;
}

/* If the disk is full, drop the copy of config.json: users ask how a VM ended, not for that copy. */
static int life_save_end(struct supervisor *s, struct err *err)
{
	const int rc = state_save(s->dir, s->state, err);

	if ((rc != -ENOSPC && rc != -EDQUOT) || unlinkat(s->dir, STATE_CONFIG, 0) < 0)
		return rc;
	return state_save(s->dir, s->state, err);
}

static NORETURN void life_finish_ended(struct supervisor *s)
{
	/* In its jail what holds a pod has no path to its cgroups, which delete removes; and delete waits for it. */
	const bool pod = s->launch->plan->pod;
	const bool deleted = !pod && life_was_deleted(s);
	struct err err;

	if (!pod && (deleted || !life_launcher_removes(s)))
		life_remove_cgroups(s);
	s->state->status = STATE_STOPPED;
	s->state->nr_procs = 0;
	if (!deleted && life_save_end(s, &err) < 0)
		oci_log_write(&s->log, LOG_LEVEL_ERROR, "%s", err.msg);
	oci_log_flush(&s->log);
	_exit(s->state->exit_code);
}

static NORETURN void life_finish(struct supervisor *s)
{
	struct err err;

	phases_mark(s->phases, "all processes gone");
	agent_close(s);
	vsock_close(s);
	nets_undo(s);
	oci_log_flush(&s->log);
	if (!s->failed)
		life_finish_ended(s);
	/* The launcher, if it lives, undoes the rest as the state file says. */
	if (s->report >= 0) {
		if (state_save(s->dir, s->state, &err) < 0)
			oci_log_write(&s->log, LOG_LEVEL_ERROR, "%s", err.msg);
		create_report(s, &s->failure);
		_exit(1);
	}
	life_leave_cgroups(s);
	if (destroy_remains(s->launch->root, s->state->id, s->dir, s->state, &err) < 0)
		oci_log_write(&s->log, LOG_LEVEL_ERROR, "%s", err.msg);
	_exit(1);
}

/* It has no process to wait for. */
static int life_hold_pod(struct supervisor *s, struct err *err)
{
	const int rc = holder_prepare(s, err);

	return rc < 0 ? rc : create_check_ready(s, err);
}

void life_lead(struct supervisor *s)
{
	struct err err = {0};

	for (unsigned int i = 0; i < PLAN_PROCS_MAX; i++) {
		spawned_init(&s->proc[i]);
		s->restart[i].error_fd = -1;
	}
	spawn_init(&s->spawn);
	s->create_by_ns = clock_ns() + HANDOVER_CREATE_MS * 1000000ULL;
	if (create_begin(s, &err) < 0 || (s->launch->plan->pod && life_hold_pod(s, &err) < 0))
		end_failed(s, &err);
	life_serve(s, &err);
	life_finish(s);
}
