/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Policies in words: the rules in effect, and how two policies differ
 */
#ifndef VMRUN_POLICIES_SHOW_H
#define VMRUN_POLICIES_SHOW_H

#include <stdio.h>

#include "policies/rules.h"

/** show_rule() - Print one rule: "@before NAME: WORDS # FILE:LINE" */
void show_rule(const struct rule *r, const char *before, FILE *out);

/** show_rules() - Print each rule on a line, those of one call together, with where it stands */
void show_rules(const struct rules *r, FILE *out);

/**
 * show_difference() - Print what only @a has with "-" before it, what only @b has with "+"
 *
 * The order of rules and the spelling of numbers make no difference.
 * Return: the number of lines
 */
MUST_CHECK unsigned int show_difference(const struct rules *a, const struct rules *b, FILE *out);

#endif
