/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cmd/vmrun-init/inroot.h"
#include "cmd/vmrun-init/mountfd.h"

/* A type of disk that the kernel knows and that fits; those which need no device cannot. EINVAL: none is what the disk has */
static int rootfs_disk(const char *disk, bool readonly)
{
	FILE *types = fopen("/proc/filesystems", "re");
	char line[128], name[64];
	int fd = types ? -EINVAL : -errno, made;

	while (types && fd < 0 && fgets(line, sizeof(line), types)) {
		if (line[0] != '\t' || sscanf(line, "%63s", name) != 1)
			continue;
		made = mountfd_new(name, disk, 0, "", readonly);
		/* The type that found it damaged, not one that does not know it */
		if (made != -EINVAL)
			fd = made;
	}
	if (types)
		(void)fclose(types);
	return fd;
}

/* An overlay finds its layers by path, so they are mounted where the root will come to lie on them. */
static int rootfs_overlay(int disk, const char *share, int at)
{
	static const char *const names[] = {"upper", "work", "lower"};
	cleanup_fd int memory = mountfd_new("tmpfs", "overlay", 0, "mode=755", false);
	cleanup_fd int lower = -1;
	char layers[128];
	int rc = memory < 0 ? memory : mountfd_attach(memory, at);

	for (unsigned int i = 0; rc == 0 && i < ARRAY_SIZE(names); i++)
		rc = mkdirat(memory, names[i], 0755) < 0 ? -errno : 0;
	if (rc < 0)
		return rc;
	lower = openat(memory, "lower", O_PATH | O_DIRECTORY | O_CLOEXEC);
	rc = lower < 0 ? -errno : mountfd_attach(disk, lower);
	if (rc < 0)
		return rc;
	(void)snprintf(layers, sizeof(layers),
		       "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", share, share, share);
	return mountfd_new("overlay", "overlay", 0, layers, false);
}

static int rootfs_tree(const struct desc *d, const struct agent_root *r, const char *share, int at)
{
	const bool overlay = r->flags & AGENT_ROOT_OVERLAY;
	const char *name = desc_text(d, AGENT_ROOT, 0, 0);
	cleanup_fd int fd = -1;

	if (r->flags & AGENT_ROOT_DISK) {
		fd = rootfs_disk(name, overlay || r->flags & AGENT_ROOT_READONLY);
		return overlay && fd >= 0 ? rootfs_overlay(fd, share, at) : TAKE_FD(fd);
	}
	fd = inroot_open(at, name, O_PATH | O_DIRECTORY);
	return fd < 0 ? fd : mountfd_clone(fd, true);
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
	root = rootfs_tree(d, &r, share, at);
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
