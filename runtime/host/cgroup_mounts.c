/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/cgroup_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/core/fmt.h"
#include "runtime/util/file.h"

/* Monitoring reads these (statistics, OOM events); cpuset is needed only for a limit. */
static const char *const watched[] = {"memory", "cpu", "cpuacct", "pids"};

bool cgroup_has_controller(const struct cgroup_mount *m, const char *name)
{
	char word[40];

	fmt_into(word, sizeof(word), ",%s,", name);
	return strstr(m->controllers, word);
}

static bool cgroup_mounts_is_watched(const struct cgroup_mount *m, bool cpuset)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(watched); i++)
		if (cgroup_has_controller(m, watched[i]))
			return true;
	return m->v2 || (cpuset && cgroup_has_controller(m, "cpuset"));
}

/* The kernel writes blanks and other separators as \040. */
static void cgroup_mounts_unescape(char *text)
{
	char *to = text;

	for (; *text; text++, to++) {
		*to = *text;
		if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
			*to = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
			text += 3;
		}
	}
	*to = '\0';
}

static bool cgroup_mounts_is_writable(const char *options)
{
	return strncmp(options, "rw", 2) == 0 && (options[2] == ',' || options[2] == '\0');
}

/* ID PARENT MAJ:MIN ROOT MOUNTPOINT OPTIONS [TAG...] - TYPE SOURCE SUPER-OPTIONS */
static bool cgroup_parse_line(char *line, struct cgroup_mount *ret, char **ret_path,
			      uint64_t *ret_id)
{
	char *dash = strstr(line, " - "), *rest, *field[6] = {NULL}, *type, *options, *behind;
	unsigned int i = 0;

	if (!dash)
		return false;
	*dash = '\0';
	for (char *at = strtok_r(line, " ", &rest); at && i < ARRAY_SIZE(field);
	     at = strtok_r(NULL, " ", &rest))
		field[i++] = at;
	type = strtok_r(dash + 3, " ", &rest);
	if (i < ARRAY_SIZE(field) || !type || !strtok_r(NULL, " ", &rest))
		return false;
	options = strtok_r(NULL, " ", &rest);
	*ret = (struct cgroup_mount){.v2 = strcmp(type, "cgroup2") == 0, .leaf = -1};
	if (!options || (!ret->v2 && strcmp(type, "cgroup") != 0))
		return false;
	cgroup_mounts_unescape(field[4]);
	*ret_path = field[4];
	*ret_id = strtoull(field[0], NULL, 10);
	ret->whole = strcmp(field[3], "/") == 0;
	ret->writable = cgroup_mounts_is_writable(field[5]) && cgroup_mounts_is_writable(options);
	behind = strchr(options, ',');
	if (!ret->v2 && behind)
		fmt_into(ret->controllers, sizeof(ret->controllers), "%s,", behind);
	return true;
}

static unsigned int cgroup_mounts_rank(const struct cgroup_mount *m)
{
	return m->writable * 2U + m->whole;
}

/* A better mount of the same hierarchy replaces a worse one; another hierarchy is added. */
static struct cgroup_mount *cgroup_mounts_place_for(struct cgroup *c, const struct cgroup_mount *m)
{
	for (unsigned int i = 0; i < c->nr_mounts; i++) {
		struct cgroup_mount *old = &c->mount[i];

		if (old->v2 == m->v2 && strcmp(old->controllers, m->controllers) == 0)
			return cgroup_mounts_rank(m) > cgroup_mounts_rank(old) ? old : NULL;
	}
	return c->nr_mounts < CGROUP_MOUNTS_MAX ? &c->mount[c->nr_mounts++] : NULL;
}

static int cgroup_mounts_replace(char **path, const char *with)
{
	char *copy = strdup(with);

	if (!copy)
		return -ENOMEM;
	free(*path);
	*path = copy;
	return 0;
}

static int cgroup_mounts_keep(struct cgroup *c, struct cgroup_mount *m, const char *path)
{
	struct cgroup_mount *place = cgroup_mounts_place_for(c, m);

	if (!place)
		return 0;
	m->path = place->path;
	*place = *m;
	return cgroup_mounts_replace(&place->path, path);
}

int cgroup_parse_mounts(char *mountinfo, bool cpuset,
			bool (*visible)(const char *path, uint64_t id), struct cgroup *ret)
{
	struct cgroup_mount m;
	char *path, *rest;
	uint64_t id;
	int rc = 0;

	ret->nr_mounts = 0;
	for (char *line = strtok_r(mountinfo, "\n", &rest); rc == 0 && line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (!cgroup_parse_line(line, &m, &path, &id) || (visible && !visible(path, id)))
			continue;
		if (cgroup_mounts_is_watched(&m, cpuset))
			rc = cgroup_mounts_keep(ret, &m, path);
		else if (cgroup_has_controller(&m, "freezer") && (m.writable || !ret->freezer))
			rc = cgroup_mounts_replace(&ret->freezer, path);
	}
	return rc;
}

/* Another mount may cover it, or a directory above it. */
static bool cgroup_mounts_is_visible(const char *path, uint64_t id)
{
	struct statx st;

	if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_MNT_ID, &st) < 0)
		return false;
	return !(st.stx_mask & STATX_MNT_ID) || st.stx_mnt_id == id;
}

int cgroup_find(bool cpuset, struct cgroup *ret)
{
	cleanup_free char *text = NULL;
	const int rc = file_read_all("/proc/self/mountinfo", &text);

	if (rc == 0)
		return cgroup_parse_mounts(text, cpuset, cgroup_mounts_is_visible, ret);
	/* Without /proc no cgroup is found, which is not a failure. */
	return rc == -ENOMEM ? rc : 0;
}

void cgroup_done(struct cgroup *c)
{
	for (unsigned int i = 0; i < c->nr_mounts; i++) {
		cleanup_close_fd(&c->mount[i].leaf);
		free(c->mount[i].path);
	}
	for (unsigned int i = 0; i < c->nr_dirs; i++)
		free(c->dir[i].path);
	free(c->freezer);
	*c = (struct cgroup){0};
}
