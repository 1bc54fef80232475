/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A ring that is taken over from a user in enemy hands, with a region that says anything
 *
 * The first byte is log2 of the ring's size (low three bits) and of the region's elements (next four, at least the
 * ring's). Then steps, an opcode byte each, arguments behind it (numbers little endian):
 *
 *   0 byte    offset u16, value u8: in the region, also while it is in use
 *   1 word    offset u16, value u16: the same
 *   2 offer   length u16: one more buffer from the driver
 *   3 pop     one chain is taken, and held
 *   4 push    which u8: a held chain is given back
 *   5 signal
 *   6 unpop   the chain popped last is put back
 *   7 take    another user takes the ring over, which holds nothing
 *   8 index   u16: used.idx, as if the last user had gone on
 *   9 clear   the region is new
 *
 * A page that must not be touched is right behind the region. No chain is held twice, and after the ring was taken
 * over no more chains are answered again than it has entries. tests/fuzz/seeds_inflight writes the corpus.
 * Covers: devices/core/vq_track.c devices/core/vq_recover.c
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/fuzz/fuzz_input.h"

#define RING  0x10000ULL
#define DATA  0x18000ULL
#define BYTES 0x10000ULL
#define PAGE  4096U
#define ROOM  (5 * PAGE) /* of the largest region: 16 + 16 * VQ_TRACK_MAX */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vqd_mem ram;
static struct gmem mem;
static uint8_t *room;

struct fuzz {
	struct fuzz_input in;
	struct vqd drv;
	struct vq q;
	uint8_t *region;
	size_t bytes;
	uint16_t elements;
	uint32_t next;
	unsigned int nr_held;
	uint16_t held[VQ_TRACK_MAX];
	struct vq_chain chain;
};

static void prepare(void)
{
	static const struct vqd_piece piece = {RING, BYTES};

	vqd_mem_init(&ram, &piece, 1);
	vqd_mem_map(&ram, &mem);
	room = mmap(NULL, ROOM + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	vr_assert(room != MAP_FAILED && mprotect(room + ROOM, PAGE, PROT_NONE) == 0);
}

static void take_over(struct fuzz *f)
{
	struct vq_layout l = vqd_layout(&f->drv);
	struct err err;
	int rc;

	vr_assert(vq_setup(&f->q, &mem, &l, &err) == 0);
	rc = vq_recover(&f->q, (volatile struct vq_region *)(volatile void *)f->region, f->elements,
			&err);
	vr_assert(rc == 0 || rc == -EINVAL);
	vr_assert(vq_track_left(&f->q.track) <= f->q.size);
	f->nr_held = 0;
	if (rc < 0)
		f->q.broken = true; /* a ring whose region is refused is not used */
}

static void poke(struct fuzz *f, unsigned int bytes)
{
	const size_t off = fuzz_get16(&f->in) % (f->bytes - bytes + 1);
	const uint16_t v = bytes > 1 ? fuzz_get16(&f->in) : (uint16_t)fuzz_get8(&f->in);

	memcpy(f->region + off, &v, bytes);
}

static void do_pop(struct fuzz *f)
{
	if (f->q.broken || f->nr_held == f->q.size || vq_pop(&f->q, &f->chain) != VQ_CHAIN)
		return;
	vr_assert(f->chain.head < f->q.size);
	for (unsigned int i = 0; i < f->nr_held; i++)
		vr_assert(f->held[i] != f->chain.head);
	f->held[f->nr_held++] = f->chain.head;
}

static void do_push(struct fuzz *f)
{
	unsigned int which = fuzz_get8(&f->in);
	static struct vq_chain c;

	if (f->nr_held == 0 || f->q.broken)
		return;
	which %= f->nr_held;
	c.head = f->held[which];
	f->held[which] = f->held[--f->nr_held];
	vq_push(&f->q, &c);
}

static void do_unpop(struct fuzz *f)
{
	if (f->nr_held == 0 || f->q.broken || f->held[f->nr_held - 1] != f->chain.head)
		return;
	vq_unpop(&f->q, f->held[--f->nr_held]);
	f->chain.head = UINT16_MAX;
}

static void step(struct fuzz *f)
{
	uint16_t v;

	switch (fuzz_get8(&f->in) % 10) {
	case 0: poke(f, 1); break;
	case 1: poke(f, 2); break;
	case 2: fuzz_offer(&f->drv, &f->next, DATA, fuzz_get16(&f->in), true); break;
	case 3: do_pop(f); break;
	case 4: do_push(f); break;
	case 5: (void)!vq_should_signal(&f->q); break;
	case 6: do_unpop(f); break;
	case 7: take_over(f); break;
	case 8:
		v = fuzz_get16(&f->in);
		memcpy(vqd_at(&ram, vqd_layout(&f->drv).used_gpa + 2, 2), &v, 2);
		break;
	case 9: memset(f->region, 0, f->bytes); break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	unsigned int first, bits;

	if (!room)
		prepare();
	f = (struct fuzz){.in = {data, size}};
	first = fuzz_get8(&f.in);
	bits = first & 7;
	vqd_init(&f.drv, &ram, (uint16_t)(1U << bits), RING, 0);
	bits = (first >> 3 & 15) > bits ? first >> 3 & 15 : bits;
	f.elements = (uint16_t)(bits > 10 ? VQ_TRACK_MAX : 1U << bits);
	f.bytes = 16 + 16 * (size_t)f.elements;
	f.region = room + ROOM - f.bytes;
	memset(f.region, 0, f.bytes);
	take_over(&f);
	while (f.in.left > 0)
		step(&f);
	vq_reset(&f.q);
	return 0;
}
