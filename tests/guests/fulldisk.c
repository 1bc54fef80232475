/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes to one sector after the other, far apart, until a write fails, as the host has no room for it. Tries that one
 * again until it goes well, writes some more, and reads all of them.
 */
#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define BLK_IN	   0
#define BLK_OUT	   1
#define BLK_OK	   0
#define BLK_IOERR  1
#define SECTOR	   512U
#define FAR	   128U /* sectors: each is in a cluster of its own */
#define PLACES_MAX 900U
#define MORE	   20U
#define TRIES	   20000000U
#define WAIT_POLLS 20000000U

static struct virtio_ring ring;
static struct virtio_drv blk;
static uint64_t data[SECTOR / 8];
static volatile uint8_t status;
static struct {
	uint32_t type, reserved;
	uint64_t sector;
} header;

/* One request; the status byte that answers it */
static uint8_t ask(uint32_t type, uint64_t sector)
{
	uint32_t len;

	header.type = type;
	header.sector = sector;
	status = 0xff;
	virtio_set_desc(&ring.desc[0], &header, sizeof(header), VIRTIO_DESC_NEXT, 1);
	virtio_set_desc(&ring.desc[1], data, SECTOR,
			VIRTIO_DESC_NEXT | (type == BLK_IN ? VIRTIO_DESC_WRITE : 0), 2);
	virtio_set_desc(&ring.desc[2], (const void *)&status, 1, VIRTIO_DESC_WRITE, 0);
	virtio_kick(&blk, &ring, 0);
	for (unsigned int i = 0; i < WAIT_POLLS; i++)
		if (virtio_poll(&blk, &ring, &len) >= 0)
			return status;
	guest_check(false, "full disk: an answer");
	guest_reset();
	return 0xff;
}

static uint8_t put(unsigned int place)
{
	for (unsigned int i = 0; i < SECTOR / 8; i++)
		data[i] = (uint64_t)place << 32 | i;
	return ask(BLK_OUT, (uint64_t)place * FAR);
}

static bool holds(unsigned int place)
{
	bool right = ask(BLK_IN, (uint64_t)place * FAR) == BLK_OK;

	for (unsigned int i = 0; i < SECTOR / 8; i++)
		right = right && data[i] == ((uint64_t)place << 32 | i);
	return right;
}

void guest_main(void)
{
	unsigned int place = 0, tries = 0;
	uint8_t answer = BLK_OK;
	bool right = true;

	guest_check(virtio_find(&blk, VIRTIO_BLOCK) && virtio_start(&blk, 0, &ring), "starts");
	while (place < PLACES_MAX && (answer = put(place)) == BLK_OK)
		place++;
	guest_check(answer == BLK_IOERR, "full disk: a write is an I/O error");
	for (unsigned int i = 0; i < place; i++)
		right = right && holds(i);
	guest_check(right, "full disk: what was written before can be read");
	guest_puts("# full disk: waits\n");
	while (put(place) != BLK_OK && tries < TRIES)
		tries++;
	guest_check(tries < TRIES, "full disk: the same write goes well when there is room");
	for (unsigned int i = 1; i < MORE; i++)
		right = right && put(place + i) == BLK_OK;
	for (unsigned int i = 0; i < place + MORE; i++)
		right = right && holds(i);
	guest_check(right, "full disk: all can be read");
	guest_check(virtio_status(&blk) == 0x0f, "full disk: the device needs no reset");
	guest_reset();
}
