/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/policy_model.h"

#include <linux/audit.h>

#include "policies/args.h"
#include "tests/support/bpf.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#endif

static bool cmp_true(const struct rule_cmp *c, int nr, uint64_t v)
{
	if (args_is_32bit(nr, c->arg))
		v = (uint32_t)v;
	switch (c->op) {
	case RULE_EQ: return v == c->value;
	case RULE_NE: return v != c->value;
	case RULE_LT: return v < c->value;
	case RULE_LE: return v <= c->value;
	case RULE_GT: return v > c->value;
	case RULE_GE: return v >= c->value;
	case RULE_ANY: return (v & c->value) != 0;
	case RULE_IN: return (v & ~c->value) == 0;
	}
	return false;
}

static bool clause_true(const struct rule_clause *c, const struct seccomp_data *call)
{
	for (unsigned int i = 0; i < c->nr; i++) {
		if (!cmp_true(&c->cmp[i], call->nr, call->args[c->cmp[i].arg]))
			return false;
	}
	return true;
}

uint32_t policy_model_run(const struct rules *r, const struct seccomp_data *call)
{
	for (unsigned int i = 0; i < r->nr; i++) {
		const struct rule *rule = &r->rule[i];

		if (rule->nr != call->nr)
			continue;
		if (rule->kind == RULE_ALLOW)
			return SECCOMP_RET_ALLOW;
		if (rule->kind == RULE_ERRNO)
			return SECCOMP_RET_ERRNO | (uint32_t)rule->errnum;
		for (unsigned int n = 0; n < rule->nr_clauses; n++) {
			if (clause_true(&rule->clause[n], call))
				return SECCOMP_RET_ALLOW;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
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

static bool judged_differently(const struct rules *r, const struct program *p,
			       const struct seccomp_data *call, struct seccomp_data *ret)
{
	if (bpf_run(p->insn, p->count, call) == policy_model_run(r, call))
		return false;
	*ret = *call;
	return true;
}

/* All arguments set so that @c is true, as far as its values alone can make it. */
static struct seccomp_data satisfy(const struct rule *rule, const struct rule_clause *c)
{
	struct seccomp_data call = {.nr = rule->nr, .arch = NATIVE_ARCH};

	for (unsigned int i = 0; i < c->nr; i++) {
		const struct rule_cmp *k = &c->cmp[i];
		bool above = k->op == RULE_GT || k->op == RULE_NE;

		call.args[k->arg] = k->value + above - (k->op == RULE_LT);
	}
	return call;
}

static bool clause_differs(const struct rules *r, const struct program *p, const struct rule *rule,
			   const struct rule_clause *c, struct seccomp_data *ret)
{
	struct seccomp_data call = satisfy(rule, c);

	if (judged_differently(r, p, &call, ret))
		return true;
	for (unsigned int i = 0; i < c->nr; i++) {
		uint64_t v;

		for (unsigned int n = 0; sample(c->cmp[i].value, n, &v); n++) {
			call = satisfy(rule, c);
			call.args[c->cmp[i].arg] = v;
			if (judged_differently(r, p, &call, ret))
				return true;
		}
	}
	return false;
}

static bool rule_differs(const struct rules *r, const struct program *p, const struct rule *rule,
			 struct seccomp_data *ret)
{
	for (int nr = rule->nr - 1; nr <= rule->nr + 1; nr++) {
		struct seccomp_data call = {.nr = nr, .arch = NATIVE_ARCH};

		if (judged_differently(r, p, &call, ret))
			return true;
	}
	for (unsigned int i = 0; i < rule->nr_clauses; i++) {
		if (clause_differs(r, p, rule, &rule->clause[i], ret))
			return true;
	}
	return false;
}

bool policy_model_differs(const struct rules *r, const struct program *p,
			  struct seccomp_data *ret_call)
{
	for (unsigned int i = 0; i < r->nr; i++) {
		if (rule_differs(r, p, &r->rule[i], ret_call))
			return true;
	}
	return false;
}

/*
 * libseccomp loses a few nodes when one rule covers another. Declared here because no header does;
 * exported because the sanitizer's library looks it up.
 */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libseccomp.so";
}
