/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "runtime/util/file.h"

#define SECTOR_BYTES 512
#define PAGE_BYTES   4096 /* the unit of the page cache, on any file system */

/* The first bytes of image formats that are not raw */
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

static int disk_fail(const struct plan_fd *f, int errnum, const char *text, struct err *err)
{
	return err_text(err, errnum, "%s: %s: %s", f->pointer, f->path, text);
}

static int disk_check_format(const struct plan_fd *f, int fd, struct err *err)
{
	char buf[32];

	for (unsigned int i = 0; i < ARRAY_SIZE(magics) && !f->raw; i++) {
		vr_assert(magics[i].len <= sizeof(buf));
		/* A file that is too short does not match. */
		if (fd_pread_full(fd, buf, magics[i].len, magics[i].off) == 0 &&
		    memcmp(buf, magics[i].bytes, magics[i].len) == 0)
			return err_text(err, EINVAL,
					"%s: %s: looks like a %s image: convert it (qemu-img "
					"convert -O raw), or say %s if this is what the disk holds",
					f->pointer, f->path, magics[i].what,
					f->pointer[0] == '-' ? "--format raw"
							     : "\"format\": \"raw\"");
	}
	return 0;
}

static int disk_lock(const struct plan_fd *f, int fd, struct err *err)
{
	struct flock whole = {.l_type = f->writable ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};

	/* Any other error means that this file system has no locks. */
	if (fcntl(fd, F_OFD_SETLK, &whole) == 0 || (errno != EAGAIN && errno != EACCES))
		return 0;
	return disk_fail(
		f, EBUSY,
		f->writable ? "is in use, by another VM or as another disk of this one"
			    : "is being written to, by another VM or as another disk of this one",
		err);
}

static int disk_find_bytes(const struct plan_fd *f, int fd, const struct stat *st, uint64_t *ret,
			   struct err *err)
{
	uint64_t bytes = (uint64_t)st->st_size;

	if (S_ISBLK(st->st_mode) && ioctl(fd, BLKGETSIZE64, &bytes))
		return err_set(err, errno, "%s: %s: BLKGETSIZE64", f->pointer, f->path);
	if (bytes == 0)
		return disk_fail(f, EINVAL, "is empty", err);
	if (bytes % SECTOR_BYTES)
		return err_text(err, EINVAL,
				"%s: %s: its size, %llu bytes, is not a multiple of %d", f->pointer,
				f->path, (unsigned long long)bytes, SECTOR_BYTES);
	*ret = bytes;
	return 0;
}

/* No ioctl tells this value. A partition has no queue of its own, but its disk, one level up, does. */
static uint32_t disk_discard_granularity(dev_t dev)
{
	static const char *const where[] = {"", "../"};
	char path[80], text[24];

	for (unsigned int i = 0; i < ARRAY_SIZE(where); i++) {
		fmt_into(path, sizeof(path), "/sys/dev/block/%u:%u/%squeue/discard_granularity",
			 major(dev), minor(dev), where[i]);
		if (file_read(AT_FDCWD, path, text, sizeof(text)) > 0)
			return (uint32_t)strtoul(text, NULL, 10);
	}
	return 0;
}

/**
 * struct blocks - Sizes of a disk's blocks in bytes; 0 = not known
 * @offset:	Where the first physical block begins; negative: nowhere
 */
struct blocks {
	int logical, offset;
	unsigned int physical, io_min, io_opt, discard;
};

static void disk_ask_device(int fd, dev_t dev, struct blocks *b)
{
	const struct {
		unsigned long request;
		void *answer;
	} questions[] = {
		{BLKSSZGET, &b->logical}, {BLKPBSZGET, &b->physical}, {BLKALIGNOFF, &b->offset},
		{BLKIOMIN, &b->io_min},	  {BLKIOOPT, &b->io_opt},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(questions); i++)
		(void)ioctl(fd, questions[i].request, questions[i].answer);
	b->discard = disk_discard_granularity(dev);
}

/* A file is written through the page cache, a page at a time; a larger block is only a preference. */
static void disk_ask_file(const struct stat *st, struct blocks *b)
{
	const unsigned int block = st->st_blksize > 0 ? (unsigned int)st->st_blksize : 0;

	b->physical = block < PAGE_BYTES && block > 0 ? block : PAGE_BYTES;
	b->io_min = b->discard = b->physical;
	b->io_opt = block > PAGE_BYTES ? block : 0;
}

/* In the units of the device. These are hints: a value that does not fit is left out. */
static void disk_tell_blocks(const struct blocks *b, struct block_settings *ret)
{
	ret->unit_bytes = b->logical > SECTOR_BYTES ? (uint32_t)b->logical : SECTOR_BYTES;
	while (ret->physical_exp < 16 && SECTOR_BYTES << ret->physical_exp < (int)b->physical)
		ret->physical_exp++;
	if (b->offset > 0 && b->offset / SECTOR_BYTES <= UINT8_MAX)
		ret->offset = (uint8_t)(b->offset / SECTOR_BYTES);
	if (b->io_min / SECTOR_BYTES <= UINT16_MAX)
		ret->io_min = (uint16_t)(b->io_min / SECTOR_BYTES);
	ret->io_opt = b->io_opt / SECTOR_BYTES;
	ret->discard = (b->discard > ret->unit_bytes ? b->discard : ret->unit_bytes) / SECTOR_BYTES;
}

int disk_check(const struct plan_fd *f, int fd, const struct stat *st, struct disk *ret,
	       struct err *err)
{
	const bool device = S_ISBLK(st->st_mode);
	struct disk d = {.dev_flags = device ? BOOT_DEV_RAW_BLK : 0};
	struct blocks blocks = {0};
	int rc = disk_check_format(f, fd, err);

	if (rc == 0)
		rc = disk_lock(f, fd, err);
	if (rc == 0)
		rc = disk_find_bytes(f, fd, st, &d.settings.capacity_bytes, err);
	if (rc < 0)
		return rc;
	if (device)
		disk_ask_device(fd, st->st_rdev, &blocks);
	else
		disk_ask_file(st, &blocks);
	disk_tell_blocks(&blocks, &d.settings);
	*ret = d;
	return 0;
}
