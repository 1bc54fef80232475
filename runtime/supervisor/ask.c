/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/ask.h"

#include <errno.h>
#include <string.h>

#include "runtime/supervisor/reply.h"
#include "runtime/util/clock.h"

#define ASK_ERRNO_MAX 4095

static unsigned int ask_index_of(const struct supervisor *s, const struct spawned *p)
{
	return (unsigned int)(p - s->proc);
}

static struct asking *ask_entry(struct ask_queue *q, unsigned int nth)
{
	return &q->entry[(q->first + nth) % ASK_MAX];
}

/* The time of the next ask_late() */
static void ask_set_deadline(struct supervisor *s)
{
	s->ask_by_ns = 0;
	for (unsigned int i = 0; i < s->nr; i++) {
		for (unsigned int n = 0; n < s->ask[i].nr; n++) {
			const struct asking *a = ask_entry(&s->ask[i], n);

			if (a->then.done && (!s->ask_by_ns || a->deadline_ns < s->ask_by_ns))
				s->ask_by_ns = a->deadline_ns;
		}
	}
}

int ask_process(struct supervisor *s, unsigned int i, const struct ctl_msg *m, int fd,
		const struct ask_then *then, struct err *err)
{
	struct ask_queue *q = &s->ask[i];
	int rc;

	vr_assert(then->done);
	if (q->nr == ASK_MAX)
		return err_text(err, EBUSY, "%s has too many requests to answer", s->proc[i].name);
	rc = s->proc[i].control < 0 ? -EPIPE : ctl_send_whole(s->proc[i].control, m, fd);
	if (rc < 0)
		return err_set(err, -rc, "%s does not listen", s->proc[i].name);
	*ask_entry(q, q->nr++) = (struct asking){.deadline_ns = clock_ns() + ASK_NS, .then = *then};
	ask_set_deadline(s);
	return 0;
}

void ask_reply(struct supervisor *s, unsigned int i UNUSED, int client,
	       const struct ctl_msg *answer, const struct err *err)
{
	if (client >= 0)
		reply_give(&s->log, client, err, answer ? answer->value : NULL);
}

bool ask_is_open(const struct supervisor *s, const struct spawned *p)
{
	return s->ask[ask_index_of(s, p)].nr > 0;
}

/* Ends the oldest question to process @i, unless that was done when it was late */
static void ask_end_first(struct supervisor *s, unsigned int i, const struct ctl_msg *answer,
			  const struct err *err)
{
	struct ask_queue *q = &s->ask[i];
	const struct ask_then then = ask_entry(q, 0)->then;

	q->first = (q->first + 1) % ASK_MAX;
	q->nr--;
	ask_set_deadline(s);
	if (then.done)
		then.done(s, i, then.client, answer, err);
}

void ask_answered(struct supervisor *s, struct spawned *p, const struct ctl_msg *m)
{
	const int code = m->code <= ASK_ERRNO_MAX ? (int)m->code : EIO;
	struct err err = {0};

	if (code && m->text[0])
		err_text(&err, code, "%s", m->text);
	else if (code)
		err_set(&err, code, "%s", p->name);
	ask_end_first(s, ask_index_of(s, p), m, &err);
}

/* The first question of process @i that is late; NULL: none */
static struct asking *ask_find_late(struct supervisor *s, unsigned int i, uint64_t now)
{
	for (unsigned int n = 0; n < s->ask[i].nr; n++) {
		struct asking *a = ask_entry(&s->ask[i], n);

		if (a->then.done && a->deadline_ns <= now)
			return a;
	}
	return NULL;
}

void ask_late(struct supervisor *s)
{
	const uint64_t now = clock_ns();
	struct asking *a;
	struct err err;

	for (unsigned int i = 0; i < s->nr; i++) {
		while ((a = ask_find_late(s, i, now))) {
			const struct ask_then then = a->then;

			/* Its place stays, so that the answers behind it meet their questions. */
			a->then = (struct ask_then){.client = -1};
			err_text(&err, ETIMEDOUT, "%s does not answer", s->proc[i].name);
			then.done(s, i, then.client, NULL, &err);
		}
	}
	ask_set_deadline(s);
}

void ask_died(struct supervisor *s, const struct spawned *p)
{
	const unsigned int i = ask_index_of(s, p);
	struct err err;

	while (s->ask[i].nr > 0) {
		err_text(&err, ESRCH, "%s has died", p->name);
		ask_end_first(s, i, NULL, &err);
	}
}

void ask_cut(struct supervisor *s)
{
	struct err err;

	for (unsigned int i = 0; i < s->nr; i++) {
		while (s->ask[i].nr > 0) {
			err_text(&err, ESRCH, "the container ended: %s", s->state->detail);
			ask_end_first(s, i, NULL, &err);
		}
	}
}
