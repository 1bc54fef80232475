/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Starting a guest
 *
 *   CTL_START to the VMM, with what goes to the kernel's command line ---> CTL_DONE
 *   state.json: running; the answer to whoever asked
 *
 * Nothing here waits: answers come by the loop, and the VM stays as mortal as ever. A request that was
 * refused leaves a VM that is created and can be started again. A process that says nothing for START_NS
 * is the end of the VM, for nobody knows what it is going to do.
 */
#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/supervisor_priv.h"

#define START_NS 8000000000ULL /* less than the patience of ctl_ask() */

static unsigned int index_of(const struct supervisor *s, const struct spawned *p)
{
	return (unsigned int)(p - s->proc);
}

static bool waiting(const struct supervisor *s)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		if (s->start.asked[i])
			return true;
	return false;
}

static void refused(struct supervisor *s, const struct err *err)
{
	if (!s->start.failure.code)
		s->start.failure = *err;
}

static void ask(struct supervisor *s, unsigned int i, const struct ctl_msg *m)
{
	const int r = ctl_send(s->proc[i].control, (enum ctl_type)m->type, m->code, m->arg,
			       m->text);
	struct err err;

	if (r < 0) {
		err_set(&err, -r, "%s does not listen", s->proc[i].name);
		refused(s, &err);
		return;
	}
	s->start.asked[i] = true;
}

static void ask_vmm(struct supervisor *s)
{
	const struct ctl_msg m = {.type = CTL_START};

	s->start.vmm_asked = true;
	ask(s, 0, &m);
}

/* The start is over: whoever asked for it learns how it went */
static void conclude(struct supervisor *s)
{
	const struct err failure = s->start.failure;
	const int client = s->start.client;

	s->start = (struct starting){.client = -1};
	if (client >= 0) {
		supervisor_answer(s, client, &failure);
	} else if (failure.code) {
		olog_write(&s->log, LOG_LEVEL_ERROR, "%s", failure.msg);
		supervisor_end(s, END_VMM_KILLED, failure.msg, true);
	}
}

static void running(struct supervisor *s)
{
	struct err err;

	phases_mark(s->phases, "started");
	s->stage = STAGE_RUNNING;
	s->state->status = STATE_RUNNING;
	if (state_save(s->dir, s->state, &err) < 0)
		refused(s, &err);
	conclude(s);
}

/* All answers so far are there */
static void go_on(struct supervisor *s)
{
	if (!s->start.failure.code && !s->start.vmm_asked)
		ask_vmm(s);
	if (waiting(s))
		return;
	if (s->start.failure.code)
		conclude(s);
	else
		running(s);
}

int supervisor_start(struct supervisor *s, int client, struct err *err)
{
	if (s->stage == STAGE_RUNNING)
		return err_text(err, EINVAL, "cannot start an already running container");
	if (s->stage != STAGE_CREATED)
		return err_text(err, EINVAL, "cannot start a container that has stopped");
	if (s->start.deadline_ns)
		return err_text(err, EBUSY, "the container is being started");
	s->start = (struct starting){.client = client, .deadline_ns = clock_ns() + START_NS};
	go_on(s);
	return 0;
}

bool supervisor_asked(const struct supervisor *s, const struct spawned *p)
{
	return s->start.asked[index_of(s, p)];
}

void supervisor_answered(struct supervisor *s, const struct spawned *p, const struct ctl_msg *m)
{
	const unsigned int i = index_of(s, p);
	const int code = m->code < 4096 ? (int)m->code : EIO;
	struct err err;

	s->start.asked[i] = false;
	if (code) {
		err_text(&err, code, "%s%s%s", i ? p->name : "", i ? ": " : "", m->text);
		refused(s, &err);
	}
	if (!waiting(s))
		go_on(s);
}

void supervisor_start_late(struct supervisor *s)
{
	char text[64];
	unsigned int i = 0;

	while (!s->start.asked[i])
		i++;
	fmt_into(text, sizeof(text), "%s: does not answer", s->proc[i].name);
	supervisor_end(s, i ? END_DEVICE_KILLED : END_VMM_KILLED, text, true);
}

void supervisor_start_cut(struct supervisor *s, const char *why)
{
	const int client = s->start.client;
	struct err err;

	s->start = (struct starting){.client = -1};
	if (client < 0)
		return;
	err_text(&err, ESRCH, "the container ended while it was started: %s", why);
	supervisor_answer(s, client, &err);
}
