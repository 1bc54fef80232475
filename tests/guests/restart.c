/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keeps requests in flight at all disks and entropy sources, and checks each answer: each request has one, and
 * each sector holds what was written last. Says "round" when all devices have answered since the last time.
 * The power button ends it: it takes what is in flight back, and looks at all sectors once more.
 */
#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define BLK_IN	0
#define BLK_OUT 1
#define SECTOR	512U
#define WORDS	(SECTOR / 8)
#define DEVICES 20U
#define SLOTS	5U /* of three descriptors each */
#define PLACES                                                                                     \
	24U /* of a slot on its disk, one after the other: a disk of 64 KiB has room for them */
#define ROUND	     4U /* answers of each device */
#define WAIT_ANSWERS 3000000

#define PORT_PM1_EVT 0x600
#define PWRBTN_STS   0x100

/* One request at a time, of one sector: written in one generation, read back in it */
struct slot {
	bool busy, reading;
	volatile uint8_t status;
	uint64_t generation;
	struct {
		uint32_t type, reserved;
		uint64_t sector;
	} header;
	uint64_t data[WORDS];
};

static struct dev {
	struct virtio_drv drv;
	struct virtio_ring ring;
	bool disk;
	unsigned int answers;
	struct slot slot[SLOTS];
} devs[DEVICES];
static unsigned int nr_devs;
static bool good = true;

static uint64_t word(unsigned int dev, unsigned int slot, uint64_t generation)
{
	return (uint64_t)dev << 56 | (uint64_t)slot << 48 | generation;
}

static void fail(const char *what)
{
	good = false;
	guest_check(false, what);
}

static void issue(unsigned int dev, unsigned int n)
{
	struct dev *d = &devs[dev];
	struct slot *s = &d->slot[n];
	struct virtio_desc *desc = &d->ring.desc[3 * n];
	uint16_t head = (uint16_t)(3 * n);

	s->busy = true;
	s->status = 0xff;
	if (d->disk) {
		s->header.type = s->reading ? BLK_IN : BLK_OUT;
		s->header.sector = n + SLOTS * (s->generation % PLACES);
		for (unsigned int i = 0; i < WORDS; i++)
			s->data[i] = s->reading ? 0 : word(dev, n, s->generation);
		virtio_set_desc(&desc[0], &s->header, sizeof(s->header), VIRTIO_DESC_NEXT,
				(uint16_t)(head + 1));
		virtio_set_desc(&desc[1], s->data, SECTOR,
				VIRTIO_DESC_NEXT | (s->reading ? VIRTIO_DESC_WRITE : 0),
				(uint16_t)(head + 2));
		virtio_set_desc(&desc[2], (const void *)&s->status, 1, VIRTIO_DESC_WRITE, 0);
	} else {
		s->data[0] = 0;
		s->data[1] = 0;
		virtio_set_desc(&desc[0], s->data, 16, VIRTIO_DESC_WRITE, 0);
	}
	virtio_kick(&d->drv, &d->ring, head);
}

static void check_sector(unsigned int dev, unsigned int n)
{
	const struct slot *s = &devs[dev].slot[n];

	if (s->status != 0)
		fail("restart: a request fails");
	for (unsigned int i = 0; s->reading && i < WORDS; i++) {
		if (s->data[i] == word(dev, n, s->generation))
			continue;
		fail("restart: a sector holds something else");
		return;
	}
}

/* Takes one answer if there is one */
static bool take(unsigned int dev)
{
	struct dev *d = &devs[dev];
	uint32_t len;
	int32_t head = virtio_poll(&d->drv, &d->ring, &len);
	struct slot *s;

	if (head < 0)
		return false;
	s = &d->slot[(uint32_t)head / 3 % SLOTS];
	if (head % 3 != 0 || !s->busy)
		fail("restart: a second answer to a request");
	if (d->disk)
		check_sector(dev, (uint32_t)head / 3);
	else if (len != 16 || (s->data[0] == 0 && s->data[1] == 0))
		fail("restart: no entropy");
	s->busy = false;
	d->answers++;
	s->generation += s->reading;
	s->reading = !s->reading;
	return true;
}

static void serve(unsigned int dev)
{
	while (take(dev))
		;
	for (unsigned int n = 0; n < SLOTS; n++)
		if (!devs[dev].slot[n].busy)
			issue(dev, n);
}

static bool all_idle(void)
{
	bool idle = true;

	for (unsigned int i = 0; i < nr_devs; i++) {
		while (take(i))
			;
		for (unsigned int n = 0; n < SLOTS; n++)
			idle = idle && !devs[i].slot[n].busy;
	}
	return idle;
}

static bool wait_idle(void)
{
	for (unsigned int i = 0; i < WAIT_ANSWERS / (DEVICES * SLOTS); i++)
		if (all_idle())
			return true;
	return false;
}

static bool round_is_over(void)
{
	for (unsigned int i = 0; i < nr_devs; i++)
		if (devs[i].answers < ROUND)
			return false;
	for (unsigned int i = 0; i < nr_devs; i++)
		devs[i].answers = 0;
	return true;
}

/* What was written last, in the next generation or not yet */
static void read_all(void)
{
	for (unsigned int i = 0; i < nr_devs; i++) {
		for (unsigned int n = 0; devs[i].disk && n < SLOTS; n++) {
			struct slot *s = &devs[i].slot[n];

			s->generation -= !s->reading;
			s->reading = true;
			if (s->generation + 1 > 0)
				issue(i, n);
		}
	}
}

static void find(uint16_t virtio_id)
{
	for (unsigned int slot = 1; slot < 32 && nr_devs < DEVICES; slot++) {
		struct dev *d = &devs[nr_devs];

		if (!virtio_find_at(&d->drv, slot, virtio_id))
			continue;
		d->disk = virtio_id == VIRTIO_BLOCK;
		if (virtio_start(&d->drv, 0, &d->ring))
			nr_devs++;
		else
			fail("restart: a device does not start");
	}
}

void guest_main(void)
{
	find(VIRTIO_BLOCK);
	find(VIRTIO_RNG);
	guest_puts("# restart: begins\n");
	while (good && !(inw(PORT_PM1_EVT) & PWRBTN_STS)) {
		for (unsigned int i = 0; i < nr_devs; i++)
			serve(i);
		if (round_is_over())
			guest_puts("round\n");
	}
	guest_check(wait_idle(), "restart: each request gets its answer");
	read_all();
	guest_check(wait_idle() && good, "restart: all sectors hold what was written");
	for (unsigned int i = 0; i < nr_devs; i++)
		good = good && virtio_status(&devs[i].drv) == 0x0f;
	guest_check(good, "restart: no device needs a reset");
	guest_reset();
}
