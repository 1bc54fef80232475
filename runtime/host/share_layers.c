/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/share_layers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* Finds the value of an option that names directories */
static bool share_layers_enter(struct share_layers *l)
{
	static const char *const keys[] = {"lowerdir=", "upperdir=", "workdir="};

	for (; *l->at; l->at += strcspn(l->at, ","), l->at += *l->at == ',') {
		for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++) {
			if (strncmp(l->at, keys[i], strlen(keys[i])) != 0)
				continue;
			l->at += strlen(keys[i]);
			l->lower = i == 0;
			return l->in = true;
		}
	}
	return false;
}

bool share_layers_next(struct share_layers *l, char ret[PATH_MAX])
{
	size_t n = 0;

	while (n == 0) {
		if (!l->in && !share_layers_enter(l))
			return false;
		for (; *l->at && *l->at != ',' && !(l->lower && *l->at == ':'); l->at++) {
			if (*l->at == '\\' && l->at[1])
				l->at++;
			if (n < PATH_MAX - 1)
				ret[n++] = *l->at;
		}
		l->in = *l->at == ':';
		l->at += *l->at != '\0';
	}
	ret[n] = '\0';
	return true;
}

int share_layers_mount(const char *layers, unsigned int attr)
{
	cleanup_fd int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	cleanup_free char *copy = strdup(layers);
	char *rest = copy, *option;
	int fd;

	if (fs < 0 || !copy)
		return fs < 0 ? -errno : -ENOMEM;
	while ((option = strsep(&rest, ","))) {
		char *value = strchr(option, '=');

		if (value)
			*value++ = '\0';
		if (fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, option, value,
			     0) < 0)
			return -errno;
	}
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(fs, FSMOUNT_CLOEXEC, attr);
	return fd < 0 ? -errno : fd;
}
