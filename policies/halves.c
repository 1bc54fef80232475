/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/halves.h"

/* Offset of an argument's half; the architectures that we know are little-endian */
static uint32_t halves_offset(const struct rule_cmp *c, bool upper)
{
	return (uint32_t)(offsetof(struct seccomp_data, args) + c->arg * sizeof(uint64_t) +
			  (upper ? sizeof(uint32_t) : 0));
}

static unsigned int halves_half(struct bpf *b, const struct rule_cmp *c, bool upper, uint16_t op,
				uint64_t value, unsigned int yes, unsigned int no)
{
	const struct bpf_test t = {halves_offset(c, upper), op,
				   (uint32_t)(upper ? value >> 32 : value)};

	return bpf_load(b, t.off, bpf_branch(b, &t, yes, no));
}

static unsigned int halves_equal(struct bpf *b, const struct rule_cmp *c, unsigned int yes,
				 unsigned int no)
{
	unsigned int place = halves_half(b, c, false, BPF_JEQ, c->value, yes, no);

	return c->narrow ? place : halves_half(b, c, true, BPF_JEQ, c->value, place, no);
}

/* @op is BPF_JGT or BPF_JGE. Equal upper halves leave it to the lower ones. */
static unsigned int halves_above(struct bpf *b, const struct rule_cmp *c, uint16_t op,
				 unsigned int yes, unsigned int no)
{
	unsigned int place = halves_half(b, c, false, op, c->value, yes, no);

	if (c->narrow)
		return place;
	place = halves_half(b, c, true, BPF_JEQ, c->value, place, no);
	return halves_half(b, c, true, BPF_JGT, c->value, yes, place);
}

/* Whether any of the bits @mask is set; a half without one needs no test */
static unsigned int halves_any(struct bpf *b, const struct rule_cmp *c, uint64_t mask,
			       unsigned int yes, unsigned int no)
{
	const bool lower = (uint32_t)mask != 0, upper = !c->narrow && mask >> 32 != 0;
	unsigned int place = no;

	if (lower)
		place = halves_half(b, c, false, BPF_JSET, mask, yes, no);
	return upper ? halves_half(b, c, true, BPF_JSET, mask, yes, place) : place;
}

unsigned int halves_put(struct bpf *b, const struct rule_cmp *c, unsigned int yes, unsigned int no)
{
	switch (c->op) {
	case RULE_EQ: return halves_equal(b, c, yes, no);
	case RULE_NE: return halves_equal(b, c, no, yes);
	case RULE_GT: return halves_above(b, c, BPF_JGT, yes, no);
	case RULE_GE: return halves_above(b, c, BPF_JGE, yes, no);
	case RULE_LE: return halves_above(b, c, BPF_JGT, no, yes);
	case RULE_LT: return halves_above(b, c, BPF_JGE, no, yes);
	case RULE_ANY: return halves_any(b, c, c->value, yes, no);
	case RULE_IN: return halves_any(b, c, ~c->value, no, yes);
	}
	vr_assert(false);
}
