/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Several threads in one disk
 *
 * All tables, refcounts and buffers belong to the thread that has the lock. It goes without it while it moves the guest's
 * bytes from or to clusters that are there already; so these moves overlap. A cluster is given back, and may become
 * another one or a table, only when no move is under way, and until then none begins.
 *
 * Who has to wait reads from a pipe: a policy has that call for other reasons, and needs none for futexes.
 */
#ifndef VMRUN_DEVICES_BLOCK_QCOW2_LOCK_H
#define VMRUN_DEVICES_BLOCK_QCOW2_LOCK_H

#include "devices/block/qcow2_image.h"
#include "devices/core/err.h"

/** qcow2_lock_init() - Make the pipes.  Context: setup.  Syscalls: pipe2 */
MUST_CHECK int qcow2_lock_init(struct qcow2 *q, struct err *err);

/** qcow2_lock() - Wait for the lock.  Context: locked.  Syscalls: read */
void qcow2_lock(struct qcow2 *q);

/** qcow2_lock_now() - Take the lock if it is free; returns whether it was */
bool qcow2_lock_now(struct qcow2 *q);

/** qcow2_unlock() - Let the next one have it.  Context: locked.  Syscalls: write */
void qcow2_unlock(struct qcow2 *q);

/**
 * qcow2_move_begin() - Go without the lock for a move, if that is possible now
 *
 * Context: locked
 * Syscalls: write
 * Return: whether it is; qcow2_move_end() gets the answer
 */
bool qcow2_move_begin(struct qcow2 *q);

/** qcow2_move_end() - Have the lock again.  Context: locked.  Syscalls: read write */
void qcow2_move_end(struct qcow2 *q, bool without);

/** qcow2_still_begin() - Wait, with the lock, until no move is under way.  Context: locked.  Syscalls: read write */
void qcow2_still_begin(struct qcow2 *q);

/** qcow2_still_end() - Moves may begin again */
void qcow2_still_end(struct qcow2 *q);

#endif
