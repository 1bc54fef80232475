/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: From a plan to processes: sockets, guest RAM, boot records
 */
#ifndef VMRUN_RUNTIME_JAIL_SPAWN_H
#define VMRUN_RUNTIME_JAIL_SPAWN_H

#include <sys/types.h>

#include "devices/core/boot.h"
#include "devices/core/err.h"
#include "devices/core/log.h"
#include "runtime/host/assets.h"
#include "runtime/jail/program.h"
#include "runtime/jail/spawned.h"
#include "runtime/jail/userns.h"
#include "runtime/netlink/tap.h"
#include "runtime/plan/plan.h"

/**
 * struct spawn - The sources of a VM's processes
 * @program:	By process; borrowed
 * @stdio:	Sources of PLAN_FD_STDIN and PLAN_FD_STDOUT; borrowed, as all above
 * @console:	Sources of PLAN_FD_CONSOLE, for input and output; -1 if the plan has none
 * @owns_lines:	@stdio and @console are duplicates, for a console that returns, and closed by spawn_done()
 * @tap:	By plan->net, from net_setup(); closed by spawn_done()
 * @error_fd:	Write end of the jails' error pipe
 * @oom_score_adj: Of the processes
 * @null_fd, @ram_fd, @inflight_fd, @kept_fd, @channel: Opened by spawn_prepare(), closed by spawn_done(). What a device
 *		that returns needs stays open until then: @null_fd and its TAP
 */
struct spawn {
	const struct plan *plan;
	const struct assets *assets;
	const struct program *program;
	int stdio[2];
	int console[2];
	bool owns_lines;
	struct tap tap[BOOT_DEVICES_MAX];
	int error_fd;
	struct userns_ids ids;
	int oom_score_adj;
	enum log_level log_level;
	int null_fd;
	int ram_fd, inflight_fd, kept_fd;
	int channel[BOOT_DEVICES_MAX][2];
};

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

/**
 * struct spawn_device - A stand-alone back-end: one device, no VM
 * @kind:	What the record is of
 * @record:	Filled in, except for header and seccomp program
 * @res_fd:	@record->nr_res of them; borrowed
 */
struct spawn_device {
	const struct kind *kind;
	const struct program *program;
	struct boot_dev *record;
	const int *res_fd;
	uint64_t fsize_bytes;
	int error_fd;
	enum log_level log_level;
};

/** spawn_device() - Start a stand-alone back-end, as spawn_process() does a process of a VM */
MUST_CHECK int spawn_device(const struct spawn_device *d, struct spawned *ret, struct err *err);

#endif
