/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/lines.h"

#include "runtime/supervisor/child.h"
#include "runtime/util/clock.h"

#define TELL_NS 2000000000ULL

static void lines_stop_listening(struct supervisor *s, struct spawned *p)
{
	if (p->log < 0)
		return;
	loop_del(&s->loop, p->log);
	cleanup_close_fd(&p->log);
	p->log = -1;
}

/* Leave its pipe alone until there is budget for it again, or until its writers are gone. */
static void lines_listen_later(struct supervisor *s, const struct spawned *p, uint64_t at_ns)
{
	if (loop_mod(&s->loop, p->log, 0) == 0 &&
	    (!s->listen_again_ns || at_ns < s->listen_again_ns))
		s->listen_again_ns = at_ns;
}

static bool lines_pass_line_on(struct supervisor *s, struct spawned *p, bool last)
{
	uint64_t at_ns;

	switch (child_pass_line(p, last, &s->log, &at_ns)) {
	case SPAWNED_LINE: return true;
	case SPAWNED_LATER: lines_listen_later(s, p, at_ns); return false;
	case SPAWNED_END: lines_stop_listening(s, p); return false;
	case SPAWNED_NOTHING: break;
	}
	return false;
}

static void lines_on_log(void *arg, int fd, uint32_t events)
{
	struct supervisor *s = arg;

	(void)lines_pass_line_on(s, supervisor_process(s, fd), events & EPOLLHUP);
}

void lines_last(struct supervisor *s, struct spawned *p)
{
	unsigned int n = 0;

	while (n++ < CHILD_LINES_MAX && lines_pass_line_on(s, p, true))
		;
	/* Another process may hold the write end now; it has a log of its own. */
	lines_stop_listening(s, p);
}

void lines_again(struct supervisor *s)
{
	s->listen_again_ns = 0;
	/* Those still over their budget are put off again. */
	for (unsigned int i = 0; i < s->nr; i++)
		if (s->proc[i].log >= 0)
			(void)!loop_mod(&s->loop, s->proc[i].log, EPOLLIN);
}

void lines_note_losses(struct supervisor *s)
{
	if (s->log.lost > 0 && !s->tell_losses_ns)
		s->tell_losses_ns = clock_ns() + TELL_NS;
}

void lines_tell_losses(struct supervisor *s)
{
	s->tell_losses_ns = 0;
	oci_log_flush(&s->log);
}

int lines_watch(struct supervisor *s, const struct spawned *p, struct err *err)
{
	return loop_add(&s->loop, p->log, EPOLLIN, lines_on_log, s, err);
}
