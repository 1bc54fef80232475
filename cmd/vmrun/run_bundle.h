/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A VM without a bundle, in the words of crosvm: vmrun run [-m MIB] [-c N] ... KERNEL
 */
#ifndef VMRUN_CMD_VMRUN_RUN_BUNDLE_H
#define VMRUN_CMD_VMRUN_RUN_BUNDLE_H

#include "cmd/vmrun/options.h"
#include "runtime/config/bundle.h"

/**
 * struct run_bundle_options - Options of `run` that describe a VM; RUN_BUNDLE_OPTIONS parses into it
 * @mem_mib, @vcpus: 0 = the bundle format's default
 * @root_image:	Read-only root disk, or NULL
 * @rwroot_image: Writable root disk, or NULL; not together with @root_image
 * @disks, @rwdisks: Further disks, read-only and writable
 * @blocks:	Further disks, each with its properties (run_block.h)
 * @params:	Pieces of the kernel command line
 * @nets:	Network devices, in the words of run_net()
 * @host_ip, @netmask, @mac: crosvm's words for one network device, a TAP among the host's interfaces; NULL where
 *		not given
 * @shared:	Shared directories, in the words of run_fs()
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
	struct option_list blocks;
	const char *initrd;
	struct option_list params;
	struct option_list nets;
	const char *host_ip, *netmask, *mac;
	struct option_list shared;
	bool balloon;
	const char *vsock;
};

/* clang-format off */
#define RUN_BUNDLE_OPTION(type, member, name, letter, kind, value, help, field)                    \
	{name, letter, kind, value, "without a bundle: " help, offsetof(type, member.field), NULL}

/** RUN_BUNDLE_OPTIONS - The rows of an option table; @member of @type is a struct run_bundle_options */
#define RUN_BUNDLE_OPTIONS(type, member) \
	RUN_BUNDLE_OPTION(type, member, "mem", 'm', OPTION_COUNT, "MIB", \
		"guest RAM", mem_mib), \
	RUN_BUNDLE_OPTION(type, member, "cpus", 'c', OPTION_COUNT, "N", \
		"vCPUs", vcpus), \
	RUN_BUNDLE_OPTION(type, member, "root-image", 'r', OPTION_STRING, "IMAGE[,format=FORMAT]", \
		"read-only root disk", root_image), \
	RUN_BUNDLE_OPTION(type, member, "rwroot", 0, OPTION_STRING, "IMAGE[,format=FORMAT]", \
		"writable root disk", rwroot_image), \
	RUN_BUNDLE_OPTION(type, member, "disk", 'd', OPTION_LIST, "IMAGE[,format=FORMAT]", \
		"read-only disk, repeatable", disks), \
	RUN_BUNDLE_OPTION(type, member, "rwdisk", 0, OPTION_LIST, "IMAGE[,format=FORMAT]", \
		"writable disk, repeatable", rwdisks), \
	RUN_BUNDLE_OPTION(type, member, "block", 0, OPTION_LIST, "IMAGE[,KEY[=VALUE]...]", \
		"disk, repeatable; KEY as in config.json, or ro, o_direct, id", blocks), \
	RUN_BUNDLE_OPTION(type, member, "initrd", 'i', OPTION_STRING, "FILE", \
		"initial RAM disk", initrd), \
	RUN_BUNDLE_OPTION(type, member, "params", 'p', OPTION_LIST, "WORDS", \
		"kernel parameters, repeatable", params), \
	RUN_BUNDLE_OPTION(type, member, "net", 0, OPTION_LIST, "MODE[,KEY=VALUE...]", \
		"network device, repeatable; KEY as in config.json", nets), \
	RUN_BUNDLE_OPTION(type, member, "host_ip", 0, OPTION_STRING, "ADDRESS", \
		"a TAP with this address of the host's", host_ip), \
	RUN_BUNDLE_OPTION(type, member, "netmask", 0, OPTION_STRING, "MASK", \
		"of --host_ip", netmask), \
	RUN_BUNDLE_OPTION(type, member, "mac", 0, OPTION_STRING, "MAC", \
		"of --host_ip: the guest's", mac), \
	RUN_BUNDLE_OPTION(type, member, "shared-dir", 0, OPTION_LIST, "DIR:TAG[:ro][:cache=WORD]", \
		"directory for mount -t virtiofs TAG, repeatable", shared), \
	RUN_BUNDLE_OPTION(type, member, "balloon", 0, OPTION_FLAG, NULL, \
		"a balloon", balloon), \
	RUN_BUNDLE_OPTION(type, member, "vsock", 0, OPTION_STRING, "CID[,KEY=VALUE]...", \
		"vsock device; KEY as in config.json", vsock)
/* clang-format on */

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
