/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The files of a plan, opened and checked before anything is created
 *
 * Only this file looks up paths of config.json, each of them once: the fd that was checked is the fd that the
 * jailed process gets, and its kind was checked before it was opened. Errors name the JSON pointer and the
 * path.
 *
 * Disks are locked (disk.h). The lock lives as long as any copy of the fd, so it ends with the VM in every
 * case. It also keeps out other programs that lock images, such as QEMU.
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
 * @proc:	By process, as plan->proc
 * @proc.fd:	By slot: open for PLAN_FD_FILE, PLAN_FD_VHOST_*, PLAN_FD_SHARE and PLAN_FD_SOCKET, -1 for others
 * @proc.disk_bytes: What its disk or log may grow to; 0 without either
 */
struct assets {
	int kvm;
	struct asset_proc {
		int fd[PLAN_FDS_MAX];
		uint64_t disk_bytes;
	} proc[PLAN_PROCS_MAX];
};

/**
 * assets_open() - Open all files of a plan, connect to back-ends of others, open /dev/kvm and what is used of /dev/vhost-*
 * @p:		Gets the settings and flags that depend on its disks
 * @ret:	The caller's to assets_close(); untouched on failure
 *
 * Context: setup
 * Syscalls: openat fstat pread fcntl ioctl read socket connect close
 */
MUST_CHECK int assets_open(struct plan *p, struct assets **ret, struct err *err);

/** assets_close() - Close all open files and free @a, which may be NULL.  Syscalls: close */
void assets_close(struct assets *a);

/** assets_open_kvm() - Open /dev/kvm for reading and writing; the error has the remedy */
MUST_CHECK int assets_open_kvm(int *ret_fd, struct err *err);

/** assets_open_file() - Open one PLAN_FD_FILE; @ret_disk, which may be NULL, is zeroed for other files */
MUST_CHECK int assets_open_file(const struct plan_fd *f, int *ret_fd, struct disk *ret_disk,
				struct err *err);

/**
 * assets_connect() - Connect to the back-end of others that a PLAN_FD_SOCKET names; does not wait for it
 *
 * What the VMM sends to it has a time limit, which a VMM that is locked down cannot set itself.
 * Syscalls: openat fstat socket connect fcntl setsockopt close
 */
MUST_CHECK int assets_connect(const struct plan_fd *f, int *ret_fd, struct err *err);

#endif
