/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The file of --pid-file
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_PID_FILE_H
#define VMRUN_RUNTIME_SUPERVISOR_PID_FILE_H

#include <sys/types.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

/**
 * pid_file_check() - Whether pid_file_write() may replace what is at @path, which may be NULL
 *
 * It replaces regular files only: /dev/null and the like stay what they are.
 */
MUST_CHECK int pid_file_check(const char *path, struct err *err);

/** pid_file_write() - Write @pid to @path, atomically.  Syscalls: unlink openat write rename */
MUST_CHECK int pid_file_write(const char *path, pid_t pid, struct err *err);

#endif
