/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A VM without a bundle, in the words of crosvm: vmrun run [-m MIB] [-c N] ... KERNEL
 */
#ifndef VMRUN_CMD_VMRUN_RUN_BUNDLE_H
#define VMRUN_CMD_VMRUN_RUN_BUNDLE_H

#include "cmd/vmrun/options.h"
#include "runtime/config/bundle.h"

/**
 * struct run_bundle_options - Options of `run` that describe a VM; run.c's table parses into it
 * @mem_mib, @vcpus: 0 = the bundle format's default
 * @root_image:	Read-only root disk, or NULL
 * @rwroot_image: Writable root disk, or NULL; not together with @root_image
 * @disks, @rwdisks: Further disks, read-only and writable
 * @params:	Pieces of the kernel command line
 * @nets:	Network devices, in the words of run_net()
 * @host_ip, @netmask, @mac: crosvm's words for one network device, a TAP among the host's interfaces; NULL where
 *		not given
 * @balloon:	A balloon, too
 * @vsock:	Of run_vsock(), or NULL
 */
struct run_bundle_options {
	uint64_t mem_mib;
	uint64_t vcpus;
	const char *root_image;
	const char *rwroot_image;
	struct option_list disks;
	struct option_list rwdisks;
	const char *initrd;
	struct option_list params;
	struct option_list nets;
	const char *host_ip, *netmask, *mac;
	bool balloon;
	const char *vsock;
};

#define RUN_BUNDLE_ID_BYTES 16

/**
 * run_bundle_id() - Choose an id when the user gives none: vm- and 12 random hexadecimal digits
 *
 * Not the pid: in a new pid namespace a dead VM may have had the same. A random id needs no check whether it is
 * free, after which another caller could take it.
 */
MUST_CHECK int run_bundle_id(char ret[RUN_BUNDLE_ID_BYTES], struct err *err);

/** run_bundle_given() - Whether any of the options was given, so that the positional is a kernel */
bool run_bundle_given(const struct run_bundle_options *o);

/**
 * run_bundle_make() - Make a bundle in memory and validate it as any other
 * @dir:	Directory that relative paths are relative to, absolute
 *
 * Return: 0 with *ret owned by the caller (bundle_free), or -errno
 */
MUST_CHECK int run_bundle_make(const struct run_bundle_options *o, const char *kernel,
			       const char *dir, bool console, struct bundle **ret, struct err *err);

#endif
