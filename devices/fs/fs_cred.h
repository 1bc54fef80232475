/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Acting for the guest's users
 *
 * What the guest makes belongs to the user who made it there: the thread takes that user's ids as its file system
 * ids (setfsuid(2)), numbers of the device's own user namespace. It keeps its capabilities, for the guest has
 * checked permissions already (the securebits have NO_SETUID_FIXUP).
 */
#ifndef VMRUN_DEVICES_FS_FS_CRED_H
#define VMRUN_DEVICES_FS_FS_CRED_H

#include "devices/fs/fs_state.h"

/**
 * fs_cred_init() - Keep capabilities whatever the ids; a jail has seen to that already
 *
 * Context: setup; before threads
 * Syscalls: prctl
 */
void fs_cred_init(const struct fs *fs);

/**
 * fs_cred_take() - Make what this thread creates belong to the user of @r
 *
 * Context: locked
 * Syscalls: setfsuid setfsgid
 * Return: 0; -EOVERFLOW for a user that has no id on the host, unless fs->squash
 */
MUST_CHECK int fs_cred_take(const struct fs *fs, const struct fs_request *r);

#endif
