/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/learn.h"

#include <errno.h>
#include <string.h>

#include "policies/args.h"
#include "policies/telling.h"

#define LEARN_END "exit_group"

static void learn_reduce(const struct learn *l, int nr, const uint64_t args[RULE_ARGS],
			 struct learn_set *ret)
{
	char name[ARCH_SYSCALL_MAX];

	*ret = (struct learn_set){.nr = nr};
	arch_call_name(l->arch, nr, name);
	for (unsigned int i = 0; i < RULE_ARGS; i++) {
		const bool narrow = l->arch->narrow || args_is_32bit(name, i);
		const uint64_t v = narrow ? (uint32_t)args[i] : args[i];

		if (!telling(name, i, v, l->fds))
			continue;
		ret->mask |= 1U << i;
		ret->value[i] = v;
	}
}

/* Whether what @a allows is allowed by @b */
static bool learn_covers(const struct learn_set *b, const struct learn_set *a)
{
	bool covers = a->nr == b->nr && (b->mask & ~a->mask) == 0;

	for (unsigned int i = 0; covers && i < RULE_ARGS; i++)
		covers = !((b->mask >> i) & 1) || a->value[i] == b->value[i];
	return covers;
}

int learn_add(struct learn *l, int nr, const uint64_t args[RULE_ARGS], struct err *err)
{
	struct learn_set new, *grown;
	unsigned int sets = 0;

	learn_reduce(l, nr, args, &new);
	new.count = 1;
	for (unsigned int i = 0; i < l->nr; i++) {
		if (learn_covers(&l->set[i], &new)) {
			l->set[i].count++;
			return 0;
		}
		sets += l->set[i].nr == nr;
	}
	if (sets >= LEARN_SETS_MAX)
		new = (struct learn_set){.nr = nr, .count = 1};
	grown = reallocarray(l->set, l->nr + 1, sizeof(*grown));
	if (!grown)
		return err_set(err, ENOMEM, "calls");
	l->set = grown;
	l->set[l->nr++] = new;
	return 0;
}

static int learn_order(const void *a, const void *b)
{
	const struct learn_set *x = a, *y = b;

	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	for (unsigned int i = 0; i < RULE_ARGS; i++) {
		if (x->value[i] != y->value[i])
			return x->value[i] < y->value[i] ? -1 : 1;
	}
	return 0;
}

/* What a later and wider one covers would never be reached, or be refused beside it. */
static bool learn_is_covered(const struct learn *l, const struct learn_set *s, uint64_t *count)
{
	for (unsigned int i = 0; i < l->nr; i++) {
		if (&l->set[i] == s)
			continue;
		if (learn_covers(&l->set[i], s))
			return true;
		*count += learn_covers(s, &l->set[i]) ? l->set[i].count : 0;
	}
	return false;
}

static void learn_print_set(const struct learn *l, const struct learn_set *s, FILE *out)
{
	char name[ARCH_SYSCALL_MAX];
	const char *before = "";
	uint64_t count = s->count;

	if (learn_is_covered(l, s, &count))
		return;
	arch_call_name(l->arch, s->nr, name);
	/* A call that libseccomp has no name for yet cannot be in a policy. */
	fprintf(out, "%s%s: %s", *name < 'a' ? "# no name for call " : "", name,
		s->mask ? "" : "1");
	for (unsigned int i = 0; i < RULE_ARGS; i++) {
		if (!((s->mask >> i) & 1))
			continue;
		fprintf(out, "%sarg%u == ", before, i);
		telling_print(l->arch, name, i, s->value[i], out);
		before = " && ";
	}
	fprintf(out, " # %llu times\n", (unsigned long long)count);
}

void learn_print(const struct learn *l, FILE *out)
{
	const int end = arch_syscall(l->arch, LEARN_END, strlen(LEARN_END));
	bool ends = false;

	fputs("@default trap\n", out);
	if (l->nr > 0)
		qsort(l->set, l->nr, sizeof(*l->set), learn_order);
	for (unsigned int i = 0; i < l->nr; i++) {
		learn_print_set(l, &l->set[i], out);
		ends |= l->set[i].nr == end;
	}
	if (!ends)
		fputs(LEARN_END ": 1 # not seen\n", out);
}

void learn_done(struct learn *l)
{
	free(l->set);
	l->set = NULL;
	l->nr = 0;
}
