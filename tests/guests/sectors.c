/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads, writes, zeroes and discards single sectors and odd ranges: a guest may ask for any sector of 512 bytes. */
#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define BLK_IN		    0
#define BLK_OUT		    1
#define BLK_DISCARD	    11
#define BLK_ZEROES	    13
#define BLK_OK		    0
#define UNMAP		    1
#define FEATURES	    (1ULL << 6 | 1ULL << 9 | 1ULL << 10 | 1ULL << 13 | 1ULL << 14)

#define CONFIG_BLK_SIZE	    20
#define CONFIG_PHYSICAL_EXP 24
#define CONFIG_DISCARD	    44
#define SECTOR		    512U
#define SECTORS		    128U

static struct virtio_ring ring;
static struct virtio_drv blk;
static uint8_t data[SECTORS * SECTOR] __attribute__((aligned(8)));
static volatile uint8_t status;
static struct {
	uint32_t type, reserved;
	uint64_t sector;
} header;
static struct {
	uint64_t sector;
	uint32_t count, flags;
} range;

static bool blk_request(uint32_t type, uint64_t sector, void *at, uint32_t len)
{
	struct virtio_desc *d = ring.desc;
	uint16_t dir = type == BLK_IN ? VIRTIO_DESC_WRITE : 0;

	header.type = type;
	header.sector = sector;
	status = 0xff;
	virtio_set_desc(&d[0], &header, sizeof(header), VIRTIO_DESC_NEXT, 1);
	virtio_set_desc(&d[1], at, len, VIRTIO_DESC_NEXT | dir, 2);
	virtio_set_desc(&d[2], (const void *)&status, 1, VIRTIO_DESC_WRITE, 0);
	virtio_kick(&blk, &ring, 0);
	return virtio_wait(&blk, &ring, 0) > 0 && status == BLK_OK;
}

static bool blk_range(uint32_t type, uint64_t sector, uint32_t count, uint32_t flags)
{
	range.sector = sector;
	range.count = count;
	range.flags = flags;
	return blk_request(type, 0, &range, sizeof(range));
}

static bool fill(uint8_t value)
{
	memset(data, value, sizeof(data));
	return blk_request(BLK_OUT, 0, data, sizeof(data));
}

/* Whether sectors [from, to) hold @value only */
static bool hold(uint32_t from, uint32_t to, uint8_t value)
{
	const uint64_t *at = (const uint64_t *)(const void *)data + from * SECTOR / 8;

	for (uint32_t n = (to - from) * SECTOR / 8; n > 0; n--) {
		if (*at++ != 0x0101010101010101ULL * value)
			return false;
	}
	return true;
}

static const struct {
	uint32_t sector, count;
	const char *name;
} odd[] = {
	{8, 8, "one block"},	{17, 1, "one sector"},	      {25, 10, "a block and edges"},
	{33, 2, "two sectors"}, {23, 2, "across a boundary"}, {41, 70, "many blocks and edges"},
};

static void check_range(uint32_t sector, uint32_t count)
{
	guest_check(fill(1) && blk_range(BLK_ZEROES, sector, count, 0), "zeroes");
	guest_check(blk_request(BLK_IN, 0, data, sizeof(data)) && hold(0, sector, 1) &&
			    hold(sector, sector + count, 0) && hold(sector + count, SECTORS, 1),
		    "these read as zeros, and no others");
	guest_check(fill(2) && blk_range(BLK_ZEROES, sector, count, UNMAP),
		    "zeroes that may unmap");
	guest_check(blk_request(BLK_IN, 0, data, sizeof(data)) && hold(0, sector, 2) &&
			    hold(sector, sector + count, 0) && hold(sector + count, SECTORS, 2),
		    "these read as zeros, and no others");
	guest_check(fill(3) && blk_range(BLK_DISCARD, sector, count, 0), "discard");
	guest_check(blk_request(BLK_IN, 0, data, sizeof(data)) && hold(0, sector, 3) &&
			    hold(sector + count, SECTORS, 3),
		    "the others stay");
}

void guest_main(void)
{
	guest_check(virtio_find(&blk, VIRTIO_BLOCK) && virtio_start(&blk, FEATURES, &ring),
		    "starts");
	guest_puts("# sectors: logical ");
	guest_put_dec(mmio_read32(blk.config + CONFIG_BLK_SIZE));
	guest_puts(", physical ");
	guest_put_dec(512U << mmio_read8(blk.config + CONFIG_PHYSICAL_EXP));
	guest_puts(", discard ");
	guest_put_dec(512U * mmio_read32(blk.config + CONFIG_DISCARD));
	guest_puts("\n");
	guest_check(fill(0x5a), "writes");
	memset(data, 0xa5, SECTOR);
	guest_check(blk_request(BLK_OUT, 3, data, SECTOR), "writes one sector");
	guest_check(blk_request(BLK_IN, 0, data, sizeof(data)) && hold(0, 3, 0x5a) &&
			    hold(3, 4, 0xa5) && hold(4, SECTORS, 0x5a),
		    "it comes back, and its neighbours");
	for (unsigned int i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		guest_puts("# ");
		guest_puts(odd[i].name);
		guest_puts("\n");
		check_range(odd[i].sector, odd[i].count);
	}
	guest_puts("# sectors: done\n");
	guest_reset();
}
