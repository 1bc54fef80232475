/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Warnings: messages to the caller that stop nothing
 */
#ifndef VMRUN_RUNTIME_UTIL_WARN_H
#define VMRUN_RUNTIME_UTIL_WARN_H

#define WARN_LINES_MAX 32 /* of a configuration or a plan */

/**
 * struct warn_to - The receiver of warnings
 * @line:	Called with @arg and one line without newline
 */
struct warn_to {
	void (*line)(void *arg, const char *text);
	void *arg;
};

#endif
