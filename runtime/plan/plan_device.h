/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A plan in the making, and how a device gets into it
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_DEVICE_H
#define VMRUN_RUNTIME_PLAN_PLAN_DEVICE_H

#include "devices/core/err.h"
#include "runtime/config/bundle_types.h"
#include "runtime/plan/plan_types.h"
#include "runtime/util/spec_items.h"

/**
 * struct plan_guest - What a VM boots; borrowed
 * @kernel_at, @initrd_at: Where these are given, for errors
 * @parameters:	const char *; of the host, NULL: none
 * @more:	Further parameters, or NULL
 */
struct plan_guest {
	const char *kernel, *kernel_at, *initrd, *initrd_at;
	const struct schema_list *parameters;
	const char *more;
};

/**
 * struct plan_build - A plan in the making
 * @host:	As given to plan_build(), never NULL
 * @spec:	Of a container; handed over to @p in the end
 * @nr:		Number of devices of each type so far, for their names
 */
struct plan_build {
	const struct bundle *b;
	const struct plan_host *host;
	struct plan *p;
	struct plan_guest guest;
	struct spec_items spec;
	unsigned int nr[KINDS];
	struct err *err;
};

/** plan_no_memory() - Record -ENOMEM, and return it */
int plan_no_memory(struct err *err);

/** plan_copy() - Copy @s to *@ret, which the caller frees; a NULL @s leaves *@ret as it is */
MUST_CHECK int plan_copy(char **ret, const char *s, struct err *err);

/**
 * plan_join() - A path of the bundle's as an absolute one
 * @ret:	Owned by the caller
 * @pointer:	Its place in the bundle, for errors
 */
MUST_CHECK int plan_join(struct plan_build *bd, char **ret, const char *path, const char *pointer);

/**
 * plan_set_path() - The path and pointer of a file or socket
 * @path:	As in config.json: a relative one starts at the directory of that file
 * @pointer:	JSON pointer, copied
 */
MUST_CHECK int plan_set_path(struct plan_build *bd, struct plan_fd *fd, const char *path,
			     const char *pointer);

/** plan_set_file() - Have a slot hold a file of the user's; @path and @pointer as in plan_set_path() */
MUST_CHECK int plan_set_file(struct plan_build *bd, struct plan_fd *fd, enum plan_file file,
			     const char *path, const char *pointer);

/** plan_common_fds() - Fill in the slots that every jailed process has */
void plan_common_fds(struct plan_proc *proc);

/** plan_add_device() - Add a device: its process, and the VMM's end of their channel */
struct plan_proc *plan_add_device(struct plan_build *bd, enum kind_id id);

/** plan_set_kind() - Have another program serve a device: the same to the guest, by another back-end */
void plan_set_kind(struct plan_proc *proc, enum kind_id id);

/**
 * plan_set_returns() - Note whether a device is started again when it has died
 * @d:		Its element of /vm/devices; NULL: it is implied
 */
void plan_set_returns(struct plan_build *bd, struct plan_proc *proc, const struct bundle_device *d);

/** plan_add_others() - Add the devices that back-ends of others serve; the last ones to be added */
MUST_CHECK int plan_add_others(struct plan_build *bd);

/** plan_add_regions() - After all devices: if any returns, the VMM gets memory for what each has in flight */
void plan_add_regions(struct plan_build *bd);

/**
 * plan_nr_plain() - Count the devices that the VM will have of a kind without properties or files
 *
 * Return: the number; 0 for serial, block, net, balloon, vsock, console, fs and vhost-user, which have some
 */
unsigned int plan_nr_plain(const struct bundle *b, enum kind_id id);

#endif
