/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a bundle asks for inside a container: the process, mounts, hooks, and the part of /linux that its kernel carries out
 *
 * Empty strings in a list of strings are NULL.
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_INSIDE_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_INSIDE_H

#include "devices/core/agent_spec.h"
#include "runtime/config/schema.h"
#include "runtime/util/hook_kind.h"

#define BUNDLE_UNSET INT64_MIN

/** struct bundle_rlimit - @type: Linux's number */
struct bundle_rlimit {
	int type;
	uint64_t soft, hard;
};

/** struct bundle_user - @umask: BUNDLE_UNSET, or a mode; @gids: uint64_t */
struct bundle_user {
	uint64_t uid, gid;
	int64_t umask;
	struct schema_list gids;
};

/** struct bundle_scheduler - @policy: Linux's number, -1: none given; @flags: int, index into bundle_scheduler_flags */
struct bundle_scheduler {
	int policy;
	int64_t nice, priority;
	struct schema_list flags;
	uint64_t runtime, deadline, period;
};

/**
 * struct bundle_process - /process, or the process of an exec
 * @console:	The terminal's size; 0: not given
 * @args:	const char *; none: there is no process
 * @env:	const char *
 * @caps_given:	@caps are to be had; otherwise no capability at all
 * @rlimits:	struct bundle_rlimit
 * @oom_score_adj: BUNDLE_UNSET = as the caller's
 * @io_class:	Linux's number less one, -1: none given
 */
struct bundle_process {
	bool terminal;
	struct {
		uint64_t height, width;
	} console;
	struct schema_list args, env;
	const char *cwd;
	struct bundle_user user;
	bool caps_given;
	struct agent_caps caps;
	bool no_new_privileges;
	struct schema_list rlimits;
	int64_t oom_score_adj;
	struct bundle_scheduler scheduler;
	struct {
		int class;
		uint64_t priority;
	} io;
};

/**
 * struct bundle_mount - An element of /mounts
 * @source:	May be NULL
 * @options:	const char *, as in config.json
 * @data:	Those that are the file system's own, joined by commas; NULL: none
 * @flags:	AGENT_MOUNT_BIND and AGENT_MOUNT_COPY_UP
 * @set, @clear, @propagation, @recursive_set, @recursive_clear: As in struct agent_mount
 */
struct bundle_mount {
	const char *destination, *type, *source;
	struct schema_list options;
	const char *data;
	uint32_t flags;
	uint64_t set, clear, propagation, recursive_set, recursive_clear;
};

/**
 * struct bundle_hook - A program to run at a moment of the VM's life
 * @args:	const char *, all of argv; none: @path alone. An empty string is NULL
 * @env:	const char *, its whole environment; without items (NULL): vmrun's own
 * @timeout_s:	0: none
 */
struct bundle_hook {
	const char *path;
	struct schema_list args, env;
	uint64_t timeout_s;
};

/** struct bundle_hooks - /hooks: struct bundle_hook, by enum hook_kind */
struct bundle_hooks {
	struct schema_list kind[HOOK_KINDS];
};

/** struct bundle_node - A device node; @type: index into bundle_node_types; @mode, @uid, @gid: 0666, 0, 0 unless given */
struct bundle_node {
	const char *path;
	int type;
	int64_t major, minor;
	uint64_t mode, uid, gid;
};

/** struct bundle_seccomp_arg - @op: index into bundle_seccomp_operators */
struct bundle_seccomp_arg {
	uint64_t index, value, value_two;
	int op;
};

/** struct bundle_seccomp_rule - @action: index into bundle_seccomp_actions; @errno_ret: BUNDLE_UNSET: none given */
struct bundle_seccomp_rule {
	struct schema_list names; /* const char * */
	int action;
	int64_t errno_ret;
	struct schema_list args; /* struct bundle_seccomp_arg */
};

/** struct bundle_seccomp - @action: the default's, -1: there is no /linux/seccomp */
struct bundle_seccomp {
	int action;
	int64_t errno_ret;
	struct schema_list architectures; /* const char * */
	struct schema_list flags;	  /* int, index into bundle_seccomp_flags */
	struct schema_list rules;	  /* struct bundle_seccomp_rule */
};

/**
 * struct bundle_inside - The part of /linux
 * @sysctl:	Names and values; owned; may be NULL
 * @masked, @readonly: const char *, absolute
 * @propagation: Index into bundle_propagations, 0: none given
 * @nodes:	struct bundle_node
 */
struct bundle_inside {
	struct json_object *sysctl;
	struct schema_list masked, readonly;
	int propagation;
	struct schema_list nodes;
	struct bundle_seccomp seccomp;
};

#endif
