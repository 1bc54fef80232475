/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/bpf.h"
#include "policies/halves.h"
#include "policies/parse.h"

#define CHAIN_MAX  4 /* so many calls are compared with one by one */
#define WEIGHT_MAX (1ULL << 40)

/* A system call with its rules, and the place of what tries them */
struct block {
	int nr;
	uint64_t weight;
	unsigned int place;
};

struct compile {
	const struct rules *rules;
	unsigned int nr_blocks;
	struct block *block;
	struct bpf bpf;
};

static void compile_free(struct compile **c)
{
	if (*c)
		free((*c)->block);
	free(*c);
}
#define cleanup_compile __attribute__((cleanup(compile_free)))

static int compile_by_weight(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return (x->weight < y->weight) - (x->weight > y->weight);
}

static void compile_weigh(const struct rules *r, struct block *block)
{
	block->weight = 1;
	for (unsigned int i = 0; i < r->nr_weights; i++) {
		const uint64_t more = r->weight[i].nr == block->nr ? r->weight[i].weight : 0;

		/* far from an overflow of the sum of all */
		block->weight += more < WEIGHT_MAX ? more : WEIGHT_MAX;
	}
}

/* Where @nr is, or belongs, among the blocks, which are sorted */
static unsigned int compile_where(const struct compile *c, int nr)
{
	unsigned int i = 0;

	while (i < c->nr_blocks && c->block[i].nr < nr)
		i++;
	return i;
}

/* Each call once, with how often it is made. No qsort(): for long lists glibc's asks how much memory there is. */
static int compile_list(struct compile *c, struct err *err)
{
	const struct rules *r = c->rules;

	c->block = calloc(r->nr, sizeof(*c->block));
	if (!c->block)
		return err_set(err, ENOMEM, "compile");
	for (unsigned int i = 0; i < r->nr; i++) {
		const unsigned int at = compile_where(c, r->rule[i].nr);
		struct block *block = &c->block[at];

		if (at < c->nr_blocks && block->nr == r->rule[i].nr)
			continue;
		memmove(block + 1, block, (c->nr_blocks - at) * sizeof(*block));
		*block = (struct block){.nr = r->rule[i].nr};
		compile_weigh(r, block);
		c->nr_blocks++;
	}
	return 0;
}

/* One filter: to its verdict, or to the place @no */
static unsigned int compile_filter(struct bpf *b, const struct rule *rule, unsigned int no)
{
	unsigned int group = no, place = no;

	if (rule->nr_cmps == 0)
		return bpf_return(b, rule->verdict);
	for (unsigned int i = rule->nr_cmps; i > 0; i--) {
		const struct rule_cmp *c = &rule->cmp[i - 1];

		/* @group is where to go when the group that this comparison is in is not true. */
		if (c->ends) {
			group = i == rule->nr_cmps ? no : place;
			place = bpf_return(b, rule->verdict);
		}
		place = halves_put(b, c, place, group);
	}
	return place;
}

static void compile_block(struct compile *c, struct block *block)
{
	unsigned int place = bpf_return(&c->bpf, c->rules->otherwise);

	for (unsigned int i = c->rules->nr; i > 0; i--) {
		if (c->rules->rule[i - 1].nr == block->nr)
			place = compile_filter(&c->bpf, &c->rules->rule[i - 1], place);
	}
	block->place = place;
}

/* Blocks @lo to @hi - 1 by comparing with each, the most frequent first */
static unsigned int compile_chain(struct compile *c, unsigned int lo, unsigned int hi)
{
	struct block sorted[CHAIN_MAX];
	unsigned int place = bpf_return(&c->bpf, c->rules->otherwise);

	for (unsigned int i = lo; i < hi; i++)
		sorted[i - lo] = c->block[i];
	qsort(sorted, hi - lo, sizeof(sorted[0]), compile_by_weight);
	for (unsigned int i = hi - lo; i > 0; i--) {
		const struct bpf_test is = {offsetof(struct seccomp_data, nr), BPF_JEQ,
					    (uint32_t)sorted[i - 1].nr};

		place = bpf_branch(&c->bpf, &is, sorted[i - 1].place, place);
	}
	return place;
}

/* The first block of the half that is made as often as the other, of @lo to @hi - 1 */
static unsigned int compile_middle(const struct compile *c, unsigned int lo, unsigned int hi)
{
	uint64_t all = 0, left = c->block[lo].weight;
	unsigned int mid = lo + 1;

	for (unsigned int i = lo; i < hi; i++)
		all += c->block[i].weight;
	while (mid < hi - 1 && left + c->block[mid].weight <= all / 2)
		left += c->block[mid++].weight;
	return mid;
}

static unsigned int compile_tree(struct compile *c, unsigned int lo, unsigned int hi)
{
	struct bpf_test above = {offsetof(struct seccomp_data, nr), BPF_JGE, 0};
	unsigned int mid, yes, no;

	if (hi - lo <= CHAIN_MAX)
		return compile_chain(c, lo, hi);
	mid = compile_middle(c, lo, hi);
	above.k = (uint32_t)c->block[mid].nr;
	yes = compile_tree(c, mid, hi);
	no = compile_tree(c, lo, mid);
	return bpf_branch(&c->bpf, &above, yes, no);
}

static void compile_program(struct compile *c)
{
	const struct bpf_test ours = {offsetof(struct seccomp_data, arch), BPF_JEQ,
				      c->rules->arch->audit};
	unsigned int place, foreign;

	for (unsigned int i = 0; i < c->nr_blocks; i++)
		compile_block(c, &c->block[i]);
	place = compile_tree(c, 0, c->nr_blocks);
	place = bpf_load(&c->bpf, offsetof(struct seccomp_data, nr), place);
	foreign = bpf_return(&c->bpf, SECCOMP_RET_KILL_PROCESS);
	place = bpf_branch(&c->bpf, &ours, place, foreign);
	(void)bpf_load(&c->bpf, offsetof(struct seccomp_data, arch), place);
}

int compile_rules(const struct rules *r, struct compiled *ret, struct err *err)
{
	cleanup_compile struct compile *c = calloc(1, sizeof(*c));
	struct sock_filter *insn;
	int rc;

	vr_assert(r->nr > 0);
	if (!c)
		return err_set(err, ENOMEM, "compile");
	c->rules = r;
	rc = compile_list(c, err);
	if (rc < 0)
		return rc;
	compile_program(c);
	if (c->bpf.nr > BPF_INSNS_MAX)
		return err_text(err, E2BIG, "more than %d BPF instructions", BPF_INSNS_MAX);
	insn = calloc(c->bpf.nr, sizeof(*insn));
	if (!insn)
		return err_set(err, ENOMEM, "compile");
	bpf_write(&c->bpf, insn);
	*ret = (struct compiled){c->bpf.nr, insn};
	return 0;
}

int compile_file(const char *path, struct rules *r, struct compiled *ret, struct err *err)
{
	int rc = parse_file(r, path, err);

	if (rc < 0)
		return rc;
	rc = compile_rules(r, ret, err);
	return rc < 0 ? err_wrap(err, "%s", path) : 0;
}
