/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "cmd/vmrun-init/copyup.h"
#include "cmd/vmrun-init/inroot.h"
#include "cmd/vmrun-init/mountfd.h"

/** struct mounts_one - One of them, with its strings; @mode: of the directory that was there, -1: none */
struct mounts_one {
	struct agent_mount m;
	const char *destination, *source, *type, *data;
	int mode;
};

static bool mounts_is(const struct mounts_one *o, const char *type)
{
	return !(o->m.flags & AGENT_MOUNT_BIND) && strcmp(o->type, type) == 0;
}

/* Where it comes to be. What is behind /proc and /sys is asked for by path: there no link may stand in between. */
static int mounts_point(const struct mounts_one *o, int root)
{
	cleanup_fd int at = -1, plain = -1;

	if (o->m.flags & AGENT_MOUNT_FILE)
		return inroot_file(root, o->destination);
	at = inroot_dir(root, o->destination);
	if (at < 0 || !(mounts_is(o, "proc") || mounts_is(o, "sysfs")))
		return TAKE_FD(at);
	plain = inroot_open_plain(root, o->destination);
	return plain < 0 ? plain : TAKE_FD(at);
}

static int mounts_mode(const char *destination, int root)
{
	cleanup_fd int at = inroot_open(root, destination, O_PATH | O_DIRECTORY);
	struct stat st;

	return at >= 0 && fstat(at, &st) == 0 ? (int)(st.st_mode & 07777) : -1;
}

static int mounts_bind(const struct mounts_one *o, int share, int root)
{
	cleanup_fd int from = -1;
	int in = o->m.flags & AGENT_MOUNT_INSIDE ? root : share;

	from = inroot_open(in, o->source, O_PATH);
	return from < 0 ? from : mountfd_clone(from, o->m.set & MS_REC);
}

/* It has the mode of the directory that it covers, if that is not new, and if options do not say another. */
static int mounts_tmpfs(const struct mounts_one *o, int point)
{
	cleanup_free char *data = NULL;
	cleanup_fd int fd = -1;
	int rc = 0;

	if (o->mode >= 0 && asprintf(&data, "mode=%04o%s%s", (unsigned int)o->mode,
				     *o->data ? "," : "", o->data) < 0)
		return -ENOMEM;
	fd = mountfd_new(o->type, o->source, o->m.set, data ? data : o->data, false);
	if (fd >= 0 && o->m.flags & AGENT_MOUNT_COPY_UP)
		rc = copyup(point, fd);
	return rc < 0 ? rc : TAKE_FD(fd);
}

/* Attached nowhere yet */
static int mounts_tree(const struct mounts_one *o, int share, int root, int point)
{
	if (o->m.flags & AGENT_MOUNT_BIND)
		return mounts_bind(o, share, root);
	if (strcmp(o->type, "tmpfs") == 0)
		return mounts_tmpfs(o, point);
	/* There are no others in the guest; callers that know version 1 alone ask for them by that name. */
	if (strcmp(o->type, "cgroup") == 0)
		return mountfd_new("cgroup2", o->source, 0, "", false);
	return mountfd_new(o->type, o->source, o->m.set, o->data, false);
}

static int mounts_adjust(const struct mounts_one *o, int fd, bool *ret_later)
{
	uint64_t set = o->m.set;
	int rc;

	*ret_later = set & MS_RDONLY && mounts_is(o, "tmpfs");
	if (*ret_later)
		set &= ~(uint64_t)MS_RDONLY;
	rc = mountfd_flags(fd, set, o->m.clear, false);
	if (rc == 0)
		rc = mountfd_flags(fd, o->m.recursive_set, o->m.recursive_clear, true);
	return rc == 0 ? mountfd_propagation(fd, o->m.propagation) : rc;
}

/* What is mounted there gets these flags, and no others. Options are the file system's, which other mounts may have too. */
static int mounts_again(const struct mounts_one *o, int root)
{
	cleanup_fd int at = inroot_open(root, o->destination, O_PATH);
	char path[32];

	if (at < 0)
		return at;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", at);
	return mount(NULL, path, NULL, o->m.set | (*o->data ? 0 : MS_BIND), o->data) < 0 ? -errno
											 : 0;
}

/* One that lies on the root is the root from there on. */
static int mounts_attach(const struct mounts_one *o, int fd, int point, int root)
{
	int rc = mountfd_attach(fd, point);

	if (rc == 0 && o->destination[strspn(o->destination, "/")] == '\0' &&
	    dup3(fd, root, O_CLOEXEC) < 0)
		rc = -errno;
	return rc;
}

static int mounts_one(const struct mounts_one *o, int share, int root, struct mounts *ret)
{
	cleanup_fd int point = mounts_point(o, root);
	cleanup_fd int fd = -1;
	bool later;
	int rc;

	if (point < 0)
		return point;
	fd = mounts_tree(o, share, root, point);
	if (fd < 0)
		return fd;
	rc = mounts_adjust(o, fd, &later);
	if (rc == 0)
		rc = mounts_attach(o, fd, point, root);
	if (rc == 0 && later)
		ret->later[ret->nr_later++] = TAKE_FD(fd);
	return rc;
}

int mounts_make(const struct desc *d, int share, int root, struct mounts *ret, struct fault *f)
{
	uint32_t n = d->count[AGENT_MOUNT];
	int rc;

	*ret = (struct mounts){.later = calloc((size_t)n + 1, sizeof(int))};
	rc = ret->later ? 0 : -ENOMEM;
	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		struct mounts_one o = {
			.destination = desc_text(d, AGENT_MOUNT, i, 0),
			.source = desc_text(d, AGENT_MOUNT, i, 1),
			.type = desc_text(d, AGENT_MOUNT, i, 2),
			.data = desc_text(d, AGENT_MOUNT, i, 3),
		};

		(void)fault_step(f, AGENT_STEP_MOUNT, i);
		(void)desc_get(d, AGENT_MOUNT, i, &o.m);
		o.mode = mounts_mode(o.destination, root);
		rc = o.m.set & MS_REMOUNT ? mounts_again(&o, root)
					  : mounts_one(&o, share, root, ret);
	}
	return rc;
}

int mounts_seal(struct mounts *m)
{
	int rc = 0;

	for (uint32_t i = 0; i < m->nr_later; i++) {
		if (rc == 0)
			rc = mountfd_flags(m->later[i], MS_RDONLY, 0, false);
		close(m->later[i]);
	}
	free(TAKE_PTR(m->later));
	m->nr_later = 0;
	return rc;
}
