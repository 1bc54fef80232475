/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/state/state_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/core/fmt.h"
#include "runtime/state/state_dir.h"

#define LINK_END "/" STATE_CONTROL

/* What the link of this VM contains; false if it is too long */
static bool state_link_target(const char *root, const char *id, char ret[PATH_MAX])
{
	return fmt_into(ret, PATH_MAX, "%s/%s" LINK_END, root, id) < PATH_MAX - 1;
}

int state_link_path(const char *arg, const char *id, char ret[PATH_MAX], struct err *err)
{
	const char *slash = strrchr(arg, '/');
	const int before_name = slash ? (int)(slash - arg) + 1 : 0;
	char dir[PATH_MAX], name[PATH_MAX], real[PATH_MAX];
	struct stat st;

	if (!*arg)
		return err_set(err, ENOENT, "--socket");
	if (strlen(arg) >= PATH_MAX)
		return err_set(err, ENAMETOOLONG, "--socket %s", arg);
	if (stat(arg, &st) == 0 && S_ISDIR(st.st_mode)) {
		fmt_into(dir, sizeof(dir), "%s", arg);
		fmt_into(name, sizeof(name), "%s.sock", id);
	} else {
		fmt_into(dir, sizeof(dir), "%.*s", before_name ? before_name : 1,
			 before_name ? arg : ".");
		fmt_into(name, sizeof(name), "%s", arg + before_name);
	}
	if (!realpath(dir, real))
		return err_set(err, errno, "--socket %s", arg);
	if (fmt_into(ret, PATH_MAX, "%s/%s", strcmp(real, "/") ? real : "", name) == PATH_MAX - 1)
		return err_set(err, ENAMETOOLONG, "--socket %s", arg);
	return 0;
}

int state_link_make(const char *root, const char *id, const char *path, struct err *err)
{
	char target[PATH_MAX];

	if (!state_link_target(root, id, target))
		return err_set(err, ENAMETOOLONG, "--socket %s", path);
	return symlink(target, path) < 0 ? err_set(err, errno, "--socket %s", path) : 0;
}

void state_link_remove(const char *root, const char *id, const char *path)
{
	char target[PATH_MAX], is[PATH_MAX];
	const ssize_t n = readlink(path, is, sizeof(is));

	if (state_link_target(root, id, target) && n == (ssize_t)strlen(target) &&
	    memcmp(is, target, (size_t)n) == 0)
		(void)unlink(path);
}

int state_link_open(const char *path, int *ret_dir, struct err *err)
{
	char target[PATH_MAX];
	const ssize_t n = readlink(path, target, sizeof(target) - 1);
	const size_t end = strlen(LINK_END);

	if (n < 0 && errno != EINVAL)
		return err_set(err, errno, "%s", path);
	if (n <= (ssize_t)end || *target != '/' || memcmp(target + n - end, LINK_END, end) != 0)
		return err_text(err, EINVAL, "%s: vmrun run --socket has not made it", path);
	target[(size_t)n - end] = '\0';
	*ret_dir = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_dir >= 0)
		return 0;
	return errno == ENOENT ? err_text(err, ESRCH, "%s: container not running", path)
			       : err_set(err, errno, "%s", path);
}
