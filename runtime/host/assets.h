/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The files of a plan, opened and checked before anything is created
 *
 * Every path of a config.json is looked up here and nowhere else, once: what was checked is the very
 * fd that the jailed process will get, and what it is was looked at before it was opened. Errors name the JSON pointer and the path.
 *
 * Disks are locked (disk.h). The lock lives as long as any copy of the fd, so it ends with the VM
 * whatever way that goes, and it keeps other programs that lock images out as well (QEMU does it
 * likewise).
 */
#ifndef VMRUN_RUNTIME_HOST_ASSETS_H
#define VMRUN_RUNTIME_HOST_ASSETS_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "runtime/host/disk.h"
#include "runtime/plan/plan.h"

/**
 * struct assets - Open files of one plan
 * @kvm:	/dev/kvm
 * @proc:	By process, as in plan->proc
 * @proc.fd:	By slot: open where the plan says PLAN_FD_FILE or PLAN_FD_VHOST, -1 elsewhere
 * @proc.disk_bytes: The size of its disk; 0 without one
 */
struct assets {
	int kvm;
	struct asset_proc {
		int fd[PLAN_FDS_MAX];
		uint64_t disk_bytes;
	} proc[PLAN_PROCS_MAX];
};

/**
 * assets_open() - Open everything a plan names, /dev/kvm, and /dev/vhost-net where it is used
 * @p:		The settings and flags of its disks are completed
 * @ret:	Filled on success, the caller's to assets_close(); untouched on failure
 *
 * Context: setup.  Syscalls: openat fstat pread fcntl ioctl read close
 */
MUST_CHECK int assets_open(struct plan *p, struct assets **ret, struct err *err);

/** assets_close() - Close whatever is open and free @a; fine on NULL.  Syscalls: close */
void assets_close(struct assets *a);

/** assets_open_kvm() - /dev/kvm for reading and writing, or an error with the remedy */
MUST_CHECK int assets_open_kvm(int *ret_fd, struct err *err);

/** assets_open_file() - Open one PLAN_FD_FILE; @ret_disk may be NULL, and becomes zeroes for other files */
MUST_CHECK int assets_open_file(const struct plan_fd *f, int *ret_fd, struct disk *ret_disk,
				struct err *err);

#endif
