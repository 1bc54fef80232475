/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: policyc ARCH OUT.c POLICY...
 *
 * Runs on the build machine. Compiles each POLICY whose name makes it a program for ARCH, and writes
 * one C file with all of them. Other files are parsed when a program includes them; one that nothing
 * includes is an error: it would have no effect.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "devices/core/boot.h"
#include "policies/args.h"
#include "policies/emit.h"
#include "policies/parse.h"

#define PROGRAMS_MAX 64

struct work {
	const struct arch *arch;
	unsigned int nr;
	struct emit_entry *entry;
	unsigned int nr_paths;
	char **path;
	bool *used;
};

static void main_work_done(struct work *w)
{
	for (unsigned int i = 0; i < w->nr; i++) {
		free(w->entry[i].name);
		free(w->entry[i].program.insn);
		rules_done(&w->entry[i].rules);
	}
	free(w->entry);
	free(w->used);
}
#define cleanup_work __attribute__((cleanup(main_work_done)))

static void main_mark_used(struct work *w, const struct rules *r)
{
	for (unsigned int i = 0; i < w->nr_paths; i++) {
		for (unsigned int f = 0; f < r->nr_files; f++)
			w->used[i] |= !strcmp(w->path[i], r->file[f]);
	}
}

/* Our own policies compare as many bits as the kernel looks at, and have no line without an effect. */
static int main_check_rules(const struct rules *r, struct err *err)
{
	for (unsigned int i = 0; i < r->nr; i++) {
		const struct rule *rule = &r->rule[i];

		if (rule->nr_cmps > 0 && !r->arch->narrow && !args_known(rule->name))
			return err_text(
				err, EINVAL,
				"%s:%u: args.c does not say how wide the arguments of %s are",
				rule->file, rule->line, rule->name);
		if (rule->covered)
			return err_text(err, EINVAL, "%s:%u: %s:%u has no effect beside it",
					rule->file, rule->line, rule->covered, rule->covered_line);
	}
	return 0;
}

static int main_build_one(struct work *w, const char *path, struct err *err)
{
	struct emit_entry *e = &w->entry[w->nr];
	struct rules *rules = &e->rules;
	int rc;

	if (w->nr == PROGRAMS_MAX)
		return err_text(err, E2BIG, "%s: more than %d programs", path, PROGRAMS_MAX);
	/* Also what fails is freed in the end. */
	w->nr++;
	rules->arch = w->arch;
	rc = parse_file(rules, path, err);
	if (rc < 0)
		return rc;
	main_mark_used(w, rules);
	rc = main_check_rules(rules, err);
	if (rc < 0)
		return rc;
	rc = compile_rules(rules, &e->program, err);
	if (rc < 0)
		return err_wrap(err, "%s", path);
	if (e->program.count > BOOT_FILTER_MAX)
		return err_text(err, E2BIG,
				"%s: %u BPF instructions, more than the boot record's %d", path,
				e->program.count, BOOT_FILTER_MAX);
	e->name = emit_name(path);
	return e->name ? 0 : err_text(err, EINVAL, "%s: not called NAME.policy", path);
}

static int main_build_all(struct work *w, struct err *err)
{
	w->entry = calloc(PROGRAMS_MAX, sizeof(*w->entry));
	w->used = calloc(w->nr_paths, sizeof(*w->used));
	if (!w->entry || !w->used)
		return err_set(err, ENOMEM, "policyc");
	for (unsigned int i = 0; i < w->nr_paths; i++) {
		int rc = emit_is_program(w->path[i]) ? main_build_one(w, w->path[i], err) : 0;

		if (rc < 0)
			return rc;
	}
	for (unsigned int i = 0; i < w->nr_paths; i++) {
		if (!w->used[i])
			return err_text(err, EINVAL, "%s: no program includes it", w->path[i]);
	}
	return w->nr ? 0 : err_text(err, EINVAL, "no policy becomes a program");
}

static int main_write_all(struct work *w, const char *path, struct err *err)
{
	FILE *out = fopen(path, "we");
	int rc;

	if (!out)
		return err_set(err, errno, "%s", path);
	rc = emit_table(out, w->entry, w->nr, err);
	if (fclose(out) != 0 && rc == 0)
		rc = err_set(err, errno, "%s", path);
	return rc;
}

int main(int argc, char **argv)
{
	cleanup_work struct work w = {0};
	struct err err = {0};
	int rc;

	w.arch = argc < 4 ? NULL : arch_find(argv[1], strlen(argv[1]));
	if (!w.arch) {
		fputs("usage: policyc x86_64|aarch64|arm OUT.c POLICY...\n", stderr);
		return 2;
	}
	w.path = argv + 3;
	w.nr_paths = (unsigned int)argc - 3;
	rc = main_build_all(&w, &err);
	if (rc == 0)
		rc = main_write_all(&w, argv[2], &err);
	if (rc < 0)
		fprintf(stderr, "policyc: %s\n", err.msg);
	return rc < 0 ? 1 : 0;
}
