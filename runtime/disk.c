/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

#include "devices/core/fdio.h"

#define SECTOR_BYTES 512

/* Images that hold a disk in a way of their own, by their first bytes */
static const struct {
	const char *what;
	uint64_t off;
	size_t len;
	const char *bytes;
} magics[] = {
	{"qcow2", 0, 4, "QFI\xfb"},
	{"qed", 0, 4, "QED\0"},
	{"vmdk", 0, 4, "KDMV"},
	{"vmdk", 0, 4, "COWD"},
	{"vmdk", 0, 21, "# Disk DescriptorFile"},
	{"vdi", 0x40, 4, "\x7f\x10\xda\xbe"},
	{"vhdx", 0, 8, "vhdxfile"},
	{"vhd", 0, 8, "conectix"},
	{"parallels", 0, 16, "WithoutFreeSpace"},
	{"parallels", 0, 16, "WithouFreSpacExt"},
};

static int fail(const struct plan_fd *f, int errnum, const char *text, struct err *err)
{
	return err_text(err, errnum, "%s: %s: %s", f->pointer, f->path, text);
}

static int check_format(const struct plan_fd *f, int fd, struct err *err)
{
	char buf[32];

	for (unsigned int i = 0; i < ARRAY_SIZE(magics) && !f->raw; i++) {
		vr_assert(magics[i].len <= sizeof(buf));
		/* a file too short for it does not have it */
		if (fd_pread_full(fd, buf, magics[i].len, magics[i].off) == 0 &&
		    memcmp(buf, magics[i].bytes, magics[i].len) == 0)
			return err_text(err, EINVAL,
					"%s: %s: looks like a %s image: convert it (qemu-img "
					"convert -O raw), or say \"format\": \"raw\" if this is "
					"what the disk holds",
					f->pointer, f->path, magics[i].what);
	}
	return 0;
}

static int lock(const struct plan_fd *f, int fd, struct err *err)
{
	struct flock whole = {.l_type = f->writable ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};

	/* anything but a conflict means that this file system has no locks */
	if (fcntl(fd, F_OFD_SETLK, &whole) == 0 || (errno != EAGAIN && errno != EACCES))
		return 0;
	return fail(f, EBUSY,
		    f->writable
			    ? "is in use, by another VM or as another disk of this one"
			    : "is being written to, by another VM or as another disk of this one",
		    err);
}

static int find_bytes(const struct plan_fd *f, int fd, const struct stat *st, uint64_t *ret,
		      struct err *err)
{
	uint64_t bytes = (uint64_t)st->st_size;

	if (S_ISBLK(st->st_mode) && ioctl(fd, BLKGETSIZE64, &bytes))
		return err_set(err, errno, "%s: %s: BLKGETSIZE64", f->pointer, f->path);
	if (bytes == 0)
		return fail(f, EINVAL, "is empty", err);
	if (bytes % SECTOR_BYTES)
		return err_text(err, EINVAL, "%s: %s: its size, %llu bytes, is no multiple of %d",
				f->pointer, f->path, (unsigned long long)bytes, SECTOR_BYTES);
	*ret = bytes;
	return 0;
}

int disk_check(const struct plan_fd *f, int fd, const struct stat *st, struct disk *ret,
	       struct err *err)
{
	const bool device = S_ISBLK(st->st_mode);
	struct disk d = {.dev_flags = device ? BOOT_DEV_RAW_BLK : 0};
	int r;

	r = check_format(f, fd, err);
	if (r == 0)
		r = lock(f, fd, err);
	if (r == 0)
		r = find_bytes(f, fd, st, &d.boot.capacity_bytes, err);
	if (r < 0)
		return r;
	*ret = d;
	return 0;
}
