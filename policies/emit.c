/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/emit.h"

#include <errno.h>
#include <string.h>

#include "policies/expr.h"
#include "policies/policy.h"

#define SUFFIX ".policy"

static const char *emit_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool emit_ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);

	return len > end_len && !strcmp(s + len - end_len, end);
}

bool emit_is_program(const char *path)
{
	const char *name = emit_base_name(path);

	if (!strcmp(name, "common_device" SUFFIX))
		return false;
	return emit_ends_with(name, "_device" SUFFIX) ||
	       emit_ends_with(name, "_device_early" SUFFIX) ||
	       emit_ends_with(name, "_device_vhost_user" SUFFIX);
}

char *emit_name(const char *path)
{
	const char *name = emit_base_name(path);

	return emit_ends_with(name, SUFFIX) ? strndup(name, strlen(name) - strlen(SUFFIX)) : NULL;
}

static int emit_by_name(const void *a, const void *b)
{
	const struct emit_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void emit_program(FILE *out, unsigned int index, const struct compiled *p)
{
	fprintf(out, "static const struct sock_filter program%u[] = {\n", index);
	for (unsigned int i = 0; i < p->count; i++)
		fprintf(out, "\t{0x%02x, %u, %u, 0x%08x},\n", p->insn[i].code, p->insn[i].jt,
			p->insn[i].jf, p->insn[i].k);
	fputs("};\n\n", out);
}

static void emit_lines(FILE *out, unsigned int index, const struct rules *r)
{
	char place[POLICY_PLACE_BYTES];

	fprintf(out, "static const struct policy_line lines%u[] = {\n", index);
	for (unsigned int i = 0; i < r->nr; i++) {
		if (!rules_last_of_call(r, i))
			continue;
		rules_place(r, i, place, sizeof(place));
		fprintf(out, "\t{%d, \"%s\"},\n", r->rule[i].nr, place);
	}
	fputs("};\n\n", out);
}

static void emit_rules(FILE *out, unsigned int index, const struct rules *r)
{
	char place[POLICY_PLACE_BYTES];

	fprintf(out, "static const char rules%u[] =\n", index);
	for (unsigned int i = 0; i < r->nr; i++) {
		rules_place(r, i, place, sizeof(place));
		fprintf(out, "\t\"%s: %s # %s\\n\"\n", r->rule[i].name, r->rule[i].text, place);
	}
	fprintf(out, "\t\"@default %s\\n\";\n\n", expr_ending(r->otherwise));
}

static const char prologue[] =
	"/* SPDX-License-Identifier: BSD-3-Clause */\n"
	"/* Written by policyc from the .policy files; not to be edited. */\n"
	"#include \"policies/policy.h\"\n\n"
	"#include <string.h>\n\n";

static const char lookup[] = "const struct policy *policy_find(const char *name)\n"
			     "{\n"
			     "\tunsigned int lo = 0, hi = nr_policies;\n\n"
			     "\twhile (lo < hi) {\n"
			     "\t\tunsigned int mid = lo + (hi - lo) / 2;\n"
			     "\t\tint c = strcmp(name, policies[mid].name);\n\n"
			     "\t\tif (c == 0)\n"
			     "\t\t\treturn &policies[mid];\n"
			     "\t\tif (c < 0)\n"
			     "\t\t\thi = mid;\n"
			     "\t\telse\n"
			     "\t\t\tlo = mid + 1;\n"
			     "\t}\n"
			     "\treturn NULL;\n"
			     "}\n";

int emit_table(FILE *out, struct emit_entry *entry, unsigned int nr, struct err *err)
{
	qsort(entry, nr, sizeof(*entry), emit_by_name);
	for (unsigned int i = 1; i < nr; i++) {
		if (!strcmp(entry[i - 1].name, entry[i].name))
			return err_text(err, EEXIST, "two policies are called %s", entry[i].name);
	}
	fputs(prologue, out);
	for (unsigned int i = 0; i < nr; i++) {
		emit_program(out, i, &entry[i].program);
		emit_lines(out, i, &entry[i].rules);
		emit_rules(out, i, &entry[i].rules);
	}
	fputs("const struct policy policies[] = {\n", out);
	for (unsigned int i = 0; i < nr; i++)
		fprintf(out,
			"\t{\"%s\", %u, program%u, sizeof(lines%u) / sizeof(lines%u[0]), "
			"lines%u, rules%u},\n",
			entry[i].name, entry[i].program.count, i, i, i, i, i);
	fprintf(out, "};\n\nconst unsigned int nr_policies = %u;\n\n", nr);
	fputs(lookup, out);
	if (fflush(out) != 0 || ferror(out))
		return err_text(err, EIO, "the table could not be written");
	return 0;
}
