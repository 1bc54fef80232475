/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Locks of the guest's processes, taken on the host (fcntl(2), flock(2)), where it is asked for
 *
 * An owner of locks in the guest has, for each file that it locks, an open file description of its own here. The host
 * keeps its locks on that (F_OFD_SETLK, flock) and sees to conflicts: with the guest's other owners, with other VMs and
 * with programs of the host. It is closed when the guest closes the file, and nothing of it is left then.
 *
 * A request for a lock that another has waits here, without a thread: it is tried again when this device gives a lock
 * up, and from time to time, because the host says nothing of others. It ends when it has the lock, when the guest
 * interrupts it, or when the guest unmounts or its ring stops. Nothing finds out that two wait for each other.
 *
 * A lock of fcntl(2) needs the file to be open for writing, where it can be: the host executes it meanwhile no more
 * (ETXTBSY). F_GETLK names no process: the number would be one of the host.
 *
 * An owner's place is used by one request at a time. Further ones wait likewise.
 */
#ifndef VMRUN_DEVICES_FS_FS_LOCK_H
#define VMRUN_DEVICES_FS_FS_LOCK_H

#include "devices/fs/fs_state.h"

#define FS_LOCK_AGAIN_NS 50000000L /* between two tries, for locks of others */

/** fs_locks_init() - Room for @max owners; 0: the locks are the guest's own.  Context: setup.  Syscalls: mmap madvise.  Return: 0 or -ENOMEM */
MUST_CHECK int fs_locks_init(struct fs_locks *t, uint32_t max, struct err *err);

/** fs_locks_done() - Close all.  Context: setup.  Syscalls: close munmap */
void fs_locks_done(struct fs_locks *t);

/** fs_locks_drop() - The guest has no locks any more, and waits for none.  Context: locked.  Syscalls: close */
void fs_locks_drop(struct fs *fs);

/**
 * fs_lock_begin() - Have the place of a request's owner, until fs_lock_end()
 *
 * Context: locked, in the loop
 * Syscalls: none
 * Return: 0; -EAGAIN while another request has it; -ENOLCK without room for one more; -ENOSYS
 */
MUST_CHECK int fs_lock_begin(struct fs *fs, struct fs_request *r);

/** fs_lock_end() - Give it back, however the request went.  Context: locked, in the loop.  Syscalls: close */
void fs_lock_end(struct fs *fs, struct fs_request *r);

/**
 * fs_lock_get(), fs_lock_set() - The operations
 *
 * Context: locked
 * Syscalls: openat fcntl flock
 * Return: 0 or -errno; -EAGAIN when another has such a lock
 */
int fs_lock_get(struct fs *fs, struct fs_request *r);
int fs_lock_set(struct fs *fs, struct fs_request *r);

/** fs_lock_flush(), fs_lock_release() - A close(2) ends its owner's locks, the last one all.  Syscalls: close.  Return: 0 */
int fs_lock_flush(struct fs *fs, struct fs_request *r);
int fs_lock_release(struct fs *fs, struct fs_request *r);

/**
 * fs_lock_closing() - The next place that is no more, and whose fd a thread has to close; NULL: none
 *
 * It is the caller's until fs_lock_closed(), which ends its locks.
 */
struct fs_lock *fs_lock_closing(struct fs_locks *t);
void fs_lock_closed(struct fs_locks *t, struct fs_lock *l);

/* ---- requests that wait ---- */

/** fs_lock_waits() - Take a request that could not be carried out.  Return: whether it waits; else it is to be answered */
MUST_CHECK bool fs_lock_waits(struct fs *fs, struct fs_request *r);

/** fs_lock_again() - Try all that wait again */
void fs_lock_again(struct fs_locks *t);

/** fs_lock_next() - The next to be tried (its rc is -EAGAIN) or answered, which waits no more; NULL: none now */
struct fs_request *fs_lock_next(struct fs_locks *t);

/** fs_lock_stop() - What waits of this ring is answered: its chains must go back */
void fs_lock_stop(struct fs_locks *t, unsigned int queue);

/** fs_lock_interrupt() - The guest gives up a request, be it here already or not */
void fs_lock_interrupt(struct fs_locks *t, uint64_t unique);

#endif
