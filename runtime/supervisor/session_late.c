/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/session_late.h"

#include <errno.h>
#include <string.h>

#include "devices/core/agent_spec.h"
#include "runtime/state/state.h"
#include "runtime/supervisor/end.h"
#include "runtime/supervisor/reply.h"
#include "runtime/util/clock.h"
#include "runtime/util/spec_items.h"

#define SESSION_ANSWER_NS 120000000000ULL /* also on a slow host */
#define SESSION_S_NS	  1000000000ULL

/* What hooks may take; 0: any time */
static uint64_t session_patience(const struct plan *p)
{
	uint64_t ns = SESSION_ANSWER_NS;
	struct agent_hook hook;
	struct agent_item item;
	const uint8_t *has;

	for (size_t at = 0; (has = spec_items_next(p->spec, p->spec_bytes, &at, &item));) {
		if (item.type != AGENT_HOOK)
			continue;
		memcpy(&hook, has, sizeof(hook));
		if (!hook.timeout_s)
			return 0;
		ns += hook.timeout_s * SESSION_S_NS;
	}
	return ns;
}

uint64_t session_at_ns(const struct supervisor *s)
{
	return s->agent ? s->agent->look_ns : 0;
}

static void session_give_up(struct supervisor *s, struct session *n)
{
	struct err err;

	err_text(&err, ETIMEDOUT, "vmrun-init in the guest does not say whether the program runs");
	n->asked_ns = 0;
	if (n->id == 0) {
		oci_log_write(&s->log, LOG_LEVEL_WARN, "%s", err.msg);
		end_vm(s, END_INIT_LOST, err.msg, false);
	} else if (n->client >= 0) {
		reply_give(&s->log, n->client, &err, NULL);
		n->client = -1;
		session_client_left(s, n);
	}
}

void session_late(struct supervisor *s)
{
	const uint64_t now = clock_ns();

	s->agent->look_ns = 0;
	for (struct session *n = s->agent->session; n < s->agent->session + SESSIONS_MAX; n++) {
		uint64_t ns;

		if (n->state != SESSION_ASKED || !n->asked_ns)
			continue;
		ns = n->id == 0 ? session_patience(s->launch->plan) : SESSION_ANSWER_NS;
		if (s->state->status == STATE_PAUSED)
			n->asked_ns = now;
		if (ns && n->asked_ns + ns <= now)
			session_give_up(s, n);
		else if (ns && (!s->agent->look_ns || n->asked_ns + ns < s->agent->look_ns))
			s->agent->look_ns = n->asked_ns + ns;
	}
}
