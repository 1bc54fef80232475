/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/hidden.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "cmd/vmrun-init/inroot.h"
#include "cmd/vmrun-init/mountfd.h"

static int hidden_find(const struct desc *d, enum agent_item_type type, uint32_t i, int root)
{
	const char *path = desc_text(d, type, i, 0);
	int fd = path[0] == '/' ? inroot_open(root, path, O_PATH) : -EINVAL;

	return fd == -ENOTDIR ? -ENOENT : fd;
}

static int hidden_readonly(int fd)
{
	cleanup_fd int tree = mountfd_clone(fd, true);
	int rc = tree < 0 ? tree : mountfd_flags(tree, MS_RDONLY, 0, false);

	return rc < 0 ? rc : mountfd_attach(tree, fd);
}

static int hidden_cover(int fd)
{
	cleanup_fd int null = -1, tree = -1;
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode)) {
		tree = mountfd_new("tmpfs", "tmpfs", 0, "size=0k", false);
	} else {
		null = open("/dev/null", O_PATH | O_CLOEXEC);
		tree = null < 0 ? -errno : mountfd_clone(null, false);
	}
	if (tree < 0)
		return tree;
	rc = S_ISDIR(st.st_mode) ? mountfd_flags(tree, MS_RDONLY, 0, false) : 0;
	return rc < 0 ? rc : mountfd_attach(tree, fd);
}

static int hidden_each(const struct desc *d, enum agent_item_type type, int root, struct fault *f,
		       int (*hide)(int fd))
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < d->count[type]; i++) {
		cleanup_fd int fd = hidden_find(d, type, i, root);

		f->index = i;
		rc = fd >= 0 ? hide(fd) : fd;
		if (rc == -ENOENT)
			rc = 0;
	}
	return rc;
}

int hidden_make(const struct desc *d, int root, struct fault *f)
{
	int rc;

	(void)fault_step(f, AGENT_STEP_READONLY, 0);
	rc = hidden_each(d, AGENT_READONLY, root, f, hidden_readonly);
	if (rc < 0)
		return rc;
	(void)fault_step(f, AGENT_STEP_MASKED, 0);
	return hidden_each(d, AGENT_MASKED, root, f, hidden_cover);
}
