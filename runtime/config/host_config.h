/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: /etc/vmrun/vmrun.json: what the host's administrator says about the VMs of containers
 *
 * All of it has a default, also the file. Unknown properties are errors.
 */
#ifndef VMRUN_RUNTIME_CONFIG_HOST_CONFIG_H
#define VMRUN_RUNTIME_CONFIG_HOST_CONFIG_H

#include <limits.h>

#include "devices/core/err.h"
#include "runtime/config/schema.h"

#define HOST_CONFIG_FILE      "/etc/vmrun/vmrun.json"
#define HOST_CONFIG_MEM_BYTES (512ULL << 20)

/* Where the kernel and the initrd come from that no file gives, for errors */
#define HOST_CONFIG_MADE "the guest's kernel and initrd, which `make guest` makes"

/** enum host_config_annotation - What an annotation of a bundle may change, where the file allows it by name */
enum host_config_annotation {
	HOST_CONFIG_KERNEL,
	HOST_CONFIG_INITRD,
	HOST_CONFIG_VCPUS,
	HOST_CONFIG_MEMORY,
	HOST_CONFIG_PARAMETERS,
	HOST_CONFIG_ANNOTATIONS
};

/** host_config_annotations - Their names, and a NULL */
extern const char *const host_config_annotations[];

/**
 * struct host_config - The file, decoded
 * @file:	Its path
 * @kernel, @initrd: Absolute; @kernel_at, @initrd_at: where they are given, for errors
 * @parameters:	const char *: words of the kernel's command line
 * @annotations: int, enum host_config_annotation: those that are allowed
 */
struct host_config {
	struct arena arena;
	const char *file;
	const char *kernel, *initrd, *kernel_at, *initrd_at;
	struct schema_list parameters, annotations;
	uint64_t mem_bytes, vcpus;
};

/**
 * host_config_load() - Read the file, or take the defaults if there is none
 * @file:	Another file, which must exist; NULL: HOST_CONFIG_FILE
 * @ret:	The caller's to host_config_done(), in any case
 *
 * Context: setup
 * Syscalls: readlink faccessat openat fstat read close mmap
 * Return: 0; -errno with the file and the JSON pointer
 */
MUST_CHECK int host_config_load(const char *file, struct host_config *ret, struct err *err);

/** host_config_done() - Free what @c owns.  Syscalls: munmap */
void host_config_done(struct host_config *c);
#define cleanup_host_config __attribute__((cleanup(host_config_done)))

/** host_config_allows() - Whether a bundle's annotation may change it */
bool host_config_allows(const struct host_config *c, enum host_config_annotation a);

#endif
