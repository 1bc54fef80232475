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

void rule_done(struct rule *r)
{
	free(r->cmp);
	free(r->text);
}
