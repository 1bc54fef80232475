/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/mount_points.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/core/base.h"
#include "devices/core/fmt.h"
#include "runtime/plan/plan.h"
#include "runtime/util/file.h"
#include "runtime/util/spec_items.h"

#define MOUNT_POINTS_MAX 1024

/* The next part of the path that ends at @end, in the directory @at. A file that exists stays, and so does a link to nothing. */
static void mount_points_make_part(int at, const char *begin, const char *end, bool file)
{
	char name[NAME_MAX + 1];
	cleanup_fd int made = -1;

	if (end - begin > NAME_MAX)
		return;
	fmt_into(name, sizeof(name), "%.*s", (int)(end - begin), begin);
	if (file)
		made = openat(at, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	else
		(void)mkdirat(at, name, 0755);
}

static void mount_points_make_one(int root, const char *path, bool file)
{
	const char *end = path;
	char above[PATH_MAX];

	while (*(end += strspn(end, "/")) && end - path < PATH_MAX) {
		const char *const begin = end;
		cleanup_fd int at = -1;

		end += strcspn(end, "/");
		fmt_into(above, sizeof(above), "%.*s", (int)(begin - path), path);
		at = file_look_inside(root, above, O_DIRECTORY);
		if (at >= 0)
			mount_points_make_part(at, begin, end, file && !end[strspn(end, "/")]);
	}
}

/* One that lies below an earlier one is made there, by the guest. */
static bool mount_points_is_below(const char *path, const char *const *earlier, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		const size_t len = strlen(earlier[i]);

		if (strncmp(path, earlier[i], len) == 0 && path[len] == '/')
			return true;
	}
	return false;
}

static void mount_points_make_all(const struct plan *p, int root)
{
	const char *seen[MOUNT_POINTS_MAX], *cwd = NULL;
	struct agent_mount m;
	struct agent_item item;
	const uint8_t *has;
	unsigned int nr = 0;

	for (size_t at = 0; (has = spec_items_next(p->spec, p->spec_bytes, &at, &item));) {
		const char *path = (const char *)has + sizeof(m);

		if (item.type == AGENT_PROCESS)
			cwd = (const char *)has + sizeof(struct agent_process);
		if (item.type != AGENT_MOUNT || nr == MOUNT_POINTS_MAX)
			continue;
		memcpy(&m, has, sizeof(m));
		if (!mount_points_is_below(path, seen, nr))
			mount_points_make_one(root, path, m.flags & AGENT_MOUNT_FILE);
		seen[nr++] = path;
	}
	if (cwd && !mount_points_is_below(cwd, seen, nr))
		mount_points_make_one(root, cwd, false);
}

void mount_points_make(const struct plan *p)
{
	const struct plan_source *s = plan_shared_root(p);
	cleanup_fd int root = -1;

	if (!s || !s->readonly)
		return;
	root = open(s->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		mount_points_make_all(p, root);
}
