/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VMRUN_CMD_VMRUN_VERSION_H
#define VMRUN_CMD_VMRUN_VERSION_H

/**
 * version_print() - What --version prints, on @fd
 *
 * Three lines in the layout of runc and crun, which their callers parse.
 * Syscalls: write
 */
void version_print(int fd);

#endif
