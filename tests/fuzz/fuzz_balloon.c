/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A hostile driver of the balloon, and a supervisor that asks
 *
 * The device runs in this process on a RAM of 1 MiB, behind which the same file goes on. The first byte says
 * what the driver accepted: 1 statistics, 2 reports, 4 poison. Then steps, an opcode byte each, arguments
 * behind it (numbers little endian):
 *
 *   0 list    ring u8, count u8, so many pages u16 (0xffff: none there can be): a list of page numbers
 *   1 report  ring u8, address u16 in units of 256, length u16 in units of 256, shift u8
 *   2 stats   count u8, so many of tag u8, value u16; cut by u8 bytes
 *   3 config  offset u8, length u8, u32: written
 *   4 ask     type u8, code u8, u16 shifted left by u8: a request of the supervisor
 *   5 poke    offset u16, value u16: anything within the rings
 *   6 move    ring u8: is stopped and started anew where it was
 *   7 again   ring u8: is emptied and started anew
 *
 * Nothing behind RAM changes, the target fits into RAM, and between two steps the device holds one chain at
 * most, of the statistics.
 * Covers: devices/balloon.c
 */
#include <linux/virtio_balloon.h>
#include <string.h>

#include "devices/core/settings.h"
#include "tests/fuzz/fuzz_ring.h"

#define BYTES	0x100000ULL
#define BEHIND	0x10000ULL /* bytes of the same file that are no RAM */
#define RING(q) (0x1000 + 0x2000 * (uint64_t)(q))
#define LIST	0x20000ULL
#define RINGS	5
#define SIZE	16

extern const struct device_ops balloon_device;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vqd_mem ram;
static struct device dev;
static uint8_t canary[BEHIND];

struct fuzz {
	struct fuzz_input in;
	struct vqd drv[RINGS];
	uint32_t next[RINGS];
};

static void prepare(void)
{
	static const struct vqd_piece piece = {0, BYTES + BEHIND};
	const struct balloon_settings settings = {.deflate_on_oom = 1};
	struct boot_dev rec = {.name = "balloon0", .type = "balloon"};
	struct err err;

	vqd_mem_init(&ram, &piece, 1);
	memset(canary, 0x5a, BEHIND);
	memcpy(ram.base + BYTES, canary, BEHIND);
	boot_set_settings(&rec, &settings, sizeof(settings));
	vr_assert(device_init(&dev, &balloon_device, NULL, &err) == 0);
	vr_assert(balloon_device.init(&dev, &rec, &err) == 0);
	vr_assert(gmem_map(&dev.mem, ram.fd, 0, 0, BYTES, 0, &err) == 0);
}

static void send_list(struct fuzz *f)
{
	unsigned int q = fuzz_get8(&f->in) % RINGS, nr = fuzz_get8(&f->in);

	for (unsigned int i = 0; i < nr; i++) {
		uint16_t page = fuzz_get16(&f->in);
		uint32_t number = page == UINT16_MAX ? UINT32_MAX : page % 0x180;

		memcpy(vqd_at(&ram, LIST + 4 * i, 4), &number, 4);
	}
	fuzz_offer(&f->drv[q], &f->next[q], LIST, 4 * nr + 1, false);
	fuzz_ring_kick(&dev, q);
}

static void send_report(struct fuzz *f)
{
	unsigned int q = fuzz_get8(&f->in) % RINGS;
	uint64_t gpa = fuzz_get16(&f->in) * 256ULL;
	uint32_t len = fuzz_get16(&f->in) * 256U;

	len <<= fuzz_get8(&f->in) % 16;
	fuzz_offer(&f->drv[q], &f->next[q], gpa, len, true);
	fuzz_ring_kick(&dev, q);
}

static void send_stats(struct fuzz *f)
{
	unsigned int nr = fuzz_get8(&f->in), bytes = nr * 10;
	struct virtio_balloon_stat s;

	for (unsigned int i = 0; i < nr; i++) {
		s.tag = (uint16_t)fuzz_get8(&f->in);
		s.val = fuzz_get16(&f->in);
		memcpy(vqd_at(&ram, LIST + 10 * i, 10), &s, 10);
	}
	bytes -= fuzz_get8(&f->in) % (bytes + 1);
	fuzz_offer(&f->drv[2], &f->next[2], LIST, bytes, false);
	fuzz_ring_kick(&dev, 2);
}

static void write_config(struct fuzz *f)
{
	uint32_t off = fuzz_get8(&f->in) % 16, len = fuzz_get8(&f->in) % (17 - off),
		 v[4] = {fuzz_get16(&f->in), fuzz_get16(&f->in)};

	(void)balloon_device.config(&dev, true, off, v, len);
}

static void ask(struct fuzz *f)
{
	struct ctl_msg m = {.type = fuzz_get8(&f->in) % 2 ? CTL_BALLOON : CTL_BALLOON_STATS,
			    .code = fuzz_get8(&f->in)};
	struct err err;
	int fd = -1;

	m.arg = fuzz_get16(&f->in);
	m.arg <<= fuzz_get8(&f->in) % 64;
	(void)balloon_device.control(&dev, &m, &fd, &err);
}

static void check(void)
{
	struct virtio_balloon_config c;
	unsigned int held = 0;

	vr_assert(memcmp(ram.base + BYTES, canary, BEHIND) == 0);
	vr_assert(balloon_device.config(&dev, false, 0, &c, sizeof(c)) == 0);
	vr_assert(c.num_pages <= BYTES / 4096);
	for (unsigned int q = 0; q < RINGS; q++) {
		vr_assert(fuzz_ring_held(&dev, q) == 0 || q == 2);
		held += fuzz_ring_held(&dev, q);
	}
	vr_assert(held <= 1);
}

static void step(struct fuzz *f)
{
	unsigned int op = fuzz_get8(&f->in) % 8, q;
	uint16_t next;

	switch (op) {
	case 0: send_list(f); return;
	case 1: send_report(f); return;
	case 2: send_stats(f); return;
	case 3: write_config(f); return;
	case 4: ask(f); return;
	case 5:
		q = fuzz_get16(&f->in) % 0xa000;
		*(uint16_t *)vqd_at(&ram, 0x1000 + (q & ~1U), 2) = fuzz_get16(&f->in);
		return;
	default:
		q = fuzz_get8(&f->in) % RINGS;
		next = fuzz_ring_stop(&dev, q);
		if (op == 7) {
			vqd_init(&f->drv[q], &ram, SIZE, RING(q), 0);
			f->next[q] = next = 0;
		}
		fuzz_ring_start(&dev, q, &f->drv[q], next);
		fuzz_ring_kick(&dev, q);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	unsigned int took;

	f = (struct fuzz){.in = {data, size}};
	if (!ram.base)
		prepare();
	took = fuzz_get8(&f.in);
	dev.acked = (took & 1 ? 1ULL << VIRTIO_BALLOON_F_STATS_VQ : 0) |
		    (took & 2 ? 1ULL << VIRTIO_BALLOON_F_REPORTING : 0) |
		    (took & 4 ? 1ULL << VIRTIO_BALLOON_F_PAGE_POISON : 0);
	for (unsigned int q = 0; q < RINGS; q++) {
		vqd_init(&f.drv[q], &ram, SIZE, RING(q), 0);
		fuzz_ring_start(&dev, q, &f.drv[q], 0);
	}
	for (unsigned int i = 0; i < 64 && f.in.left > 0; i++) {
		step(&f);
		check();
	}
	for (unsigned int q = 0; q < RINGS; q++)
		(void)fuzz_ring_stop(&dev, q);
	return 0;
}
