/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/core/fmt.h"

static int rules_check_order(const struct rules *r, struct rule *new, struct err *err)
{
	for (unsigned int i = 0; i < r->nr; i++) {
		const struct rule *old = &r->rule[i];

		if (old->nr != new->nr)
			continue;
		if (old->nr_cmps == 0)
			return err_text(err, EINVAL,
					"%s has an unconditional rule in %s:%u, behind which no "
					"other is reached",
					new->name, old->file, old->line);
		if (new->nr_cmps > 0 || old->statement == new->statement)
			continue;
		if (old->verdict != new->verdict)
			return err_text(err, EINVAL,
					"%s has conditions in %s:%u; write {CONDITIONS, ...} in "
					"one statement",
					new->name, old->file, old->line);
		new->covered = old->file;
		new->covered_line = old->line;
	}
	return 0;
}

int rules_append(struct rules *r, struct rule *new, struct err *err)
{
	struct rule *grown;
	int rc = rules_check_order(r, new, err);

	if (rc == 0 && r->nr == RULES_MAX)
		rc = err_text(err, EINVAL, "more than %d rules", RULES_MAX);
	grown = rc == 0 ? reallocarray(r->rule, r->nr + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		rule_done(new);
		return rc < 0 ? rc : err_set(err, ENOMEM, "rules");
	}
	r->rule = grown;
	r->rule[r->nr++] = *new;
	return 0;
}

int rules_add_weight(struct rules *r, int nr, uint64_t weight, struct err *err)
{
	struct rules_weight *grown;

	if (r->nr_weights == RULES_MAX)
		return err_text(err, EINVAL, "more than %d frequencies", RULES_MAX);
	grown = reallocarray(r->weight, r->nr_weights + 1, sizeof(*grown));
	if (!grown)
		return err_set(err, ENOMEM, "frequencies");
	r->weight = grown;
	r->weight[r->nr_weights++] = (struct rules_weight){nr, weight};
	return 0;
}

int rules_add_file(struct rules *r, const char *path, const char **ret, struct err *err)
{
	if (r->nr_files == RULES_FILES_MAX)
		return err_text(err, EINVAL, "%s: more than %d files", path, RULES_FILES_MAX);
	r->file[r->nr_files] = strdup(path);
	if (!r->file[r->nr_files])
		return err_set(err, ENOMEM, "%s", path);
	*ret = r->file[r->nr_files++];
	return 0;
}

bool rules_last_of_call(const struct rules *r, unsigned int i)
{
	unsigned int next = i + 1;

	while (next < r->nr && r->rule[next].nr != r->rule[i].nr)
		next++;
	return next == r->nr;
}

void rules_place(const struct rules *r, unsigned int i, char *ret, size_t size)
{
	const struct rule *rule = &r->rule[i];
	const char *slash = strrchr(rule->file, '/');

	fmt_into(ret, size, "%s:%u", slash ? slash + 1 : rule->file, rule->line);
}

const struct rule *rules_decide(const struct rules *r, int nr, const uint64_t args[RULE_ARGS])
{
	for (unsigned int i = 0; i < r->nr; i++) {
		if (r->rule[i].nr == nr && rule_holds(&r->rule[i], args))
			return &r->rule[i];
	}
	return NULL;
}

void rules_done(struct rules *r)
{
	for (unsigned int i = 0; i < r->nr; i++)
		rule_done(&r->rule[i]);
	for (unsigned int i = 0; i < r->nr_files; i++)
		free(r->file[i]);
	free(r->rule);
	free(r->weight);
	*r = (struct rules){.arch = r->arch};
}
