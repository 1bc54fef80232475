/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: From a plan to processes: sockets, guest RAM, boot records
 */
#ifndef VMRUN_RUNTIME_JAIL_SPAWN_H
#define VMRUN_RUNTIME_JAIL_SPAWN_H

#include "runtime/jail/spawn_types.h"

#define SPAWN_SEND_S 5

/** spawn_init() - Own nothing */
void spawn_init(struct spawn *s);

/** spawn_prepare() - Make guest RAM and the channels.  Syscalls: socketpair, and those of ram_open() */
MUST_CHECK int spawn_prepare(struct spawn *s, struct err *err);

/** spawn_settle() - All processes are started: close what those do not need that are started again */
void spawn_settle(struct spawn *s);

/**
 * spawn_reconnect() - Make a new channel to device @index
 *
 * On it the VMM sends for SPAWN_SEND_S at most, then with an error: it cannot set that itself any more.
 * Syscalls: socketpair setsockopt close
 */
MUST_CHECK int spawn_reconnect(struct spawn *s, unsigned int index, struct err *err);

/** spawn_done() - Close what spawn_prepare() opened and the TAPs; safe after a failure of it, and after spawn_init() alone */
void spawn_done(struct spawn *s);

/**
 * spawn_process() - Start process @index of the plan and send it its boot record
 * @ret:	The caller's to spawned_done(); untouched on failure
 *
 * Does not wait. The process sends CTL_READY or CTL_FAILED, or writes to the error pipe.
 */
MUST_CHECK int spawn_process(const struct spawn *s, unsigned int index, struct spawned *ret,
			     struct err *err);

/** spawn_device() - Start a stand-alone back-end, as spawn_process() does a process of a VM */
MUST_CHECK int spawn_device(const struct spawn_device *d, struct spawned *ret, struct err *err);

#endif
