/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/ns_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "runtime/util/file.h"

const char *ns_file_word(int flag)
{
	switch (flag) {
	case CLONE_NEWNET: return "network";
	case CLONE_NEWIPC: return "ipc";
	case CLONE_NEWUTS: return "uts";
	default: return "new";
	}
}

int ns_file_open(const char *path, int flag, int *ret_fd, struct err *err)
{
	const char *word = ns_file_word(flag);
	struct stat st;
	cleanup_fd int file = file_look(AT_FDCWD, path, 0, &st), fd = -1;
	struct statfs fs;

	if (file < 0)
		return err_set(err, -file, "%s namespace %s", word, path);
	/* Checked before the open, which blocks on a FIFO and can act on a device. */
	if (fstatfs(file, &fs) < 0)
		return err_set(err, errno, "%s namespace %s", word, path);
	if (fs.f_type != NSFS_MAGIC)
		return err_text(err, EINVAL, "%s is no namespace", path);
	fd = file_reopen(file, O_RDONLY);
	if (fd < 0)
		return err_set(err, -fd, "%s namespace %s", word, path);
	if (ioctl(fd, NS_GET_NSTYPE) != flag)
		return err_text(err, EINVAL, "%s is a namespace, but no %s namespace", path, word);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
