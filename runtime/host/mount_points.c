/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/mount_points.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/core/agent_dev.h"
#include "devices/core/base.h"
#include "devices/core/fmt.h"
#include "runtime/plan/plan.h"
#include "runtime/util/file.h"
#include "runtime/util/spec_items.h"

#define MOUNT_POINTS_MAX 1024

/* What the kernel follows in one path */
#define MOUNT_POINTS_LINKS 40

/** struct mount_points - @seen: where mounts lie that come earlier; @links: how many are still followed in the path */
struct mount_points {
	int root;
	unsigned int nr, links;
	const char *seen[MOUNT_POINTS_MAX];
};

static void mount_points_make_one(struct mount_points *m, const char *path, bool file);

/* What @name is a link to, seen from @above; "": it is none */
static void mount_points_target(int at, const char *above, const char *name, char ret[PATH_MAX])
{
	char target[PATH_MAX];
	const ssize_t n = readlinkat(at, name, target, sizeof(target) - 1);
	int len = 0;

	target[n < 0 ? 0 : n] = '\0';
	if (*target)
		len = snprintf(ret, PATH_MAX, "%s%s%s", *target == '/' ? "" : above,
			       *target == '/' ? "" : "/", target);
	if (len <= 0 || len >= PATH_MAX)
		*ret = '\0';
}

/* The part of a path that ends at @end, in the directory @above it. What exists stays; where a link leads is made, too. */
static void mount_points_make_part(struct mount_points *m, const char *above, const char *begin,
				   const char *end, bool file)
{
	cleanup_fd int at = file_look_inside(m->root, above, O_DIRECTORY), made = -1;
	char name[NAME_MAX + 1], target[PATH_MAX];

	if (at < 0 || end - begin > NAME_MAX)
		return;
	fmt_into(name, sizeof(name), "%.*s", (int)(end - begin), begin);
	if (file)
		made = openat(at, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	else
		(void)mkdirat(at, name, 0755);
	mount_points_target(at, above, name, target);
	if (*target && m->links > 0) {
		m->links--;
		mount_points_make_one(m, target, file);
	}
}

/* One that lies below an earlier one is made there, by the guest. */
static bool mount_points_is_below(const struct mount_points *m, const char *path)
{
	for (unsigned int i = 0; i < m->nr; i++) {
		const size_t len = strlen(m->seen[i]);

		if (strncmp(path, m->seen[i], len) == 0 && path[len] == '/')
			return true;
	}
	return false;
}

static void mount_points_make_one(struct mount_points *m, const char *path, bool file)
{
	const char *end = path;
	char above[PATH_MAX];

	if (mount_points_is_below(m, path))
		return;
	while (*(end += strspn(end, "/")) && end - path < PATH_MAX) {
		const char *const begin = end;

		end += strcspn(end, "/");
		fmt_into(above, sizeof(above), "%.*s", (int)(begin - path), path);
		mount_points_make_part(m, above, begin, end, file && !end[strspn(end, "/")]);
	}
}

static void mount_points_make_path(struct mount_points *m, const char *path, bool file)
{
	m->links = MOUNT_POINTS_LINKS;
	mount_points_make_one(m, path, file);
}

/* Unless /dev is a mount */
static void mount_points_make_dev(struct mount_points *m)
{
	cleanup_fd int dev = -1;
	char path[32];

	if (mount_points_is_below(m, "/dev/"))
		return;
	mount_points_make_path(m, "/dev/console", true);
	for (unsigned int i = 0; i < ARRAY_SIZE(agent_dev_nodes); i++) {
		fmt_into(path, sizeof(path), "/dev/%s", agent_dev_nodes[i].name);
		mount_points_make_path(m, path, true);
	}
	dev = file_look_inside(m->root, "/dev", O_DIRECTORY);
	for (unsigned int i = 0; dev >= 0 && i < ARRAY_SIZE(agent_dev_links); i++)
		(void)!symlinkat(agent_dev_links[i].target, dev, agent_dev_links[i].name);
}

static void mount_points_make_all(const struct plan *p, int root)
{
	struct mount_points m = {.root = root};
	const char *cwd = NULL;
	struct agent_mount mount;
	struct agent_item item;
	const uint8_t *has;

	for (size_t at = 0; (has = spec_items_next(p->spec, p->spec_bytes, &at, &item));) {
		const char *path = (const char *)has + sizeof(mount);

		if (item.type == AGENT_PROCESS)
			cwd = (const char *)has + sizeof(struct agent_process);
		/* A node lies on a file. */
		if (item.type == AGENT_DEVICE)
			mount_points_make_path(&m, (const char *)has + sizeof(struct agent_device),
					       true);
		if (item.type != AGENT_MOUNT || m.nr == MOUNT_POINTS_MAX)
			continue;
		memcpy(&mount, has, sizeof(mount));
		mount_points_make_path(&m, path, mount.flags & AGENT_MOUNT_FILE);
		m.seen[m.nr++] = path;
	}
	if (cwd)
		mount_points_make_path(&m, cwd, false);
	mount_points_make_dev(&m);
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
