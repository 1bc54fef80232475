/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/others.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/supervisor/end.h"
#include "runtime/supervisor/failure.h"
#include "runtime/supervisor/record.h"
#include "runtime/util/clock.h"

#define OTHERS_SAYS	 "device "
#define OTHERS_PAUSE_NS	 100000000ULL
#define OTHERS_RETURN_S	 10
#define OTHERS_RETURN_NS (OTHERS_RETURN_S * 1000000000ULL)

bool others_name(const struct plan *p, const char *text, struct err *err)
{
	const size_t says = strlen(OTHERS_SAYS);

	if (strncmp(text, OTHERS_SAYS, says) != 0)
		return false;
	for (unsigned int i = 0; i < p->nr_others; i++) {
		const struct plan_fd *fd = plan_other_fd(p, i);
		const char *name = p->other[i].name;
		const char *why = text + says + strlen(name);

		if (strncmp(text + says, name, strlen(name)) != 0 || strncmp(why, ": ", 2) != 0)
			continue;
		err_text(err, EIO, "%s%s (%s)", fd->pointer, why, fd->path);
		return true;
	}
	return false;
}

/* The index of the device of that name; -1 if there is none */
static int others_find(const struct plan *p, const char *name)
{
	for (unsigned int i = 0; i < p->nr_others; i++)
		if (strcmp(p->other[i].name, name) == 0)
			return (int)i;
	return -1;
}

bool others_returns(const struct supervisor *s, const char *name)
{
	const int i = others_find(s->launch->plan, name);

	return i >= 0 && s->launch->plan->other[i].returns;
}

static void others_set_deadline(struct supervisor *s)
{
	s->others_ns = 0;
	for (unsigned int i = 0; i < s->launch->plan->nr_others; i++) {
		const uint64_t due_ns = s->other[i].due_ns;

		if (due_ns && (!s->others_ns || due_ns < s->others_ns))
			s->others_ns = due_ns;
	}
}

static void others_end(struct supervisor *s, unsigned int i, const char *why)
{
	const struct plan_fd *fd = plan_other_fd(s->launch->plan, i);
	struct err err;

	err_text(&err, EIO, "%s: the back-end is gone%s (%s)", fd->pointer, why, fd->path);
	oci_log_write(&s->log, LOG_LEVEL_WARN, "%s", err.msg);
	end_vm(s, END_DEVICE_KILLED, err.msg, false);
}

void others_lost(struct supervisor *s, const struct ctl_msg *m)
{
	const unsigned int i = (unsigned int)others_find(s->launch->plan, m->text);
	const struct plan_fd *fd = plan_other_fd(s->launch->plan, i);
	struct restarting *r = &s->other[i];
	const uint64_t now = clock_ns();

	/* What it says of an earlier connection may be late. */
	if (m->arg != r->nr || r->due_ns || s->stage >= STAGE_ENDING)
		return;
	if (failure_too_often(r)) {
		others_end(s, i, ", after " VR_TEXT(RESTART_MAX) " connections in 10 s");
		return;
	}
	oci_log_write(&s->log, LOG_LEVEL_WARN, "%s: the back-end is gone, connecting again (%s)",
		      fd->pointer, fd->path);
	/* Its process may be dying, and still listen: such a connection would be lost at once. */
	r->due_ns = now + OTHERS_PAUSE_NS;
	r->ready_by_ns = now + OTHERS_RETURN_NS;
	others_set_deadline(s);
}

static void others_hand_over(struct supervisor *s, unsigned int i, int sock)
{
	struct restarting *r = &s->other[i];
	struct ctl_msg m = {.type = CTL_DEVICE};
	struct err err;
	int rc;

	r->due_ns = 0;
	r->at_ns[r->nr++ % RESTART_MAX] = clock_ns();
	m.arg = r->nr;
	fmt_into(m.text, sizeof(m.text), "%s", s->launch->plan->other[i].name);
	rc = ctl_send_whole(s->proc[0].control, &m, sock);
	if (rc == 0) {
		s->state->other[i].restarts = r->nr;
		record_save(s);
		return;
	}
	err_set(&err, -rc, "%s does not listen", s->proc[0].name);
	end_vm(s, END_VMM_KILLED, err.msg, true);
}

static void others_try(struct supervisor *s, unsigned int i)
{
	struct restarting *r = &s->other[i];
	const uint64_t now = clock_ns();
	cleanup_fd int sock = -1;
	struct err err;

	if (assets_connect(plan_other_fd(s->launch->plan, i), &sock, &err) == 0) {
		others_hand_over(s, i, sock);
	} else if (now < r->ready_by_ns) {
		r->due_ns = now + OTHERS_PAUSE_NS;
	} else {
		r->due_ns = 0;
		others_end(s, i, " and did not come back in " VR_TEXT(OTHERS_RETURN_S) " s");
	}
}

void others_late(struct supervisor *s)
{
	for (unsigned int i = 0; i < s->launch->plan->nr_others; i++)
		if (s->other[i].due_ns && clock_ns() >= s->other[i].due_ns &&
		    s->stage < STAGE_ENDING)
			others_try(s, i);
	others_set_deadline(s);
	if (s->stage >= STAGE_ENDING)
		s->others_ns = 0;
}
