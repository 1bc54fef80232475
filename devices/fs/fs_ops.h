/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The table of operations (linux/fuse.h, protocol 7.31 to 7.38)
 */
#ifndef VMRUN_DEVICES_FS_FS_OPS_H
#define VMRUN_DEVICES_FS_FS_OPS_H

#include "devices/fs/fs_state.h"

/** fs_op_find() - The operation of an opcode; one whose @run is NULL for those that are not offered */
const struct fs_op *fs_op_find(const struct fs *fs, uint32_t opcode);

/** fs_op_takes_path() - Whether name @i of an operation may be anything: a symlink's target, an attribute's name */
bool fs_op_takes_path(uint32_t opcode, unsigned int i);

/** fs_op_second_file() - Whether the arguments name another open file, and its number */
bool fs_op_second_file(const struct fs_request *r, uint64_t *ret_fh);

/**
 * fs_op_forget() - What the guest knew and had open is nothing to it any more, although it does not say so
 *
 * It mounts or unmounts, or its front-end has left. Rings that stop are no reason: they do also for a pause.
 * Context: locked, in the loop
 * Syscalls: close
 */
void fs_op_forget(struct fs *fs);

#endif
