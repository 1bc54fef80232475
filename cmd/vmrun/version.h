/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VMRUN_CMD_VMRUN_VERSION_H
#define VMRUN_CMD_VMRUN_VERSION_H

/**
 * version_print() - Print what --version says on standard output
 *
 * Three lines in the layout of runc and crun, which their callers parse.
 * Syscalls: write
 */
void version_print(void);

#endif
