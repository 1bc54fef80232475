/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The command line, as tables
 *
 * A verb describes its options by a table of struct option_spec; parsing and --help come from it.
 * Spelled --name VALUE, --name=VALUE, -x VALUE or -x=VALUE; a single dash before a long name is
 * accepted, as Go's flag package does and callers of runc rely on. "--" ends the options. VALUE is not empty, and as a
 * word of its own it is none of the table's options.
 */
#ifndef VMRUN_CMD_VMRUN_OPTIONS_H
#define VMRUN_CMD_VMRUN_OPTIONS_H

#include <stdio.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

#define OPTION_LIST_MAX 32

/* The digits of a macro's number, for help texts */
#define OPTION_DIGITS(n)  #n
#define OPTION_NUMERAL(n) OPTION_DIGITS(n)

/** struct option_list - Values of an option that may be given several times, in order */
struct option_list {
	unsigned int nr;
	const char *item[OPTION_LIST_MAX];
};

/**
 * enum option_kind - What an option takes, and so the type of the field it is stored in
 */
enum option_kind {
	OPTION_FLAG,   /* bool; takes nothing, or =true and =false */
	OPTION_STRING, /* const char *; the last one counts */
	OPTION_NUMBER, /* uint64_t, decimal; the last one counts */
	OPTION_SIZE,   /* uint64_t, as options_size() reads it; the last one counts */
	OPTION_COUNT,  /* as OPTION_NUMBER, and not 0, which says that it was not given */
	OPTION_LIST,   /* struct option_list */
};

/**
 * struct option_spec - One option; a table ends with an entry whose @name is NULL
 * @name:	Long name without dashes
 * @letter:	Short name, 0 for none
 * @value:	What --help calls the value; NULL for a flag
 * @help:	One line; NULL keeps it out of --help (accepted for other runtimes' callers)
 * @offset:	offsetof() the field in the struct that is parsed into
 * @choice:	NULL, or the words that are legal, ending with NULL
 */
struct option_spec {
	const char *name;
	char letter;
	enum option_kind kind;
	const char *value;
	const char *help;
	size_t offset;
	const char *const *choice;
};

/**
 * options_parse() - Parse @argv into the fields of @into
 * @table:	NULL is an empty table
 * @into:	Zeroed or holding defaults; strings point into @argv afterwards
 * @stop:	Whether to stop at the first positional (global options), instead of collecting all
 * @argc, @argv: Without the program's or verb's name. @argv is permuted: positionals go last, in order
 * @ret_first:	Index of the first positional
 *
 * Return: 0, or -EINVAL with one line that names the option
 */
MUST_CHECK int options_parse(const struct option_spec *table, void *into, bool stop, int argc,
			     char **argv, int *ret_first, struct err *err);

/**
 * options_size() - Read a number of bytes: decimal, perhaps with K, M, G or T behind it for powers of 1024
 *
 * Return: 0; -EINVAL, also for what 64 bits do not hold
 */
MUST_CHECK int options_size(const char *text, uint64_t *ret);

/** options_help() - Print the table's options, one per line, nothing for an empty table */
void options_help(const struct option_spec *table, FILE *to);

#endif
