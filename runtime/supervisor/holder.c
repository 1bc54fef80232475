/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/holder.h"

#include <errno.h>

#include "devices/core/log.h"
#include "policies/policy.h"
#include "runtime/jail/self.h"
#include "runtime/plan/plan.h"

#define POLICY "pod_device"

int holder_prepare(struct supervisor *s, struct err *err)
{
	/* It never leaves the pod's network. */
	cleanup_close_fd(&s->host_net);
	s->host_net = -1;
	if (s->launch->plan->unconfined)
		return 0;
	if (!policy_find(POLICY))
		return err_text(err, ENOENT, "this vmrun was built without a policy '%s'", POLICY);
	return self_part(s->dir, &s->apart, err);
}

int holder_confine(struct supervisor *s, struct err *err)
{
	const struct policy *policy = policy_find(POLICY);
	struct program program = {.fd = -1};

	/* No process of its own can write a log on a disk. */
	s->log.disk = false;
	if (s->launch->plan->unconfined)
		return 0;
	/* Its last words, if the policy refuses a call: state_load() finds them. */
	log_init(s->lock, LOG_LEVEL_ERROR);
	program.nr_insns = policy->count;
	program.insn = policy->insn;
	return self_confine(&program, s->apart, s->dir, err);
}
