/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Errors that explain why a namespace cannot be made
 */
#ifndef VMRUN_RUNTIME_UTIL_NSFAIL_H
#define VMRUN_RUNTIME_UTIL_NSFAIL_H

#include "devices/core/base.h"
#include "devices/core/err.h"

/**
 * nsfail_explain() - Record which namespace the kernel refused, why, and the remedy
 * @flags:	The CLONE_NEW* of one call
 * @errnum:	The error of clone() or unshare()
 * @root:	"", or the directory of a test with its own proc/sys and proc/self
 *
 * Syscalls: openat read close
 * Return: -@errnum
 */
int nsfail_explain(int flags, int errnum, const char *root, struct err *err);

#endif
