/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: policyc OUT.c POLICY...
 *
 * Runs on the build machine. Compiles each POLICY whose name makes it a program, and writes one C
 * file with all of them. Other files are parsed when a program includes them; one that nothing includes is an error: it would have no effect.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policies/emit.h"

#define PROGRAMS_MAX 64

struct work {
	unsigned int nr;
	struct emit_entry entry[PROGRAMS_MAX];
	unsigned int nr_paths;
	char **path;
	bool *used;
};

static void main_work_done(struct work *w)
{
	for (unsigned int i = 0; i < w->nr; i++) {
		free(w->entry[i].name);
		free(w->entry[i].program.insn);
	}
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

static int main_build_one(struct work *w, const char *path, struct err *err)
{
	cleanup_rules struct rules rules = {0};
	struct emit_entry *e = &w->entry[w->nr];
	int rc;

	if (w->nr == PROGRAMS_MAX)
		return err_text(err, E2BIG, "%s: more than %d programs", path, PROGRAMS_MAX);
	rc = rules_load(&rules, path, err);
	if (rc < 0)
		return rc;
	main_mark_used(w, &rules);
	rc = compile_rules(&rules, &e->program, err);
	if (rc < 0)
		return err_wrap(err, "%s", path);
	w->nr++;
	e->name = emit_name(path);
	return e->name ? 0 : err_text(err, EINVAL, "%s: not called NAME.policy", path);
}

static int main_build_all(struct work *w, struct err *err)
{
	w->used = calloc(w->nr_paths, sizeof(*w->used));
	if (!w->used)
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

	if (argc < 3) {
		fputs("usage: policyc OUT.c POLICY...\n", stderr);
		return 2;
	}
	w.path = argv + 2;
	w.nr_paths = (unsigned int)argc - 2;
	rc = main_build_all(&w, &err);
	if (rc == 0)
		rc = main_write_all(&w, argv[1], &err);
	if (rc < 0)
		fprintf(stderr, "policyc: %s\n", err.msg);
	return rc < 0 ? 1 : 0;
}
