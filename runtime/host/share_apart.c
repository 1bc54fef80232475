/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/share_apart.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/core/fmt.h"
#include "runtime/host/share_layers.h"

static bool share_is(const char *path, const struct stat *dir)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == dir->st_dev && st.st_ino == dir->st_ino;
}

/* Where in @path, absolute and without symbolic links, the path of this directory ends; -1: it does not go through it */
static ssize_t share_goes_through(char *path, const struct stat *dir)
{
	size_t len = strlen(path);

	for (;;) {
		const char next = path[len];
		bool is;

		path[len] = '\0';
		is = share_is(*path ? path : "/", dir);
		path[len] = next;
		if (is || len == 0)
			return is ? (ssize_t)len : -1;
		do
			len--;
		while (path[len] != '/');
	}
}

/* The real path of the nearest directory that exists; returns what of @path lies behind that, "": nothing */
static const char *share_nearest(const char *path, char ret[PATH_MAX])
{
	char name[PATH_MAX], *end;

	if (realpath(path, ret))
		return "";
	fmt_into(name, sizeof(name), "%s", path);
	while ((end = strrchr(name, '/')) && end != name) {
		*end = '\0';
		if (realpath(name, ret))
			return path + strlen(name);
	}
	if (!realpath(end ? "/" : ".", ret))
		strcpy(ret, "/");
	return path;
}

/* @below and @rest: the two parts of its path in the source */
static int share_hide(struct plan_source *s, const char *below, const char *rest, struct err *err)
{
	below += strspn(below, "/");
	if (!*below)
		rest += strspn(rest, "/");
	free(s->hidden);
	if (asprintf(&s->hidden, "%s%s", below, rest) >= 0)
		return 0;
	s->hidden = NULL;
	return err_set(err, ENOMEM, "%s", s->pointer);
}

static int share_keep_dir_apart(struct plan_source *s, const char *root, struct err *err)
{
	char source[PATH_MAX], state[PATH_MAX];
	struct stat of_source, of_state;
	const char *rest;
	ssize_t at;

	if (!realpath(s->path, source) || stat(source, &of_source) < 0)
		return 0;
	rest = share_nearest(root, state);
	at = share_goes_through(state, &of_source);
	if (at >= 0 && s->name && (state[at + (ssize_t)strspn(state + at, "/")] || *rest))
		return share_hide(s, state + at, rest, err);
	if (at >= 0)
		return err_text(err, EINVAL,
				"%s: %s: holds %s, where vmrun keeps the state of VMs: a guest "
				"must not change it",
				s->pointer, s->path, root);
	if (!*rest && stat(state, &of_state) == 0 && share_goes_through(source, &of_state) >= 0)
		return err_text(err, EINVAL,
				"%s: %s: is in %s, where vmrun keeps the state of VMs: a guest "
				"must not change it",
				s->pointer, s->path, root);
	return 0;
}

int share_keep_apart(struct plan_source *s, const char *root, struct err *err)
{
	struct share_layers l = {.at = s->layers};
	char dir[PATH_MAX];
	int rc = 0;

	if (!s->layers)
		return share_keep_dir_apart(s, root, err);
	while (rc == 0 && share_layers_next(&l, dir)) {
		struct plan_source layer = {.path = dir, .pointer = s->pointer};

		rc = share_keep_dir_apart(&layer, root, err);
	}
	return rc;
}
