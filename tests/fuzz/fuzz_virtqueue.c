/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A hostile driver and a busy device on one ring
 *
 * The input is a program for both, so that mutations keep meaning something. It starts with the
 * ring: a byte whose low nibble is log2 of the size, flags in its high nibble (1: indirect, 2: event
 * index), and two bytes of start index. Then come steps, an opcode byte each, arguments behind it
 * (numbers little endian; an address is a byte naming an origin and two bytes of offset):
 *
 *   0 desc    index u8, address, length u16, flags u8 (low nibble: NEXT 1, WRITE 2, INDIRECT 4;
 *             high nibble: length shifted left by so many bits), next u16
 *   1 entry   the same for entry @index of the indirect table at TABLE
 *   2 offer   head u16: one more entry of the available ring
 *   3 index   u16: avail.idx
 *   4 pop     one chain is taken, and held
 *   5 move    how u8, bytes u16: with the newest held chain
 *   6 push    which u8: a held chain is given back
 *   7 signal
 *   8 poke    offset u16, value u16: anything within the low RAM
 *   9 setup   ring byte, three addresses, start index u16
 *
 * tests/fuzz/seeds_virtqueue writes the corpus.
 * Covers: devices/core/virtqueue.c devices/core/vq_chain.c devices/core/gmem.c
 */
#include <string.h>

#include "tests/fuzz/fuzz_input.h"

#define LOW   0x10000ULL /* RAM with the ring; wiped before each run */
#define LOW2  0x18000ULL /* a region that touches it */
#define BYTES 0x8000ULL
#define TABLE 0x14000ULL
#define HIGH  0x100000000ULL /* large, for lengths; only ever holds zeros */
#define HELD  8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct vqd_piece pieces[] = {{LOW, BYTES}, {LOW2, BYTES}, {HIGH, 17 << 20}};
static const uint64_t origins[] = {LOW,	 LOW2,	LOW2 - 16,  LOW2 + BYTES - 16,
				   HIGH, TABLE, 0x10000000, (uint64_t)-64};

static struct vqd_mem ram;
static struct gmem mem;

struct fuzz {
	struct fuzz_input in;
	struct vqd drv;
	struct vq q;
	unsigned int nr_held;
	struct vq_chain *held[HELD]; /* points into @chain, in any order */
	struct vq_chain chain[HELD];
};

static uint64_t get_gpa(struct fuzz *f)
{
	uint64_t origin = origins[fuzz_get8(&f->in) % ARRAY_SIZE(origins)];

	return origin + fuzz_get16(&f->in);
}

static struct vq_layout get_ring(struct fuzz *f)
{
	unsigned int ring = fuzz_get8(&f->in);

	return (struct vq_layout){
		.size = (uint16_t)(1U << (ring & 15)),
		.features = (ring & 0x10 ? VQD_F_INDIRECT : 0) |
			    (ring & 0x20 ? VQD_F_EVENT_IDX : 0),
	};
}

/* Every piece of a chain lies in mapped RAM, and the sums are right */
static void check_chain(const struct vq *q, const struct vq_chain *c)
{
	uint64_t sum[2] = {0};

	vr_assert(c->head < q->size);
	vr_assert(c->nr_segs > 0 && c->nr_segs <= VQ_SEGS_MAX && c->nr_readable <= c->nr_segs);
	for (unsigned int i = 0; i < c->nr_segs; i++) {
		const struct iovec *v = &c->seg[i];
		bool inside = false;

		for (unsigned int r = 0; r < mem.nr; r++) {
			const struct gmem_region *m = &mem.region[r];
			uint64_t off = (uint64_t)((uintptr_t)v->iov_base - (uintptr_t)m->base);

			inside |= off < m->bytes && v->iov_len <= m->bytes - off;
		}
		vr_assert(inside && v->iov_len > 0);
		sum[i >= c->nr_readable] += v->iov_len;
	}
	vr_assert(sum[0] == c->readable_bytes && sum[1] == c->writable_bytes);
	vr_assert(sum[0] + sum[1] <= 1ULL << 32);
}

static void do_desc(struct fuzz *f, bool in_table)
{
	unsigned int index = fuzz_get8(&f->in);
	uint64_t gpa = get_gpa(f);
	uint32_t len = fuzz_get16(&f->in);
	unsigned int flags = fuzz_get8(&f->in);
	uint16_t next = fuzz_get16(&f->in);
	struct vqd_buf buf = {.gpa = gpa, .len = len << (flags >> 4)};

	if (in_table)
		vqd_put_desc_at(&ram, TABLE, index, &buf, flags & 7, next);
	else
		vqd_put_desc(&f->drv, (uint16_t)(index % f->drv.size), buf.gpa, buf.len, flags & 7,
			     next);
}

static void do_pop(struct fuzz *f)
{
	struct vq *q = &f->q;
	bool was_broken = q->broken;
	struct vq_chain *spare = NULL;

	for (unsigned int i = 0; i < HELD && !spare; i++) {
		spare = &f->chain[i];
		for (unsigned int k = 0; k < f->nr_held; k++)
			spare = f->held[k] == &f->chain[i] ? NULL : spare;
	}
	if (!spare)
		return;
	switch (vq_pop(q, spare)) {
	case VQ_CHAIN:
		vr_assert(!was_broken);
		check_chain(q, spare);
		for (unsigned int k = 0; k < f->nr_held; k++)
			vr_assert(f->held[k]->head != spare->head);
		f->held[f->nr_held++] = spare;
		break;
	case VQ_EMPTY: vr_assert(!was_broken); break;
	case VQ_BROKEN: vr_assert(q->broken && q->why); break;
	}
}

static void do_move(struct fuzz *f)
{
	static const uint8_t zeros[256];
	unsigned int how = fuzz_get8(&f->in);
	enum vq_dir dir = how & 1 ? VQ_WRITABLE : VQ_READABLE;
	uint16_t bytes = fuzz_get16(&f->in);
	uint64_t left, moved, sum = 0;
	struct iovec iov[8];
	uint8_t buf[256];
	struct vq_chain *c;
	unsigned int n;

	if (f->nr_held == 0)
		return;
	c = f->held[f->nr_held - 1];
	left = dir == VQ_READABLE ? c->readable_bytes : c->writable_bytes;
	n = vq_iov(c, dir, bytes, iov, 1 + (how >> 4) % 8);
	for (unsigned int i = 0; i < n; i++)
		sum += iov[i].iov_len;
	vr_assert(sum <= bytes && sum <= left && (n > 0) == (left > 0 && bytes > 0));
	if (how & 2) {
		vq_skip(c, dir, bytes * (how & 4 ? 0x10000ULL : 1ULL));
		return;
	}
	bytes %= sizeof(buf);
	moved = dir == VQ_READABLE ? vq_read(c, buf, bytes) : vq_write(c, zeros, bytes);
	vr_assert(moved == (bytes < left ? bytes : left));
}

/* The device's used entry is what it counted, unless the queue is broken and left alone */
static void do_push(struct fuzz *f)
{
	unsigned int which = fuzz_get8(&f->in);
	volatile uint32_t *entry;
	struct vq_chain *c;
	uint16_t at = f->q.next_used;

	if (f->nr_held == 0)
		return;
	which %= f->nr_held;
	c = f->held[which];
	f->held[which] = f->held[--f->nr_held];
	vq_push(&f->q, c);
	vr_assert(f->q.next_used == (uint16_t)(at + !f->q.broken));
	if (f->q.broken)
		return;
	entry = (volatile uint32_t *)((volatile uint8_t *)f->q.used + 4 + 8 * (at % f->q.size));
	vr_assert(entry[0] == c->head && entry[1] == c->written_bytes);
}

static void do_setup(struct fuzz *f)
{
	struct vq_layout l = get_ring(f);

	l.desc_gpa = get_gpa(f);
	l.avail_gpa = get_gpa(f);
	l.used_gpa = get_gpa(f);
	l.next_avail = fuzz_get16(&f->in);
	/* A used ring in HIGH would leave something there for the next run. */
	if (l.used_gpa >= HIGH || vq_setup(&f->q, &mem, &l, &(struct err){0}) < 0)
		return;
	f->nr_held = 0;
}

static void step(struct fuzz *f)
{
	uint16_t off;

	switch (fuzz_get8(&f->in) % 10) {
	case 0: do_desc(f, false); break;
	case 1: do_desc(f, true); break;
	case 2: vqd_offer(&f->drv, fuzz_get16(&f->in)); break;
	case 3: vqd_set_avail_idx(&f->drv, fuzz_get16(&f->in)); break;
	case 4: do_pop(f); break;
	case 5: do_move(f); break;
	case 6: do_push(f); break;
	case 7: vr_assert(!vq_should_signal(&f->q) || !f->q.broken); break;
	case 8:
		off = fuzz_get16(&f->in) % (2 * BYTES - 1);
		memcpy(ram.base + off, &(uint16_t){fuzz_get16(&f->in)}, 2);
		break;
	case 9: do_setup(f); break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	struct vq_layout ring, layout;

	if (ram.nr == 0) {
		vqd_mem_init(&ram, pieces, ARRAY_SIZE(pieces));
		vqd_mem_map(&ram, &mem);
	}
	memset(ram.base, 0, 2 * BYTES);
	f.in.at = data;
	f.in.left = size;
	f.nr_held = 0;
	ring = get_ring(&f);
	ring.next_avail = fuzz_get16(&f.in);
	if (ring.size > VQ_SIZE_MAX)
		ring.size = VQ_SIZE_MAX;
	vqd_init(&f.drv, &ram, ring.size, LOW, ring.features);
	vqd_start_at(&f.drv, ring.next_avail);
	layout = vqd_layout(&f.drv);
	vr_assert(vq_setup(&f.q, &mem, &layout, &(struct err){0}) == 0);
	while (f.in.left > 0)
		step(&f);
	vq_reset(&f.q);
	return 0;
}
