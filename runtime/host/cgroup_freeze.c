/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/cgroup_freeze.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/host/cgroup_files.h"
#include "runtime/util/file.h"

bool cgroup_dir_frozen(int dir)
{
	char text[32];

	if (cgroup_read(dir, "cgroup.freeze", text, sizeof(text)))
		return strcmp(text, "1") == 0;
	return cgroup_read(dir, "freezer.state", text, sizeof(text)) && strcmp(text, "THAWED") != 0;
}

/* A group below a frozen one is frozen too, so the deepest that exists tells of all above. */
bool cgroup_freezer_frozen(const struct cgroup *c)
{
	char path[2 * PATH_MAX];
	cleanup_fd int dir = -1;
	size_t base;
	char *slash;

	if (!c->freezer)
		return false;
	base = fmt_into(path, sizeof(path), "%s", c->freezer);
	fmt_into(path + base, sizeof(path) - base, "%s", c->leaf);
	while ((dir = cgroup_open(AT_FDCWD, path)) < 0 && (slash = strrchr(path + base, '/')))
		*slash = '\0';
	return dir >= 0 && cgroup_dir_frozen(dir);
}

/* Finds the path behind ":CONTROLLERS:" in /proc/PID/cgroup for controller @name; "" is v2 */
static bool cgroup_freeze_path_of(pid_t pid, const char *name, char *ret, size_t size)
{
	cleanup_free char *text = NULL;
	char file[40], *rest;

	fmt_into(file, sizeof(file), "/proc/%d/cgroup", pid);
	if (file_read_all(file, &text) < 0)
		return false;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;
		struct cgroup_mount m;

		if (!path)
			continue;
		*path++ = '\0';
		fmt_into(m.controllers, sizeof(m.controllers), ",%s,", list + 1);
		if (*name ? cgroup_has_controller(&m, name) : !list[1]) {
			fmt_into(ret, size, "%s", path);
			return true;
		}
	}
	return false;
}

/* The mount of v2, or of v1's freezer */
static const char *cgroup_freeze_mount_of(const struct cgroup *c, bool v2)
{
	for (unsigned int i = 0; i < c->nr_mounts; i++)
		if (v2 ? c->mount[i].v2 : cgroup_has_controller(&c->mount[i], "freezer"))
			return c->mount[i].path;
	return v2 ? NULL : c->freezer;
}

/* Fills in the path of a process's group and the length of its mount's path; false if there is none. */
static bool cgroup_freeze_group_of(const struct cgroup *c, pid_t pid, bool v2,
				   char ret[2 * PATH_MAX], size_t *ret_base)
{
	const char *mount = cgroup_freeze_mount_of(c, v2);

	if (!mount)
		return false;
	*ret_base = fmt_into(ret, 2 * PATH_MAX, "%s", mount);
	return cgroup_freeze_path_of(pid, v2 ? "" : "freezer", ret + *ret_base,
				     2 * PATH_MAX - *ret_base);
}

/* Looks above the group too: until all processes stand still, v2 says so only where it was asked. */
static bool cgroup_freeze_is_frozen(const struct cgroup *c, pid_t pid, bool v2)
{
	char path[2 * PATH_MAX], *slash;
	bool frozen = false;
	size_t base;

	if (!cgroup_freeze_group_of(c, pid, v2, path, &base))
		return false;
	do {
		cleanup_fd int dir = cgroup_open(AT_FDCWD, path);

		frozen = dir >= 0 && cgroup_dir_frozen(dir);
		slash = strrchr(path + base, '/');
		if (slash)
			*slash = '\0';
	} while (!frozen && slash);
	return frozen;
}

bool cgroup_frozen(pid_t pid)
{
	cleanup_cgroup struct cgroup c = {0};

	return cgroup_find(true, &c) == 0 &&
	       (cgroup_freeze_is_frozen(&c, pid, false) || cgroup_freeze_is_frozen(&c, pid, true));
}

void cgroup_thaw(pid_t pid)
{
	cleanup_cgroup struct cgroup c = {0};
	cleanup_fd int top = -1;
	char text[16];

	if (cgroup_find(true, &c) < 0 || !cgroup_freeze_is_frozen(&c, pid, false))
		return;
	top = cgroup_open(AT_FDCWD, cgroup_freeze_mount_of(&c, false));
	fmt_into(text, sizeof(text), "%d", pid);
	if (top >= 0)
		(void)cgroup_write(top, "cgroup.procs", text);
}
