/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "devices/core/fmt.h"

/**
 * struct given - One option as it was spelled
 * @name:	After the dashes, up to '=' or the end
 * @value:	After '=', or NULL
 * @dashes:	Two of them: a long name is meant
 */
struct given {
	const char *word;
	const char *name;
	size_t name_len;
	const char *value;
	bool dashes;
};

static struct given options_split(const char *word)
{
	const char *name = word + (word[1] == '-' ? 2 : 1);
	const size_t len = strcspn(name, "=");

	return (struct given){
		.word = word,
		.name = name,
		.name_len = len,
		.value = name[len] ? name + len + 1 : NULL,
		.dashes = word[1] == '-',
	};
}

static const struct option_spec *options_find(const struct option_spec *table,
					      const struct given *g)
{
	for (; table && table->name; table++) {
		if (strlen(table->name) == g->name_len &&
		    memcmp(table->name, g->name, g->name_len) == 0)
			return table;
		if (!g->dashes && g->name_len == 1 && table->letter == g->name[0])
			return table;
	}
	return NULL;
}

/* Whether a word where a value is due is another option: then the value was forgotten, and "=" can say otherwise. */
static bool options_is_one(const struct option_spec *table, const char *word)
{
	const struct given g = options_split(word);

	return word[0] == '-' && word[1] && options_find(table, &g);
}

static int options_bad(const struct given *g, const char *what, struct err *err)
{
	const int len = (int)(g->name - g->word) + (int)g->name_len;

	return err_text(err, EINVAL, "option %.*s %s", len, g->word, what);
}

static int options_store_flag(const struct given *g, bool *ret, struct err *err)
{
	if (!g->value || strcmp(g->value, "true") == 0)
		*ret = true;
	else if (strcmp(g->value, "false") == 0)
		*ret = false;
	else
		return options_bad(g, "takes no value", err);
	return 0;
}

static int options_store_number(const struct given *g, bool count, uint64_t *ret, struct err *err)
{
	char *end;

	errno = 0;
	if (g->value[0] < '0' || g->value[0] > '9')
		return options_bad(g, "wants a number", err);
	*ret = strtoull(g->value, &end, 10);
	if (errno || *end)
		return options_bad(g, "wants a number", err);
	if (count && *ret == 0)
		return options_bad(g, "wants a number greater than 0", err);
	return 0;
}

int options_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	const char *unit;
	uint64_t bytes;
	char *end;

	errno = 0;
	bytes = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || errno)
		return -EINVAL;
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (*end && (!unit || end[1]))
		return -EINVAL;
	for (; unit && unit >= units; unit--)
		if (__builtin_mul_overflow(bytes, 1024U, &bytes))
			return -EINVAL;
	*ret = bytes;
	return 0;
}

static int options_store_list(const struct given *g, struct option_list *ret, struct err *err)
{
	if (ret->nr == OPTION_LIST_MAX)
		return options_bad(g, "was given too often", err);
	ret->item[ret->nr++] = g->value;
	return 0;
}

static int options_check_choice(const struct option_spec *o, const struct given *g, struct err *err)
{
	char words[120] = "is one of:";
	size_t len = strlen(words);

	for (unsigned int i = 0; o->choice && o->choice[i]; i++) {
		if (strcmp(o->choice[i], g->value) == 0)
			return 0;
		len += fmt_into(words + len, sizeof(words) - len, " %s", o->choice[i]);
	}
	return o->choice ? options_bad(g, words, err) : 0;
}

static int options_store(const struct option_spec *o, const struct given *g, void *into,
			 struct err *err)
{
	void *field = (char *)into + o->offset;
	int rc;

	if (o->kind == OPTION_FLAG)
		return options_store_flag(g, field, err);
	if (!g->value || (o->kind != OPTION_LIST && !*g->value))
		return options_bad(g, "wants a value", err);
	rc = options_check_choice(o, g, err);
	if (rc < 0)
		return rc;
	if (o->kind == OPTION_NUMBER || o->kind == OPTION_COUNT)
		return options_store_number(g, o->kind == OPTION_COUNT, field, err);
	if (o->kind == OPTION_SIZE)
		return options_size(g->value, field) < 0
			       ? options_bad(g, "wants a size, such as 4096, 512M or 1G", err)
			       : 0;
	if (o->kind == OPTION_LIST)
		return options_store_list(g, field, err);
	*(const char **)field = g->value;
	return 0;
}

/* Words [@to, @from) are positionals: put the @nr words from @from on before them. */
static void options_move_before(char **argv, int to, int from, int nr)
{
	while (nr-- > 0) {
		char *word = argv[from];

		memmove(&argv[to + 1], &argv[to], (size_t)(from - to) * sizeof(*argv));
		argv[to++] = word;
		from++;
	}
}

int options_parse(const struct option_spec *table, void *into, bool stop, int argc, char **argv,
		  int *ret_first, struct err *err)
{
	int first = 0, at = 0; /* positionals seen so far are [first, at) */

	while (at < argc) {
		const struct option_spec *o;
		struct given g;
		int words = 1, rc;

		if (argv[at][0] != '-' || argv[at][1] == '\0') {
			if (stop)
				break;
			at++;
			continue;
		}
		if (strcmp(argv[at], "--") == 0) {
			options_move_before(argv, first++, at, 1);
			break;
		}
		g = options_split(argv[at]);
		o = options_find(table, &g);
		if (!o)
			return err_text(err, EINVAL, "unknown option %s", argv[at]);
		if (o->kind != OPTION_FLAG && !g.value && at + 1 < argc &&
		    !options_is_one(table, argv[at + 1])) {
			g.value = argv[at + 1];
			words = 2;
		}
		rc = options_store(o, &g, into, err);
		if (rc < 0)
			return rc;
		options_move_before(argv, first, at, words);
		first += words;
		at += words;
	}
	*ret_first = first;
	return 0;
}

void options_help(const struct option_spec *table, FILE *to)
{
	bool any = false;

	for (; table && table->name; table++) {
		char left[64], letter[8] = "    ";

		if (!table->help)
			continue;
		if (!any)
			fprintf(to, "\nOptions:\n");
		any = true;
		if (table->letter)
			fmt_into(letter, sizeof(letter), "-%c, ", table->letter);
		fmt_into(left, sizeof(left), "%s--%s%s%s", letter, table->name,
			 table->value ? " " : "", table->value ? table->value : "");
		fprintf(to, "  %-30s %s\n", left, table->help);
	}
}
