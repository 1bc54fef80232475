/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/pause.h"

#include <errno.h>
#include <sys/random.h>

#include "runtime/state/state_file.h"
#include "runtime/supervisor/ask.h"
#include "runtime/supervisor/others.h"
#include "runtime/supervisor/reply.h"
#include "runtime/supervisor/session.h"
#include "runtime/util/process.h"

int pause_new_generation(struct ctl_msg *m)
{
	const size_t bytes = 2 * sizeof(m->value[0]);

	return getrandom(m->value, bytes, 0) == (ssize_t)bytes ? 0 : -errno;
}

/* What waited for the end of a pause, or of the attempt, goes on */
static void pause_is_over(struct supervisor *s)
{
	s->pausing = false;
	if (s->agent)
		session_go_on(s);
}

static int pause_ask_resume(struct supervisor *s, const struct ask_then *then, struct err *err)
{
	struct ctl_msg m = {.type = CTL_RESUME};
	int rc = pause_new_generation(&m);

	return rc < 0 ? err_set(err, -rc, "random numbers") : ask_process(s, 0, &m, -1, then, err);
}

static void pause_resumed(struct supervisor *s, unsigned int i, int client,
			  const struct ctl_msg *answer, const struct err *err)
{
	struct err ignored, failure = *err;

	if (err->code)
		(void)others_name(s->launch->plan, err->msg, &failure);
	/* Without a client this takes back a pause that was never on file. */
	if (err->code && client >= 0)
		(void)!state_save_status(s->dir, s->state, STATE_PAUSED, &ignored);
	ask_reply(s, i, client, answer, &failure);
	pause_is_over(s);
}

/* The pause is not on file: the guest goes on, and the client hears why */
static void pause_take_back(struct supervisor *s, int client, const struct err *why)
{
	const struct ask_then then = {pause_resumed, -1};
	struct err err;

	s->pausing = pause_ask_resume(s, &then, &err) == 0;
	ask_reply(s, 0, client, NULL, why);
}

/* Which device did not give its rings back, and what it does instead; @nr from the VMM, 0: none */
static void pause_blame(const struct supervisor *s, uint64_t nr, struct err *ret)
{
	const struct plan *plan = s->launch->plan;
	const unsigned int ours = plan->nr_procs - 1;
	const struct spawned *p = &s->proc[nr <= ours ? nr : 0];

	if (nr == 0 || nr > ours + plan->nr_others)
		err_text(ret, ETIMEDOUT, "%s did not answer", s->proc[0].name);
	else if (nr > ours)
		err_text(ret, ETIMEDOUT, "%s: the back-end does not answer (%s)",
			 plan_other_fd(plan, (unsigned int)nr - 1 - ours)->pointer,
			 plan_other_fd(plan, (unsigned int)nr - 1 - ours)->path);
	else if (process_waits(p->jailed.pid, BOOT_FD_RES, p->nr_res))
		err_text(ret, ETIMEDOUT, "%s waits for the host's disk", p->name);
	else
		err_text(ret, ETIMEDOUT, "%s does not answer", p->name);
}

/* The guest goes on, and the VMM knows which device was late */
static void pause_given_up(struct supervisor *s, unsigned int i UNUSED, int client,
			   const struct ctl_msg *answer, const struct err *err UNUSED)
{
	struct err why;

	pause_blame(s, answer ? answer->value[0] : 0, &why);
	err_text(&why, ETIMEDOUT, "%s: the container goes on", why.msg);
	ask_reply(s, 0, client, NULL, &why);
	pause_is_over(s);
}

/* A device has not given its rings back in time */
static void pause_give_up(struct supervisor *s, int client)
{
	const struct ask_then then = {pause_given_up, client};
	struct err err;

	s->pausing = pause_ask_resume(s, &then, &err) == 0;
	if (!s->pausing)
		ask_reply(s, 0, client, NULL, &err);
}

static void pause_paused(struct supervisor *s, unsigned int i, int client,
			 const struct ctl_msg *answer, const struct err *err)
{
	struct err failure = *err;

	s->pausing = false;
	if (!answer && err->code == ETIMEDOUT) {
		pause_give_up(s, client);
	} else if (err->code == 0 &&
		   state_save_status(s->dir, s->state, STATE_PAUSED, &failure) < 0) {
		pause_take_back(s, client, &failure);
	} else {
		ask_reply(s, i, client, answer, &failure);
		pause_is_over(s);
	}
}

/* Nothing runs in what holds a pod. */
static int pause_pod(struct supervisor *s, enum state_status status, int client, struct err *err)
{
	const struct err none = {0};
	const int rc = state_save_status(s->dir, s->state, status, err);

	if (rc == 0)
		reply_give(&s->log, client, &none, NULL);
	return rc;
}

int pause_begin(struct supervisor *s, int client, struct err *err)
{
	const struct ctl_msg m = {.type = CTL_PAUSE};
	const struct ask_then then = {pause_paused, client};
	int rc;

	if (s->pausing)
		return err_text(err, EBUSY, "the container is being paused or resumed");
	if (s->stage != STAGE_RUNNING || s->state->status != STATE_RUNNING)
		return err_text(err, EINVAL, "container not running");
	if (s->launch->plan->pod)
		return pause_pod(s, STATE_PAUSED, client, err);
	rc = ask_process(s, 0, &m, -1, &then, err);
	s->pausing = rc == 0;
	return rc;
}

int pause_end(struct supervisor *s, int client, struct err *err)
{
	const struct ask_then then = {pause_resumed, client};
	struct err ignored;
	int rc;

	if (s->pausing)
		return err_text(err, EBUSY, "the container is being paused or resumed");
	if (s->stage != STAGE_RUNNING || s->state->status != STATE_PAUSED)
		return err_text(err, EINVAL, "container not paused");
	if (s->launch->plan->pod)
		return pause_pod(s, STATE_RUNNING, client, err);
	/* Recorded first: a resume that fails, on a full disk for example, then has no effect. */
	rc = state_save_status(s->dir, s->state, STATE_RUNNING, err);
	if (rc < 0)
		return rc;
	rc = pause_ask_resume(s, &then, err);
	s->pausing = rc == 0;
	if (rc < 0)
		(void)!state_save_status(s->dir, s->state, STATE_PAUSED, &ignored);
	return rc;
}
