/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/end.h"

#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/state/cause.h"
#include "runtime/supervisor/child.h"
#include "runtime/supervisor/drain.h"
#include "runtime/util/clock.h"

static void end_kill_all(const struct supervisor *s)
{
	for (unsigned int i = 0; i < s->nr; i++)
		child_kill(&s->proc[i]);
}

void end_check(struct supervisor *s)
{
	drain_check_last(s);
	for (unsigned int i = 0; i < s->nr; i++)
		if (s->proc[i].jailed.pid)
			return;
	s->stage = STAGE_OVER;
}

void end_dismiss(struct supervisor *s, struct spawned *p)
{
	if (p->control < 0)
		return;
	loop_del(&s->loop, p->control);
	child_dismiss(p);
}

void end_vm(struct supervisor *s, enum end_cause cause, const char *detail, bool now)
{
	if (s->stage >= STAGE_ENDING)
		return;
	s->stage = STAGE_ENDING;
	s->state->cause = cause;
	s->state->exit_code = cause_info(cause)->exit_code;
	fmt_into(s->state->detail, sizeof(s->state->detail), "%s", detail);
	phases_mark(s->phases, "end");
	supervisor_let_go(s);
	if (now) {
		end_kill_all(s);
	} else {
		/* The VMM goes first. Its ends of the channels close with it: so the devices learn of
		 * the end, and can still write what they hold. */
		if (cause == END_DEVICE_KILLED)
			child_kill(&s->proc[0]);
		end_dismiss(s, &s->proc[0]);
		s->deadline_ns = clock_ns() + SUPERVISOR_LEAVE_NS;
	}
	end_check(s);
}

void end_exited(struct supervisor *s, int status, const char *detail)
{
	if (s->stage >= STAGE_ENDING)
		return;
	end_vm(s, END_EXITED, detail, false);
	s->state->exit_code = status;
}

void end_failed(struct supervisor *s, const struct err *err)
{
	if (s->stage >= STAGE_ENDING)
		return;
	s->stage = STAGE_ENDING;
	s->create_by_ns = 0;
	s->failed = true;
	s->failure = *err;
	supervisor_let_go(s);
	end_kill_all(s);
	end_check(s);
}

void end_late(struct supervisor *s)
{
	s->deadline_ns = 0;
	if (!drain_wait(s))
		end_kill_all(s);
}

void end_kill(struct supervisor *s)
{
	s->deadline_ns = 0;
	end_kill_all(s);
}
