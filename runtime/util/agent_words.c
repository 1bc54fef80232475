/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/agent_words.h"

#include <errno.h>
#include <string.h>

#include "runtime/util/spec_items.h"

#define STATUS_RUN	 1   /* runc run's, when it cannot set up the container */
#define STATUS_EXEC	 255 /* and runc exec's */
#define STATUS_NOT_RUN	 126
#define STATUS_NOT_FOUND 127

/* What failed has the name that item @item has behind its struct of @bytes. */
static const struct {
	const char *doing;
	uint16_t item, bytes;
} agent_steps[AGENT_STEPS] = {
	[0] = {.doing = "starting the container"},
	[AGENT_STEP_SPEC] = {.doing = "reading the description of the process"},
	[AGENT_STEP_ROOT] = {"mounting the root file system", AGENT_ROOT,
			     sizeof(struct agent_root)},
	[AGENT_STEP_MOUNT] = {"mounting", AGENT_MOUNT, sizeof(struct agent_mount)},
	[AGENT_STEP_DEVICE] = {"making device", AGENT_DEVICE, sizeof(struct agent_device)},
	[AGENT_STEP_MASKED] = {"masking", AGENT_MASKED, 0},
	[AGENT_STEP_READONLY] = {"making read-only", AGENT_READONLY, 0},
	[AGENT_STEP_SYSCTL] = {"sysctl", AGENT_SYSCTL, 0},
	[AGENT_STEP_HOSTNAME] = {.doing = "setting the host name"},
	[AGENT_STEP_NETWORK] = {.doing = "setting up the network"},
	[AGENT_STEP_CGROUP] = {"setting up the guest's cgroup", AGENT_CGROUP, 0},
	[AGENT_STEP_HOOK] = {"startContainer hook", AGENT_HOOK, sizeof(struct agent_hook)},
	[AGENT_STEP_CONSOLE] = {.doing = "setting up the terminal"},
	[AGENT_STEP_RLIMIT] = {.doing = "setting rlimits"},
	[AGENT_STEP_USER] = {.doing = "setting the user"},
	[AGENT_STEP_CAPABILITIES] = {.doing = "setting capabilities"},
	[AGENT_STEP_SECCOMP] = {.doing = "loading the seccomp filter"},
	[AGENT_STEP_SCHEDULER] = {.doing = "setting the scheduler"},
	[AGENT_STEP_OOM_SCORE] = {.doing = "setting oomScoreAdj"},
	[AGENT_STEP_CWD] = {"chdir to cwd", AGENT_PROCESS, sizeof(struct agent_process)},
	[AGENT_STEP_PROCESS] = {.doing = "starting the process"},
	[AGENT_STEP_LOOKUP] = {"exec:", AGENT_ARG, 0},
	[AGENT_STEP_EXEC] = {"exec", AGENT_ARG, 0},
};

/* The first string of item number @nth of a type; NULL: there is none */
static const char *agent_words_name(const uint8_t *spec, size_t bytes, uint16_t type, size_t skip,
				    unsigned int nth)
{
	struct agent_item item;
	const uint8_t *has;

	for (size_t at = 0; (has = spec_items_next(spec, bytes, &at, &item));)
		if (item.type == type && nth-- == 0)
			return item.bytes > skip && memchr(has + skip, 0, item.bytes - skip)
				       ? (const char *)has + skip
				       : NULL;
	return NULL;
}

/* "exec: "sh": executable file not found in $PATH" */
static void agent_words_lookup(uint32_t code, const char *name, struct err *ret)
{
	if (code == ENOENT && !strchr(name, '/'))
		err_text(ret, ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
	else if (code == ENOENT)
		err_text(ret, ENOENT, "exec: \"%s\": stat %s: no such file or directory", name,
			 name);
	else
		err_text(ret, (int)code, "exec: \"%s\": %s", name,
			 code == EACCES	   ? "permission denied"
			 : code == ENOTDIR ? "not a directory"
			 : code == EISDIR  ? "is a directory"
			 : code == ELOOP   ? "too many levels of symbolic links"
					   : "cannot be looked up");
}

/* Whether the root is a disk, by its name: others are in the share */
static bool agent_words_is_disk(uint32_t step, const char *name)
{
	return step == AGENT_STEP_ROOT && name && name[0] == '/';
}

/* The system's words begin with a small letter, as they do in Go, and so in runc. */
static void agent_words_system(int code, const char *doing, const char *name, struct err *ret)
{
	char *words;

	err_set(ret, code, "%s%s%s", doing, name ? " " : "", name ? name : "");
	words = strrchr(ret->msg, ':');
	if (words && words[1] == ' ' && words[2] >= 'A' && words[2] <= 'Z')
		words[2] = (char)(words[2] - 'A' + 'a');
}

void agent_words(const struct agent_msg *m, const uint8_t *spec, size_t bytes, struct err *ret)
{
	const uint32_t step = m->arg[0] < AGENT_STEPS ? m->arg[0] : 0;
	const bool several = agent_steps[step].item != AGENT_ARG &&
			     agent_steps[step].item != AGENT_PROCESS;
	const char *name = agent_words_name(spec, bytes, agent_steps[step].item,
					    agent_steps[step].bytes, several ? m->arg[1] : 0);

	if (step == AGENT_STEP_LOOKUP && name)
		agent_words_lookup(m->code, name, ret);
	else if (agent_words_is_disk(step, name) && m->code == EINVAL)
		err_text(ret, EINVAL,
			 "/vm/image: no file system that the guest's kernel knows and finds whole: "
			 "ext4, erofs or squashfs");
	else if (agent_words_is_disk(step, name))
		agent_words_system((int)m->code, "/vm/image: mounting it", NULL, ret);
	else if (m->code == 0)
		err_text(ret, EIO, "%s%s%s: failed", agent_steps[step].doing, name ? " " : "",
			 name ? name : "");
	else
		agent_words_system((int)m->code, agent_steps[step].doing,
				   step == AGENT_STEP_ROOT ? NULL : name, ret);
}

int agent_words_status(const struct agent_msg *m)
{
	const bool program = m->arg[0] == AGENT_STEP_LOOKUP || m->arg[0] == AGENT_STEP_EXEC;

	if (!program)
		return m->session == 0 ? STATUS_RUN : STATUS_EXEC;
	return m->code == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_RUN;
}
