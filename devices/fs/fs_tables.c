/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_tables.h"

#include <errno.h>
#include <sys/resource.h>

#include "devices/fs/fs_lock.h"

/* Fds of the process that are no inodes or open files: the core's, and those of requests in work */
#define FS_FDS_OTHER (64U + 4 * FS_SLOTS)

/* Of all fds for the guest, one in so many is for open files */
#define FS_FILES_PART 4U

/* Of those, if locks are the host's, one in so many is for an owner of locks */
#define FS_LOCKS_PART 2U
#define FS_LOCKS_MAX  4096U

int fs_tables_init(struct fs *fs, const struct fs_found *root, bool locks, struct err *err)
{
	struct rlimit nofile;
	uint32_t fds, files, owners;
	int rc;

	/* A jail has set both alike; without one the soft limit is a habit. */
	if (getrlimit(RLIMIT_NOFILE, &nofile) < 0)
		return err_set(err, errno, "RLIMIT_NOFILE");
	nofile.rlim_cur = nofile.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &nofile) < 0)
		return err_set(err, errno, "RLIMIT_NOFILE");
	fds = nofile.rlim_cur < FS_FDS_MAX ? (uint32_t)nofile.rlim_cur : FS_FDS_MAX;
	if (fds < FS_FDS_MIN)
		return err_text(err, EMFILE,
				"a shared directory needs %u file descriptors, and the limit is %u",
				FS_FDS_MIN, fds);
	fds -= FS_FDS_OTHER;
	files = fds / FS_FILES_PART;
	owners = locks ? files / FS_LOCKS_PART : 0;
	owners = owners < FS_LOCKS_MAX ? owners : FS_LOCKS_MAX;
	rc = fs_nodes_init(&fs->nodes, fds - files, root, err);
	if (rc == 0)
		rc = fs_locks_init(&fs->locks, owners, err);
	return rc < 0 ? rc : fs_files_init(&fs->files, files - owners, &fs->nodes, err);
}

void fs_tables_done(struct fs *fs)
{
	fs_locks_done(&fs->locks);
	fs_files_done(&fs->files);
	fs_nodes_done(&fs->nodes);
}
