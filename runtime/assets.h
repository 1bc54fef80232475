/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The files of a plan, opened and checked before anything is created
 *
 * Every path of a config.json is looked up here and nowhere else, once: what was checked is the very
 * fd that the jailed process will get, and what it is was looked at before it was opened. Errors name the JSON pointer and the path.
 *
 * Disks are locked with open file description locks over the whole file: exclusively by a writer,
 * shared by readers. The lock lives as long as any copy of the fd, so it ends with the VM whatever way
 * that goes, and it keeps other programs that lock images out as well (QEMU does it likewise). A file
 * system without locks is used without.
 */
#ifndef VMRUN_RUNTIME_ASSETS_H
#define VMRUN_RUNTIME_ASSETS_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "runtime/plan.h"

/**
 * struct assets - Open files of one plan
 * @kvm:	/dev/kvm
 * @proc:	By process, as in plan->proc
 * @proc.fd:	By slot: open where the plan says PLAN_FD_FILE or PLAN_FD_VHOST, -1 elsewhere
 * @proc.capacity_bytes: Size of the disk, for boot_dev.block; 0 for what is no disk
 * @proc.dev_flags: BOOT_DEV_* found out by looking at the host, to be ored to the plan's
 */
struct assets {
	int kvm;
	struct asset_proc {
		int fd[PLAN_FDS_MAX];
		uint64_t capacity_bytes;
		uint32_t dev_flags;
	} proc[PLAN_PROCS_MAX];
};

/**
 * assets_open() - Open everything a plan names, /dev/kvm, and /dev/vhost-net where it is used
 * @ret:	Filled on success, the caller's to assets_close(); untouched on failure
 *
 * Context: setup.  Syscalls: openat fstat pread fcntl ioctl close
 */
MUST_CHECK int assets_open(const struct plan *p, struct assets **ret, struct err *err);

/** assets_close() - Close whatever is open and free @a; fine on NULL.  Syscalls: close */
void assets_close(struct assets *a);

/** assets_open_kvm() - /dev/kvm for reading and writing, or an error with the remedy */
MUST_CHECK int assets_open_kvm(int *ret_fd, struct err *err);

/** assets_open_file() - One PLAN_FD_FILE; @capacity_bytes and @dev_flags may be NULL unless a disk */
MUST_CHECK int assets_open_file(const struct plan_fd *f, int *ret_fd, uint64_t *ret_capacity_bytes,
				uint32_t *ret_dev_flags, struct err *err);

#endif
