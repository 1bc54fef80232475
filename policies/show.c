/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/show.h"

#include "policies/expr.h"

void show_rule(const struct rule *r, const char *before, FILE *out)
{
	fprintf(out, "%s%s: %s # %s:%u\n", before, r->name, r->text, r->file, r->line);
}

void show_rules(const struct rules *r, FILE *out)
{
	for (unsigned int i = 0; i < r->nr; i++) {
		unsigned int first = 0;

		while (r->rule[first].nr != r->rule[i].nr)
			first++;
		for (unsigned int n = i; first == i && n < r->nr; n++) {
			if (r->rule[n].nr == r->rule[i].nr)
				show_rule(&r->rule[n], "", out);
		}
	}
	fprintf(out, "@default %s\n", expr_ending(r->otherwise));
}

static bool show_has(const struct rules *r, const struct rule *wanted)
{
	unsigned int i = 0;

	while (i < r->nr && !rule_same(&r->rule[i], wanted))
		i++;
	return i < r->nr;
}

static unsigned int show_missing(const struct rules *a, const struct rules *b, const char *before,
				 FILE *out)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < a->nr; i++) {
		if (!show_has(b, &a->rule[i])) {
			show_rule(&a->rule[i], before, out);
			nr++;
		}
	}
	if (a->otherwise != b->otherwise) {
		fprintf(out, "%s@default %s\n", before, expr_ending(a->otherwise));
		nr++;
	}
	return nr;
}

unsigned int show_difference(const struct rules *a, const struct rules *b, FILE *out)
{
	return show_missing(a, b, "-", out) + show_missing(b, a, "+", out);
}
