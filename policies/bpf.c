/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/bpf.h"

#define BPF_REACH 250 /* a conditional jump's, less what may be put between */

/* The place of a new instruction */
static unsigned int bpf_put(struct bpf *b, struct sock_filter insn)
{
	if (b->nr < BPF_INSNS_MAX)
		b->insn[b->nr] = insn;
	return b->nr <= BPF_INSNS_MAX ? b->nr++ : BPF_INSNS_MAX;
}

static const struct sock_filter *bpf_at(const struct bpf *b, unsigned int place)
{
	return &b->insn[place < BPF_INSNS_MAX ? place : BPF_INSNS_MAX - 1];
}

unsigned int bpf_return(struct bpf *b, uint32_t verdict)
{
	const struct sock_filter insn = BPF_STMT(BPF_RET | BPF_K, verdict);

	for (unsigned int place = b->nr; place > 0 && b->nr - place < BPF_REACH; place--) {
		const struct sock_filter *i = bpf_at(b, place - 1);

		if (i->code == insn.code && i->k == verdict)
			return place - 1;
	}
	return bpf_put(b, insn);
}

/* A place from which @to is reached, and which a conditional jump reaches */
static unsigned int bpf_near(struct bpf *b, unsigned int to)
{
	const struct sock_filter *i = bpf_at(b, to);

	if (b->nr - to < BPF_REACH)
		return to;
	if (i->code == (BPF_RET | BPF_K))
		return bpf_return(b, i->k);
	return bpf_put(b, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, b->nr - to - 1));
}

/* Right before the place @to, as a load goes on there */
unsigned int bpf_load(struct bpf *b, uint32_t off, unsigned int to)
{
	if (to + 1 != b->nr)
		(void)bpf_put(b, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, b->nr - to - 1));
	return bpf_put(b, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, off));
}

/* Where the word at @off is loaded already, it is not loaded again. */
static unsigned int bpf_loaded(const struct bpf *b, uint32_t off, unsigned int to)
{
	const struct sock_filter *i = bpf_at(b, to);

	return to > 0 && i->code == (BPF_LD | BPF_W | BPF_ABS) && i->k == off ? to - 1 : to;
}

unsigned int bpf_branch(struct bpf *b, const struct bpf_test *t, unsigned int yes, unsigned int no)
{
	yes = bpf_near(b, bpf_loaded(b, t->off, yes));
	no = bpf_near(b, bpf_loaded(b, t->off, no));
	return bpf_put(b, (struct sock_filter)BPF_JUMP(BPF_JMP | t->op | BPF_K, t->k,
						       (uint8_t)(b->nr - yes - 1),
						       (uint8_t)(b->nr - no - 1)));
}

void bpf_write(const struct bpf *b, struct sock_filter *ret)
{
	for (unsigned int i = 0; i < b->nr; i++)
		ret[i] = b->insn[b->nr - 1 - i];
}
