/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/programs.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "policies/policy.h"

static const struct policy *programs_look(const struct programs_policies *from, const char *name)
{
	if (!from->policy)
		return policy_find(name);
	for (unsigned int i = 0; i < from->nr; i++) {
		if (strcmp(from->policy[i].name, name) == 0)
			return &from->policy[i];
	}
	return NULL;
}

static int programs_policy(const struct programs_policies *from, const char *name,
			   const struct policy **ret, struct err *err)
{
	*ret = name ? programs_look(from, name) : NULL;
	if (name && !*ret)
		return err_text(err, ENOENT, "this vmrun was built without a policy '%s'", name);
	return 0;
}

int programs_find(const char *name, const char *policy, const char *early,
		  const struct programs_policies *from, struct program *ret, struct err *err)
{
	struct program found = {.fd = -1, .unconfined = !policy};
	int rc = programs_policy(from, early ? early : policy, &found.policy, err);

	if (rc == 0)
		rc = programs_policy(from, early ? policy : NULL, &found.policy_later, err);
	if (rc < 0)
		return rc;
	if (found.policy) {
		found.nr_insns = found.policy->count;
		found.insn = found.policy->insn;
	}
	if (found.policy_later) {
		found.nr_later = found.policy_later->count;
		found.later = found.policy_later->insn;
	}
	found.fd = program_open(name, err);
	if (found.fd < 0)
		return found.fd;
	*ret = found;
	return 0;
}

void programs_describe(const struct program *p, const struct spawned *of, char *ret, size_t size)
{
	/* What the first refuses the second does, too. */
	const struct policy *by = p->policy_later && of->call.programs > 1 ? p->policy_later
									   : p->policy;
	unsigned int i = 0;

	spawned_describe(of, ret, size);
	if (of->left || of->status != SIGSYS || !of->refused || !by)
		return;
	while (i < by->nr_lines && by->line[i].nr != (int)of->call.nr)
		i++;
	if (i < by->nr_lines)
		fmt_into(ret + strlen(ret), size - strlen(ret),
			 "; %s does not allow these arguments", by->line[i].place);
	else
		fmt_into(ret + strlen(ret), size - strlen(ret), "; %s.policy %s", by->name,
			 by->nr_lines ? "has no line for it" : "is where to look");
}

int programs_open(const struct plan *p, const struct programs_policies *from,
		  struct program ret[PLAN_PROCS_MAX], struct err *err)
{
	struct program all[PLAN_PROCS_MAX];

	for (unsigned int i = 0; i < p->nr_procs; i++) {
		const struct plan_proc *proc = &p->proc[i];
		const int rc = programs_find(proc->program, proc->policy, proc->early, from,
					     &all[i], err);

		if (rc < 0) {
			programs_close(all, i);
			return rc;
		}
	}
	memcpy(ret, all, sizeof(all[0]) * p->nr_procs);
	return 0;
}

void programs_close(const struct program *p, unsigned int nr)
{
	while (nr-- > 0)
		close(p[nr].fd);
}
