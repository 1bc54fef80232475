/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/compile.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "devices/core/boot.h"
#include "devices/core/fdio.h"
#include "policies/args.h"

/* A "!=" of 32 bits needs 32 blocks, a range at most 62. */
#define ALTERNATIVES_MAX 64
#define PRODUCT_MAX	 256

/* The ways in which one comparison can be true. */
struct alternatives {
	unsigned int nr;
	struct scmp_arg_cmp cmp[ALTERNATIVES_MAX];
};

static void compile_scmp_done(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}
#define cleanup_scmp __attribute__((cleanup(compile_scmp_done)))

static void compile_add(struct alternatives *a, unsigned int arg, enum scmp_compare op, uint64_t x,
			uint64_t y)
{
	vr_assert(a->nr < ALTERNATIVES_MAX);
	a->cmp[a->nr++] = (struct scmp_arg_cmp){arg, op, x, y};
}

/*
 * [@lo, @hi] as aligned blocks: each turn takes the largest block that starts at @lo and ends
 * within the range. The upper 32 bits of the argument are in no mask.
 */
static void compile_add_range32(struct alternatives *a, unsigned int arg, uint64_t lo, uint64_t hi)
{
	while (lo <= hi) {
		uint64_t block = lo ? lo & -lo : 1ULL << 32;

		while (block > hi - lo + 1)
			block >>= 1;
		compile_add(a, arg, SCMP_CMP_MASKED_EQ, ~(block - 1) & UINT32_MAX, lo);
		lo += block;
	}
}

static void compile_add_bits(struct alternatives *a, unsigned int arg, uint64_t bits)
{
	for (; bits; bits &= bits - 1) {
		uint64_t bit = bits & -bits;

		compile_add(a, arg, SCMP_CMP_MASKED_EQ, bit, bit);
	}
}

static void compile_expand32(struct alternatives *a, const struct rule_cmp *c)
{
	uint64_t v = c->value;

	switch (c->op) {
	case RULE_EQ: compile_add_range32(a, c->arg, v, v); break;
	case RULE_NE:
		if (v > 0)
			compile_add_range32(a, c->arg, 0, v - 1);
		compile_add_range32(a, c->arg, v + 1, UINT32_MAX);
		break;
	case RULE_LT: compile_add_range32(a, c->arg, 0, v - 1); break;
	case RULE_LE: compile_add_range32(a, c->arg, 0, v); break;
	case RULE_GT: compile_add_range32(a, c->arg, v + 1, UINT32_MAX); break;
	case RULE_GE: compile_add_range32(a, c->arg, v, UINT32_MAX); break;
	case RULE_ANY: compile_add_bits(a, c->arg, v); break;
	case RULE_IN: compile_add(a, c->arg, SCMP_CMP_MASKED_EQ, ~v & UINT32_MAX, 0); break;
	}
}

static void compile_expand64(struct alternatives *a, const struct rule_cmp *c)
{
	switch (c->op) {
	case RULE_EQ: compile_add(a, c->arg, SCMP_CMP_EQ, c->value, 0); break;
	case RULE_NE: compile_add(a, c->arg, SCMP_CMP_NE, c->value, 0); break;
	case RULE_LT: compile_add(a, c->arg, SCMP_CMP_LT, c->value, 0); break;
	case RULE_LE: compile_add(a, c->arg, SCMP_CMP_LE, c->value, 0); break;
	case RULE_GT: compile_add(a, c->arg, SCMP_CMP_GT, c->value, 0); break;
	case RULE_GE: compile_add(a, c->arg, SCMP_CMP_GE, c->value, 0); break;
	case RULE_ANY: compile_add_bits(a, c->arg, c->value); break;
	case RULE_IN: compile_add(a, c->arg, SCMP_CMP_MASKED_EQ, ~c->value, 0); break;
	}
}

static int compile_add_clause(scmp_filter_ctx ctx, int nr, const struct rule_clause *c,
			      struct err *err)
{
	static struct alternatives alt[RULE_CMPS_MAX];
	struct scmp_arg_cmp pick[RULE_CMPS_MAX];
	unsigned int product = 1;

	for (unsigned int i = 0; i < c->nr; i++) {
		alt[i].nr = 0;
		if (args_is_32bit(nr, c->cmp[i].arg))
			compile_expand32(&alt[i], &c->cmp[i]);
		else
			compile_expand64(&alt[i], &c->cmp[i]);
		if (alt[i].nr > PRODUCT_MAX / product)
			return err_text(err, E2BIG, "one && group needs more than %d comparisons",
					PRODUCT_MAX);
		product *= alt[i].nr;
	}
	for (unsigned int n = 0; n < product; n++) {
		unsigned int rest = n;
		int rc;

		for (unsigned int i = 0; i < c->nr; i++) {
			pick[i] = alt[i].cmp[rest % alt[i].nr];
			rest /= alt[i].nr;
		}
		rc = seccomp_rule_add_exact_array(ctx, SCMP_ACT_ALLOW, nr, c->nr, pick);
		if (rc < 0)
			return err_set(err, -rc, "libseccomp refuses the rule");
	}
	return 0;
}

static int compile_add_rule(scmp_filter_ctx ctx, const struct rule *rule, struct err *err)
{
	uint32_t action = rule->kind == RULE_ERRNO ? SCMP_ACT_ERRNO((unsigned int)rule->errnum)
						   : SCMP_ACT_ALLOW;
	int rc;

	if (rule->kind != RULE_EXPR) {
		rc = seccomp_rule_add_exact_array(ctx, action, rule->nr, 0, NULL);
		return rc < 0 ? err_set(err, -rc, "libseccomp refuses the rule") : 0;
	}
	for (unsigned int i = 0; i < rule->nr_clauses; i++) {
		rc = compile_add_clause(ctx, rule->nr, &rule->clause[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* libseccomp writes programs to fds only. */
static int compile_export(scmp_filter_ctx ctx, struct program *ret, struct err *err)
{
	cleanup_fd int fd = memfd_create("bpf", MFD_CLOEXEC);
	cleanup_free struct sock_filter *insn = NULL;
	struct stat st;
	size_t count;
	int rc;

	if (fd < 0)
		return err_set(err, errno, "memfd_create");
	rc = seccomp_export_bpf(ctx, fd);
	if (rc < 0)
		return err_set(err, -rc, "seccomp_export_bpf");
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "fstat");
	count = (size_t)st.st_size / sizeof(*insn);
	if (count == 0)
		return err_text(err, EINVAL, "libseccomp wrote an empty program");
	if (count > BOOT_FILTER_MAX)
		return err_text(err, E2BIG, "%zu BPF instructions, more than the boot record's %d",
				count, BOOT_FILTER_MAX);
	insn = calloc(count, sizeof(*insn));
	if (!insn)
		return err_set(err, ENOMEM, "%zu instructions", count);
	rc = fd_pread_full(fd, insn, count * sizeof(*insn), 0);
	if (rc < 0)
		return err_set(err, -rc, "read the program");
	ret->count = (unsigned int)count;
	ret->insn = TAKE_PTR(insn);
	return 0;
}

int compile_rules(const struct rules *r, struct program *ret, struct err *err)
{
	cleanup_scmp scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc;

	if (!ctx)
		return err_text(err, ENOMEM, "seccomp_init failed");
	rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc < 0)
		return err_set(err, -rc, "seccomp_attr_set");
	for (unsigned int i = 0; i < r->nr; i++) {
		rc = compile_add_rule(ctx, &r->rule[i], err);
		if (rc < 0)
			return err_wrap(err, "%s:%u", r->rule[i].file, r->rule[i].line);
	}
	return compile_export(ctx, ret, err);
}
