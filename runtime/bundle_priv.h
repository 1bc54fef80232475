/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a struct bundle holds; for bundle*.c and plan*.c only
 */
#ifndef VMRUN_RUNTIME_BUNDLE_PRIV_H
#define VMRUN_RUNTIME_BUNDLE_PRIV_H

#include "runtime/arena.h"
#include "runtime/bundle.h"
#include "runtime/plan.h"
#include "runtime/schema.h"

#define BUNDLE_VCPUS_MAX     32
#define BUNDLE_MEM_MIN_BYTES (32ULL << 20)
#define BUNDLE_MEM_MAX_BYTES (1ULL << 40)
#define BUNDLE_MEM_BYTES     (256ULL << 20) /* default */
#define BUNDLE_HOSTNAME_MAX  64 /* __NEW_UTS_LEN */

enum bundle_device_type { BUNDLE_BLOCK, BUNDLE_RNG, BUNDLE_SERIAL, BUNDLE_DEVICE_TYPES };

/**
 * struct bundle_device - One element of /vm/devices
 * @pointer:	JSON pointer of the element
 * @path, @serial, @readonly, @queues: block only
 */
struct bundle_device {
	enum bundle_device_type type;
	const char *pointer;
	const char *path;
	const char *serial;
	bool readonly;
	int format;
	uint64_t queues;
};

struct bundle_vm {
	struct {
		const char *path;
		const char *initrd;
		struct schema_list parameters; /* const char * */
	} kernel;
	struct {
		const char *path;
		int format;
	} image;
	struct {
		uint64_t vcpus;
		uint64_t mem_bytes;
	} hw;
	struct schema_list devices; /* struct bundle_device */
};

struct bundle_process {
	bool terminal;
};

/** struct bundle_cgroup - 0 and -1 as in OCI: not set, no limit */
struct bundle_cgroup {
	int64_t memory_limit;
	int64_t cpu_quota;
	uint64_t cpu_period;
	uint64_t cpu_shares;
	int64_t pids_limit;
	const char *cpus;
	const char *mems;
};

struct bundle_linux {
	const char *cgroups_path;
	struct bundle_cgroup resources;
};

/**
 * struct bundle - A validated config.json
 *
 * Lives in its own arena, which is read-only once it is complete.
 * @annotations: Owned; NULL when there are none
 */
struct bundle {
	struct arena arena;
	const char *dir;
	const char *text;
	const char *oci_version;
	const char *hostname;
	struct {
		const char *path;
		bool readonly;
	} root;
	struct bundle_process process;
	struct bundle_linux linux_;
	struct bundle_vm vm;
	struct json_object *annotations;
	unsigned int nr_warnings;
	const char *warning[PLAN_WARNINGS_MAX];
};

extern const char *const bundle_device_types[]; /* by enum bundle_device_type, NULL-terminated */

extern const struct schema_table bundle_process_table, bundle_hooks_table, bundle_linux_table,
	bundle_vm_table;
extern const struct schema_field bundle_mount_field;
extern const struct schema_field bundle_string_field; /* element: any string */

/** bundle_vm_check() - What /vm must hold beyond its table's rules, with the pointer at the root */
MUST_CHECK int bundle_vm_check(struct schema_ctx *ctx, const struct bundle_vm *vm);

/** bundle_check_hwconfig() - Both spellings of hwConfig, when both are there, must agree */
MUST_CHECK int bundle_check_hwconfig(struct schema_ctx *ctx, struct json_object *vm);

#endif
