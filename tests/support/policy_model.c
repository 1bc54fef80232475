/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/policy_model.h"

#include "policies/args.h"
#include "tests/support/bpf.h"

uint32_t policy_model_run(const struct rules *r, const struct seccomp_data *call)
{
	uint64_t args[RULE_ARGS];
	const struct rule *rule;

	for (unsigned int i = 0; i < RULE_ARGS; i++)
		args[i] = call->args[i];
	rule = rules_decide(r, call->nr, args);
	return rule ? rule->verdict : r->otherwise;
}

/* The n-th argument worth trying against @v; false when there are no more. */
static bool sample(uint64_t v, unsigned int n, uint64_t *ret)
{
	const uint64_t rubbish = 0xdeadbeefULL << 32;
	const uint64_t tries[] = {
		v,
		v - 1,
		v + 1,
		~v,
		0,
		UINT64_MAX,
		v << 1,
		v >> 1,
		v | rubbish,
		v ^ 0x80000000,
		v & (v - 1),
		v & -v,
		rubbish,
		1ULL << 32,
		(uint64_t)(int64_t)(int32_t)v,
		v | 0x40000000,
	};

	if (n >= ARRAY_SIZE(tries))
		return false;
	*ret = tries[n];
	return true;
}

static bool judged_differently(const struct rules *r, const struct compiled *p,
			       const struct seccomp_data *call, struct seccomp_data *ret)
{
	if (bpf_run(p->insn, p->count, call) == policy_model_run(r, call))
		return false;
	*ret = *call;
	return true;
}

/* All arguments set so that the group from @first is true, as far as its values alone can make it. */
static struct seccomp_data satisfy(const struct rules *r, const struct rule *rule,
				   unsigned int first)
{
	struct seccomp_data call = {.nr = rule->nr, .arch = r->arch->audit};

	for (unsigned int i = first; i < rule->nr_cmps; i++) {
		const struct rule_cmp *k = &rule->cmp[i];
		bool above = k->op == RULE_GT || k->op == RULE_NE;

		call.args[k->arg] = k->value + above - (k->op == RULE_LT);
		if (k->ends)
			break;
	}
	return call;
}

static bool group_differs(const struct rules *r, const struct compiled *p, const struct rule *rule,
			  unsigned int first, struct seccomp_data *ret)
{
	struct seccomp_data call = satisfy(r, rule, first);

	if (judged_differently(r, p, &call, ret))
		return true;
	for (unsigned int i = first; i < rule->nr_cmps; i++) {
		const struct rule_cmp *k = &rule->cmp[i];
		uint64_t v;

		for (unsigned int n = 0; sample(k->value, n, &v); n++) {
			call = satisfy(r, rule, first);
			call.args[k->arg] = v;
			if (judged_differently(r, p, &call, ret))
				return true;
		}
		if (k->ends)
			break;
	}
	return false;
}

static bool rule_differs(const struct rules *r, const struct compiled *p, const struct rule *rule,
			 struct seccomp_data *ret)
{
	for (int nr = rule->nr - 1; nr <= rule->nr + 1; nr++) {
		struct seccomp_data call = {.nr = nr, .arch = r->arch->audit};

		if (judged_differently(r, p, &call, ret))
			return true;
	}
	for (unsigned int i = 0; i < rule->nr_cmps; i++) {
		const struct rule_cmp *k = &rule->cmp[i];

		vr_assert(k->narrow == (r->arch->narrow || args_is_32bit(rule->name, k->arg)));
		if ((i == 0 || rule->cmp[i - 1].ends) && group_differs(r, p, rule, i, ret))
			return true;
	}
	return false;
}

bool policy_model_differs(const struct rules *r, const struct compiled *p,
			  struct seccomp_data *ret_call)
{
	for (unsigned int i = 0; i < r->nr; i++) {
		if (rule_differs(r, p, &r->rule[i], ret_call))
			return true;
	}
	return false;
}
