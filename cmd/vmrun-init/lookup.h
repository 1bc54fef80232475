/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What is looked up in the container's files before its program runs
 *
 * All of it runs with the container's root for "/".
 */
#ifndef VMRUN_CMD_VMRUN_INIT_LOOKUP_H
#define VMRUN_CMD_VMRUN_INIT_LOOKUP_H

#include <limits.h>
#include <sys/types.h>

#include "devices/core/base.h"

/** lookup_env() - The value of @name in an environment; NULL: it is not there */
const char *lookup_env(char *const *env, const char *name);

/**
 * lookup_program() - Find a program, as the user that will run it
 * @name:	With a slash the path itself, else a name in @path
 * @path:	NULL: /bin and /usr/bin
 *
 * Return: 0; -ENOENT, -EACCES, -ENOTDIR ...
 */
MUST_CHECK int lookup_program(const char *name, const char *path, char ret[PATH_MAX]);

/** lookup_home() - "HOME=", and the home of a user by /etc/passwd, or "/" */
void lookup_home(uid_t uid, char ret[PATH_MAX]);

#endif
