/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the verbs of the vmrun program share
 *
 * One file a verb, which exports one `const struct verb`; main.c holds the table of them, parses the
 * command line and prints the error that a verb returns: on stderr as "vmrun: text", and in the --log
 * file as runc would write it.
 */
#ifndef VMRUN_CMD_VMRUN_VMRUN_H
#define VMRUN_CMD_VMRUN_VMRUN_H

#include "cmd/vmrun/options.h"
#include "devices/core/base.h"
#include "devices/core/err.h"

/** What a wrong command line exits with */
#define VMRUN_EXIT_USAGE 2
#define VMRUN_NO_FDS	 "a guest has no file descriptors of the host"

/**
 * struct vmrun - Global options, and the way out
 * @root:	Directory of the state directories; never NULL once a verb runs
 * @policy_dir:	Where the text of policies is, or NULL
 * @log:	File for errors, or NULL
 * @log_format:	"text" or "json"
 * @log_level:	"error", "warning", "info", "debug"; NULL = errors only
 * @debug:	Log everything; `run` prints phase timings
 * @systemd_cgroup, @cgroup_manager, @rootless, @criu: Accepted for callers of runc and crun
 * @exit_code:	What the program exits with: 0 at first; after a failure 1 unless the verb set another
 * @start_ns:	CLOCK_MONOTONIC when main() began
 */
struct vmrun {
	const char *root;
	const char *host_config;
	const char *policy_dir;
	const char *log;
	const char *log_format;
	const char *log_level;
	bool debug;
	bool systemd_cgroup;
	const char *cgroup_manager;
	const char *rootless;
	const char *criu;
	bool version;
	bool help;
	int exit_code;
	uint64_t start_ns;
};

/**
 * struct verb_args - A verb's part of the command line, parsed
 * @opt:	The struct that the verb's options were parsed into
 * @arg:	Positionals; @nr of them lies within the verb's min_args and max_args
 */
struct verb_args {
	const void *opt;
	unsigned int nr;
	char **arg;
};

/**
 * struct verb - One verb
 * @synopsis:	What follows the name in the usage line, or NULL
 * @summary:	One line for the list of verbs
 * @options:	Table, or NULL
 * @opt_bytes:	Size of the struct it parses into, allocated zeroed; 0 without a table
 * @min_args, @max_args: Number of positionals
 * @of_vm:	The first positional is the id of a VM: it is checked, and begins the verb's error
 * @words:	What follows the first positional is a command line of another program, options and all
 * @raw:	Options are positionals to it
 * @stateless:	Needs no state directory, so it works for users who have none
 * @more:	More text for --help, behind the summary, or NULL
 * @run:	0 or -errno with err filled; the exit code is v->exit_code
 */
struct verb {
	const char *name;
	const char *synopsis;
	const char *summary;
	const struct option_spec *options;
	size_t opt_bytes;
	unsigned int min_args, max_args;
	bool of_vm;
	bool words;
	bool raw;
	bool stateless;
	void (*more)(char *ret, size_t size);
	int (*run)(struct vmrun *v, const struct verb_args *a, struct err *err);
};

extern const struct verb verb_create, verb_start, verb_run, verb_state, verb_list, verb_kill,
	verb_pause, verb_resume, verb_delete, verb_stop, verb_console, verb_balloon, verb_device,
	verb_devices, verb_exec, verb_ps, verb_events, verb_update, verb_checkpoint, verb_restore,
	verb_spec, verb_features, verb_check, verb_policy;

/**
 * vmrun_usage() - Pass on @rc, having the program exit with VMRUN_EXIT_USAGE if it is -EINVAL
 *
 * For checks of the command line itself: what they refuse is wrong on any host, whatever VMs it has.
 */
MUST_CHECK int vmrun_usage(struct vmrun *v, int rc);

/**
 * vmrun_settle_root() - Make the state directory absolute, or the default one
 * @buf:	PATH_MAX * 2 bytes at least, which live as long as @v is used
 *
 * For verbs that are stateless, but for some of their arguments.
 */
MUST_CHECK int vmrun_settle_root(struct vmrun *v, char *buf, size_t size, struct err *err);

/** vmrun_flush() - Have all that was printed written; -errno if any of it could not be */
MUST_CHECK int vmrun_flush(struct err *err);

/** vmrun_error() - The error that ends this program: on stderr, and in the --log file */
void vmrun_error(const struct vmrun *v, const struct err *err);

/** vmrun_warn() - One warning: on stderr, or in the --log file when its level asks for warnings */
void vmrun_warn(const struct vmrun *v, const char *fmt, ...) PRINTF(2, 3);

/** vmrun_warn_text() - The same for callbacks (struct warn_to); @v is a struct vmrun */
void vmrun_warn_text(void *v, const char *text);

struct oci_log;

/** vmrun_open_log() - The --log file at the level asked for; without --log, one that drops everything */
MUST_CHECK int vmrun_open_log(const struct vmrun *v, struct oci_log *ret, struct err *err);

/** vmrun_check_log() - Whether the --log file can be written, before the verb has done anything */
MUST_CHECK int vmrun_check_log(const struct vmrun *v, struct err *err);

#endif
