/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/block/block_request.h"

#define BLOCK_MORE	0xff /* beside VIRTIO_BLK_S_*: the request is not over yet */
#define BLOCK_T_UNKNOWN 2    /* a request type that no version of virtio-blk has */

/**
 * struct block_kind - A kind of request
 * @begin:	Check it; NULL if there is nothing to check. Status byte or BLOCK_MORE
 * @next:	Fill in the next piece: BLOCK_MORE, or the status byte when there is none
 * @op:		What its pieces do
 * @changes:	Refused on a read-only disk
 * @sectors_max, @flags: Discard and write zeroes: what a range may be
 */
struct block_kind {
	uint8_t (*begin)(const struct block_disk *d, struct block_request *r, uint64_t sector);
	uint8_t (*next)(const struct block_disk *d, struct block_request *r);
	enum block_op op;
	bool changes;
	uint32_t sectors_max, flags;
};

/* Room in the answer for data: all but the status byte at its end */
static uint64_t block_request_room(const struct block_request *r)
{
	return vq_left(&r->chain, VQ_WRITABLE) - 1;
}

/* Whether a piece moves data, and which way */
static bool block_request_moves(const struct block_io *io, enum vq_dir *ret_dir)
{
	*ret_dir = io->op == BLOCK_WRITE ? VQ_READABLE : VQ_WRITABLE;
	return io->op == BLOCK_READ || io->op == BLOCK_WRITE || io->op == BLOCK_BLANK;
}

/* Sets the range that a request is about; both numbers come from the guest */
static bool block_request_set_range(const struct block_disk *d, struct block_request *r,
				    uint64_t sector, uint64_t count)
{
	if (count > d->sectors || sector > d->sectors - count)
		return false;
	r->off = sector * BLOCK_SECTOR;
	r->bytes = count * BLOCK_SECTOR;
	return true;
}

/* Makes the next piece one of up to @max bytes of the chain's buffers; false if there are none */
static bool block_request_buffers(struct block_request *r, enum block_op op, uint64_t max)
{
	enum vq_dir dir;

	r->io.op = op;
	r->io.bytes = 0;
	(void)block_request_moves(&r->io, &dir);
	r->io.nr_iov = vq_iov(&r->chain, dir, block_min(max, BLOCK_PIECE_BYTES), r->io.iov,
			      BLOCK_IOVS);
	for (unsigned int i = 0; i < r->io.nr_iov; i++)
		r->io.bytes += r->io.iov[i].iov_len;
	return r->io.nr_iov > 0;
}

/* ---- reads, writes, and what moves no data ---- */

static uint8_t block_rw_begin(const struct block_disk *d, struct block_request *r, uint64_t sector)
{
	uint64_t bytes = r->kind->op == BLOCK_READ ? block_request_room(r)
						   : vq_left(&r->chain, VQ_READABLE);

	if (bytes % BLOCK_SECTOR != 0 ||
	    !block_request_set_range(d, r, sector, bytes / BLOCK_SECTOR))
		return VIRTIO_BLK_S_IOERR;
	return BLOCK_MORE;
}

static uint8_t block_rw_next(const struct block_disk *d UNUSED, struct block_request *r)
{
	if (!block_request_buffers(r, r->kind->op, r->bytes))
		return VIRTIO_BLK_S_OK;
	r->io.off = r->off;
	r->last = r->io.bytes == r->bytes;
	return BLOCK_MORE;
}

static uint8_t block_flush_next(const struct block_disk *d, struct block_request *r)
{
	if (r->pieces > 0 || d->read_only)
		return VIRTIO_BLK_S_OK;
	r->io.op = BLOCK_FLUSH;
	r->io.off = r->io.bytes = 0;
	r->last = true;
	return BLOCK_MORE;
}

static uint8_t block_get_id(const struct block_disk *d, struct block_request *r)
{
	vq_write(&r->chain, d->id, (size_t)block_min(block_request_room(r), sizeof(d->id)));
	return VIRTIO_BLK_S_OK;
}

/* ---- discard and write zeroes ---- */

static uint8_t block_ranges_begin(const struct block_disk *d UNUSED, struct block_request *r,
				  uint64_t sector UNUSED)
{
	uint64_t bytes = vq_left(&r->chain, VQ_READABLE);
	uint64_t each = sizeof(struct virtio_blk_discard_write_zeroes);

	if (bytes == 0 || bytes % each != 0 || bytes / each > BLOCK_RANGES_MAX)
		return VIRTIO_BLK_S_IOERR;
	return BLOCK_MORE;
}

static uint8_t block_ranges_read(const struct block_disk *d, struct block_request *r)
{
	struct virtio_blk_discard_write_zeroes s;

	if (vq_read(&r->chain, &s, sizeof(s)) != sizeof(s))
		return VIRTIO_BLK_S_OK;
	if (s.flags & ~r->kind->flags)
		return VIRTIO_BLK_S_UNSUPP;
	if (s.num_sectors > r->kind->sectors_max ||
	    !block_request_set_range(d, r, s.sector, s.num_sectors))
		return VIRTIO_BLK_S_IOERR;
	r->io.may_free = s.flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	return BLOCK_MORE;
}

static uint8_t block_ranges_next(const struct block_disk *d, struct block_request *r)
{
	uint8_t status = BLOCK_MORE;

	while (r->bytes == 0 && status == BLOCK_MORE)
		status = block_ranges_read(d, r);
	if (status != BLOCK_MORE)
		return status;
	r->io.op = r->kind->op;
	r->io.off = r->off;
	r->io.bytes = r->bytes;
	/* Pieces end where no block of the host does: an odd end is written, not zeroed by the host. */
	if (r->io.op == BLOCK_ZERO)
		r->io.bytes = block_min(r->bytes, BLOCK_PIECE_BYTES - r->off % BLOCK_PIECE_BYTES);
	r->last = r->io.bytes == r->bytes && vq_left(&r->chain, VQ_READABLE) == 0;
	return BLOCK_MORE;
}

/* The kinds of requests, by type; all others, such as BLOCK_T_UNKNOWN, get VIRTIO_BLK_S_UNSUPP */
static const struct block_kind block_kinds[VIRTIO_BLK_T_WRITE_ZEROES + 1] = {
	[VIRTIO_BLK_T_IN] = {block_rw_begin, block_rw_next, BLOCK_READ, false},
	[VIRTIO_BLK_T_OUT] = {block_rw_begin, block_rw_next, BLOCK_WRITE, true},
	[VIRTIO_BLK_T_FLUSH] = {NULL, block_flush_next, BLOCK_FLUSH, false},
	[VIRTIO_BLK_T_GET_ID] = {NULL, block_get_id, BLOCK_READ, false},
	[VIRTIO_BLK_T_DISCARD] = {block_ranges_begin, block_ranges_next, BLOCK_DISCARD, true,
				  .sectors_max = BLOCK_DISCARD_SECTORS_MAX},
	[VIRTIO_BLK_T_WRITE_ZEROES] = {block_ranges_begin, block_ranges_next, BLOCK_ZERO, true,
				       .sectors_max = BLOCK_ZERO_SECTORS_MAX,
				       .flags = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP},
};

/* ---- a request's life ---- */

bool block_request_begin(const struct block_disk *d, struct block_request *r)
{
	struct virtio_blk_outhdr h;

	if (vq_read(&r->chain, &h, sizeof(h)) != sizeof(h) || vq_left(&r->chain, VQ_WRITABLE) == 0)
		return false;
	/* A type beyond the table is unknown, as BLOCK_T_UNKNOWN within it is. */
	r->kind = &block_kinds[h.type < ARRAY_SIZE(block_kinds) ? h.type : BLOCK_T_UNKNOWN];
	r->bytes = 0;
	r->pieces = 0;
	r->status = BLOCK_MORE;
	if (!r->kind->next)
		r->status = VIRTIO_BLK_S_UNSUPP;
	else if (r->kind->changes && d->read_only)
		r->status = VIRTIO_BLK_S_IOERR;
	else if (r->kind->begin)
		r->status = r->kind->begin(d, r, h.sector);
	return true;
}

bool block_request_next(const struct block_disk *d, struct block_request *r)
{
	r->io.durable = false;
	if (r->status == BLOCK_MORE)
		r->status = r->kind->next(d, r);
	if (r->status == BLOCK_MORE) {
		r->io.durable = r->last && r->kind->changes && d->write_through;
		return true;
	}
	/* used.len says that all before the status byte was written: what a failed read did not bring is zeros. */
	if (!block_request_buffers(r, BLOCK_BLANK, block_request_room(r)))
		return false;
	r->last = r->io.bytes == block_request_room(r);
	return true;
}

void block_request_done(struct block_request *r)
{
	enum vq_dir dir;

	r->pieces++;
	if (r->io.rc < 0) {
		r->status = VIRTIO_BLK_S_IOERR;
		return;
	}
	if (block_request_moves(&r->io, &dir))
		vq_skip(&r->chain, dir, r->io.bytes);
	if (r->io.op == BLOCK_BLANK)
		return;
	r->off += r->io.bytes;
	r->bytes -= r->io.bytes;
}

void block_request_answer(struct block_request *r)
{
	vq_write(&r->chain, &r->status, sizeof(r->status));
	r->kind = NULL;
}
