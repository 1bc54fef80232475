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
 * A wake-up calls block_queue(), which calls block_begin() once for each request and block_go_on() until
 * it is over, and that calls block_kinds[type].step: a system call on the backing fd, straight on guest
 * memory. The header is copied out before it is looked at; the disk's data is not copied at all. Every
 * request ends with its status byte: what the driver may ask wrongly is answered VIRTIO_BLK_S_IOERR or
 * _UNSUPP, and only a chain without header or without room for the status, to which there is no answer,
 * breaks the queue.
 *
 * A queue's requests are carried out one after the other as they come, so flush covers all that was
 * answered before it. A wake-up ends after some work, in the middle of a request if need be, and
 * the front-end is heard before the next one. When it stops the queue meanwhile, the request at
 * hand goes back to where it came from: between two steps nobody touches guest memory.
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
#include "devices/core/settings.h"

#define BLOCK_FD     BOOT_FD_RES /* the backing file or device */
#define BLOCK_SECTOR 512ULL
#define BLOCK_IOVS   64 /* pieces of guest memory moved by one system call */

/* How much of a disk's bandwidth one wake-up takes, about, before the front-end is heard again */
#define BLOCK_WORK_BYTES (16U << 20)

/* Discard and write zeroes: ranges of one request, and sectors of one range */
#define BLOCK_RANGES_MAX	  16U
#define BLOCK_DISCARD_SECTORS_MAX (1U << 21)  /* 1 GiB */
#define BLOCK_ZERO_SECTORS_MAX	  (64U << 11) /* 64 MiB: they may have to be written */

/*
 * Data buffers of one request. A chain may not be longer than the ring, which the driver's side may
 * choose as small as 128; two descriptors are header and status.
 */
#define BLOCK_SEGS_MAX	126U

#define BLOCK_MORE	0xff /* beside VIRTIO_BLK_S_*: the request is not over yet */
#define BLOCK_T_UNKNOWN 2    /* a request type that no version of virtio-blk has */

/**
 * struct block_request - What a queue is at
 * @kind:	NULL between two requests
 * @off, @bytes: What is left of the range of the disk at hand; checked
 * @ask_host:	Write zeroes: the host has not refused to make them itself
 * @status:	The answer, or BLOCK_MORE
 */
struct block_request {
	const struct block_kind *kind;
	uint64_t off, bytes;
	bool ask_host;
	uint8_t status;
	struct vq_chain chain;
};

/**
 * struct block - State of one disk
 * @is_device:	The backing is a block device
 * @write_through: While the driver has no flush: then a write answered is a write kept
 * @unit:	What the host drops or zeroes begins and ends at a multiple of so many bytes
 * @id:		What VIRTIO_BLK_T_GET_ID answers, padded with zeros
 * @config:	Configuration space; its capacity is what sectors are held against
 * @work:	Bytes that this wake-up has moved, or what stands for them
 * @request:	By queue
 */
struct block {
	bool is_device, read_only, write_through;
	uint64_t unit;
	uint8_t id[VIRTIO_BLK_ID_BYTES];
	struct virtio_blk_config config;
	uint64_t work;
	struct block_request request[BOOT_QUEUES_MAX];
};

/**
 * struct block_kind - A kind of request
 * @begin:	Check it, without work; NULL if there is nothing to check. Status byte or BLOCK_MORE
 * @step:	Carry out a piece of it, by at most one system call; likewise
 * @changes:	Refused on a read-only disk
 * @dir:	Read and write: whose bytes say how many
 * @sectors_max, @flags: Discard and write zeroes: what a range may be
 */
struct block_kind {
	uint8_t (*begin)(struct block *b, struct block_request *r, uint64_t sector);
	uint8_t (*step)(struct block *b, struct block_request *r);
	bool changes;
	enum vq_dir dir;
	uint32_t sectors_max, flags;
};

static const uint8_t block_zeros[4096];

/* Sets the range that a request is about; both numbers come from the guest */
static bool block_set_range(const struct block *b, struct block_request *r, uint64_t sector,
			    uint64_t count)
{
	if (count > b->config.capacity || sector > b->config.capacity - count)
		return false;
	r->off = sector * BLOCK_SECTOR;
	r->bytes = count * BLOCK_SECTOR;
	return true;
}

/* Accounts for @n bytes of the range, done by a system call; also for a call that failed, @n < 0 */
static uint8_t block_advance(struct block *b, struct block_request *r, ssize_t n)
{
	if (n < 0 && errno == EINTR)
		return BLOCK_MORE;
	if (n <= 0) /* 0: somebody made the image smaller */
		return VIRTIO_BLK_S_IOERR;
	r->off += (uint64_t)n;
	r->bytes -= (uint64_t)n;
	b->work += (uint64_t)n;
	return BLOCK_MORE;
}

/* Room in the answer for data: all but the status byte at its end */
static uint64_t block_room(const struct block_request *r)
{
	return vq_left(&r->chain, VQ_WRITABLE) - 1;
}

static uint64_t block_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- reads, writes, and what moves no data ---- */

static uint8_t block_rw_begin(struct block *b, struct block_request *r, uint64_t sector)
{
	uint64_t bytes = r->kind->dir == VQ_WRITABLE ? block_room(r)
						     : vq_left(&r->chain, VQ_READABLE);

	if (bytes % BLOCK_SECTOR != 0 || !block_set_range(b, r, sector, bytes / BLOCK_SECTOR))
		return VIRTIO_BLK_S_IOERR;
	return BLOCK_MORE;
}

/**
 * block_rw() - Move data between the disk and the guest's buffers
 *
 * Short transfers are continued: a signal or a full page cache is no error of the disk's.
 * Context: locked.  Syscalls: preadv pwritev
 * Return: status byte for the guest, or BLOCK_MORE
 */
static uint8_t block_rw(struct block *b, struct block_request *r)
{
	const enum vq_dir dir = r->kind->dir;
	struct iovec iov[BLOCK_IOVS];
	int nr = (int)vq_iov(&r->chain, dir, block_min(r->bytes, BLOCK_WORK_BYTES), iov,
			     BLOCK_IOVS);
	ssize_t n;

	if (nr == 0)
		return VIRTIO_BLK_S_OK;
	n = dir == VQ_WRITABLE ? preadv(BLOCK_FD, iov, nr, (off_t)r->off)
			       : pwritev(BLOCK_FD, iov, nr, (off_t)r->off);
	if (n > 0)
		vq_skip(&r->chain, dir, (uint64_t)n);
	return block_advance(b, r, n);
}

/* Syscalls: fdatasync */
static uint8_t block_flush(struct block *b, struct block_request *r UNUSED)
{
	b->work += BLOCK_WORK_BYTES; /* it can take long, however small */
	return b->read_only || fdatasync(BLOCK_FD) == 0 ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
}

static uint8_t block_get_id(struct block *b, struct block_request *r)
{
	vq_write(&r->chain, b->id, (size_t)block_min(block_room(r), sizeof(b->id)));
	return VIRTIO_BLK_S_OK;
}

/* ---- discard and write zeroes ---- */

static uint8_t block_ranges_begin(struct block *b UNUSED, struct block_request *r,
				  uint64_t sector UNUSED)
{
	uint64_t bytes = vq_left(&r->chain, VQ_READABLE);
	uint64_t each = sizeof(struct virtio_blk_discard_write_zeroes);

	if (bytes == 0 || bytes % each != 0 || bytes / each > BLOCK_RANGES_MAX)
		return VIRTIO_BLK_S_IOERR;
	return BLOCK_MORE;
}

static uint8_t block_next_range(struct block *b, struct block_request *r)
{
	struct virtio_blk_discard_write_zeroes s;

	if (vq_read(&r->chain, &s, sizeof(s)) != sizeof(s))
		return VIRTIO_BLK_S_OK;
	if (s.flags & ~r->kind->flags)
		return VIRTIO_BLK_S_UNSUPP;
	if (s.num_sectors > r->kind->sectors_max || !block_set_range(b, r, s.sector, s.num_sectors))
		return VIRTIO_BLK_S_IOERR;
	/* A file gives back what it zeroes: only if it may. */
	r->ask_host = b->is_device || (s.flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
	return BLOCK_MORE;
}

/* How many bytes of the range come before what the host can drop or zero, and how many that is */
static uint64_t block_edge(const struct block *b, const struct block_request *r,
			   uint64_t *ret_whole)
{
	uint64_t edge = block_min(-r->off & (b->unit - 1), r->bytes);

	*ret_whole = (r->bytes - edge) & ~(b->unit - 1);
	return edge;
}

/**
 * block_hole() - Have the file system or the device drop or zero the first @bytes of the range
 * @zero:	They must read as zeros; what a device dropped reads as anything
 *
 * A file is never asked to zero and keep the space (FALLOC_FL_ZERO_RANGE): that call could fill the
 * file system behind the image's end, where RLIMIT_FSIZE does not hold.
 * Context: locked.  Syscalls: fallocate ioctl
 * Return: VIRTIO_BLK_S_IOERR or BLOCK_MORE; these bytes then are still to be done if the host cannot do
 * that with this disk or range
 */
static uint8_t block_hole(struct block *b, struct block_request *r, uint64_t bytes, bool zero)
{
	uint64_t range[2] = {r->off, bytes};
	int rc;

	b->work += BLOCK_WORK_BYTES; /* it can take long */
	do {
		rc = b->is_device ? ioctl(BLOCK_FD, zero ? BLKZEROOUT : BLKDISCARD, range)
				  : fallocate(BLOCK_FD, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
					      (off_t)r->off, (off_t)bytes);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS ||
				       errno == ENOTTY || errno == ENODEV
			       ? BLOCK_MORE
			       : VIRTIO_BLK_S_IOERR;
	r->off += bytes;
	r->bytes -= bytes;
	return BLOCK_MORE;
}

/* It is a hint: blocks that are not whole in the range stay, and so does all of it if the host cannot */
static uint8_t block_discard(struct block *b, struct block_request *r)
{
	uint64_t whole;

	if (r->bytes == 0)
		return block_next_range(b, r);
	r->off += block_edge(b, r, &whole);
	if (whole > 0 && block_hole(b, r, whole, false) != BLOCK_MORE)
		return VIRTIO_BLK_S_IOERR;
	r->bytes = 0;
	return BLOCK_MORE;
}

/* Writes zeros at the beginning of the range.  Syscalls: pwritev */
static uint8_t block_write_zeros(struct block *b, struct block_request *r, uint64_t bytes)
{
	struct iovec iov[BLOCK_IOVS];
	int nr = 0;

	while (nr < BLOCK_IOVS && bytes > 0) {
		iov[nr].iov_base = (void *)(uintptr_t)block_zeros;
		iov[nr].iov_len = (size_t)block_min(bytes, sizeof(block_zeros));
		bytes -= iov[nr++].iov_len;
	}
	return block_advance(b, r, pwritev(BLOCK_FD, iov, nr, (off_t)r->off));
}

/* What the host does not zero, odd ends included, is written */
static uint8_t block_write_zeroes(struct block *b, struct block_request *r)
{
	uint64_t whole, edge;

	if (r->bytes == 0)
		return block_next_range(b, r);
	edge = block_edge(b, r, &whole);
	if (!r->ask_host || whole == 0)
		return block_write_zeros(b, r, r->bytes);
	if (edge > 0)
		return block_write_zeros(b, r, edge);
	r->ask_host = false;
	return block_hole(b, r, whole, true);
}

/* ---- requests ---- */

/* Every kind of request there is; the rest is VIRTIO_BLK_S_UNSUPP */
static const struct block_kind block_kinds[] = {
	[VIRTIO_BLK_T_IN] = {block_rw_begin, block_rw, false, .dir = VQ_WRITABLE},
	[VIRTIO_BLK_T_OUT] = {block_rw_begin, block_rw, true, .dir = VQ_READABLE},
	[VIRTIO_BLK_T_FLUSH] = {NULL, block_flush, false},
	[VIRTIO_BLK_T_GET_ID] = {NULL, block_get_id, false},
	[VIRTIO_BLK_T_DISCARD] = {block_ranges_begin, block_discard, true,
				  .sectors_max = BLOCK_DISCARD_SECTORS_MAX},
	[VIRTIO_BLK_T_WRITE_ZEROES] = {block_ranges_begin, block_write_zeroes, true,
				       .sectors_max = BLOCK_ZERO_SECTORS_MAX,
				       .flags = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP},
};

/* Looks at the request in r->chain; false when there is no way to answer it */
static bool block_begin(struct block *b, struct block_request *r)
{
	struct virtio_blk_outhdr h;

	if (vq_read(&r->chain, &h, sizeof(h)) != sizeof(h) || vq_left(&r->chain, VQ_WRITABLE) == 0)
		return false;
	/* Of the types in the table one is unknown too: it stands for those that are not in it. */
	r->kind = &block_kinds[h.type < ARRAY_SIZE(block_kinds) ? h.type : BLOCK_T_UNKNOWN];
	r->bytes = 0;
	r->status = BLOCK_MORE;
	if (!r->kind->step)
		r->status = VIRTIO_BLK_S_UNSUPP;
	else if (r->kind->changes && b->read_only)
		r->status = VIRTIO_BLK_S_IOERR;
	else if (r->kind->begin)
		r->status = r->kind->begin(b, r, h.sector);
	return true;
}

/* Goes on with a request; true when its answer is written, false when the wake-up did enough before */
static bool block_go_on(struct block *b, struct block_request *r)
{
	while (r->status == BLOCK_MORE && b->work < BLOCK_WORK_BYTES) {
		r->status = r->kind->step(b, r);
		if (r->status == VIRTIO_BLK_S_OK && r->kind->changes && b->write_through) {
			r->kind = &block_kinds[VIRTIO_BLK_T_FLUSH];
			r->status = BLOCK_MORE;
		}
	}
	if (r->status == BLOCK_MORE)
		return false;
	/*
	 * The status byte is the last one of the chain, and used.len says that all before it was
	 * written: data that a failed read did not bring becomes zeros.
	 */
	while (block_room(r) > 0) {
		if (b->work >= BLOCK_WORK_BYTES)
			return false;
		b->work += vq_write(&r->chain, block_zeros,
				    (size_t)block_min(block_room(r), sizeof(block_zeros)));
	}
	vq_write(&r->chain, &r->status, sizeof(r->status));
	r->kind = NULL;
	return true;
}

static void block_queue(struct device *d, unsigned int q)
{
	struct block *b = d->state;
	struct block_request *r = &b->request[q];
	unsigned int budget = DEVICE_BATCH;
	enum vq_result rc = VQ_CHAIN;

	for (b->work = 0; b->work < BLOCK_WORK_BYTES && budget > 0; budget--) {
		if (!r->kind && (rc = vq_pop(&d->vq[q], &r->chain)) != VQ_CHAIN)
			break;
		if (!r->kind && !block_begin(b, r)) {
			device_broken(d, q, "request without header or status byte");
			return;
		}
		if (!block_go_on(b, r))
			break;
		vq_push(&d->vq[q], &r->chain);
	}
	device_signal(d, q);
	if (rc == VQ_BROKEN)
		device_broken(d, q, d->vq[q].why);
	else if (rc == VQ_CHAIN)
		device_again(d, q);
}

/* The request at hand begins anew when the queue goes on, if it ever does: nothing of it was promised */
static void block_stop(struct device *d, unsigned int q)
{
	struct block *b = d->state;

	if (b->request[q].kind)
		vq_unpop(&d->vq[q], b->request[q].chain.head);
	b->request[q].kind = NULL;
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
	(1ULL << VIRTIO_BLK_F_SEG_MAX | 1ULL << VIRTIO_BLK_F_BLK_SIZE |                            \
	 1ULL << VIRTIO_BLK_F_FLUSH | 1ULL << VIRTIO_BLK_F_TOPOLOGY)
#define BLOCK_F_WRITABLE (1ULL << VIRTIO_BLK_F_DISCARD | 1ULL << VIRTIO_BLK_F_WRITE_ZEROES)

/**
 * block_init() - Take over the backing fd
 * @d:		Zeroed state
 * @rec:	One resource; capacity_bytes is a multiple of 512 and not 0, unit_bytes a power of two
 * @err:	Filled on failure
 *
 * Context: setup.  Syscalls: none
 * Return: 0, -EPROTO or -EINVAL
 */
static int block_init(struct device *d, const struct boot_dev *rec, struct err *err)
{
	struct block *b = d->state;
	struct block_settings s;
	uint64_t bytes, unit;
	int rc = boot_settings(rec, &s, sizeof(s), err);

	if (rc < 0)
		return rc;
	bytes = s.capacity_bytes;
	unit = s.unit_bytes;
	if (rec->nr_res != 1)
		return err_text(err, EINVAL, "%s: %u resources, not 1", rec->name, rec->nr_res);
	if (bytes == 0 || bytes % BLOCK_SECTOR != 0 || bytes > INT64_MAX)
		return err_text(err, EINVAL, "%s: no disk has %lu bytes", rec->name, bytes);
	if (unit < BLOCK_SECTOR || (unit & (unit - 1)))
		return err_text(err, EINVAL, "%s: units of %lu bytes", rec->name, unit);
	b->is_device = rec->flags & BOOT_DEV_RAW_BLK;
	b->read_only = rec->flags & BOOT_DEV_READONLY;
	b->unit = unit;
	memcpy(b->id, s.serial, sizeof(b->id));
	d->nr_queues = rec->nr_queues ? rec->nr_queues : 1;
	d->features = BLOCK_F_ALWAYS;
	d->features |= b->read_only ? 1ULL << VIRTIO_BLK_F_RO : BLOCK_F_WRITABLE;
	d->features |= d->nr_queues > 1 ? 1ULL << VIRTIO_BLK_F_MQ : 0;
	b->config = (struct virtio_blk_config){
		.capacity = bytes / BLOCK_SECTOR,
		.seg_max = BLOCK_SEGS_MAX,
		.blk_size = BLOCK_SECTOR, /* any sector may be asked for, whatever suits best */
		.physical_block_exp = s.physical_exp,
		.alignment_offset = s.offset,
		.min_io_size = s.io_min,
		.opt_io_size = s.io_opt,
		.num_queues = (uint16_t)d->nr_queues,
		.max_discard_sectors = BLOCK_DISCARD_SECTORS_MAX,
		.max_discard_seg = BLOCK_RANGES_MAX,
		.discard_sector_alignment = s.discard ? s.discard : 1,
		.max_write_zeroes_sectors = BLOCK_ZERO_SECTORS_MAX,
		.max_write_zeroes_seg = BLOCK_RANGES_MAX,
		.write_zeroes_may_unmap = 1,
	};
	return 0;
}

_Static_assert(BLOCK_SERIAL_BYTES == VIRTIO_BLK_ID_BYTES, "disk id");

const struct device_ops block_device = {
	.kind = &kind_table[KIND_BLOCK],
	.queue_max = VQ_SIZE_MAX,
	.features = BLOCK_F_ALWAYS | BLOCK_F_WRITABLE | 1ULL << VIRTIO_BLK_F_RO |
		    1ULL << VIRTIO_BLK_F_MQ,
	.state_size = sizeof(struct block),
	.init = block_init,
	.start = block_start,
	.queue = block_queue,
	.stop = block_stop,
	.config = block_config,
};
