/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the decoder's tables have is in the documents
 *
 * Each property that is carried out stands between backquotes in runtime/config/README.md; those of containers, network
 * devices and shared directories also in the README.md to which that one points.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

#include "tests/support/golden.h"

/* for their tables */
#include "runtime/config/bundle.c"
#include "runtime/config/bundle_vm.c"

static char *document(const char *path)
{
	cleanup_free char *text = NULL;
	struct err err;
	size_t len;

	cr_assert_eq(json_read_text(path, &text, &len, &err), 0, "%s", err.msg);
	return TAKE_PTR(text);
}

/* Whether @word stands in @text as a word, in a line with an odd number of backquotes before it */
static bool is_named(const char *text, const char *word)
{
	const size_t len = strlen(word);
	bool quoted = false;

	for (const char *at = text; *at; at++) {
		if (*at == '\n')
			quoted = false;
		else if (*at == '`')
			quoted = !quoted;
		else if (quoted && strncmp(at, word, len) == 0 && !isalnum(at[-1]) &&
			 !isalnum(at[len]))
			return true;
	}
	return false;
}

/* @more: another document that may name it, or NULL */
static unsigned int check_table(const struct schema_table *t, const char *text, const char *more,
				const char *where)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < t->nr; i++) {
		const struct schema_field *f = &t->field[i];

		if (f->flags & SCHEMA_LATER)
			continue;
		cr_expect(is_named(text, f->name) || (more && is_named(more, f->name)),
			  "%s: %s is in no table", where, f->name);
		nr++;
		if (f->table)
			nr += check_table(f->table, text, more, f->name);
		if (f->elem && f->elem->table && f->elem != &device_field)
			nr += check_table(f->elem->table, text, more, f->name);
	}
	return nr;
}

Test(properties, each_is_documented)
{
	cleanup_free char *config = document("runtime/config/README.md");
	cleanup_free char *plan = document("runtime/plan/README.md");
	cleanup_free char *net = document("runtime/net/README.md");
	cleanup_free char *fs = document("devices/fs/README.md");
	const char *more[KINDS] = {[KIND_NET] = net, [KIND_FS] = fs};

	cr_expect_gt(check_table(&top_table, config, plan, "config.json"), 90);
	for (unsigned int id = 0; id < KINDS; id++) {
		if (!(kind_table[id].flags & KIND_TYPE))
			continue;
		cr_expect(is_named(config, kind_table[id].name), "%s", kind_table[id].name);
		if (device_tables[id])
			cr_expect_gt(check_table(device_tables[id], config, more[id],
						 kind_table[id].name),
				     1);
	}
}
