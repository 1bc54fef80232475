/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LOOKUP_PATH	    "/bin:/usr/bin"
#define LOOKUP_PASSWD_LINES 65536

const char *lookup_env(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; *env; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

static int lookup_one(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EACCES;
	return access(path, X_OK) < 0 ? -errno : 0;
}

int lookup_program(const char *name, const char *path, char ret[PATH_MAX])
{
	if (strchr(name, '/')) {
		if (snprintf(ret, PATH_MAX, "%s", name) >= PATH_MAX)
			return -ENAMETOOLONG;
		return lookup_one(ret);
	}
	if (*name == '\0')
		return -ENOENT;
	if (!path)
		path = LOOKUP_PATH;
	while (true) {
		int n = (int)strcspn(path, ":");
		const char *dot = n == 0 ? "." : "";

		if (snprintf(ret, PATH_MAX, "%s%.*s/%s", dot, n, path, name) < PATH_MAX &&
		    lookup_one(ret) == 0)
			return 0;
		if (path[n] == '\0')
			return -ENOENT;
		path += n + 1;
	}
}

/* "name:password:uid:gid:comment:home:shell" */
static bool lookup_is_line(char *line, uid_t uid, char **ret_home)
{
	char *field[7] = {NULL}, *end;
	unsigned int n = 0;

	line[strcspn(line, "\n")] = '\0';
	while (n < ARRAY_SIZE(field) && (field[n] = strsep(&line, ":")))
		n++;
	if (n < 6 || *field[2] == '\0' || strtoul(field[2], &end, 10) != uid || *end)
		return false;
	*ret_home = field[5];
	return true;
}

void lookup_home(uid_t uid, char ret[PATH_MAX])
{
	int fd = open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char line[2048], *home;
	struct stat st;

	(void)snprintf(ret, PATH_MAX, "HOME=/");
	if (!file)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		for (unsigned int i = 0; i < LOOKUP_PASSWD_LINES; i++) {
			if (!fgets(line, sizeof(line), file))
				break;
			if (lookup_is_line(line, uid, &home)) {
				(void)snprintf(ret, PATH_MAX, "HOME=%s", *home ? home : "/");
				break;
			}
		}
	(void)fclose(file);
}
