/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A hostile driver of a disk, beside an honest one whose every answer is known
 *
 * The device runs in this process, with its threads, on an image behind which the same file goes on. The first
 * byte: 1 the disk is read-only, 2 the driver has no flush, 4 indirect, 8 event index. Then steps, an opcode
 * byte each, arguments behind it (numbers little endian):
 *
 *   0 request  type u8, sector u16 shifted left by u8, bytes u16, split u8: an honest chain (low two bits: data
 *              in so many more pieces; 4: a header of two pieces; 8: the status behind data in one piece)
 *   1 ranges   type u8, count u8, of each sector u8, sectors u16, flags u8: a discard, or zeroes
 *   2 desc     index u8, address u16 * 4, length u16, flags u8 (low three bits; high nibble: length shifted
 *              left by so many), next u8
 *   3 offer    head u8, then the doorbell
 *   4 index    u16: avail.idx, then the doorbell
 *   5 poke     offset u16, value u16: anything in the ring and the headers
 *   6 move     the ring is stopped and started anew where it was
 *   7 again    it is emptied and started anew
 *   8 config   offset u8, length u8
 *
 * An honest request that meets an idle device gets the status byte and the length that virtio 1.3 section 5.2
 * asks for, and the data that was written before; a refused one changes nothing. Whatever else the driver
 * does, nothing behind the disk changes, and of a read-only one nothing at all.
 * tests/fuzz/seeds_block writes the corpus.
 * Covers: devices/block/block.c devices/block/block_request.c devices/block/block_raw.c devices/block/block_fd.c
 */
#include <linux/virtio_blk.h>
#include <sys/mman.h>

#include "devices/core/settings.h"
#include "tests/fuzz/fuzz_ring.h"

#define RAM	  0x10000ULL
#define BYTES	  0x40000ULL
#define HEAD	  (RAM + 0x2000)
#define STATUS	  (RAM + 0x2100)
#define TABLE	  (RAM + 0x3000) /* of ranges */
#define DATA	  (RAM + 0x10000)
#define SIZE	  32
#define SECTORS	  64U
#define DISK	  (SECTORS * 512)
#define BEHIND	  0x4000U
#define RANGES	  20 /* more than a request may have */
#define ID	  "0123456789abcdefghij"
#define DISK_ZERO VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP

extern const struct device_ops block_device;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vqd_mem ram;
static struct loop loop;
static struct device device[2]; /* writable, read-only */
static int image;
static uint8_t *disk; /* the image, mapped */
static uint8_t first_content[DISK + BEHIND];

struct fuzz {
	struct fuzz_input in;
	struct device *d;
	struct vqd drv;
	bool read_only;
	uint8_t counter;
	uint8_t expect[DISK + BEHIND]; /* what the image has, if @known */
	bool known;
};

static void prepare(void)
{
	static const struct vqd_piece piece = {RAM, BYTES};
	struct block_settings settings = {.capacity_bytes = DISK, .unit_bytes = 512};
	struct boot_dev rec = {.name = "block0", .type = "block", .nr_res = 1, .nr_queues = 1};

	image = memfd_create("image", MFD_CLOEXEC);
	vr_assert(ftruncate(image, DISK + BEHIND) == 0 && dup2(image, BOOT_FD_RES) == BOOT_FD_RES);
	disk = mmap(NULL, DISK + BEHIND, PROT_READ | PROT_WRITE, MAP_SHARED, image, 0);
	vr_assert(disk != MAP_FAILED);
	for (unsigned int i = 0; i < DISK + BEHIND; i++)
		first_content[i] = (uint8_t)(i * 7 + i / 512);
	vqd_mem_init(&ram, &piece, 1);
	vr_assert(loop_init(&loop, &(struct err){0}) == 0);
	memcpy(settings.serial, ID, sizeof(settings.serial));
	boot_set_settings(&rec, &settings, sizeof(settings));
	for (unsigned int i = 0; i < ARRAY_SIZE(device); i++) {
		rec.flags = i ? BOOT_DEV_READONLY : 0;
		vr_assert(device_init(&device[i], &block_device, &loop, &(struct err){0}) == 0);
		vr_assert(block_device.init(&device[i], &rec, &(struct err){0}) == 0);
		vqd_mem_map(&ram, &device[i].mem);
	}
}

static void empty_ring(struct fuzz *f)
{
	vqd_init(&f->drv, &ram, SIZE, RAM, f->d->acked);
	fuzz_ring_start(f->d, 0, &f->drv, 0);
}

static void start(struct fuzz *f)
{
	unsigned int first = fuzz_get8(&f->in);

	f->read_only = first & 1;
	f->d = &device[f->read_only];
	f->d->acked = (first & 2 ? 0 : 1ULL << VIRTIO_BLK_F_FLUSH) |
		      (first & 4 ? VQD_F_INDIRECT : 0) | (first & 8 ? VQD_F_EVENT_IDX : 0);
	memset(ram.base, 0, DATA - RAM);
	memcpy(f->expect, first_content, sizeof(f->expect));
	memcpy(disk, first_content, sizeof(f->expect));
	f->known = true;
	empty_ring(f);
	vr_assert(block_device.start(f->d, f->d->acked) == 0);
}

/* Rings, and lets the device work until it holds nothing; what it has left, for want of time, it is rung for */
static void ring_and_wait(struct fuzz *f)
{
	for (unsigned int i = 0; i < 4; i++) {
		fuzz_ring_kick(f->d, 0);
		while (fuzz_ring_held(f->d, 0) > 0)
			vr_assert(loop_once(&loop, 1000, &(struct err){0}) == 0);
	}
	if (f->d->vq[0].broken)
		(void)fuzz_ring_stop(f->d, 0); /* threads may still have some of it */
}

/* ---- an honest request ---- */

struct request {
	uint32_t type;
	uint64_t sector;
	uint32_t out, in; /* bytes of data, and of answers but for the status */
	unsigned int split;
	uint64_t data; /* where they are */
};

static unsigned int add_pieces(struct vqd_buf *to, uint64_t gpa, uint32_t bytes, unsigned int nr,
			       bool writable)
{
	unsigned int n = 0;

	for (uint32_t at = 0, len; at < bytes; at += len) {
		len = n + 1 < nr && bytes - at > 7 ? (bytes - at) / 2 + 1 : bytes - at;
		to[n++] = (struct vqd_buf){gpa + at, len, writable};
	}
	return n;
}

/* Answered: its status, and the length that was said */
static bool answer(struct fuzz *f, const struct request *r, uint8_t *ret_status, uint32_t *ret_len)
{
	const struct virtio_blk_outhdr h = {.type = r->type, .sector = r->sector};
	bool joined = r->split & 8 && r->in > 0;
	struct vqd_buf buf[12];
	unsigned int n;
	uint32_t head;

	memcpy(vqd_at(&ram, HEAD, sizeof(h)), &h, sizeof(h));
	if (r->in > 0)
		memset(vqd_at(&ram, r->data, r->in + 1), 0xa5, r->in + 1);
	*(uint8_t *)vqd_at(&ram, STATUS, 1) = 0xa5;
	n = add_pieces(buf, HEAD, sizeof(h), r->split & 4 ? 2 : 1, false);
	n += add_pieces(buf + n, r->data, r->out, 1 + r->split % 4, false);
	n += add_pieces(buf + n, r->data, r->in + joined, joined ? 1 : 1 + r->split % 4, true);
	if (!joined)
		buf[n++] = (struct vqd_buf){STATUS, 1, true};
	vqd_add(&f->drv, buf, n);
	ring_and_wait(f);
	if (!vqd_take(&f->drv, &head, ret_len))
		return false;
	*ret_status = *(uint8_t *)vqd_at(&ram, joined ? r->data + r->in : STATUS, 1);
	return true;
}

static bool in_range(uint64_t sector, uint64_t count)
{
	return count <= SECTORS && sector <= SECTORS - count;
}

static void check_disk(struct fuzz *f)
{
	vr_assert(!f->known || memcmp(disk, f->expect, sizeof(f->expect)) == 0);
	vr_assert(memcmp(disk + DISK, f->expect + DISK, BEHIND) == 0);
	f->known = true;
	memcpy(f->expect, disk, DISK);
}

/* The answer's data: the disk's, the id, or zeros */
static void check_data(const struct fuzz *f, const struct request *r, uint8_t status)
{
	static uint8_t want[UINT16_MAX + 1];

	memset(want, 0, r->in);
	if (r->type == VIRTIO_BLK_T_IN && status == VIRTIO_BLK_S_OK)
		memcpy(want, f->expect + r->sector * 512, r->in);
	if (r->type == VIRTIO_BLK_T_GET_ID)
		memcpy(want, ID, r->in < 20 ? r->in : 20);
	vr_assert(memcmp(vqd_at(&ram, r->data, r->in + 1), want, r->in) == 0);
}

static uint8_t expected(const struct fuzz *f, const struct request *r)
{
	uint32_t bytes = r->type == VIRTIO_BLK_T_IN ? r->in : r->out;

	switch (r->type) {
	case VIRTIO_BLK_T_OUT:
	case VIRTIO_BLK_T_IN:
		if (r->type == VIRTIO_BLK_T_OUT && f->read_only)
			return VIRTIO_BLK_S_IOERR;
		return bytes % 512 || !in_range(r->sector, bytes / 512) ? VIRTIO_BLK_S_IOERR
									: VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_FLUSH:
	case VIRTIO_BLK_T_GET_ID: return VIRTIO_BLK_S_OK;
	default: return VIRTIO_BLK_S_UNSUPP;
	}
}

/* Whether the driver's chain can be seen for what it is: nothing of another's is in the ring */
static bool ready(struct fuzz *f)
{
	if (f->d->vq[0].broken || !f->d->runs[0])
		return false;
	(void)fuzz_ring_stop(f->d, 0);
	empty_ring(f);
	check_disk(f);
	return true;
}

static void do_request(struct fuzz *f)
{
	struct request r = {.type = fuzz_get8(&f->in), .sector = fuzz_get16(&f->in), .data = DATA};
	uint8_t status, want;
	uint32_t bytes, len;

	r.sector <<= fuzz_get8(&f->in) % 64;
	bytes = fuzz_get16(&f->in);
	r.split = fuzz_get8(&f->in);
	if (r.type == VIRTIO_BLK_T_DISCARD || r.type == VIRTIO_BLK_T_WRITE_ZEROES || !ready(f))
		return;
	if (r.type == VIRTIO_BLK_T_OUT)
		r.out = bytes;
	else
		r.in = bytes;
	memset(vqd_at(&ram, DATA, bytes), ++f->counter, bytes);
	vr_assert(answer(f, &r, &status, &len));
	want = expected(f, &r);
	vr_assert(status == want && len == r.in + 1);
	check_data(f, &r, status);
	if (r.type == VIRTIO_BLK_T_OUT && want == VIRTIO_BLK_S_OK)
		memset(f->expect + r.sector * 512, f->counter, bytes);
	check_disk(f);
}

/* What the ranges in the table come to: all before the first that is refused are carried out */
static uint8_t carry_out_ranges(struct fuzz *f, uint32_t type,
				const struct virtio_blk_discard_write_zeroes *range,
				unsigned int nr)
{
	const bool zero = type == VIRTIO_BLK_T_WRITE_ZEROES;

	if (f->read_only || nr == 0 || nr > 16)
		return VIRTIO_BLK_S_IOERR;
	for (unsigned int i = 0; i < nr; i++) {
		const uint64_t off = range[i].sector * 512, bytes = range[i].num_sectors * 512ULL;

		if (range[i].flags & ~(zero ? DISK_ZERO : 0))
			return VIRTIO_BLK_S_UNSUPP;
		if (!in_range(range[i].sector, range[i].num_sectors))
			return VIRTIO_BLK_S_IOERR;
		/* What a discard leaves is open; nothing else may change. */
		memcpy(f->expect + off, disk + off, zero ? 0 : bytes);
		memset(f->expect + off, 0, zero ? bytes : 0);
	}
	return VIRTIO_BLK_S_OK;
}

static void do_ranges(struct fuzz *f)
{
	struct request r = {.type = fuzz_get8(&f->in) % 2 ? VIRTIO_BLK_T_WRITE_ZEROES
							  : VIRTIO_BLK_T_DISCARD,
			    .data = TABLE};
	struct virtio_blk_discard_write_zeroes range[RANGES];
	unsigned int nr = fuzz_get8(&f->in) % (RANGES + 1);
	uint8_t status;
	uint32_t len;

	for (unsigned int i = 0; i < nr; i++) {
		range[i].sector = fuzz_get8(&f->in);
		range[i].num_sectors = fuzz_get16(&f->in);
		range[i].flags = fuzz_get8(&f->in);
	}
	if (!ready(f))
		return;
	r.out = nr * (uint32_t)sizeof(range[0]);
	if (nr > 0)
		memcpy(vqd_at(&ram, TABLE, r.out), range, r.out);
	vr_assert(answer(f, &r, &status, &len));
	vr_assert(status == carry_out_ranges(f, r.type, range, nr) && len == 1);
	check_disk(f);
}

/* ---- the hostile driver ---- */

static void ring_blindly(struct fuzz *f)
{
	f->known = f->read_only;
	ring_and_wait(f);
	check_disk(f);
}

static void step(struct fuzz *f)
{
	uint8_t buf[256];
	uint16_t off;

	switch (fuzz_get8(&f->in) % 9) {
	case 0: do_request(f); break;
	case 1: do_ranges(f); break;
	case 2: fuzz_ring_desc(&f->in, &f->drv, RAM); break;
	case 3:
		vqd_offer(&f->drv, (uint16_t)fuzz_get8(&f->in));
		ring_blindly(f);
		break;
	case 4:
		vqd_set_avail_idx(&f->drv, fuzz_get16(&f->in));
		ring_blindly(f);
		break;
	case 5:
		off = fuzz_get16(&f->in) % 0x3000;
		memcpy(ram.base + off, &(uint16_t){fuzz_get16(&f->in)}, 2);
		break;
	case 6: fuzz_ring_start(f->d, 0, &f->drv, fuzz_ring_stop(f->d, 0)); break;
	case 7:
		(void)fuzz_ring_stop(f->d, 0);
		empty_ring(f);
		break;
	case 8:
		off = (uint16_t)(fuzz_get8(&f->in) % 60);
		vr_assert(block_device.config(f->d, false, off, buf,
					      fuzz_get8(&f->in) % (61U - off)) == 0);
		vr_assert(block_device.config(f->d, true, off, buf, 1) < 0);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;

	if (!disk)
		prepare();
	f.in = (struct fuzz_input){data, size};
	start(&f);
	for (unsigned int i = 0; i < 64 && f.in.left > 0; i++)
		step(&f);
	(void)fuzz_ring_stop(f.d, 0);
	check_disk(&f);
	return 0;
}
