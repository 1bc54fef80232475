/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Closing what may take long, in a thread
 *
 * To close a file of another machine or process means waiting for it, and the last reference to a large file
 * without a name has the host free its blocks. Such files and nodes keep their places until a thread has closed them
 * (t->closing of their tables), so their number is bounded with the tables.
 *
 *   loop     fs_close_begin()  some of them become the work of a slot without a request
 *   thread   op->run()
 *   loop     op->end()         frees their places
 */
#ifndef VMRUN_DEVICES_FS_FS_CLOSE_H
#define VMRUN_DEVICES_FS_FS_CLOSE_H

#include "devices/fs/fs_state.h"

/** fs_close_op - Of a slot that closes */
extern const struct fs_op fs_close_op;

/** fs_close_begin() - Whether there is something to close: it is in @r now, a free slot */
bool fs_close_begin(struct fs *fs, struct fs_request *r);

#endif
