/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Finding again what a request names and has no fd now
 *
 * Before an operation is carried out, what it works on is found one after the other; of a path that is too long for
 * one call first a directory on it:
 *
 *   loop             fs_lost_next()  says what to find and by which path, or that all is there
 *   loop or thread   fs_lost_find()  looks it up and compares; sees no table
 *   loop             fs_lost_end()   gives the node its fd; or the request has its answer, ESTALE
 */
#ifndef VMRUN_DEVICES_FS_FS_LOST_H
#define VMRUN_DEVICES_FS_FS_LOST_H

#include "devices/fs/fs_state.h"

/**
 * fs_lost_next() - Whether something has to be found before the operation: r->lost
 *
 * Context: locked
 * Syscalls: close
 * Return: false also when the request has failed
 */
bool fs_lost_next(struct fs *fs, struct fs_request *r);

/**
 * fs_lost_find() - Find r->lost
 * @wait:	As fs_find()
 *
 * Context: locked
 * Syscalls: openat2 statx fstatfs
 * Return: 0 or -errno, for fs_lost_end()
 */
MUST_CHECK int fs_lost_find(struct fs_request *r, enum fs_wait wait);

/** fs_lost_end() - Take the outcome over.  Context: locked.  Syscalls: close */
void fs_lost_end(struct fs *fs, struct fs_request *r, int rc);

#endif
