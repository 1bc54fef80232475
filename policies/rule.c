/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/rule.h"

#include <stdlib.h>

static bool rule_same_cmp(const struct rule_cmp *a, const struct rule_cmp *b)
{
	return a->value == b->value && a->arg == b->arg && a->op == b->op && a->ends == b->ends;
}

bool rule_same(const struct rule *a, const struct rule *b)
{
	bool same = a->nr == b->nr && a->verdict == b->verdict && a->nr_cmps == b->nr_cmps;

	for (unsigned int i = 0; same && i < a->nr_cmps; i++)
		same = rule_same_cmp(&a->cmp[i], &b->cmp[i]);
	return same;
}

static bool rule_cmp_holds(const struct rule_cmp *c, uint64_t arg)
{
	const uint64_t v = c->narrow ? (uint32_t)arg : arg;

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

bool rule_holds(const struct rule *r, const uint64_t args[RULE_ARGS])
{
	bool group = true;

	for (unsigned int i = 0; i < r->nr_cmps; i++) {
		const struct rule_cmp *c = &r->cmp[i];

		group &= rule_cmp_holds(c, args[c->arg]);
		if (c->ends && group)
			return true;
		group |= c->ends;
	}
	return r->nr_cmps == 0;
}

void rule_done(struct rule *r)
{
	free(r->cmp);
	free(r->text);
}
