/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A BPF program, written from its end
 *
 * BPF only jumps forward, so when an instruction is written what it jumps to is known already. A
 * place is the number of an instruction, counted from the end. A conditional jump reaches 255
 * instructions; a place further away is reached by another jump, or by a copy of a return.
 */
#ifndef VMRUN_POLICIES_BPF_H
#define VMRUN_POLICIES_BPF_H

#include <linux/filter.h>

#include "devices/core/base.h"

#define BPF_INSNS_MAX 4096 /* the kernel takes no more */

/** struct bpf - A program; @nr larger than BPF_INSNS_MAX: it did not fit, and the rest was dropped */
struct bpf {
	unsigned int nr;
	struct sock_filter insn[BPF_INSNS_MAX];
};

/** struct bpf_test - A conditional jump: load the word of seccomp_data at @off, compare it by @op with @k */
struct bpf_test {
	uint32_t off;
	uint16_t op; /* BPF_JEQ ... */
	uint32_t k;
};

/** bpf_return() - The place of an instruction that returns @verdict; near by */
unsigned int bpf_return(struct bpf *b, uint32_t verdict);

/** bpf_load() - Load the word at @off before the place @to; returns the new place */
unsigned int bpf_load(struct bpf *b, uint32_t off, unsigned int to);

/** bpf_branch() - Jump to @yes or @no, by a word that is loaded; returns the place of the jump */
unsigned int bpf_branch(struct bpf *b, const struct bpf_test *t, unsigned int yes, unsigned int no);

/** bpf_write() - The program in the kernel's order; @ret has room for @b->nr instructions */
void bpf_write(const struct bpf *b, struct sock_filter *ret);

#endif
