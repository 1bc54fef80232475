/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/policy_stats.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "policies/parse.h"
#include "policies/show.h"

/**
 * struct tally - A group's rules, and how often each decided
 * @refused:	The first call that no rule allows, @nr_refused of all kinds
 */
struct tally {
	bool loaded;
	struct rules rules;
	uint64_t *count;
	int refused;
	uint64_t nr_refused;
};

/* ---- in the child ---- */

static int policy_stats_load(const struct policy_stats *s, const struct policy *p, struct tally *t,
			     struct err *err)
{
	char path[PATH_MAX * 2];
	int rc;

	t->rules.arch = arch_native();
	if (s->dir) {
		fmt_into(path, sizeof(path), "%s/%s.policy", s->dir, p->name);
		rc = parse_file(&t->rules, path, err);
	} else {
		rc = parse_text(&t->rules, p->name, p->rules, strlen(p->rules), err);
	}
	t->count = rc == 0 ? calloc(t->rules.nr, sizeof(*t->count)) : NULL;
	t->loaded = t->count != NULL;
	return rc < 0 || t->loaded ? rc : err_set(err, ENOMEM, "rules");
}

static int policy_stats_count(const struct policy_stats *s, struct tally *tally,
			      const struct policy_stats_call *c, struct err *err)
{
	struct tally *t = &tally[c->group];
	const struct rule *rule;
	int rc;

	if (c->group >= s->nr_groups)
		return err_text(err, EPROTO, "a call of no group");
	rc = t->loaded ? 0 : policy_stats_load(s, s->group[c->group].policy, t, err);
	if (rc < 0)
		return rc;
	rule = rules_decide(&t->rules, c->nr, c->args);
	if (rule)
		t->count[rule - t->rules.rule]++;
	else if (t->nr_refused++ == 0)
		t->refused = c->nr;
	return 0;
}

static int policy_stats_count_all(const struct policy_stats *s, struct tally *tally,
				  struct err *err)
{
	struct policy_stats_call call;

	for (;;) {
		int rc = fd_read_full(s->from, &call, sizeof(call));

		if (rc == -EPIPE)
			return 0;
		rc = rc < 0 ? err_set(err, -rc, "calls") : policy_stats_count(s, tally, &call, err);
		if (rc < 0)
			return rc;
	}
}

/* Of a policy that is compiled in, each rule's line is in its text. */
static void policy_stats_print_rule(const struct policy_stats *s, const struct policy *p,
				    const struct rule *r, FILE *out)
{
	const char *text = p->rules;

	if (s->dir) {
		show_rule(r, "", out);
		return;
	}
	for (unsigned int line = 1; line < r->line; line++)
		text = strchr(text, '\n') + 1;
	fprintf(out, "%.*s\n", (int)strcspn(text, "\n"), text);
}

static void policy_stats_print(const struct policy_stats *s, const struct tally *tally, FILE *out)
{
	for (unsigned int g = 0; g < s->nr_groups; g++) {
		const struct policy_stats_group *group = &s->group[g];
		const struct tally *t = &tally[g];
		char name[ARCH_SYSCALL_MAX];

		for (unsigned int i = 0; t->loaded && i < t->rules.nr; i++) {
			fprintf(out, "%-12s %10llu  ", group->name,
				(unsigned long long)t->count[i]);
			policy_stats_print_rule(s, group->policy, &t->rules.rule[i], out);
		}
		if (t->nr_refused == 0)
			continue;
		arch_call_name(t->rules.arch, t->refused, name);
		fprintf(out, "%-12s %10llu  no rule allows these calls, the first %s\n",
			group->name, (unsigned long long)t->nr_refused, name);
	}
}

static int policy_stats_answer(void *arg, struct err *err)
{
	const struct policy_stats *s = arg;
	/* The process ends with them. */
	struct tally *tally = calloc(s->nr_groups, sizeof(*tally));
	cleanup_free char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int rc = 0;

	close(s->to);
	if (!tally || !out)
		return err_set(err, ENOMEM, "policies");
	for (unsigned int i = 0; rc == 0 && s->all && i < s->nr_groups; i++)
		rc = policy_stats_load(s, s->group[i].policy, &tally[i], err);
	if (rc == 0)
		rc = policy_stats_count_all(s, tally, err);
	if (rc < 0)
		return rc;
	policy_stats_print(s, tally, out);
	if (fclose(out) != 0)
		return err_set(err, ENOMEM, "the table");
	return parser_write(s->out, text, len, err);
}

/* ---- in the parent ---- */

int policy_stats_begin(struct policy_stats *s, struct err *err)
{
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe");
	s->from = ends[0];
	s->to = ends[1];
	rc = parser_begin(policy_stats_answer, s, &s->parser, err);
	close(s->from);
	if (rc < 0)
		close(s->to);
	return rc;
}

static int policy_stats_flush(struct policy_stats *s, struct err *err)
{
	const size_t len = s->nr * sizeof(s->call[0]);

	s->nr = 0;
	return parser_write(s->to, s->call, len, err);
}

int policy_stats_add(struct policy_stats *s, unsigned int group, int nr, const uint64_t args[6],
		     struct err *err)
{
	struct policy_stats_call *c = &s->call[s->nr++];

	c->group = group;
	c->nr = nr;
	memcpy(c->args, args, sizeof(c->args));
	return s->nr < POLICY_STATS_BATCH ? 0 : policy_stats_flush(s, err);
}

int policy_stats_end(struct policy_stats *s, struct err *err)
{
	struct err of_child = {0};
	const int flushed = policy_stats_flush(s, err);
	int rc;

	close(s->to);
	rc = parser_end(&s->parser, &of_child);
	/* What it says is why it does not read any more. */
	if (rc < 0)
		*err = of_child;
	return rc < 0 ? rc : flushed;
}
