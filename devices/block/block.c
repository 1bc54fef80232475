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
 * The loop alone reads and writes rings. Pieces go to threads (devices/core/pool.h), so that a slow one holds up
 * no other, and requests are answered as they get done, in any order. Two sorts the loop carries out itself,
 * since waking a thread costs more than they do: what needs no waiting, which are most reads from the page
 * cache, but large ones of several at once; and a read or write that is alone, as long as such pieces take less
 * than BLOCK_QUICK_NS. A flush is popped after all that was answered before it, whose data the host has by
 * then: it needs no order.
 *
 * A request that does not fit into one piece is the last one that is popped until it is over. So a queue can
 * be stopped soon: the pieces at hand are waited for, and of a long request the rest is not begun; it
 * goes back into the ring. Only a disk that stands still makes that wait long.
 *
 * The backing is inherited open. Its size comes from the boot record and is fixed for the device's life;
 * every sector number is checked against it.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "devices/block/block_fd.h"
#include "devices/block/block_request.h"
#include "devices/core/device.h"
#include "devices/core/pool.h"

/*
 * Data buffers of one request. A chain may not be longer than the ring, which the driver's side may
 * choose as small as 128; two descriptors are header and status.
 */
#define BLOCK_SEGS_MAX 126U

/* Requests in work, of all queues; the loop pops no more until one of them is over */
#define BLOCK_SLOTS 64U

/* Bytes that the loop itself moves, about, before the front-end has its turn */
#define BLOCK_WORK_BYTES (16U << 20)

/* From here on to copy a piece takes so much longer than to wake a thread that several threads should do it */
#define BLOCK_LARGE_BYTES (64U << 10)

/* What the loop may wait for the host while no other request is there */
#define BLOCK_QUICK_NS 1000000ULL

/**
 * struct block - State of one disk
 * @config:	Configuration space
 * @work:	Bytes that the loop itself has moved in this turn
 * @slow:	The last read or write that was waited for took BLOCK_QUICK_NS or longer
 * @busy:	Pieces that threads have
 * @queue:	Of each queue: @busy pieces of it that threads have, and the request behind which none is
 *		popped (NULL: none)
 * @free, @nr_free: Slots without a request
 */
struct block {
	struct block_backing backing;
	struct block_disk disk;
	struct virtio_blk_config config;
	struct pool pool;
	uint64_t work;
	bool slow;
	unsigned int busy;
	struct block_queue {
		unsigned int busy;
		struct block_request *last;
	} queue[BOOT_QUEUES_MAX];
	unsigned int nr_free;
	uint8_t free[BLOCK_SLOTS];
	struct block_request request[BLOCK_SLOTS];
};

_Static_assert(BLOCK_SLOTS <= POOL_SLOTS_MAX, "slots have numbers");

static uint8_t block_slot(const struct block *b, const struct block_request *r)
{
	return (uint8_t)(r - b->request);
}

static uint64_t block_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/**
 * block_carry_out() - Carry out a piece, whatever that takes
 *
 * Context: locked, in a thread or the loop
 * Syscalls: clock_gettime (vDSO), and those of the format
 */
static void block_carry_out(struct block *b, struct block_io *io)
{
	const struct block_format *format = b->backing.format;
	const uint64_t begin = block_clock_ns();
	struct block_io flush = {.op = BLOCK_FLUSH};

	io->rc = 0;
	if (io->op == BLOCK_BLANK)
		block_fd_blank(io->iov, io->nr_iov);
	else
		io->rc = format->carry_out(&b->backing, io);
	if (io->rc == 0 && io->durable)
		io->rc = format->carry_out(&b->backing, &flush);
	io->took_ns = block_clock_ns() - begin;
}

static void block_run(void *arg, unsigned int slot)
{
	struct block *b = arg;

	block_carry_out(b, &b->request[slot].io);
}

/* Accounts for a piece that was waited for */
static void block_done(struct block *b, struct block_request *r)
{
	if (r->io.op == BLOCK_READ || r->io.op == BLOCK_WRITE)
		b->slow = r->io.took_ns >= BLOCK_QUICK_NS;
	block_request_done(r);
}

/* Whether the loop has carried out a piece itself. Of a long request it does none: it has others to serve */
static bool block_by_loop(struct device *d, struct block_request *r)
{
	struct block *b = d->state;
	const struct block_format *format = b->backing.format;
	const bool alone = b->busy == 0 && !vq_has(&d->vq[r->queue], 1);
	const bool quick = !b->slow && (r->io.op == BLOCK_READ || r->io.op == BLOCK_WRITE);

	if (!r->last || r->io.durable || b->work >= BLOCK_WORK_BYTES)
		return false;
	if (!alone && r->io.bytes >= BLOCK_LARGE_BYTES)
		return false;
	b->work += r->io.bytes;
	if (format->at_once && format->at_once(&b->backing, &r->io)) {
		block_request_done(r);
		return true;
	}
	if (!alone || !quick)
		return false;
	block_carry_out(b, &r->io);
	block_done(b, r);
	return true;
}

/* Continues a request; false when a thread has it, true when it is over and its chain was pushed */
static bool block_go_on(struct device *d, struct block_request *r)
{
	struct block *b = d->state;
	struct block_queue *q = &b->queue[r->queue];

	while (block_request_next(&b->disk, r)) {
		if (r->pieces == 0 && !r->last)
			q->last = r;
		if (!block_by_loop(d, r)) {
			q->busy++;
			b->busy++;
			pool_give(&b->pool, block_slot(b, r));
			return false;
		}
	}
	block_request_answer(r);
	vq_push(&d->vq[r->queue], &r->chain);
	if (q->last == r)
		q->last = NULL;
	b->free[b->nr_free++] = block_slot(b, r);
	return true;
}

static void block_queue(struct device *d, unsigned int q)
{
	struct block *b = d->state;
	enum vq_result rc = VQ_CHAIN;

	b->work = 0;
	for (unsigned int n = 0; n < DEVICE_BATCH && b->work < BLOCK_WORK_BYTES; n++) {
		struct block_request *r;

		/* block_event() goes on. */
		if (b->nr_free == 0 || b->queue[q].last)
			rc = VQ_EMPTY;
		if (rc != VQ_CHAIN)
			break;
		r = &b->request[b->free[b->nr_free - 1]];
		rc = vq_pop(&d->vq[q], &r->chain);
		if (rc != VQ_CHAIN)
			break;
		if (!block_request_begin(&b->disk, r)) {
			device_broken(d, q, "request without header or status byte");
			return;
		}
		b->nr_free--;
		r->queue = q;
		(void)block_go_on(d, r);
	}
	device_end_turn(d, q, rc);
}

/* Accounts for pieces that threads have done, one at least; @stopping is not continued, but for short requests */
static void block_collect(struct device *d, unsigned int stopping)
{
	struct block *b = d->state;
	uint8_t slots[BLOCK_SLOTS];
	unsigned int nr = pool_take(&b->pool, slots, BLOCK_SLOTS);

	for (unsigned int i = 0; i < nr; i++) {
		struct block_request *r = &b->request[slots[i]];

		b->queue[r->queue].busy--;
		b->busy--;
		block_done(b, r);
		if (r->queue != stopping || b->queue[stopping].last != r)
			(void)block_go_on(d, r);
	}
}

/* Threads have something done. A stop that came with this event may have waited for it, and taken it. */
static void block_event(struct device *d, unsigned int slot UNUSED, uint32_t events UNUSED)
{
	const struct block *b = d->state;

	if (!pool_has(&b->pool))
		return;
	block_collect(d, BOOT_QUEUES_MAX);
	/* All queues: one may have waited for a slot of another. */
	for (unsigned int q = 0; q < d->nr_queues; q++) {
		if (d->runs[q] && !d->vq[q].broken)
			block_queue(d, q);
	}
}

/* Waits for the pieces at hand. A long request starts over when the queue goes on, if it ever does */
static void block_stop(struct device *d, unsigned int q)
{
	struct block *b = d->state;
	struct block_request *r;

	while (b->queue[q].busy > 0)
		block_collect(d, q);
	r = b->queue[q].last;
	if (r) {
		vq_unpop(&d->vq[q], r->chain.head);
		b->queue[q].last = NULL;
		b->free[b->nr_free++] = block_slot(b, r);
	}
	for (unsigned int i = 0; i < d->nr_queues; i++) {
		device_signal(d, i);
		if (i != q && d->runs[i]) /* it may have waited for what was just done */
			device_again(d, i);
	}
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
		/* Requests of one sector are allowed, but with O_DIRECT some cost more. */
		.blk_size = s->direct_off > BLOCK_SECTOR ? s->direct_off : BLOCK_SECTOR,
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
		.direct_mem = s.direct_mem,
		.direct_off = s.direct_off,
	};
	rc = b->backing.format->init(&b->backing, rec, err);
	if (rc < 0)
		return rc;
	b->disk.read_only = b->backing.read_only;
	b->disk.sectors = b->backing.capacity / BLOCK_SECTOR;
	memcpy(b->disk.id, s.serial, sizeof(b->disk.id));
	d->nr_queues = rec->nr_queues ? rec->nr_queues : 1;
	block_offer(d, &s);
	for (unsigned int i = 0; i < BLOCK_SLOTS; i++)
		b->free[b->nr_free++] = (uint8_t)i;
	rc = pool_init(&b->pool, b->backing.format->threads, block_run, b, err);
	return rc < 0 ? rc : device_watch(d, 0, b->pool.done[0], EPOLLIN, err);
}

static void block_finish(struct device *d)
{
	struct block *b = d->state;

	if (b->backing.format->finish)
		b->backing.format->finish(&b->backing);
}

static void block_end(struct device *d)
{
	struct block *b = d->state;

	pool_done(&b->pool);
	if (b->backing.format)
		b->backing.format->done(&b->backing);
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
	.event = block_event,
	.config = block_config,
	.finish = block_finish,
	.done = block_end,
};
