/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/programs.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "policies/policy.h"

static const struct policy *programs_policy(const struct programs_policies *from, const char *name)
{
	if (!from->policy)
		return policy_find(name);
	for (unsigned int i = 0; i < from->nr; i++) {
		if (strcmp(from->policy[i].name, name) == 0)
			return &from->policy[i];
	}
	return NULL;
}

int programs_find(const char *name, const char *policy, const struct programs_policies *from,
		  struct program *ret, struct err *err)
{
	const struct policy *found = policy ? programs_policy(from, policy) : NULL;
	int fd;

	if (policy && !found)
		return err_text(err, ENOENT, "this vmrun was built without a policy '%s'", policy);
	fd = program_open(name, err);
	if (fd < 0)
		return fd;
	*ret = (struct program){.fd = fd, .unconfined = !policy};
	if (found) {
		ret->nr_insns = found->count;
		ret->insn = found->insn;
		ret->policy = found;
	}
	return 0;
}

void programs_describe(const struct program *p, const struct spawned *of, char *ret, size_t size)
{
	unsigned int i = 0;

	spawned_describe(of, ret, size);
	if (of->left || of->status != SIGSYS || !of->refused || !p->policy)
		return;
	while (i < p->policy->nr_lines && p->policy->line[i].nr != (int)of->call.nr)
		i++;
	if (i < p->policy->nr_lines)
		fmt_into(ret + strlen(ret), size - strlen(ret),
			 "; %s does not allow these arguments", p->policy->line[i].place);
	else
		fmt_into(ret + strlen(ret), size - strlen(ret), "; %s.policy %s", p->policy->name,
			 p->policy->nr_lines ? "has no line for it" : "is where to look");
}

int programs_open(const struct plan *p, const struct programs_policies *from,
		  struct program ret[PLAN_PROCS_MAX], struct err *err)
{
	struct program all[PLAN_PROCS_MAX];

	for (unsigned int i = 0; i < p->nr_procs; i++) {
		const int rc = programs_find(p->proc[i].program, p->proc[i].policy, from, &all[i],
					     err);

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
