/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: config.json, validated and frozen
 *
 * OCI runtime-spec 1.x: config.md, config-linux.md, config-vm.md; and vmrun's extension vm.devices.
 * Unknown properties are ignored, except in vm.devices: a misspelt "readonly" there would get a disk written.
 * Invalid values are errors. Every error names its place by JSON pointer (/vm/kernel/path), or by line and
 * column if the file is not JSON.
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_H

#include <json-c/json.h>

#include "devices/core/err.h"

/* For `features` and `state`: the newest version of the specification that vmrun follows */
#define BUNDLE_OCI_VERSION     "1.3.0"
#define BUNDLE_OCI_VERSION_MIN "1.0.0"

struct bundle;

/**
 * bundle_load() - Read and validate DIR/config.json
 * @dir:	The bundle's directory; relative paths in it are relative to this directory
 * @config:	Another file instead of DIR/config.json, or NULL
 *
 * Return: 0 with *ret, read-only, which the caller frees (bundle_free); or -errno
 */
MUST_CHECK int bundle_load(const char *dir, const char *config, struct bundle **ret,
			   struct err *err);

/**
 * bundle_from_json() - As bundle_load(), from an object in memory (vmrun run KERNEL, tests)
 * @root:	Borrowed; the bundle takes a reference to its annotations
 * @dir:	Absolute; only put before relative paths, need not exist
 *
 * Context: setup
 * Syscalls: mmap mprotect and the heap's
 */
MUST_CHECK int bundle_from_json(struct json_object *root, const char *dir, struct bundle **ret,
				struct err *err);

/** bundle_text() - The validated JSON text, for the snapshot in the state directory */
const char *bundle_text(const struct bundle *b);

/** bundle_is_container() - Whether the guest runs /process in /root/path: it has no kernel of its own */
bool bundle_is_container(const struct bundle *b);

void bundle_free(struct bundle *b);

#endif
