/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What create and run have in common: from the command line to a VM
 */
#ifndef VMRUN_CMD_VMRUN_LAUNCH_H
#define VMRUN_CMD_VMRUN_LAUNCH_H

#include <limits.h>

#include "cmd/vmrun/policy_dir.h"
#include "cmd/vmrun/vmrun.h"
#include "runtime/config/bundle.h"
#include "runtime/jail/program.h"
#include "runtime/plan/plan.h"
#include "runtime/supervisor/launch.h"

/**
 * struct launch_options - Options of both; @ignored and @ignored_flag take what other runtimes know
 * @disable_sandbox, @socket: Of run alone
 */
struct launch_options {
	const char *bundle;
	const char *config;
	const char *id;
	const char *pid_file;
	const char *console_socket;
	bool dry_run;
	bool disable_sandbox;
	const char *socket;
	uint64_t preserve_fds;
	const char *ignored;
	bool ignored_flag;
};

/* Entries of both verbs' tables; @type has a struct launch_options as its member "launch" */
#define LAUNCH_FIELD(type, f) (offsetof(type, launch) + offsetof(struct launch_options, f))
#define LAUNCH_OPTIONS(type)                                                                       \
	{"bundle",                                                                                 \
	 'b',                                                                                      \
	 OPTION_STRING,                                                                            \
	 "DIR",                                                                                    \
	 "the bundle; the argument is the ID then",                                                \
	 LAUNCH_FIELD(type, bundle),                                                               \
	 NULL},                                                                                    \
		{"config",                                                                         \
		 'f',                                                                              \
		 OPTION_STRING,                                                                    \
		 "FILE",                                                                           \
		 "read this instead of the bundle's config.json",                                  \
		 LAUNCH_FIELD(type, config),                                                       \
		 NULL},                                                                            \
		{"id",                                                                             \
		 0,                                                                                \
		 OPTION_STRING,                                                                    \
		 "ID",                                                                             \
		 "instead of the bundle directory's name",                                         \
		 LAUNCH_FIELD(type, id),                                                           \
		 NULL},                                                                            \
		{"pid-file",                                                                       \
		 0,                                                                                \
		 OPTION_STRING,                                                                    \
		 "FILE",                                                                           \
		 "write the supervisor's pid to it",                                               \
		 LAUNCH_FIELD(type, pid_file),                                                     \
		 NULL},                                                                            \
		{"console-socket",                                                                 \
		 0,                                                                                \
		 OPTION_STRING,                                                                    \
		 "SOCKET",                                                                         \
		 "send the console's pty master there",                                            \
		 LAUNCH_FIELD(type, console_socket),                                               \
		 NULL},                                                                            \
		{"dry-run",                                                                        \
		 0,                                                                                \
		 OPTION_FLAG,                                                                      \
		 NULL,                                                                             \
		 "print the plan as JSON and stop",                                                \
		 LAUNCH_FIELD(type, dry_run),                                                      \
		 NULL},                                                                            \
		{"preserve-fds",                                                                   \
		 0,                                                                                \
		 OPTION_NUMBER,                                                                    \
		 "N",                                                                              \
		 NULL,                                                                             \
		 LAUNCH_FIELD(type, preserve_fds),                                                 \
		 NULL},                                                                            \
		{"pidfd-socket",                                                                   \
		 0,                                                                                \
		 OPTION_STRING,                                                                    \
		 "SOCKET",                                                                         \
		 NULL,                                                                             \
		 LAUNCH_FIELD(type, ignored),                                                      \
		 NULL},                                                                            \
		{"no-pivot", 0, OPTION_FLAG, NULL, NULL, LAUNCH_FIELD(type, ignored_flag), NULL},  \
		{"no-new-keyring",                                                                 \
		 0,                                                                                \
		 OPTION_FLAG,                                                                      \
		 NULL,                                                                             \
		 NULL,                                                                             \
		 LAUNCH_FIELD(type, ignored_flag),                                                 \
		 NULL},                                                                            \
	{                                                                                          \
		"no-subreaper", 0, OPTION_FLAG, NULL, NULL, LAUNCH_FIELD(type, ignored_flag), NULL \
	}

/**
 * struct launch_target - Which bundle, under which id
 */
struct launch_target {
	char dir[PATH_MAX];
	char id[PLAN_ID_BYTES];
};

/**
 * launch_target() - Tell bundle from id
 * @arg:	The positional, or NULL
 *
 * With --bundle it is the id. Otherwise it is the bundle when it contains '/' or is a directory with a
 * config.json, and else the id of the bundle in the current directory, as runc has it.
 */
MUST_CHECK int launch_target(const struct launch_options *o, const char *arg,
			     struct launch_target *ret, struct err *err);

/**
 * struct launch_vm - A VM about to be launched; launch_vm_done() is safe on a zeroed one
 * @console:	Slave of the pty in both, -1 without
 * @socket:	Where a link to the control socket will be, absolute; empty: nowhere
 * @own_fd:	This process's end of the VM's standard input, which the supervisor must not keep; -1: none
 * @waits:	This process waits for its end, and deletes it
 */
struct launch_vm {
	struct bundle *bundle;
	struct plan *plan;
	struct assets *assets;
	unsigned int nr_programs;
	struct program program[PLAN_PROCS_MAX];
	struct policy_dir policies;
	int console;
	int own_fd;
	bool waits;
	char socket[PATH_MAX];
	struct phases *phases;
};

/** launch_plan() - Plan it, with what this host says of it; *@ret is the caller's to plan_free() */
MUST_CHECK int launch_plan(const struct vmrun *v, const struct bundle *b, const char *id,
			   struct plan **ret, struct err *err);

/**
 * launch_prepare() - Make the plan and open everything it needs
 * @b:		Taken over
 * @detached:	No process stays in the foreground: a terminal needs a console socket
 * @ret:	Filled; the caller's to launch_vm_done() in any case
 *
 * With --dry-run the plan is printed and nothing opened; ret->assets stays NULL.
 */
MUST_CHECK int launch_prepare(const struct vmrun *v, const struct launch_options *o,
			      struct bundle *b, const char *id, bool detached,
			      struct launch_vm *ret, struct err *err);
void launch_vm_done(struct launch_vm *vm);
#define cleanup_launch_vm __attribute__((cleanup(launch_vm_done)))

/**
 * launch_go() - Launch it
 * @stdio:	Standard input and output of the VM, and of its console when it has no pty
 * @to_stderr:	The supervisor may keep standard error for its log
 */
MUST_CHECK int launch_go(const struct vmrun *v, const struct launch_options *o,
			 struct launch_vm *vm, const int stdio[2], bool to_stderr, bool autostart,
			 pid_t *ret_pid, struct err *err);

#endif
