/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Why a namespace cannot be made, in words that help
 */
#ifndef VMRUN_RUNTIME_UTIL_NSFAIL_H
#define VMRUN_RUNTIME_UTIL_NSFAIL_H

#include "devices/core/base.h"
#include "devices/core/err.h"

/**
 * nsfail_explain() - Record which namespace the kernel refused, why, and what to do
 * @flags:	The CLONE_NEW* that were asked for at once
 * @errnum:	What clone() or unshare() said
 * @root:	"", or what a test puts in its place: below it are proc/sys and proc/self
 *
 * Syscalls: openat read close
 * Return: -@errnum
 */
int nsfail_explain(int flags, int errnum, const char *root, struct err *err);

#endif
