/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: virtio-blk, a disk (virtio 1.3 section 5.2)
 *
 * A request is one chain:
 *
 *   readable:  struct virtio_blk_outhdr {type, ioprio, sector}, then the payload of a request that
 *              sends data (write, discard, write zeroes)
 *   writable:  room for the answer's data (read, get id), then one status byte
 *
 * A wake-up goes block_queue -> block_request -> block_kind[type].carry_out, and from there to the
 * backing fd by a system call straight on guest memory. The header is copied out before it is
 * looked at; data is not copied at all. Every request ends with its status byte: what the driver
 * may ask wrongly is answered VIRTIO_BLK_S_IOERR or _UNSUPP, and only a chain without header or
 * without room for the status, to which there is no answer, breaks the queue.
 *
 * Requests are carried out one after the other as they come, so nothing is ever in flight between
 * two wake-ups, flush covers all that was answered before it, and reset has nothing to wait for but
 * the wake-up it meets. The front-end does not wait for ever, so a wake-up ends after some work.
 *
 * The backing is a raw image or a block device, inherited open. Its size is the boot record's word,
 * fixed for the device's life; every sector number is held against it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/virtio_blk.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "devices/core/device.h"

#define BLOCK_SECTOR 512ULL
#define BLOCK_IOVS   64 /* pieces of guest memory moved by one system call */

/* How much of a disk's bandwidth one wake-up may take before the front-end is heard again */
#define BLOCK_WORK_BYTES (16U << 20)

/* Discard and write zeroes: ranges of one request, and sectors of one range */
#define BLOCK_RANGES_MAX	  16U
#define BLOCK_DISCARD_SECTORS_MAX (1U << 21)  /* 1 GiB */
#define BLOCK_ZERO_SECTORS_MAX	  (64U << 11) /* 64 MiB: they may have to be written */

/*
 * Data buffers of one request. A chain may not be longer than the ring, which the driver's side may
 * choose as small as 128; two descriptors are header and status.
 */
#define BLOCK_SEGS_MAX 126U

/**
 * struct block - State of one disk
 * @fd:		Backing file or device, borrowed for the process's life
 * @is_device:	Whether it is a block device
 * @sectors:	Its size
 * @write_through: While the driver has no flush: then a write answered is a write kept
 * @id:		What VIRTIO_BLK_T_GET_ID answers, padded with zeros
 * @config:	Configuration space
 * @work:	Bytes that this wake-up was asked to move, or what stands for them
 * @chain:	The request at hand; here because it is large
 */
struct block {
	int fd;
	bool is_device;
	bool read_only;
	uint64_t sectors;
	bool write_through;
	uint8_t id[VIRTIO_BLK_ID_BYTES];
	struct virtio_blk_config config;
	uint64_t work;
	struct vq_chain chain;
};

static const uint8_t block_zeros[4096];

/* Whether @count sectors from @sector on are on the disk; both come from the guest */
static bool block_in_range(const struct block *b, uint64_t sector, uint64_t count)
{
	return count <= b->sectors && sector <= b->sectors - count;
}

/* Room in the answer for data: all but the status byte at its end */
static uint64_t block_room(const struct vq_chain *c)
{
	return vq_left(c, VQ_WRITABLE) - 1;
}

/**
 * block_rw() - Move data between the disk and the guest's buffers
 * @dir:	VQ_WRITABLE to read the disk, VQ_READABLE to write it
 * @sector:	First sector, from the guest
 * @bytes:	How many, from the guest
 *
 * Short transfers are continued: a signal or a full page cache is no error of the disk's.
 * Context: locked.  Syscalls: preadv pwritev
 * Return: status byte for the guest
 */
static uint8_t block_rw(struct block *b, enum vq_dir dir, uint64_t sector, uint64_t bytes)
{
	struct iovec iov[BLOCK_IOVS];
	uint64_t off = sector * BLOCK_SECTOR;

	if (bytes % BLOCK_SECTOR != 0 || !block_in_range(b, sector, bytes / BLOCK_SECTOR))
		return VIRTIO_BLK_S_IOERR;
	while (bytes > 0) {
		int nr = (int)vq_iov(&b->chain, dir, bytes, iov, BLOCK_IOVS);
		ssize_t n = dir == VQ_WRITABLE ? preadv(b->fd, iov, nr, (off_t)off)
					       : pwritev(b->fd, iov, nr, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) /* 0: somebody made the image smaller */
			return VIRTIO_BLK_S_IOERR;
		vq_skip(&b->chain, dir, (uint64_t)n);
		off += (uint64_t)n;
		bytes -= (uint64_t)n;
	}
	return VIRTIO_BLK_S_OK;
}

static uint8_t block_read(struct block *b, uint64_t sector)
{
	return block_rw(b, VQ_WRITABLE, sector, block_room(&b->chain));
}

static uint8_t block_write(struct block *b, uint64_t sector)
{
	return block_rw(b, VQ_READABLE, sector, vq_left(&b->chain, VQ_READABLE));
}

/* Syscalls: fdatasync */
static uint8_t block_flush(struct block *b, uint64_t sector)
{
	(void)sector;
	return b->read_only || fdatasync(b->fd) == 0 ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
}

static uint8_t block_get_id(struct block *b, uint64_t sector)
{
	uint64_t room = block_room(&b->chain);

	(void)sector;
	vq_write(&b->chain, b->id, room < sizeof(b->id) ? (size_t)room : sizeof(b->id));
	return VIRTIO_BLK_S_OK;
}

/* A range of the disk in bytes, checked */
struct block_range {
	uint64_t off;
	uint64_t bytes;
};

/* Writes zeros the long way.  Syscalls: pwritev */
static int block_zero(struct block *b, struct block_range r)
{
	struct iovec iov[BLOCK_IOVS];

	for (unsigned int i = 0; i < BLOCK_IOVS; i++) {
		iov[i].iov_base = (void *)(uintptr_t)block_zeros;
		iov[i].iov_len = sizeof(block_zeros);
	}
	while (r.bytes > 0) {
		uint64_t whole = r.bytes / sizeof(block_zeros);
		int nr = whole == 0 ? 1 : whole < BLOCK_IOVS ? (int)whole : BLOCK_IOVS;
		ssize_t n;

		if (whole == 0)
			iov[0].iov_len = (size_t)r.bytes;
		n = pwritev(b->fd, iov, nr, (off_t)r.off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		r.off += (uint64_t)n;
		r.bytes -= (uint64_t)n;
	}
	return 0;
}

/**
 * block_hole() - Have the file system or the device drop or zero a range
 * @keep:	Zero it and keep the space; otherwise give the space back
 *
 * What is given back reads as zeros in a file, and as anything on a device.
 * Context: locked.  Syscalls: fallocate ioctl
 * Return: 0 or -errno; -EOPNOTSUPP where the backing cannot do that
 */
static int block_hole(struct block *b, struct block_range r, bool keep)
{
	uint64_t range[2] = {r.off, r.bytes};
	int mode = FALLOC_FL_KEEP_SIZE | (keep ? FALLOC_FL_ZERO_RANGE : FALLOC_FL_PUNCH_HOLE);
	int rc;

	do {
		rc = b->is_device ? ioctl(b->fd, keep ? BLKZEROOUT : BLKDISCARD, range)
				  : fallocate(b->fd, mode, (off_t)r.off, (off_t)r.bytes);
	} while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

static int block_discard_range(struct block *b, struct block_range r, uint32_t flags)
{
	(void)flags;
	return block_hole(b, r, false);
}

static int block_zero_range(struct block *b, struct block_range r, uint32_t flags)
{
	bool unmap = !b->is_device && (flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
	int rc = block_hole(b, r, !unmap);

	if (rc == -EOPNOTSUPP && unmap)
		rc = block_hole(b, r, true);
	if (rc == -EOPNOTSUPP)
		rc = block_zero(b, r);
	return rc;
}

/* Takes the ranges of a discard or write-zeroes request one by one */
static uint8_t block_ranges(struct block *b, uint32_t sectors_max, uint32_t flags_known,
			    int (*carry_out)(struct block *, struct block_range, uint32_t))
{
	struct virtio_blk_discard_write_zeroes s;
	uint64_t bytes = vq_left(&b->chain, VQ_READABLE);

	if (bytes == 0 || bytes % sizeof(s) != 0 || bytes / sizeof(s) > BLOCK_RANGES_MAX)
		return VIRTIO_BLK_S_IOERR;
	while (vq_read(&b->chain, &s, sizeof(s)) == sizeof(s)) {
		struct block_range r = {.off = s.sector * BLOCK_SECTOR,
					.bytes = s.num_sectors * BLOCK_SECTOR};
		int rc;

		if (s.flags & ~flags_known)
			return VIRTIO_BLK_S_UNSUPP;
		if (s.num_sectors > sectors_max || !block_in_range(b, s.sector, s.num_sectors))
			return VIRTIO_BLK_S_IOERR;
		rc = s.num_sectors > 0 ? carry_out(b, r, s.flags) : 0;
		if (rc < 0)
			return rc == -EOPNOTSUPP ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR;
	}
	return VIRTIO_BLK_S_OK;
}

static uint8_t block_discard(struct block *b, uint64_t sector)
{
	(void)sector;
	return block_ranges(b, BLOCK_DISCARD_SECTORS_MAX, 0, block_discard_range);
}

static uint8_t block_write_zeroes(struct block *b, uint64_t sector)
{
	(void)sector;
	return block_ranges(b, BLOCK_ZERO_SECTORS_MAX, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP,
			    block_zero_range);
}

/* Every kind of request there is; the rest is VIRTIO_BLK_S_UNSUPP */
static const struct block_kind {
	uint8_t (*carry_out)(struct block *b, uint64_t sector);
	bool changes; /* refused on a read-only disk */
	bool slow;    /* can take long, however small: ends the wake-up */
} block_kind[] = {
	[VIRTIO_BLK_T_IN] = {block_read, false, false},
	[VIRTIO_BLK_T_OUT] = {block_write, true, false},
	[VIRTIO_BLK_T_FLUSH] = {block_flush, false, true},
	[VIRTIO_BLK_T_GET_ID] = {block_get_id, false, false},
	[VIRTIO_BLK_T_DISCARD] = {block_discard, true, true},
	[VIRTIO_BLK_T_WRITE_ZEROES] = {block_write_zeroes, true, true},
};

static uint8_t block_carry_out(struct block *b, const struct virtio_blk_outhdr *h)
{
	const struct block_kind *kind;
	uint8_t status;

	if (h->type >= ARRAY_SIZE(block_kind) || !block_kind[h->type].carry_out)
		return VIRTIO_BLK_S_UNSUPP;
	kind = &block_kind[h->type];
	if (b->read_only && kind->changes)
		return VIRTIO_BLK_S_IOERR;
	if (kind->slow || (kind->changes && b->write_through))
		b->work += BLOCK_WORK_BYTES;
	status = kind->carry_out(b, h->sector);
	if (status == VIRTIO_BLK_S_OK && kind->changes && b->write_through)
		status = block_flush(b, 0);
	return status;
}

/* Carries out the request in b->chain and answers it; false when there is no way to answer */
static bool block_request(struct block *b)
{
	struct vq_chain *c = &b->chain;
	struct virtio_blk_outhdr h;
	uint8_t status;

	if (vq_read(c, &h, sizeof(h)) != sizeof(h) || vq_left(c, VQ_WRITABLE) == 0)
		return false;
	b->work += vq_left(c, VQ_READABLE) + vq_left(c, VQ_WRITABLE);
	status = block_carry_out(b, &h);
	/*
	 * The status byte is the last one of the chain, and used.len says that all before it was
	 * written: data that a failed read did not bring becomes zeros.
	 */
	while (block_room(c) > 0) {
		uint64_t room = block_room(c);

		vq_write(c, block_zeros, room < sizeof(block_zeros) ? room : sizeof(block_zeros));
	}
	vq_write(c, &status, sizeof(status));
	return true;
}

static void block_queue(struct device *d, unsigned int q)
{
	struct block *b = d->state;
	unsigned int budget = DEVICE_BATCH;
	enum vq_result rc = VQ_CHAIN;

	b->work = 0;
	while (b->work < BLOCK_WORK_BYTES && budget-- > 0 &&
	       (rc = vq_pop(&d->vq[q], &b->chain)) == VQ_CHAIN) {
		if (!block_request(b)) {
			device_broken(d, q, "request without header or status byte");
			return;
		}
		vq_push(&d->vq[q], &b->chain);
	}
	device_signal(d, q);
	if (rc == VQ_BROKEN)
		device_broken(d, q, d->vq[q].why);
	else if (rc == VQ_CHAIN)
		device_again(d, q);
}

static int block_start(struct device *d, uint64_t features)
{
	struct block *b = d->state;

	b->write_through = !(features & 1ULL << VIRTIO_BLK_F_FLUSH);
	return 0;
}

static int block_config(struct device *d, bool write, uint32_t off, void *buf, uint32_t len)
{
	const struct block *b = d->state;

	if (write) /* the one writable field belongs to a feature that is not offered */
		return -EPERM;
	memcpy(buf, (const uint8_t *)&b->config + off, len);
	return 0;
}

#define BLOCK_F_ALWAYS                                                                             \
	(1ULL << VIRTIO_BLK_F_SEG_MAX | 1ULL << VIRTIO_BLK_F_BLK_SIZE | 1ULL << VIRTIO_BLK_F_FLUSH)
#define BLOCK_F_WRITABLE (1ULL << VIRTIO_BLK_F_DISCARD | 1ULL << VIRTIO_BLK_F_WRITE_ZEROES)

/**
 * block_init() - Take over the backing fd
 * @d:		Zeroed state
 * @rec:	One resource; capacity_bytes is a multiple of 512 and not 0
 * @err:	Filled on failure
 *
 * Context: setup.  Syscalls: none
 * Return: 0 or -EINVAL
 */
static int block_init(struct device *d, const struct boot_dev *rec, struct err *err)
{
	struct block *b = d->state;
	uint64_t bytes = rec->block.capacity_bytes;

	if (rec->nr_res != 1)
		return err_text(err, EINVAL, "%s: %u resources, not 1", rec->name, rec->nr_res);
	if (bytes == 0 || bytes % BLOCK_SECTOR != 0 || bytes > INT64_MAX)
		return err_text(err, EINVAL, "%s: %lu bytes are no size of a disk", rec->name,
				bytes);
	b->fd = BOOT_FD_RES;
	b->is_device = rec->flags & BOOT_DEV_RAW_BLK;
	b->read_only = rec->flags & BOOT_DEV_READONLY;
	b->sectors = bytes / BLOCK_SECTOR;
	memcpy(b->id, rec->block.serial, sizeof(b->id));
	d->nr_queues = rec->nr_queues ? rec->nr_queues : 1;
	d->features = BLOCK_F_ALWAYS;
	d->features |= b->read_only ? 1ULL << VIRTIO_BLK_F_RO : BLOCK_F_WRITABLE;
	d->features |= d->nr_queues > 1 ? 1ULL << VIRTIO_BLK_F_MQ : 0;
	b->config = (struct virtio_blk_config){
		.capacity = b->sectors,
		.seg_max = BLOCK_SEGS_MAX,
		.blk_size = BLOCK_SECTOR,
		.num_queues = (uint16_t)d->nr_queues,
		.max_discard_sectors = BLOCK_DISCARD_SECTORS_MAX,
		.max_discard_seg = BLOCK_RANGES_MAX,
		.discard_sector_alignment = 1,
		.max_write_zeroes_sectors = BLOCK_ZERO_SECTORS_MAX,
		.max_write_zeroes_seg = BLOCK_RANGES_MAX,
		.write_zeroes_may_unmap = 1,
	};
	return 0;
}

_Static_assert(sizeof(((struct boot_dev *)0)->block.serial) == VIRTIO_BLK_ID_BYTES, "disk id");

const struct device_ops block_device = {
	.name = "block",
	.virtio_id = VIRTIO_ID_BLOCK,
	.nr_queues = DEVICE_QUEUES_MAX,
	.queue_max = VQ_SIZE_MAX,
	.config_len = sizeof(struct virtio_blk_config),
	.features = BLOCK_F_ALWAYS | BLOCK_F_WRITABLE | 1ULL << VIRTIO_BLK_F_RO |
		    1ULL << VIRTIO_BLK_F_MQ,
	.state_size = sizeof(struct block),
	.init = block_init,
	.start = block_start,
	.queue = block_queue,
	.config = block_config,
};
