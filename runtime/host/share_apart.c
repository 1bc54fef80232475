/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/share_apart.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/core/fmt.h"

static bool share_is(const char *path, const struct stat *dir)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == dir->st_dev && st.st_ino == dir->st_ino;
}

/* Whether an absolute path without symbolic links is a directory or goes through it; @path is lost */
static bool share_goes_through(char *path, const struct stat *dir)
{
	char *end = path + strlen(path);

	do {
		*end = '\0';
		if (share_is(*path ? path : "/", dir))
			return true;
		end = strrchr(path, '/');
	} while (end);
	return false;
}

/* The real path of the nearest directory that exists, and whether that is @path itself */
static bool share_nearest(const char *path, char ret[PATH_MAX])
{
	char name[PATH_MAX], *end;

	if (realpath(path, ret))
		return true;
	fmt_into(name, sizeof(name), "%s", path);
	while ((end = strrchr(name, '/')) && end != name) {
		*end = '\0';
		if (realpath(name, ret))
			return false;
	}
	if (!realpath(end ? "/" : ".", ret))
		strcpy(ret, "/");
	return false;
}

int share_check_apart(const struct plan_source *s, const char *root, struct err *err)
{
	char source[PATH_MAX], state[PATH_MAX];
	struct stat of_source, of_state;
	bool exists;

	if (!realpath(s->path, source) || stat(source, &of_source) < 0)
		return 0;
	exists = share_nearest(root, state) && stat(state, &of_state) == 0;
	if (share_goes_through(state, &of_source))
		return err_text(err, EINVAL,
				"%s: %s: holds %s, where vmrun keeps the state of VMs: a guest "
				"must not change it",
				s->pointer, s->path, root);
	if (exists && share_goes_through(source, &of_state))
		return err_text(err, EINVAL,
				"%s: %s: is in %s, where vmrun keeps the state of VMs: a guest "
				"must not change it",
				s->pointer, s->path, root);
	return 0;
}
