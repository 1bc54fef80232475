/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The policy language
 *
 * That of minijail's compiler, which runs when a program is built:
 *
 *   file      := { line }                       a backslash at its end continues a line; '#' starts a
 *                                               comment anywhere
 *   line      := '@include' PATH                './...' from the folder of the including file, or '/...'
 *              | '@frequency' PATH              how often calls are made: lines of  calls ':' NUMBER
 *              | '@default' ending              what is not allowed: kill-process if no line says so
 *              | calls ':' filters
 *   calls     := call | '{' call { ',' call } '}'
 *   call      := NAME [ '[' 'arch' '=' NAME { ',' NAME } ']' ]
 *   filters   := filter | '{' filter { ',' filter } '}'      tried in order, then the default
 *   filter    := action | dnf [ ';' action ]    the action if dnf is true; none: allow
 *   action    := 'allow' | '1' | 'log' | 'trace' | 'return' ERRNO | ending
 *   ending    := 'kill' | 'kill-process' | 'kill-thread' | 'trap' | 'user-notify'
 *   dnf       := clause { '||' clause }         clause := atom { '&&' atom }
 *   atom      := 'argN' op value                N: 0 to 5; op: == != < <= > >= & in
 *   value     := const { '|' const }
 *   const     := [ '~' | '-' ] ( NAME | NUMBER | '(' value ')' )
 *
 * "&" is true when any bit of value is set, "in" when no bit outside value is set. All comparisons
 * are unsigned. Statements for one call are tried in the order of their lines. "kill" is
 * kill-process. A call with [arch=...] of others is left out, even if it does not exist.
 *
 * Refused is what has two meanings or no effect: "expr; return E" outside braces, which is opposite
 * things to minijail's two parsers; rules behind an unconditional one, and an unconditional one in
 * another statement than conditions with another verdict, of which libseccomp drops one; comparisons
 * that are always or never true; name@namespace and @denylist, which need lists and options of
 * minijail's.
 */
#ifndef VMRUN_POLICIES_PARSE_H
#define VMRUN_POLICIES_PARSE_H

#include "policies/rules.h"

/**
 * parse_file() - Read a policy and what it includes
 * @r:		@arch is set
 *
 * Errors read "FILE:LINE:COLUMN: what". A policy that allows nothing is an error.
 * Return: 0 or -errno; @r is to be ended in both cases
 */
MUST_CHECK int parse_file(struct rules *r, const char *path, struct err *err);

/**
 * parse_text() - As parse_file(), the first file's text being in memory
 * @path:	Its name in messages, and whose folder includes are looked up in
 */
MUST_CHECK int parse_text(struct rules *r, const char *path, const char *text, size_t len,
			  struct err *err);

#endif
