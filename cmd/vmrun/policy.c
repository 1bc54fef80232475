/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/vmrun/parser.h"
#include "cmd/vmrun/vmrun.h"
#include "devices/core/fmt.h"
#include "policies/compile.h"
#include "policies/parse.h"
#include "policies/show.h"

struct policy_options {
	const char *arch;
	const char *output;
};

#define FIELD(f) offsetof(struct policy_options, f)

static const struct option_spec options[] = {
	{"arch", 0, OPTION_STRING, "ARCH",
	 "x86_64, aarch64 or arm: whose system calls and constants count (default: this machine's)",
	 FIELD(arch), NULL},
	{"output", 'o', OPTION_STRING, "FILE", "compile, required: where the BPF program goes",
	 FIELD(output), NULL},
	{.name = NULL},
};

/**
 * struct policy_work - What is asked, and what is answered
 * @file:	@nr names
 * @out:	The answer, which is written to @to in one go
 * @differ:	What diff found
 */
struct policy_work {
	const struct policy_verb *verb;
	const struct arch *arch;
	unsigned int nr;
	char **file;
	FILE *out;
	int to;
	bool differ;
};

/* The log is not this process's to open. */
static void policy_say(const char *before, const struct err *err)
{
	char line[ERR_MSG_BYTES + 32];
	struct err ignored;

	fmt_into(line, sizeof(line), "vmrun: %s%s", before, err->msg);
	(void)fmt_printable(line);
	(void)!parser_write(STDERR_FILENO, line, strlen(line), &ignored);
	(void)!parser_write(STDERR_FILENO, "\n", 1, &ignored);
}

static void policy_warn(const struct rules *r)
{
	for (unsigned int i = 0; i < r->nr; i++) {
		const struct rule *rule = &r->rule[i];
		struct err covered;

		if (!rule->covered)
			continue;
		(void)err_text(&covered, EINVAL,
			       "%s:%u: the conditions of %s in %s:%u have no effect", rule->file,
			       rule->line, rule->name, rule->covered, rule->covered_line);
		policy_say("warning: ", &covered);
	}
}

static int policy_check_one(struct policy_work *w, const char *path, struct err *err)
{
	cleanup_rules struct rules rules = {.arch = w->arch};
	struct compiled program = {0};
	const int rc = compile_file(path, &rules, &program, err);

	if (rc < 0)
		return rc;
	policy_warn(&rules);
	fprintf(w->out, "%s: %u rules, %u instructions\n", path, rules.nr, program.count);
	free(program.insn);
	return 0;
}

/* All of them, whatever is wrong with one: the last error is the verb's */
static int policy_check(struct policy_work *w, struct err *err)
{
	int rc = 0;

	for (unsigned int i = 0; i < w->nr; i++) {
		struct err one;

		if (policy_check_one(w, w->file[i], &one) == 0)
			continue;
		if (rc < 0)
			policy_say("", err);
		*err = one;
		rc = -one.code;
	}
	return rc;
}

static int policy_compile(struct policy_work *w, struct err *err)
{
	cleanup_rules struct rules rules = {.arch = w->arch};
	struct compiled program = {0};
	int rc = compile_file(w->file[0], &rules, &program, err);

	if (rc < 0)
		return rc;
	rc = parser_write(w->to, program.insn, program.count * sizeof(program.insn[0]), err);
	free(program.insn);
	return rc;
}

static int policy_explain(struct policy_work *w, struct err *err)
{
	cleanup_rules struct rules rules = {.arch = w->arch};
	const int rc = parse_file(&rules, w->file[0], err);

	if (rc == 0)
		show_rules(&rules, w->out);
	return rc;
}

static int policy_diff(struct policy_work *w, struct err *err)
{
	cleanup_rules struct rules a = {.arch = w->arch};
	cleanup_rules struct rules b = {.arch = w->arch};
	int rc = parse_file(&a, w->file[0], err);

	if (rc == 0)
		rc = parse_file(&b, w->file[1], err);
	w->differ = rc == 0 && show_difference(&a, &b, w->out) > 0;
	return rc;
}

static const struct policy_verb {
	const char *name;
	unsigned int min_files, max_files;
	int (*run)(struct policy_work *w, struct err *err);
} verbs[] = {
	{"check", 1, UINT_MAX, policy_check},
	{"compile", 1, 1, policy_compile},
	{"explain", 1, 1, policy_explain},
	{"diff", 2, 2, policy_diff},
};

static const struct policy_verb *policy_find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	}
	return NULL;
}

static int policy_wanted(const struct verb_args *args, struct policy_work *w, struct err *err)
{
	const struct policy_options *o = args->opt;
	const struct policy_verb *verb = policy_find_verb(args->arg[0]);

	if (!verb)
		return err_text(err, EINVAL, "policy: %s: must be check, compile, explain or diff",
				args->arg[0]);
	w->nr = args->nr - 1;
	w->file = args->arg + 1;
	if (w->nr < verb->min_files || w->nr > verb->max_files)
		return err_text(err, EINVAL, "policy %s wants %s", verb->name,
				verb->min_files == 2   ? "two files"
				: verb->max_files == 1 ? "one file"
						       : "files");
	if (!o->output != (verb->run != policy_compile))
		return err_text(err, EINVAL, "policy %s: --output %s", verb->name,
				o->output ? "is for compile" : "is missing");
	w->arch = o->arch ? arch_find(o->arch, strlen(o->arch)) : arch_native();
	if (!w->arch)
		return err_text(err, EINVAL,
				"policy: --arch: must be x86_64, aarch64 or arm, is \"%s\"",
				o->arch);
	w->verb = verb;
	return 0;
}

/* In the child that parses */
static int policy_answer(void *arg, struct err *err)
{
	struct policy_work *w = arg;
	cleanup_free char *text = NULL;
	struct err wrong = {0};
	size_t len = 0;
	int rc;

	w->out = open_memstream(&text, &len);
	if (!w->out)
		return err_set(err, ENOMEM, "policy");
	rc = w->verb->run(w, &wrong);
	if (fclose(w->out) != 0)
		return err_set(err, ENOMEM, "policy");
	if (len > 0 && parser_write(w->to, text, len, err) < 0)
		return -err->code;
	if (rc == 0 && w->differ)
		return err_text(err, EEXIST, "the policies differ");
	*err = wrong;
	return rc;
}

static int policy(struct vmrun *v, const struct verb_args *args, struct err *err)
{
	const struct policy_options *o = args->opt;
	struct policy_work w = {.to = STDOUT_FILENO};
	cleanup_fd int file = -1;
	int rc = vmrun_usage(v, policy_wanted(args, &w, err));

	if (rc < 0)
		return rc;
	if (o->output) {
		file = open(o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
		if (file < 0)
			return err_set(err, errno, "%s", o->output);
		w.to = file;
	}
	return parser_run(policy_answer, &w, err);
}

static void policy_help(char *ret, size_t size)
{
	fmt_into(
		ret, size,
		"\n  policy check [--arch ARCH] FILE...            one line for each, or what is "
		"wrong"
		"\n  policy compile [--arch ARCH] FILE -o OUT.bpf  a BPF program\n  policy explain "
		"[--arch ARCH] FILE"
		"\n  policy diff [--arch ARCH] A B\n");
}

const struct verb verb_policy = {
	.name = "policy",
	.synopsis = "check|compile|explain|diff [--arch ARCH] [-o OUT.bpf] FILE...",
	.summary = "Check or compile seccomp policies, or show what they allow",
	.options = options,
	.opt_bytes = sizeof(struct policy_options),
	.min_args = 1,
	.max_args = UINT_MAX,
	.stateless = true,
	.more = policy_help,
	.run = policy,
};
