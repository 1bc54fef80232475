/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Paths inside the container's root, whose files are not to be trusted
 *
 * The kernel resolves every path with the root for "/": no symbolic link and no ".." leads out of it, and magic links
 * of /proc are refused. What is found is an O_PATH fd, and later steps use that, never the path again.
 */
#ifndef VMRUN_CMD_VMRUN_INIT_INROOT_H
#define VMRUN_CMD_VMRUN_INIT_INROOT_H

#include <sys/types.h>

#include "devices/core/base.h"

/** inroot_open() - Open @path in @root; @flags: of open(), O_CLOEXEC is added. Return: an fd or -errno */
MUST_CHECK int inroot_open(int root, const char *path, int flags);

/** inroot_open_plain() - O_PATH, and -ELOOP where any part of @path is a symbolic link */
MUST_CHECK int inroot_open_plain(int root, const char *path);

/**
 * inroot_dir() - A directory, which is made, with those above it, where it is missing
 *
 * A link that leads to nothing gets the directory it names, inside the root.
 * Return: an O_PATH fd or -errno
 */
MUST_CHECK int inroot_dir(int root, const char *path);

/** inroot_file() - Something that is no directory; a missing one becomes an empty file. Return: an O_PATH fd or -errno */
MUST_CHECK int inroot_file(int root, const char *path);

/**
 * inroot_parent() - The directory that @path lies in, made where it is missing
 * @ret_name:	The last name in @path, never ".", ".." or empty
 *
 * Return: an O_PATH fd or -errno
 */
MUST_CHECK int inroot_parent(int root, const char *path, const char **ret_name);

#endif
