/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/devnodes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cmd/vmrun-init/inroot.h"
#include "cmd/vmrun-init/mountfd.h"
#include "devices/core/agent_dev.h"

static bool devnodes_same(int at, const char *name, mode_t type, dev_t device)
{
	struct stat st;

	return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IFMT) == type &&
	       (type == S_IFIFO || st.st_rdev == device);
}

static int devnodes_make_one(int at, const char *name, const struct agent_device *n)
{
	mode_t type = n->type & S_IFMT, mode = n->mode & 07777;
	dev_t device = makedev(n->major, n->minor);

	if (type != S_IFCHR && type != S_IFBLK && type != S_IFIFO)
		return -EINVAL;
	if (mknodat(at, name, type | mode, device) < 0)
		return errno == EEXIST && devnodes_same(at, name, type, device) ? 0 : -errno;
	/* Not what the umask made of it */
	if (fchmodat(at, name, mode, 0) < 0 ||
	    fchownat(at, name, n->uid, n->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

/* The shared directory takes no nodes of devices: one of the guest's own lies on a file there, as runc does without privileges. */
static int devnodes_cover(int at, const char *name, const struct agent_device *n)
{
	static const char path[] = "/dev/.container";
	cleanup_fd int node = -1, tree = -1, point = -1;
	int rc = devnodes_make_one(AT_FDCWD, path, n);

	if (rc < 0)
		return rc;
	node = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	tree = node < 0 ? -errno : mountfd_clone(node, false);
	point = tree < 0 ? tree : inroot_file(at, name);
	rc = point < 0 ? point : mountfd_attach(tree, point);
	(void)unlink(path);
	return rc;
}

static int devnodes_node(int at, const char *name, const struct agent_device *n)
{
	const int rc = devnodes_make_one(at, name, n);

	/* A file may be left there from the last time. */
	return rc == -EPERM || rc == -EEXIST ? devnodes_cover(at, name, n) : rc;
}

static int devnodes_link(int at, const char *name, const char *target)
{
	if (symlinkat(target, at, name) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

static int devnodes_usual_ones(int root)
{
	cleanup_fd int at = inroot_dir(root, "/dev");
	int rc = at < 0 ? at : 0;

	for (unsigned int i = 0; rc == 0 && i < ARRAY_SIZE(agent_dev_nodes); i++) {
		struct agent_device n = {
			.type = S_IFCHR,
			.major = agent_dev_nodes[i].major,
			.minor = agent_dev_nodes[i].minor,
			.mode = 0666,
		};

		rc = devnodes_node(at, agent_dev_nodes[i].name, &n);
	}
	for (unsigned int i = 0; rc == 0 && i < ARRAY_SIZE(agent_dev_links); i++)
		rc = devnodes_link(at, agent_dev_links[i].name, agent_dev_links[i].target);
	return rc;
}

int devnodes_make(const struct desc *d, int root, struct fault *f)
{
	int rc = devnodes_usual_ones(root);

	for (uint32_t i = 0; rc == 0 && i < d->count[AGENT_DEVICE]; i++) {
		cleanup_fd int at = -1;
		struct agent_device n;
		const char *name;

		(void)fault_step(f, AGENT_STEP_DEVICE, i);
		(void)desc_get(d, AGENT_DEVICE, i, &n);
		at = inroot_parent(root, desc_text(d, AGENT_DEVICE, i, 0), &name);
		rc = at < 0 ? at : devnodes_node(at, name, &n);
	}
	return rc;
}
