/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/bpf.h"

#include <string.h>

/* The accumulator; @known is false for what was loaded from an argument. */
struct acc {
	bool known;
	uint32_t value;
};

/* Whether a conditional jump is taken; false in *@ret_ok for an instruction we do not know. */
static bool condition(const struct sock_filter *i, uint32_t a, bool *ret_ok)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ: return a == i->k;
	case BPF_JGT: return a > i->k;
	case BPF_JGE: return a >= i->k;
	case BPF_JSET: return (a & i->k) != 0;
	default: *ret_ok = false; return false;
	}
}

static bool is_cond_jump(const struct sock_filter *i)
{
	return BPF_CLASS(i->code) == BPF_JMP && BPF_OP(i->code) != BPF_JA &&
	       BPF_SRC(i->code) == BPF_K;
}

static uint32_t load(const struct seccomp_data *call, uint32_t off)
{
	uint32_t v;

	memcpy(&v, (const char *)call + off, sizeof(v));
	return v;
}

static bool load_ok(const struct sock_filter *i)
{
	return i->code == (BPF_LD | BPF_W | BPF_ABS) && i->k % 4 == 0 &&
	       i->k <= sizeof(struct seccomp_data) - 4;
}

static uint32_t run(const struct sock_filter *insn, unsigned int count,
		    const struct seccomp_data *call, unsigned int *ret_steps)
{
	uint32_t a = 0;
	bool ok = true;

	/* Jumps only go forward, so the program ends after at most @count turns. */
	for (uint64_t pc = 0; pc < count; pc++) {
		const struct sock_filter *i = &insn[pc];

		++*ret_steps;
		if (load_ok(i))
			a = load(call, i->k);
		else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= i->k;
		else if (i->code == (BPF_JMP | BPF_JA))
			pc += i->k;
		else if (is_cond_jump(i))
			pc += condition(i, a, &ok) ? i->jt : i->jf;
		else if (i->code == (BPF_RET | BPF_K))
			return i->k;
		else
			return BPF_BAD_PROGRAM;
		if (!ok)
			return BPF_BAD_PROGRAM;
	}
	return BPF_BAD_PROGRAM;
}

uint32_t bpf_run(const struct sock_filter *insn, unsigned int count,
		 const struct seccomp_data *call)
{
	unsigned int steps = 0;

	return run(insn, count, call, &steps);
}

unsigned int bpf_steps(const struct sock_filter *insn, unsigned int count, uint32_t arch, int nr)
{
	const struct seccomp_data call = {.nr = nr, .arch = arch};
	unsigned int steps = 0;

	(void)run(insn, count, &call, &steps);
	return steps;
}

static unsigned int verdict_bit(uint32_t k)
{
	switch (k & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW: return BPF_CAN_ALLOW;
	case SECCOMP_RET_ERRNO: return BPF_CAN_ERRNO;
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_KILL_PROCESS: return BPF_CAN_KILL;
	default: return BPF_CAN_OTHER;
	}
}

static struct acc load_abstract(const struct sock_filter *i, uint32_t arch, int nr)
{
	if (i->k == offsetof(struct seccomp_data, nr))
		return (struct acc){true, (uint32_t)nr};
	if (i->k == offsetof(struct seccomp_data, arch))
		return (struct acc){true, arch};
	return (struct acc){false, 0};
}

/*
 * Follow every path from @pc. What is loaded from an argument may be anything, so both ways of its
 * jumps are followed; @seen has the (instruction, known accumulator) pairs that need no second
 * visit.
 */
static unsigned int walk(const struct sock_filter *insn, unsigned int count, uint64_t pc,
			 struct acc a, const struct seccomp_data *fixed, bool *seen)
{
	unsigned int found = 0;
	bool ok = true;

	for (; pc < count; pc++) {
		const struct sock_filter *i = &insn[pc];

		if (!a.known) {
			if (seen[pc])
				return found;
			seen[pc] = true;
		}
		if (load_ok(i)) {
			a = load_abstract(i, fixed->arch, fixed->nr);
		} else if (i->code == (BPF_ALU | BPF_AND | BPF_K)) {
			a.value &= i->k;
		} else if (i->code == (BPF_JMP | BPF_JA)) {
			pc += i->k;
		} else if (is_cond_jump(i) && a.known) {
			pc += condition(i, a.value, &ok) ? i->jt : i->jf;
		} else if (is_cond_jump(i)) {
			found |= walk(insn, count, pc + 1 + i->jt, a, fixed, seen);
			pc += i->jf;
		} else if (i->code == (BPF_RET | BPF_K)) {
			return found | verdict_bit(i->k);
		} else {
			return found | BPF_CAN_OTHER;
		}
	}
	return found | BPF_CAN_OTHER;
}

unsigned int bpf_verdicts(const struct sock_filter *insn, unsigned int count, uint32_t arch, int nr)
{
	struct seccomp_data fixed = {.nr = nr, .arch = arch};
	cleanup_free bool *seen = calloc(count + 1, sizeof(*seen));

	vr_assert(seen);
	return walk(insn, count, 0, (struct acc){true, 0}, &fixed, seen);
}
