/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Namespaces found by path
 */
#ifndef VMRUN_RUNTIME_UTIL_NS_FILE_H
#define VMRUN_RUNTIME_UTIL_NS_FILE_H

#include "devices/core/base.h"
#include "devices/core/err.h"

/** ns_file_word() - The word for a namespace that CLONE_NEW* makes, as in config.json: "network", "ipc" ... */
const char *ns_file_word(int flag);

/**
 * ns_file_open() - Open the namespace at @path; -EINVAL if it is not of the kind that @flag, a CLONE_NEW*, makes
 *
 * Syscalls: openat fstat fstatfs ioctl
 */
MUST_CHECK int ns_file_open(const char *path, int flag, int *ret_fd, struct err *err);

#endif
