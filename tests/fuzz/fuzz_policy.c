/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Policy text of any kind
 *
 * What parses must compile or be refused with words, and what compiles must mean what the language
 * says. Policies come from this tree and not from an attacker; the point is a compiler that never
 * writes a filter that allows more than its text.
 * Covers: policies/lex.c policies/parse.c policies/expr.c policies/value.c policies/rule.c policies/rules.c
 * Covers: policies/compile.c policies/emit.c policies/halves.c
 */
#include <string.h>

#include "policies/compile.h"
#include "policies/parse.h"
#include "tests/support/policy_model.h"

#define TEXT_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compile_and_compare(const struct rules *r)
{
	struct compiled p = {0};
	struct seccomp_data call;
	struct err err = {0};
	int rc = compile_rules(r, &p, &err);

	vr_assert(rc == 0 || (p.insn == NULL && err.msg[0] != 0));
	if (rc == 0)
		vr_assert(!policy_model_differs(r, &p, &call));
	free(p.insn);
}

static void compile_for(const char *arch, const char *text, size_t len)
{
	struct rules r = {.arch = arch_find(arch, strlen(arch))};
	struct err err = {0};

	/* Its folder does not exist, so that no include finds a file. */
	if (parse_text(&r, "/nonexistent/fuzz.policy", text, len, &err) == 0)
		compile_and_compare(&r);
	else
		vr_assert(err.code > 0 && strchr(err.msg, ':'));
	rules_done(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > TEXT_MAX)
		return 0;
	compile_for("x86_64", (const char *)data, size);
	compile_for("aarch64", (const char *)data, size);
	compile_for("arm", (const char *)data, size);
	return 0;
}
