/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads, writes and reads back blocks all over a disk, again and again, and says after each pass whether all went
 * well or some requests failed. No request may go unanswered, and what was written without an error must come back.
 * The power button ends it.
 */
#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define BLK_IN	     0
#define BLK_OUT	     1
#define BLK_OK	     0
#define BLK_IOERR    1
#define SECTOR	     512U
#define BLOCK	     4096U
#define STRIDE	     (64U << 10) /* from one block to the next */
#define BLOCKS	     32U
#define WORDS	     (BLOCK / 8)

#define PORT_PM1_EVT 0x600
#define PWRBTN_STS   0x100

static struct virtio_ring ring;
static struct virtio_drv blk;
static volatile uint64_t data[WORDS] __attribute__((aligned(BLOCK)));
static volatile uint8_t status;
static struct {
	uint32_t type, reserved;
	uint64_t sector;
} header;

/* Whether it went well */
static bool request(uint32_t type, unsigned int block)
{
	header.type = type;
	header.sector = (uint64_t)block * STRIDE / SECTOR;
	status = 0xff;
	virtio_set_desc(&ring.desc[0], &header, sizeof(header), VIRTIO_DESC_NEXT, 1);
	virtio_set_desc(&ring.desc[1], (const void *)data, BLOCK,
			VIRTIO_DESC_NEXT | (type == BLK_IN ? VIRTIO_DESC_WRITE : 0), 2);
	virtio_set_desc(&ring.desc[2], (const void *)&status, 1, VIRTIO_DESC_WRITE, 0);
	virtio_kick(&blk, &ring, 0);
	if (virtio_wait(&blk, &ring, 0) < 0 || (status != BLK_OK && status != BLK_IOERR)) {
		guest_check(false, "each request is answered, well or with an I/O error");
		guest_reset();
	}
	return status == BLK_OK;
}

/* Its first and last word are enough: the others cost this guest milliseconds. */
static bool pass(uint64_t generation)
{
	bool good = true;

	for (unsigned int i = 0; i < BLOCKS; i++) {
		const uint64_t word = generation << 8 | i;

		good &= request(BLK_IN, i);
		data[0] = data[WORDS - 1] = word;
		if (!request(BLK_OUT, i)) {
			good = false;
			continue;
		}
		data[0] = data[WORDS - 1] = 0;
		if (!request(BLK_IN, i))
			good = false;
		else if (data[0] != word || data[WORDS - 1] != word)
			guest_check(false, "what was written comes back");
	}
	return good;
}

void guest_main(void)
{
	uint64_t generation = 1;

	guest_check(virtio_find(&blk, VIRTIO_BLOCK) && virtio_start(&blk, 0, &ring), "starts");
	while (!(inw(PORT_PM1_EVT) & PWRBTN_STS))
		guest_puts(pass(generation++) ? "# trouble: all went well\n"
					      : "# trouble: some failed\n");
	guest_check(pass(generation), "all goes well in the end");
	guest_reset();
}
