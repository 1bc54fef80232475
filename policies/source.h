/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The text of policy files
 */
#ifndef VMRUN_POLICIES_SOURCE_H
#define VMRUN_POLICIES_SOURCE_H

#include "devices/core/err.h"

/** struct source - A file's text; @text is the owner's to free */
struct source {
	char *text;
	size_t len;
};

/** source_read() - Read a regular file of a bounded size */
MUST_CHECK int source_read(const char *path, struct source *ret, struct err *err);

/**
 * source_path() - What a path in a policy means
 * @from:	The file it stands in
 * @name:	@len bytes: "./..." from the folder of @from, or "/..."
 *
 * Return: a string to be freed; NULL with @err filled
 */
MUST_CHECK char *source_path(const char *from, const char *name, size_t len, struct err *err);

#endif
