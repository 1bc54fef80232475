/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A hostile driver of the entropy source
 *
 * The device runs in this process. The first byte says what the driver accepted: 1 indirect, 2 event index. Then
 * steps, an opcode byte each, arguments behind it (numbers little endian):
 *
 *   0 request  count u8, of each piece length u16: writable ones, one behind the other
 *   1 desc     index u8, address u16 * 4, length u16, flags u8 (low three bits; high nibble: length shifted
 *              left by so many), next u8
 *   2 offer    head u8
 *   3 kick
 *   4 again    the ring is emptied and started anew
 *
 * A request gets what it has room for, and 64 KiB at most; of what it did not get no byte changes.
 * tests/fuzz/seeds_rng writes the corpus.
 * Covers: devices/rng.c
 */
#include <sys/mman.h>

#include "tests/fuzz/fuzz_ring.h"

#define RAM    0x10000ULL
#define BYTES  0x80000ULL
#define DATA   (RAM + 0x10000)
#define SIZE   32
#define PIECES 8
#define MOST   65536U /* of one answer */
#define CANARY 0xa5

extern const struct device_ops rng_device;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vqd_mem ram;
static struct device dev;

struct fuzz {
	struct fuzz_input in;
	struct vqd drv;
};

static void prepare(void)
{
	static const struct vqd_piece piece = {RAM, BYTES};
	static const struct boot_dev rec = {.name = "rng0", .type = "rng"};

	vqd_mem_init(&ram, &piece, 1);
	vr_assert(device_init(&dev, &rng_device, NULL, &(struct err){0}) == 0);
	vr_assert(rng_device.init(&dev, &rec, &(struct err){0}) == 0);
	vqd_mem_map(&ram, &dev.mem);
}

static void again(struct fuzz *f)
{
	(void)fuzz_ring_stop(&dev, 0);
	vqd_init(&f->drv, &ram, SIZE, RAM, dev.acked);
	fuzz_ring_start(&dev, 0, &f->drv, 0);
}

/* An honest request, of which all is known: it is alone in a new ring */
static void request(struct fuzz *f)
{
	unsigned int nr = fuzz_get8(&f->in) % PIECES + 1;
	struct vqd_buf buf[PIECES];
	uint32_t bytes = 0, head, len;
	uint8_t *data;

	for (unsigned int i = 0; i < nr; i++) {
		buf[i] = (struct vqd_buf){DATA + bytes, fuzz_get16(&f->in) / 2 + 1U, true};
		bytes += buf[i].len;
	}
	data = vqd_at(&ram, DATA, bytes + 1ULL);
	memset(data, CANARY, bytes + 1ULL);
	again(f);
	vqd_add(&f->drv, buf, nr);
	fuzz_ring_kick(&dev, 0);
	vr_assert(vqd_take(&f->drv, &head, &len));
	vr_assert(len == (bytes < MOST ? bytes : MOST));
	for (uint32_t i = len; i <= bytes; i++)
		vr_assert(data[i] == CANARY);
}

static void step(struct fuzz *f)
{
	switch (fuzz_get8(&f->in) % 5) {
	case 0: request(f); break;
	case 1: fuzz_ring_desc(&f->in, &f->drv, RAM); break;
	case 2: vqd_offer(&f->drv, (uint16_t)fuzz_get8(&f->in)); break;
	case 3: fuzz_ring_kick(&dev, 0); break;
	case 4: again(f); break;
	}
	/* It answers what it takes, at once. */
	vr_assert(fuzz_ring_held(&dev, 0) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	unsigned int took;

	if (!ram.base)
		prepare();
	f = (struct fuzz){.in = {data, size}};
	took = fuzz_get8(&f.in);
	dev.acked = (took & 1 ? VQD_F_INDIRECT : 0) | (took & 2 ? VQD_F_EVENT_IDX : 0);
	memset(ram.base, 0, 0x10000);
	again(&f);
	for (unsigned int i = 0; i < 64 && f.in.left > 0; i++)
		step(&f);
	(void)fuzz_ring_stop(&dev, 0);
	return 0;
}
