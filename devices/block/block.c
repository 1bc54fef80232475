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
 * Every request ends with its status byte. A wrong request is answered VIRTIO_BLK_S_IOERR or _UNSUPP; only a
 * chain without a header or without room for the status, which cannot be answered, breaks the queue.
 * block_request.h cuts requests into pieces; the backing's format (block_backing.h) carries them out,
 * straight on guest memory. The header is copied out before it is looked at; the disk's data is not copied
 * at all.
 *
 * A queue's requests are carried out in order, so flush covers all that was answered before it. A
 * wake-up ends after some work, in the middle of a request if need be, and the front-end has its turn
 * before the next one. If it stops the queue meanwhile, the request at hand goes back into the ring:
 * between two pieces nothing touches guest memory.
 *
 * The backing is inherited open. Its size comes from the boot record and is fixed for the device's life;
 * every sector number is checked against it.
 */
#include <errno.h>
#include <string.h>

#include "devices/block/block_request.h"
#include "devices/core/device.h"

/*
 * Data buffers of one request. A chain may not be longer than the ring, which the driver's side may
 * choose as small as 128; two descriptors are header and status.
 */
#define BLOCK_SEGS_MAX 126U

/* How much of a disk's bandwidth one wake-up takes, about, before the front-end has its turn */
#define BLOCK_WORK_BYTES (16U << 20)

/**
 * struct block - State of one disk
 * @config:	Configuration space
 * @work:	Bytes that this wake-up has moved, or their equivalent
 * @request:	By queue
 */
struct block {
	struct block_backing backing;
	struct block_disk disk;
	struct virtio_blk_config config;
	uint64_t work;
	struct block_request request[BOOT_QUEUES_MAX];
};

/* Carries out a piece */
static void block_carry_out(struct block *b, struct block_io *io)
{
	const struct block_format *format = b->backing.format;

	if (io->op == BLOCK_BLANK) {
		for (unsigned int i = 0; i < io->nr_iov; i++)
			memset(io->iov[i].iov_base, 0, io->iov[i].iov_len);
		io->rc = 0;
		return;
	}
	io->rc = format->carry_out(&b->backing, io);
	if (io->rc == 0 && io->durable) {
		struct block_io flush = {.op = BLOCK_FLUSH};

		io->rc = format->carry_out(&b->backing, &flush);
	}
}

/* What moves no data can take long, however small it is */
static uint64_t block_weight(const struct block_io *io)
{
	const bool moves = io->op == BLOCK_READ || io->op == BLOCK_WRITE || io->op == BLOCK_BLANK;

	return moves && !io->durable ? io->bytes : BLOCK_WORK_BYTES;
}

/* Continues a request; true when its answer is written, false when the wake-up has done its share */
static bool block_go_on(struct block *b, struct block_request *r)
{
	while (b->work < BLOCK_WORK_BYTES) {
		if (!block_request_next(&b->disk, r)) {
			block_request_answer(r);
			return true;
		}
		b->work += block_weight(&r->io);
		block_carry_out(b, &r->io);
		block_request_done(r);
	}
	return false;
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
		if (!r->kind && !block_request_begin(&b->disk, r)) {
			device_broken(d, q, "request without header or status byte");
			return;
		}
		if (!block_go_on(b, r))
			break;
		vq_push(&d->vq[q], &r->chain);
	}
	device_end_turn(d, q, rc);
}

/* The request at hand starts over when the queue goes on, if it ever does: it has had no answer */
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

	b->disk.write_through = !(features & 1ULL << VIRTIO_BLK_F_FLUSH);
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

/* What the driver learns about the disk */
static void block_offer(struct device *d, const struct block_settings *s)
{
	struct block *b = d->state;

	d->features = BLOCK_F_ALWAYS;
	d->features |= b->disk.read_only ? 1ULL << VIRTIO_BLK_F_RO : BLOCK_F_WRITABLE;
	d->features |= d->nr_queues > 1 ? 1ULL << VIRTIO_BLK_F_MQ : 0;
	b->config = (struct virtio_blk_config){
		.capacity = b->disk.sectors,
		.seg_max = BLOCK_SEGS_MAX,
		.blk_size = BLOCK_SECTOR, /* requests of one sector are allowed */
		.physical_block_exp = s->physical_exp,
		.alignment_offset = s->offset,
		.min_io_size = s->io_min,
		.opt_io_size = s->io_opt,
		.num_queues = (uint16_t)d->nr_queues,
		.max_discard_sectors = BLOCK_DISCARD_SECTORS_MAX,
		.max_discard_seg = BLOCK_RANGES_MAX,
		.discard_sector_alignment = s->discard ? s->discard : 1,
		.max_write_zeroes_sectors = BLOCK_ZERO_SECTORS_MAX,
		.max_write_zeroes_seg = BLOCK_RANGES_MAX,
		.write_zeroes_may_unmap = 1,
	};
}

/**
 * block_init() - Take over the backing
 * @d:		Zeroed state
 * @rec:	Resources as the format has them; capacity_bytes is a multiple of 512 and not 0,
 *		unit_bytes a power of two
 * @err:	Filled on failure
 *
 * Context: setup
 * Syscalls: none
 * Return: 0, -EPROTO or -EINVAL
 */
static int block_init(struct device *d, const struct boot_dev *rec, struct err *err)
{
	struct block *b = d->state;
	struct block_settings s;
	int rc = boot_settings(rec, &s, sizeof(s), err);

	if (rc < 0)
		return rc;
	if (s.capacity_bytes == 0 || s.capacity_bytes % BLOCK_SECTOR ||
	    s.capacity_bytes > INT64_MAX)
		return err_text(err, EINVAL, "%s: a disk cannot have %lu bytes", rec->name,
				s.capacity_bytes);
	if (s.unit_bytes < BLOCK_SECTOR || (s.unit_bytes & (s.unit_bytes - 1)))
		return err_text(err, EINVAL, "%s: a disk cannot have units of %u bytes", rec->name,
				s.unit_bytes);
	b->backing = (struct block_backing){
		.format = s.qcow2 & 1 ? &block_qcow2 : &block_raw,
		.is_device = rec->flags & BOOT_DEV_RAW_BLK,
		.read_only = rec->flags & BOOT_DEV_READONLY,
		.capacity = s.capacity_bytes,
		.unit = s.unit_bytes,
	};
	rc = b->backing.format->init(&b->backing, rec, err);
	if (rc < 0)
		return rc;
	b->disk.read_only = b->backing.read_only;
	b->disk.sectors = b->backing.capacity / BLOCK_SECTOR;
	memcpy(b->disk.id, s.serial, sizeof(b->disk.id));
	d->nr_queues = rec->nr_queues ? rec->nr_queues : 1;
	block_offer(d, &s);
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
