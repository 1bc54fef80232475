/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/disk_direct.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISK_DIRECT_LEAST 512U
#define DISK_DIRECT_MOST  (64U << 10) /* what the device takes */
#define DISK_DIRECT_PROBE 4096U	      /* the largest that is tried */

static int disk_direct_refused(const struct plan_fd *f, struct err *err)
{
	return err_text(err, EINVAL, "%s: %s: cannot be direct: its file system has no O_DIRECT",
			f->pointer, f->path);
}

/* Whether the kernel said it; both numbers are 0 for a file that it would refuse */
static bool disk_direct_told(int fd, struct disk_direct *ret)
{
	struct statx st;
	int sector;

	/* Linux has it from 6.1 on, and not for all file systems. */
	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) == 0 &&
	    st.stx_mask & STATX_DIOALIGN) {
		*ret = (struct disk_direct){st.stx_dio_mem_align, st.stx_dio_offset_align};
		return true;
	}
	if (ioctl(fd, BLKSSZGET, &sector) < 0 || sector <= 0)
		return false;
	*ret = (struct disk_direct){(uint32_t)sector, (uint32_t)sector};
	return true;
}

/* Reads of that many bytes, into memory that is aligned to no more */
static bool disk_direct_reads(int fd, uint32_t unit)
{
	static uint8_t buf[3 * DISK_DIRECT_PROBE] __attribute__((aligned(2 * DISK_DIRECT_PROBE)));

	return pread(fd, buf + unit, unit, 0) > 0;
}

static bool disk_direct_probe(int fd, struct disk_direct *ret)
{
	for (uint32_t unit = DISK_DIRECT_LEAST; unit <= DISK_DIRECT_PROBE; unit *= 2) {
		if (!disk_direct_reads(fd, unit))
			continue;
		*ret = (struct disk_direct){unit, unit};
		return true;
	}
	return false;
}

int disk_direct(const struct plan_fd *f, int fd, uint64_t bytes, struct disk_direct *ret,
		struct err *err)
{
	struct disk_direct d;

	if (fcntl(fd, F_SETFL, O_DIRECT) < 0)
		return errno == EINVAL ? disk_direct_refused(f, err)
				       : err_set(err, errno, "%s: %s", f->pointer, f->path);
	if ((!disk_direct_told(fd, &d) && !disk_direct_probe(fd, &d)) || !d.mem || !d.off)
		return disk_direct_refused(f, err);
	if (d.off < DISK_DIRECT_LEAST)
		d.off = DISK_DIRECT_LEAST;
	if (d.mem > DISK_DIRECT_MOST || d.off > DISK_DIRECT_MOST)
		return err_text(err, EINVAL,
				"%s: %s: O_DIRECT wants units of %u bytes here; the most is %u",
				f->pointer, f->path, d.off > d.mem ? d.off : d.mem,
				DISK_DIRECT_MOST);
	if (bytes % d.off)
		return err_text(err, EINVAL,
				"%s: %s: its size, %llu bytes, is not a multiple of %u, which "
				"O_DIRECT wants here",
				f->pointer, f->path, (unsigned long long)bytes, d.off);
	*ret = d;
	return 0;
}
