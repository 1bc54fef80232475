/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Warnings: what a caller hears of and what stops nothing
 */
#ifndef VMRUN_RUNTIME_UTIL_WARN_H
#define VMRUN_RUNTIME_UTIL_WARN_H

#define WARN_LINES_MAX 32 /* a configuration's, a plan's */

/**
 * struct warn_to - Who gets warnings, a line each
 * @line:	Called with @arg and one line without its end
 */
struct warn_to {
	void (*line)(void *arg, const char *text);
	void *arg;
};

#endif
