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
#include "runtime/host/disk_direct.h"
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

static int disk_fail_unsaid(const struct plan_fd *f, const char *what, struct err *err)
{
	const char *say = f->pointer[0] == '-' ? "--format " : "\"format\": ";
	const char *quote = f->pointer[0] == '-' ? "" : "\"";

	if (strcmp(what, "qcow2") == 0)
		return err_text(err, EINVAL,
				"%s: %s: looks like a qcow2 image: say %s%sqcow2%s if it is one, "
				"or %s%sraw%s if its guest wrote that",
				f->pointer, f->path, say, quote, quote, say, quote, quote);
	return err_text(err, EINVAL,
			"%s: %s: looks like a %s image: convert it (qemu-img convert -O qcow2), or "
			"say %s%sraw%s if this is what the disk holds",
			f->pointer, f->path, what, say, quote, quote);
}

static int disk_check_format(const struct plan_fd *f, int fd, struct err *err)
{
	char buf[32];

	for (unsigned int i = 0; i < ARRAY_SIZE(magics) && f->format == DISK_UNSAID; i++) {
		vr_assert(magics[i].len <= sizeof(buf));
		/* A file that is too short does not match. */
		if (fd_pread_full(fd, buf, magics[i].len, magics[i].off) == 0 &&
		    memcmp(buf, magics[i].bytes, magics[i].len) == 0)
			return disk_fail_unsaid(f, magics[i].what, err);
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

int disk_read_head(const struct plan_fd *f, int fd, struct qcow2_head *ret, struct err *err)
{
	uint8_t buf[QCOW2_HEAD_BYTES];
	struct stat st;
	size_t bytes;
	int rc;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "%s: %s", f->pointer, f->path);
	if (S_ISBLK(st.st_mode))
		return disk_fail(f, EINVAL, "is a block device: qcow2 images must be files", err);
	bytes = st.st_size < (off_t)sizeof(buf) ? (size_t)st.st_size : sizeof(buf);
	rc = fd_pread_full(fd, buf, bytes, 0);
	if (rc < 0)
		return err_set(err, -rc, "%s: %s", f->pointer, f->path);
	rc = qcow2_head_parse(buf, bytes, (uint64_t)st.st_size, ret, err);
	return rc < 0 ? err_wrap(err, "%s: %s", f->pointer, f->path) : 0;
}

/* The file of an image may hold all of the disk, beside what it holds now, and tables for it: with the smallest clusters and the
 * largest refcounts these are a thirtieth of the disk. */
static uint64_t disk_most_bytes(const struct qcow2_head *h, uint64_t file_bytes)
{
	const uint64_t most = h->bytes + h->bytes / 16 + (64ULL << 20);

	return most < h->bytes || most > INT64_MAX - file_bytes ? INT64_MAX : most + file_bytes;
}

/* Its clusters are its blocks: what is smaller is written twice. */
static int disk_check_qcow2(const struct plan_fd *f, int fd, const struct stat *st,
			    struct disk *ret, struct err *err)
{
	struct block_settings *s = &ret->settings;
	struct qcow2_head h;
	uint32_t sectors;
	int rc = disk_read_head(f, fd, &h, err);

	if (rc < 0)
		return rc;
	if (f->direct)
		return disk_fail(f, EINVAL, "cannot be direct: only raw images can", err);
	if (f->writable && h.why_readonly)
		return disk_fail(f, EINVAL, h.why_readonly, err);
	sectors = (1U << h.cluster_bits) / SECTOR_BYTES;
	s->capacity_bytes = h.bytes;
	s->qcow2 = 1;
	s->unit_bytes = SECTOR_BYTES;
	s->physical_exp = h.cluster_bits < 12 ? (uint8_t)(h.cluster_bits - 9) : 3;
	s->io_min = (uint16_t)(1U << s->physical_exp);
	s->io_opt = sectors;
	s->discard = sectors;
	ret->most_bytes = disk_most_bytes(&h, (uint64_t)st->st_size);
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

/* Then the guest sees the units of O_DIRECT: no other requests can be carried out. */
static int disk_go_direct(const struct plan_fd *f, int fd, struct blocks *b, struct disk *ret,
			  struct err *err)
{
	struct disk_direct d;
	int rc = disk_direct(f, fd, ret->settings.capacity_bytes, &d, err);

	if (rc < 0)
		return rc;
	ret->settings.direct_mem = d.mem;
	ret->settings.direct_off = d.off;
	if (b->logical < (int)d.off)
		b->logical = (int)d.off;
	if (b->physical < d.off)
		b->physical = d.off;
	return 0;
}

static int disk_check_raw(const struct plan_fd *f, int fd, const struct stat *st, struct disk *ret,
			  struct err *err)
{
	struct blocks blocks = {0};
	int rc = disk_find_bytes(f, fd, st, &ret->settings.capacity_bytes, err);

	if (rc < 0)
		return rc;
	ret->most_bytes = ret->settings.capacity_bytes;
	if (S_ISBLK(st->st_mode)) {
		ret->dev_flags = BOOT_DEV_RAW_BLK;
		disk_ask_device(fd, st->st_rdev, &blocks);
	} else {
		disk_ask_file(st, &blocks);
	}
	rc = f->direct ? disk_go_direct(f, fd, &blocks, ret, err) : 0;
	if (rc == 0)
		disk_tell_blocks(&blocks, &ret->settings);
	return rc;
}

int disk_check(const struct plan_fd *f, int fd, const struct stat *st, struct disk *ret,
	       struct err *err)
{
	struct disk d = {.dev_flags = 0};
	int rc = disk_check_format(f, fd, err);

	if (rc == 0)
		rc = disk_lock(f, fd, err);
	if (rc == 0)
		rc = (f->format == DISK_QCOW2 ? disk_check_qcow2 : disk_check_raw)(f, fd, st, &d,
										   err);
	if (rc == 0)
		*ret = d;
	return rc;
}
