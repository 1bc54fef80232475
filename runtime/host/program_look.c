/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/program_look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/core/fmt.h"
#include "runtime/plan/plan.h"
#include "runtime/util/agent_words.h"
#include "runtime/util/file.h"
#include "runtime/util/spec_items.h"

#define PROGRAM_LOOK_PATH "/bin:/usr/bin" /* as vmrun-init has it */

/** struct program_asked - What the description says of the program */
struct program_asked {
	const char *name, *path, *cwd;
	bool mounts; /* that may bring it */
};

/* What other file systems than the root's are mounted at has no programs, as a rule; what a bind brings may have. */
static bool program_look_is_apart(const char *destination, uint32_t flags)
{
	static const char *const apart[] = {"/proc", "/sys", "/dev", "/run", "/tmp", "/etc"};

	if (flags & AGENT_MOUNT_FILE)
		return true;
	for (unsigned int i = 0; i < ARRAY_SIZE(apart); i++) {
		const size_t len = strlen(apart[i]);

		if (strncmp(destination, apart[i], len) == 0 &&
		    (!destination[len] || destination[len] == '/'))
			return true;
	}
	return false;
}

/* A bind of the program itself, or of what it is in: podman brings its own init so. */
static bool program_look_is_brought(const char *name, const char *destination)
{
	const size_t len = strlen(destination);
	const char *last = strrchr(destination, '/');

	if (!strchr(name, '/'))
		return last && strcmp(last + 1, name) == 0;
	return strncmp(name, destination, len) == 0 && (!name[len] || name[len] == '/');
}

static void program_look_read(const struct plan *p, struct program_asked *ret)
{
	struct agent_mount mount;
	struct agent_item item;
	const uint8_t *bytes;

	*ret = (struct program_asked){.path = PROGRAM_LOOK_PATH, .cwd = "/"};
	for (size_t at = 0; (bytes = spec_items_next(p->spec, p->spec_bytes, &at, &item));) {
		const char *text = (const char *)bytes;

		if (item.type == AGENT_ARG && !ret->name)
			ret->name = text;
		else if (item.type == AGENT_ENV && strncmp(text, "PATH=", 5) == 0)
			ret->path = text + 5;
		else if (item.type == AGENT_PROCESS)
			ret->cwd = text + sizeof(struct agent_process);
		if (item.type != AGENT_MOUNT)
			continue;
		memcpy(&mount, bytes, sizeof(mount));
		text += sizeof(mount);
		if (!program_look_is_apart(text, mount.flags) ||
		    (ret->name && program_look_is_brought(ret->name, text)))
			ret->mounts = true;
	}
}

/* 0 or an errno value: that of access() for anyone */
static int program_look_at(int root, const char *path)
{
	cleanup_fd int fd = file_look_inside(root, path, 0);
	struct stat st;

	if (fd < 0)
		return -fd;
	if (fstat(fd, &st) < 0)
		return errno;
	return S_ISDIR(st.st_mode) || !(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) ? EACCES : 0;
}

static int program_look_in_path(int root, const struct program_asked *a)
{
	char path[PATH_MAX];

	if (!*a->name)
		return ENOENT;
	for (const char *dir = a->path;; dir++) {
		const size_t len = strcspn(dir, ":");

		/* One that is not absolute is searched from a directory that is not known here. */
		if (*dir != '/')
			return 0;
		fmt_into(path, sizeof(path), "%.*s/%s", (int)len, dir, a->name);
		if (program_look_at(root, path) == 0)
			return 0;
		dir += len;
		if (!*dir)
			return ENOENT;
	}
}

static int program_look_for(int root, const struct program_asked *a)
{
	char path[PATH_MAX];

	if (!strchr(a->name, '/'))
		return program_look_in_path(root, a);
	fmt_into(path, sizeof(path), "%s/%s", *a->name == '/' ? "" : a->cwd, a->name);
	return program_look_at(root, path);
}

int program_look(const struct plan *p, struct err *err)
{
	const struct plan_source *s = plan_shared_root(p);
	struct agent_msg failed = {.type = AGENT_FAILED, .arg = {AGENT_STEP_LOOKUP}};
	struct program_asked asked;
	cleanup_fd int root = -1;

	if (!s)
		return 0;
	program_look_read(p, &asked);
	if (!asked.name || (asked.mounts && *asked.name))
		return 0;
	root = open(s->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	failed.code = root < 0 ? 0 : (uint32_t)program_look_for(root, &asked);
	if (failed.code != ENOENT && failed.code != EACCES)
		return 0;
	agent_words(&failed, p->spec, p->spec_bytes, err);
	return -err->code;
}
