/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/assets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "devices/core/fdio.h"
#include "runtime/host/backing.h"
#include "runtime/host/share.h"
#include "runtime/host/vhost_files.h"
#include "runtime/plan/plan_fs.h"
#include "runtime/plan/plan_settings.h"
#include "runtime/util/device_file.h"
#include "runtime/util/file.h"
#include "runtime/util/unix_path.h"

#define ASSETS_SEND_S 5

#define KVM_PATH      "/dev/kvm"

/* The magic numbers of ELF and of bzImage (Documentation/arch/x86/boot.rst) */
static const struct {
	uint64_t off;
	const char *bytes;
} kernel_magics[] = {{0, "\177ELF"}, {0x202, "HdrS"}};

static void assets_done(struct assets **a)
{
	assets_close(*a);
}

#define cleanup_assets __attribute__((cleanup(assets_done)))

static int assets_fail(const struct plan_fd *f, int errnum, const char *text, struct err *err)
{
	return err_text(err, errnum, "%s: %s: %s", f->pointer, f->path, text);
}

/* Checks the kind of file before opening it: to open a device can act on it, and to open a FIFO waits. */
static int assets_check_kind(const struct plan_fd *f, const struct stat *st, struct err *err)
{
	if (S_ISDIR(st->st_mode))
		return assets_fail(f, EISDIR, "is a directory", err);
	if (f->file == PLAN_FILE_DISK && !S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode))
		return assets_fail(f, EINVAL, "is neither a regular file nor a block device", err);
	if (f->file != PLAN_FILE_DISK && !S_ISREG(st->st_mode))
		return assets_fail(f, EINVAL, "is not a regular file", err);
	if (S_ISREG(st->st_mode) && st->st_size == 0)
		return assets_fail(f, EINVAL, "is empty", err);
	return 0;
}

static int assets_open_path(const struct plan_fd *f, struct stat *ret_st, struct err *err)
{
	cleanup_fd int path = file_look(AT_FDCWD, f->path, 0, ret_st);
	cleanup_fd int fd = -1;
	int rc;

	if (path < 0)
		return err_set(err, -path, "%s: %s", f->pointer, f->path);
	rc = assets_check_kind(f, ret_st, err);
	if (rc < 0)
		return rc;
	/* A lease on it must not make us wait. */
	fd = file_reopen(path, (f->writable ? O_RDWR : O_RDONLY) | O_NONBLOCK);
	if (f->writable && (fd == -EROFS || fd == -EACCES || fd == -EPERM))
		return err_set(err, -fd,
			       "%s: %s: not writable (\"readonly\": true needs no write access)",
			       f->pointer, f->path);
	if (fd < 0)
		return err_set(err, -fd, "%s: %s", f->pointer, f->path);
	/* The jailed process shares this flag and expects reads that wait. */
	if (fcntl(fd, F_SETFL, 0))
		return err_set(err, errno, "%s: %s", f->pointer, f->path);
	return TAKE_FD(fd);
}

/* Checks only the magic numbers: the jailed VMM parses the file. */
static int assets_check_kernel(const struct plan_fd *f, int fd, struct err *err)
{
	char buf[4];

	for (unsigned int i = 0; i < ARRAY_SIZE(kernel_magics); i++) {
		/* A file that is too short does not match. */
		if (fd_pread_full(fd, buf, sizeof(buf), kernel_magics[i].off) == 0 &&
		    memcmp(buf, kernel_magics[i].bytes, sizeof(buf)) == 0)
			return 0;
	}
	return assets_fail(f, ENOEXEC, "is neither an ELF file nor a bzImage", err);
}

/* A log of the console: made if it does not exist, and only ever appended to */
static int assets_open_log(const struct plan_fd *f, int *ret_fd, struct err *err)
{
	const int flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY;
	struct stat st;
	cleanup_fd int path = file_look(AT_FDCWD, f->path, 0, &st);
	cleanup_fd int fd = -1;

	if (path >= 0 && !S_ISREG(st.st_mode))
		return assets_fail(f, EINVAL, "is not a regular file", err);
	if (path >= 0)
		fd = file_reopen(path, flags);
	else if (path == -ENOENT)
		fd = open(f->path, flags | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	else
		return err_set(err, -path, "%s: %s", f->pointer, f->path);
	if (fd < 0)
		return err_set(err, fd == -1 ? errno : -fd, "%s: %s", f->pointer, f->path);
	if (fcntl(fd, F_SETFL, O_APPEND))
		return err_set(err, errno, "%s: %s", f->pointer, f->path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int assets_open_file(const struct plan_fd *f, int *ret_fd, struct disk *ret_disk, struct err *err)
{
	cleanup_fd int fd = -1;
	struct disk disk = {0};
	struct stat st;
	int rc = 0;

	if (f->file == PLAN_FILE_LOG)
		return assets_open_log(f, ret_fd, err);
	fd = assets_open_path(f, &st, err);
	if (fd < 0)
		return fd;
	if (f->file == PLAN_FILE_DISK)
		rc = disk_check(f, fd, &st, &disk, err);
	else if (f->file == PLAN_FILE_KERNEL)
		rc = assets_check_kernel(f, fd, err);
	if (rc < 0)
		return rc;
	if (ret_disk)
		*ret_disk = disk;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int assets_open_kvm(int *ret_fd, struct err *err)
{
	cleanup_fd int fd = device_file_open(AT_FDCWD, KVM_PATH, O_RDWR);
	int version;

	if (fd == -ENOENT || fd == -ENXIO || fd == -ENODEV)
		return err_set(err, -fd,
			       "%s (load kvm_intel or kvm_amd; inside a VM, switch nested "
			       "virtualization on)",
			       KVM_PATH);
	if (fd == -EACCES || fd == -EPERM)
		return err_set(err, -fd, "%s (be root, or a member of the group that owns it)",
			       KVM_PATH);
	if (fd < 0)
		return err_set(err, -fd, "%s", KVM_PATH);
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION)
		return err_text(err, ENODEV, "%s: KVM API version %d, this is for %d", KVM_PATH,
				version, KVM_API_VERSION);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int assets_connect(const struct plan_fd *f, int *ret_fd, struct err *err)
{
	const struct timeval limit = {.tv_sec = ASSETS_SEND_S};
	cleanup_fd int fd = unix_connect(f->path, SOCK_STREAM, 0);

	if (fd == -ENOTSOCK)
		return assets_fail(f, ENOTSOCK, "is not a socket", err);
	if (fd == -EPROTOTYPE)
		return assets_fail(f, EPROTOTYPE, "is not a stream socket", err);
	if (fd == -ECONNREFUSED)
		return assets_fail(f, ECONNREFUSED, "no process listens on this socket", err);
	if (fd == -EAGAIN)
		return assets_fail(f, EAGAIN, "the process that listens accepts no connection",
				   err);
	if (fd < 0)
		return err_set(err, -fd, "%s: %s", f->pointer, f->path);
	/* The VMM sends with this time limit, which needs a socket that waits. */
	if (fcntl(fd, F_SETFL, 0) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return err_set(err, errno, "%s: %s", f->pointer, f->path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Opens the host's devices, after all files of the user. */
static int assets_open_host(const struct plan *p, struct assets *a, struct err *err)
{
	int rc = p->nr_procs > 0 ? assets_open_kvm(&a->kvm, err) : 0;

	for (unsigned int i = 0; rc == 0 && i < p->nr_procs; i++)
		for (unsigned int n = 0; rc == 0 && n < p->proc[i].nr_fds; n++)
			rc = vhost_files_open(p, i, n, &a->proc[i].fd[n], err);
	return rc;
}

/* Adds to the plan what only the opened disk tells. */
static void assets_complete_disk(struct plan_proc *proc, const struct disk *disk)
{
	struct block_settings planned, settings = disk->settings;

	plan_settings(proc, &planned, sizeof(planned));
	memcpy(settings.serial, planned.serial, sizeof(settings.serial));
	plan_set_settings(proc, &settings, sizeof(settings));
	proc->dev_flags |= disk->dev_flags;
}

/* Adds to the plan the files below a qcow2 image, and to the settings which of them are qcow2 images. */
static int assets_open_backing(struct plan_proc *proc, struct asset_proc *ap, unsigned int slot,
			       struct err *err)
{
	struct block_settings settings;
	struct backing b;
	int rc = backing_open(&proc->fd[slot], ap->fd[slot], &b, err);

	if (rc < 0)
		return rc;
	plan_settings(proc, &settings, sizeof(settings));
	settings.qcow2 = backing_qcow2_bits(&b);
	plan_set_settings(proc, &settings, sizeof(settings));
	for (unsigned int i = 0; i < b.nr; i++) {
		struct plan_fd *f = &proc->fd[slot + 1 + i];

		/* A plan that could not be opened may be opened again. */
		free(f->path);
		free(f->pointer);
		*f = b.file[i];
		ap->fd[slot + 1 + i] = b.fd[i];
	}
	proc->nr_fds = slot + 1 + b.nr;
	return 0;
}

static int assets_open_proc(struct plan_proc *proc, const struct plan_fs *fs, struct asset_proc *ap,
			    struct err *err)
{
	for (unsigned int n = 0; n < proc->nr_fds; n++) {
		const struct plan_fd *f = &proc->fd[n];
		struct disk disk;
		int rc = 0;

		if (f->source == PLAN_FD_SOCKET)
			rc = assets_connect(f, &ap->fd[n], err);
		if (f->source == PLAN_FD_SHARE)
			rc = share_open(fs->source, fs->nr, &ap->fd[n], err);
		if (rc < 0)
			return rc;
		if (f->source != PLAN_FD_FILE)
			continue;
		rc = assets_open_file(f, &ap->fd[n], &disk, err);
		if (rc < 0)
			return rc;
		if (f->file == PLAN_FILE_LOG)
			ap->disk_bytes = f->max_bytes;
		if (f->file != PLAN_FILE_DISK)
			continue;
		assets_complete_disk(proc, &disk);
		ap->disk_bytes = disk.most_bytes;
		if (f->format == DISK_QCOW2) /* these files are the last ones, and open now */
			return assets_open_backing(proc, ap, n, err);
	}
	return 0;
}

int assets_open(struct plan *p, struct assets **ret, struct err *err)
{
	cleanup_assets struct assets *a = calloc(1, sizeof(*a));
	int rc = 0;

	if (!a)
		return err_set(err, ENOMEM, "memory for open files");
	a->kvm = -1;
	for (unsigned int i = 0; i < PLAN_PROCS_MAX; i++)
		for (unsigned int n = 0; n < PLAN_FDS_MAX; n++)
			a->proc[i].fd[n] = -1;
	/* The user's files come first: those are the errors that the user can mend. */
	for (unsigned int i = 0; rc == 0 && i < p->nr_procs; i++)
		rc = assets_open_proc(&p->proc[i], plan_fs_of(p, i), &a->proc[i], err);
	if (rc == 0)
		rc = assets_open_host(p, a, err);
	if (rc < 0)
		return rc;
	*ret = TAKE_PTR(a);
	return 0;
}

void assets_close(struct assets *a)
{
	if (!a)
		return;
	cleanup_close_fd(&a->kvm);
	for (unsigned int i = 0; i < PLAN_PROCS_MAX; i++)
		for (unsigned int n = 0; n < PLAN_FDS_MAX; n++)
			cleanup_close_fd(&a->proc[i].fd[n]);
	free(a);
}
