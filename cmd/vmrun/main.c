/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "cmd/vmrun/version.h"
#include "cmd/vmrun/vmrun.h"
#include "devices/core/fmt.h"
#include "runtime/config/host_config.h"
#include "runtime/host/inherited.h"
#include "runtime/state/state.h"
#include "runtime/util/clock.h"

#define MAIN_TABLE_BYTES 32768
#define MAIN_MORE_BYTES	 1024

static const char *const log_formats[] = {"text", "json", NULL};
static const char *const log_levels[] = {"error", "warning", "warn", "info", "debug", NULL};
static const char *const managers[] = {"cgroupfs", "systemd", "disabled", NULL};
static const char *const rootless_words[] = {"true", "false", "auto", NULL};

#define FIELD(f) offsetof(struct vmrun, f)

/* Options without help text exist for callers of runc and crun, and have no effect. */
static const struct option_spec global_options[] = {
	{"root", 0, OPTION_STRING, "DIR", "state directory", FIELD(root), NULL},
	{"host-config", 0, OPTION_STRING, "FILE",
	 "instead of " HOST_CONFIG_FILE ": how containers run", FIELD(host_config), NULL},
	{"seccomp-policy-dir", 0, OPTION_STRING, "DIR",
	 "policies of VMMs and devices, as text, instead of those compiled in", FIELD(policy_dir),
	 NULL},
	{"log", 0, OPTION_STRING, "FILE", "append errors to this file too", FIELD(log), NULL},
	{"log-format", 0, OPTION_STRING, "FORMAT", "of that file: text or json", FIELD(log_format),
	 log_formats},
	{"log-level", 0, OPTION_STRING, "LEVEL", "error (default), warning, info or debug",
	 FIELD(log_level), log_levels},
	{"debug", 0, OPTION_FLAG, NULL, "log everything; run prints how long each phase took",
	 FIELD(debug), NULL},
	{"systemd-cgroup", 0, OPTION_FLAG, NULL, NULL, FIELD(systemd_cgroup), NULL},
	{"cgroup-manager", 0, OPTION_STRING, "NAME", NULL, FIELD(cgroup_manager), managers},
	{"rootless", 0, OPTION_STRING, "WORD", NULL, FIELD(rootless), rootless_words},
	{"criu", 0, OPTION_STRING, "PATH", NULL, FIELD(criu), NULL},
	{"version", 'v', OPTION_FLAG, NULL, "print version, commit and specification",
	 FIELD(version), NULL},
	{"V", 'V', OPTION_FLAG, NULL, NULL, FIELD(version), NULL},
	{"help", 'h', OPTION_FLAG, NULL, "print this, or with a verb what it does", FIELD(help),
	 NULL},
	{.name = NULL},
};

static const struct verb *const verbs[] = {
	&verb_create, &verb_start,   &verb_run,	     &verb_state,      &verb_list,    &verb_kill,
	&verb_pause,  &verb_resume,  &verb_delete,   &verb_stop,       &verb_console, &verb_balloon,
	&verb_device, &verb_devices, &verb_exec,     &verb_ps,	       &verb_events,  &verb_update,
	&verb_spec,   &verb_check,   &verb_features, &verb_checkpoint, &verb_restore, &verb_policy,
};

static int main_print_help(struct err *err)
{
	printf("Usage: vmrun [OPTION]... VERB [ARGUMENT]...\n\n"
	       "Runs virtual machines the way a container runtime runs containers.\n"
	       "\nVerbs:\n");
	for (unsigned int i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("  %-10s %s\n", verbs[i]->name, verbs[i]->summary);
	options_help(global_options, stdout);
	return vmrun_flush(err);
}

static void main_usage_of(const struct verb *verb, char *ret, size_t size)
{
	fmt_into(ret, size, "vmrun %s%s%s", verb->name, verb->synopsis ? " " : "",
		 verb->synopsis ? verb->synopsis : "");
}

static int main_print_verb_help(const struct verb *verb, struct err *err)
{
	char usage_line[ERR_MSG_BYTES], more[MAIN_MORE_BYTES] = "";

	main_usage_of(verb, usage_line, sizeof(usage_line));
	if (verb->more)
		verb->more(more, sizeof(more));
	printf("Usage: %s\n\n%s\n%s", usage_line, verb->summary, more);
	options_help(verb->options, stdout);
	return vmrun_flush(err);
}

static const struct verb *main_find_verb(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	return NULL;
}

static bool main_wants_help(const struct verb *verb, int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (verb->words && argv[i][0] != '-')
			return false;
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	}
	return false;
}

static int main_run_verb(struct vmrun *v, const struct verb *verb, int argc, char **argv,
			 struct err *err)
{
	cleanup_free void *opt = calloc(1, verb->opt_bytes ? verb->opt_bytes : 1);
	char root[PATH_MAX * 2], usage_line[ERR_MSG_BYTES];
	struct verb_args args;
	int first = 0, rc = 0;

	if (!opt)
		return err_set(err, ENOMEM, "options");
	if (!verb->raw)
		rc = options_parse(verb->options, opt, verb->words, argc, argv, &first, err);
	if (rc < 0)
		return vmrun_usage(v, err_wrap(err, "%s", verb->name));
	args = (struct verb_args){opt, (unsigned int)(argc - first), argv + first};
	if (args.nr < verb->min_args || args.nr > verb->max_args) {
		main_usage_of(verb, usage_line, sizeof(usage_line));
		return vmrun_usage(v, err_text(err, EINVAL, "usage: %s", usage_line));
	}
	rc = verb->stateless ? 0 : vmrun_settle_root(v, root, sizeof(root), err);
	if (rc == 0 && verb->of_vm)
		rc = vmrun_usage(v, state_check_id(args.arg[0], err));
	if (rc < 0)
		return rc;
	rc = verb->run(v, &args, err);
	return rc < 0 && verb->of_vm ? err_wrap(err, "%s", args.arg[0]) : rc;
}

static int main_run(struct vmrun *v, int argc, char **argv, struct err *err)
{
	const struct verb *verb;
	int first;

	if (options_parse(global_options, v, true, argc, argv, &first, err) < 0)
		return vmrun_usage(v, -err->code);
	argc -= first;
	argv += first;
	if (v->version) {
		version_print();
		return vmrun_flush(err);
	}
	if (argc == 0 || strcmp(argv[0], "help") == 0) {
		if (argc == 0 && !v->help)
			return vmrun_usage(
				v, err_text(err, EINVAL, "no verb given; vmrun --help lists them"));
		return main_print_help(err);
	}
	verb = main_find_verb(argv[0]);
	if (!verb)
		return vmrun_usage(v,
				   err_text(err, EINVAL,
					    "unknown verb '%s'; vmrun --help lists them", argv[0]));
	if (v->help || main_wants_help(verb, argc - 1, argv + 1))
		return main_print_verb_help(verb, err);
	if (vmrun_check_log(v, err) < 0)
		return -err->code;
	return main_run_verb(v, verb, argc - 1, argv + 1, err);
}

int main(int argc, char **argv)
{
	struct vmrun v = {.start_ns = clock_ns()};
	struct err err = {0};

	/* Tables get pages of their own: those that are not used take no memory, and a supervisor lives long. */
	(void)mallopt(M_MMAP_THRESHOLD, MAIN_TABLE_BYTES);
	if (inherited_settle(&err) < 0 || main_run(&v, argc - 1, argv + 1, &err) < 0) {
		vmrun_error(&v, &err);
		return v.exit_code ? v.exit_code : EXIT_FAILURE;
	}
	return v.exit_code;
}
