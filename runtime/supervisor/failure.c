/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/failure.h"

#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/supervisor/programs.h"
#include "runtime/util/clock.h"

#define FAILURE_DOUBT_NS 200000000ULL
#define FAILURE_LEAVE_NS 1000000000ULL /* to die, for a process that has closed its connection */

static unsigned int failure_index_of(const struct supervisor *s, const struct spawned *p)
{
	return (unsigned int)(p - s->proc);
}

bool failure_too_often(const struct restarting *r)
{
	const uint64_t first_ns = r->at_ns[r->nr % RESTART_MAX];

	return r->nr >= RESTART_MAX && clock_ns() - first_ns < FAILURE_WINDOW_NS;
}

static bool failure_may_return(const struct supervisor *s, const struct spawned *p)
{
	return s->launch->plan->proc[failure_index_of(s, p)].returns;
}

bool failure_returns(const struct supervisor *s, const struct spawned *p)
{
	return failure_may_return(s, p) && !s->accused[0] && s->stage >= STAGE_CREATED &&
	       s->stage < STAGE_ENDING && !failure_too_often(&s->restart[failure_index_of(s, p)]);
}

const char *failure_spent(const struct supervisor *s, const struct spawned *p)
{
	const struct restarting *r = &s->restart[failure_index_of(s, p)];

	return failure_may_return(s, p) && failure_too_often(r)
		       ? ", after " VR_TEXT(RESTART_MAX) " restarts in 10 s"
		       : "";
}

void failure_note(struct supervisor *s, const struct spawned *p)
{
	const unsigned int i = failure_index_of(s, p);
	struct restarting *r = &s->restart[i];
	struct state_proc *record = &s->state->proc[i];

	if (r->due_ns)
		return;
	programs_describe(&s->launch->program[i], p, record->failure, sizeof(record->failure));
	r->ready_by_ns = r->leave_by_ns = 0;
	r->due_ns = clock_ns() + (p->left ? FAILURE_DOUBT_NS : 0);
	failure_set_deadline(s);
}

bool failure_awaited(const struct supervisor *s, const struct spawned *p)
{
	return s->restart[failure_index_of(s, p)].ready_by_ns > 0 && !p->ready;
}

/* The process of that name; 0, the VMM, if there is none */
static unsigned int failure_find(const struct supervisor *s, const char *name)
{
	unsigned int i = s->nr - 1;

	while (i > 0 && strcmp(s->proc[i].name, name) != 0)
		i--;
	return i;
}

bool failure_lost_is_legal(const struct supervisor *s, const struct ctl_msg *m)
{
	return s->launch->plan->proc[failure_find(s, m->text)].returns;
}

void failure_lost(struct supervisor *s, const struct ctl_msg *m)
{
	struct restarting *r = &s->restart[failure_find(s, m->text)];

	/* What it says of an earlier process may be late. */
	if (m->arg != r->nr || r->leave_by_ns || r->due_ns)
		return;
	r->leave_by_ns = clock_ns() + FAILURE_LEAVE_NS;
	failure_set_deadline(s);
}

void failure_set_deadline(struct supervisor *s)
{
	uint64_t first = UINT64_MAX;

	for (unsigned int i = 0; i < s->nr; i++) {
		const struct restarting *r = &s->restart[i];
		const uint64_t at[] = {r->due_ns, r->ready_by_ns, r->leave_by_ns};

		for (unsigned int n = 0; n < ARRAY_SIZE(at); n++)
			if (at[n] && at[n] < first)
				first = at[n];
	}
	s->restart_ns = first == UINT64_MAX ? 0 : first;
}
