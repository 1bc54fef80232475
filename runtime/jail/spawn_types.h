/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What processes are started from
 */
#ifndef VMRUN_RUNTIME_JAIL_SPAWN_TYPES_H
#define VMRUN_RUNTIME_JAIL_SPAWN_TYPES_H

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
	int ram_fd, inflight_fd[BOOT_DEVICES_MAX], kept_fd;
	int channel[BOOT_DEVICES_MAX][2];
};

/**
 * struct spawn_device - A stand-alone back-end: one device, no VM
 * @kind:	What the record is of
 * @record:	Filled in, except for header and seccomp program
 * @res_fd:	@record->nr_res of them; borrowed
 * @uids, @gids: Of an fs device: as in struct userns_ids
 */
struct spawn_device {
	const struct kind *kind;
	const struct program *program;
	struct boot_dev *record;
	const int *res_fd;
	const struct id_map *uids, *gids;
	uint64_t fsize_bytes;
	int error_fd;
	enum log_level log_level;
};

#endif
