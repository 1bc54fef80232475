/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Programs to C
 */
#ifndef VMRUN_POLICIES_EMIT_H
#define VMRUN_POLICIES_EMIT_H

#include <stdio.h>

#include "policies/compile.h"

/** struct emit_entry - One program, its rules, and the name policy_find() knows it by */
struct emit_entry {
	char *name;
	struct compiled program;
	struct rules rules;
};

/**
 * emit_is_program() - Whether a policy file becomes a program, by its name
 * @path:	File name, with or without folders
 *
 * "*_device.policy" except common_device.policy, and "*_device_vhost_user.policy". The others are
 * only included.
 */
MUST_CHECK bool emit_is_program(const char *path);

/** emit_name() - Stem of a policy file, to be freed; NULL without memory or ".policy" */
MUST_CHECK char *emit_name(const char *path);

/**
 * emit_table() - Write the C file that policies/policy.h declares
 * @entry:	Sorted by name here
 *
 * Return: 0; -EEXIST when two entries have one name; -EIO when @out could not be written
 */
MUST_CHECK int emit_table(FILE *out, struct emit_entry *entry, unsigned int nr, struct err *err);

#endif
