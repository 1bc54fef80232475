/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes to a disk until a write takes long, resets the disk meanwhile, and waits for the reset, answering
 * its power button all the time. Then the disk must work as before.
 */
#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define BLK_OUT	      1
#define BLK_OK	      0
#define SECTOR	      512U
#define BUSY_EXITS    20000

#define COMMON_STATUS 0x14

static struct virtio_ring ring;
static struct virtio_drv blk;
static uint8_t data[SECTOR];
static volatile uint8_t status;
static struct {
	uint32_t type, reserved;
	uint64_t sector;
} header = {.type = BLK_OUT};

static void kick(void)
{
	status = 0xff;
	virtio_set_desc(&ring.desc[0], &header, sizeof(header), VIRTIO_DESC_NEXT, 1);
	virtio_set_desc(&ring.desc[1], data, SECTOR, VIRTIO_DESC_NEXT, 2);
	virtio_set_desc(&ring.desc[2], (const void *)&status, 1, VIRTIO_DESC_WRITE, 0);
	virtio_kick(&blk, &ring, 0);
}

/* false: it takes long */
static bool done(void)
{
	uint32_t len;

	for (unsigned int i = 0; i < BUSY_EXITS; i++) {
		if (virtio_poll(&blk, &ring, &len) >= 0)
			return true;
		inb(GUEST_PORT_NOBODY);
	}
	return false;
}

void guest_main(void)
{
	guest_check(virtio_find(&blk, VIRTIO_BLOCK) && virtio_start(&blk, 0, &ring), "starts");
	guest_puts("# stalled: begins\n");
	do
		kick();
	while (done());
	mmio_write8(blk.common + COMMON_STATUS, 0);
	guest_check(virtio_status(&blk) != 0, "a reset is not over while the disk stands still");
	guest_puts("# stalled: waits\n");
	while (virtio_status(&blk) != 0) {
		if (guest_button())
			guest_puts("# stalled: the power button\n");
	}
	/* Nothing of the old request comes afterwards. */
	guest_check(status == 0xff || status == BLK_OK, "the old request is over");
	status = 0xfe;
	guest_check(virtio_start(&blk, 0, &ring), "starts again");
	guest_check(!done() && status == 0xfe, "what was before the reset is forgotten");
	kick();
	guest_check(done() && status == BLK_OK, "writes again");
	guest_puts("# stalled: done\n");
	guest_reset();
}
