/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "cmd/vmrun-init/inroot.h"
#include "cmd/vmrun-init/mountfd.h"

/* A type of disk that the kernel knows and that fits; those which need no device cannot */
static int rootfs_disk(const char *disk, bool readonly)
{
	FILE *types = fopen("/proc/filesystems", "re");
	char line[128], name[64];
	int fd = types ? -EINVAL : -errno;

	while (types && fd < 0 && fgets(line, sizeof(line), types))
		if (line[0] == '\t' && sscanf(line, "%63s", name) == 1)
			fd = mountfd_new(name, disk, 0, "", readonly);
	if (types)
		(void)fclose(types);
	return fd;
}

static int rootfs_tree(const struct desc *d, const struct agent_root *r, int share)
{
	const char *name = desc_text(d, AGENT_ROOT, 0, 0);
	cleanup_fd int at = -1;

	if (r->flags & AGENT_ROOT_DISK)
		return rootfs_disk(name, r->flags & AGENT_ROOT_READONLY);
	at = inroot_open(share, name, O_PATH | O_DIRECTORY);
	return at < 0 ? at : mountfd_clone(at, true);
}

int rootfs_attach(const struct desc *d, const char *share, int *ret_share)
{
	cleanup_fd int at = open(share, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int root = -1;
	struct agent_root r;
	int rc;

	if (at < 0)
		return -errno;
	if (!desc_get(d, AGENT_ROOT, 0, &r))
		return -EINVAL;
	/* What is mounted in this namespace is not seen in that of process 1. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	root = rootfs_tree(d, &r, at);
	if (root < 0)
		return root;
	rc = mountfd_attach(root, at);
	if (rc < 0)
		return rc;
	*ret_share = TAKE_FD(at);
	return TAKE_FD(root);
}

int rootfs_seal(const struct desc *d, int root)
{
	struct agent_root r = {0};

	(void)desc_get(d, AGENT_ROOT, 0, &r);
	return r.flags & AGENT_ROOT_READONLY ? mountfd_flags(root, MS_RDONLY, 0, false) : 0;
}

int rootfs_enter(const struct desc *d, int root)
{
	struct agent_root r = {0};

	(void)desc_get(d, AGENT_ROOT, 0, &r);
	/* The old root comes to lie on the new one, and goes. */
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	/* A root has no parent, so the mount's fd would be refused. */
	if (r.propagation && mount(NULL, "/", NULL, r.propagation, NULL) < 0)
		return -errno;
	return 0;
}
