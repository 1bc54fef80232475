/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/balloon.h"

#include <errno.h>

#include "runtime/plan/plan_settings.h"
#include "runtime/supervisor/ask.h"

/* Its number among the processes; 0, the VMM's: there is none */
static unsigned int balloon_find(const struct plan *p)
{
	for (unsigned int i = 1; i < p->nr_procs; i++)
		if (p->proc[i].kind == &kind_table[KIND_BALLOON])
			return i;
	return 0;
}

static void balloon_answered(struct supervisor *s, unsigned int i, int client,
			     const struct ctl_msg *answer, const struct err *err)
{
	struct plan_proc *proc = &s->launch->plan->proc[i];
	struct balloon_settings settings;

	if (answer && err->code == 0) {
		plan_settings(proc, &settings, sizeof(settings));
		settings.size_bytes = answer->value[CTL_BALLOON_TARGET];
		plan_set_settings(proc, &settings, sizeof(settings));
	}
	ask_reply(s, i, client, answer, err);
}

int balloon_ask(struct supervisor *s, const struct request *q, int client, struct err *err)
{
	const bool stats = q->op == REQUEST_BALLOON_STATS;
	const struct ctl_msg m = {
		.type = stats ? CTL_BALLOON_STATS : CTL_BALLOON,
		.code = q->arg,
		.arg = q->value,
	};
	const struct ask_then then = {stats ? ask_reply : balloon_answered, client};
	const unsigned int i = balloon_find(s->launch->plan);

	if (i == 0)
		return err_text(err, ENODEV, "the VM has no balloon: its config.json lists none");
	return ask_process(s, i, &m, -1, &then, err);
}
