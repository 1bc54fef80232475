/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/vmrun/parser.h"
#include "cmd/vmrun/policy_watch.h"
#include "cmd/vmrun/vmrun.h"
#include "devices/core/fmt.h"
#include "policies/compile.h"
#include "policies/parse.h"
#include "policies/show.h"

#define FIELD(f) offsetof(struct policy_options, f)

static const struct option_spec options[] = {
	{"arch", 0, OPTION_STRING, "ARCH",
	 "x86_64, aarch64 or arm: whose system calls and constants count (default: this machine's)",
	 FIELD(arch), NULL},
	{"output", 'o', OPTION_STRING, "FILE",
	 "compile: where the BPF program goes; stats: the table; learn: a new directory",
	 FIELD(output), NULL},
	{"seconds", 's', OPTION_COUNT, "N", "stats: how long (default: 5, a command until it ends)",
	 FIELD(seconds), NULL},
	{"run", 0, OPTION_FLAG, NULL, "stats: of a command, from its start", FIELD(run), NULL},
	{"fds", 0, OPTION_FLAG, NULL, "learn: rules for the numbers of fds, too", FIELD(fds), NULL},
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

enum { ARCH = 1, OUTPUT = 2, OUTPUT_NEEDED = 4, SECONDS = 8, RUN = 16, FDS = 32 };

/* @run is carried out by the child that parses, @watch by vmrun itself; @takes: options */
static const struct policy_verb {
	const char *name;
	const char *wants;
	unsigned int min, max, takes;
	int (*run)(struct policy_work *w, struct err *err);
	int (*watch)(struct vmrun *v, const struct policy_options *o, unsigned int nr, char **args,
		     struct err *err);
} verbs[] = {
	{"check", "files", 1, UINT_MAX, ARCH, policy_check, NULL},
	{"compile", "one file", 1, 1, ARCH | OUTPUT | OUTPUT_NEEDED, policy_compile, NULL},
	{"explain", "one file", 1, 1, ARCH, policy_explain, NULL},
	{"diff", "two files", 2, 2, ARCH, policy_diff, NULL},
	{"stats", "the ID of a VM, or --run and a command", 1, UINT_MAX, OUTPUT | SECONDS | RUN,
	 NULL, policy_stats},
	{"learn", "a command", 1, UINT_MAX, OUTPUT | FDS, NULL, policy_learn},
};

static const struct policy_verb *policy_find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	}
	return NULL;
}

static int policy_check_options(const struct policy_verb *verb, const struct policy_options *o,
				struct err *err)
{
	const struct {
		const char *name;
		bool given;
		unsigned int bit;
	} all[] = {
		{"arch", o->arch, ARCH}, {"output", o->output, OUTPUT},	   {"run", o->run, RUN},
		{"fds", o->fds, FDS},	 {"seconds", o->seconds, SECONDS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i].given && !(verb->takes & all[i].bit))
			return err_text(err, EINVAL, "policy %s takes no --%s", verb->name,
					all[i].name);
	}
	return !o->output && (verb->takes & OUTPUT_NEEDED)
		       ? err_text(err, EINVAL, "policy %s: --output is missing", verb->name)
		       : 0;
}

static int policy_wanted(const struct verb_args *args, struct policy_work *w, struct err *err)
{
	const struct policy_options *o = args->opt;
	const struct policy_verb *verb = policy_find_verb(args->arg[0]);

	if (!verb)
		return err_text(err, EINVAL,
				"policy: %s: must be check, compile, explain, diff, stats or learn",
				args->arg[0]);
	w->nr = args->nr - 1;
	w->file = args->arg + 1;
	w->verb = verb;
	if (w->nr < verb->min || w->nr > verb->max)
		return err_text(err, EINVAL, "policy %s wants %s", verb->name, verb->wants);
	if (policy_check_options(verb, o, err) < 0)
		return -EINVAL;
	w->arch = o->arch ? arch_find(o->arch, strlen(o->arch)) : arch_native();
	return w->arch ? 0
		       : err_text(err, EINVAL,
				  "policy: --arch: must be x86_64, aarch64 or arm, is \"%s\"",
				  o->arch);
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
	if (w.verb->watch)
		return w.verb->watch(v, o, w.nr, w.file, err);
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
		"\n  policy compile [--arch ARCH] FILE -o OUT.bpf  a BPF program"
		"\n  policy explain [--arch ARCH] FILE             its rules, and where they stand"
		"\n  policy diff [--arch ARCH] A B                 the rules that only one has"
		"\n  policy stats [-s N] [-o FILE] ID              how often a VM uses each rule"
		"\n  policy stats --run [-s N] [-o FILE] -- CMD    likewise all that a command runs"
		"\n  policy learn [--fds] [-o DIR] -- CMD          run VMs whose filters refuse "
		"nothing;\n"
		"                                                write policies for what they "
		"did\n");
}

const struct verb verb_policy = {
	.name = "policy",
	.synopsis = "check|compile|explain|diff|stats|learn [OPTION...] FILE...|ID|-- CMD...",
	.summary = "Check, compile or compare seccomp policies, learn them, or show which rules "
		   "are used",
	.options = options,
	.opt_bytes = sizeof(struct policy_options),
	.min_args = 1,
	.max_args = UINT_MAX,
	.stateless = true,
	.more = policy_help,
	.run = policy,
};
