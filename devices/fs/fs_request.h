/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: From a chain to a request, and from a result to an answer
 */
#ifndef VMRUN_DEVICES_FS_FS_REQUEST_H
#define VMRUN_DEVICES_FS_FS_REQUEST_H

#include "devices/fs/fs_state.h"

/**
 * fs_request_begin() - Copy and check header and arguments, and hold inodes and files
 * @r:		Its chain was just popped; its @op is set by this
 *
 * A wrong request has its error in r->rc.
 * Context: locked
 * Syscalls: none
 * Return: false for a chain that cannot be answered: no header, or no room for one
 */
MUST_CHECK bool fs_request_begin(struct fs *fs, struct fs_request *r);

/**
 * fs_request_answer() - Write what is left of the answer, its header last, and let go of what the request holds
 *
 * Context: locked
 * Syscalls: close
 */
void fs_request_answer(struct fs *fs, struct fs_request *r);

#endif
