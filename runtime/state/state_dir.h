/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The state directory ROOT/ID
 *
 *   lock         create and then the supervisor hold it as long as they live: if it is free, no process runs
 *                this VM, whatever state.json says; one that holds a pod writes to it which call its policy refused
 *   state.json   replaced atomically; written before anything else of the VM exists, with all that will be
 *                made, so that delete can clean up after a death at any moment
 *   config.json  the configuration as it was validated; removed first if the disk is full when the VM ends
 *   control      the supervisor's socket
 *   vsock, ...   sockets of the guest's vsock device, and of programs that listen for it (vsock_PORT)
 *
 * A directory without a lock file is not vmrun's and is left alone, unless it is empty: a create that was killed
 * in its first step leaves that.
 *
 * ROOT belongs to the caller or to root and only its owner can write to it, or else it is sticky; ROOT/ID
 * and its files belong to the caller alone. vmrun refuses all others, also as root (state_dir.c says why).
 */
#ifndef VMRUN_RUNTIME_STATE_STATE_DIR_H
#define VMRUN_RUNTIME_STATE_STATE_DIR_H

#include "devices/core/base.h"
#include "devices/core/err.h"

#define STATE_FILE	      "state.json"
#define STATE_CONFIG	      "config.json"
#define STATE_CONTROL	      "control"
#define STATE_LOCK	      "lock"
#define STATE_VSOCK	      "vsock"

/**
 * state_default_root() - /run/vmrun, or $XDG_RUNTIME_DIR/vmrun when not root
 * @own_ids:	Root's uid is one of a user namespace (userns_own_ids())
 * @ret:	PATH_MAX bytes
 */
MUST_CHECK int state_default_root(bool own_ids, char *ret, size_t size, struct err *err);

/** state_make_root() - Make ROOT, and what is above it, where it is missing.  Return: 0 or -errno */
MUST_CHECK int state_make_root(const char *root, struct err *err);

/**
 * state_root() - Open ROOT, to list it
 *
 * Return: 0 with *ret_base (O_PATH) the caller's; -ENOENT; -EPERM when it is another user's; -EACCES when
 * others can write to it
 */
MUST_CHECK int state_root(const char *root, int *ret_base, struct err *err);

/** state_check_unused() - Whether state_reserve() would succeed now: 0, -EEXIST, or as state_root() */
MUST_CHECK int state_check_unused(const char *root, const char *id, struct err *err);

/**
 * state_reserve() - Make ROOT/ID and lock it
 * @ret_dir, @ret_lock: Owned by the caller
 *
 * Return: 0, -EEXIST "container with given ID already exists", -EINTR when a delete was faster, or -errno, with
 * nothing left behind
 */
MUST_CHECK int state_reserve(const char *root, const char *id, int *ret_dir, int *ret_lock,
			     struct err *err);

/**
 * state_open() - Open ROOT/ID
 *
 * Return: 0 with *ret_dir (O_PATH) the caller's; -ENOENT "container does not exist"; -EPERM and -EACCES as
 * of state_root()
 */
MUST_CHECK int state_open(const char *root, const char *id, int *ret_dir, struct err *err);

/** state_lock() - Try to get the lock: 0 with *ret_lock the caller's, -EBUSY when it is held */
MUST_CHECK int state_lock(int dir, int *ret_lock);

/** state_locked() - Whether the lock is held, without taking it: 0, 1, -errno */
MUST_CHECK int state_locked(int dir);

/** state_read_text() - Read a whole file of the directory; the caller's to free() */
MUST_CHECK int state_read_text(int dir, const char *name, char **ret, struct err *err);

/** state_save_text() - Replace a file of the directory atomically */
MUST_CHECK int state_save_text(int dir, const char *name, const char *text, struct err *err);

/** state_remove() - Remove vmrun's files and the directory; -ENOTEMPTY when it holds other files */
MUST_CHECK int state_remove(const char *root, const char *id, int dir, struct err *err);

/** state_remove_empty() - Remove ROOT/ID if it is @dir, still, and empty */
MUST_CHECK int state_remove_empty(const char *id, int dir);

#endif
