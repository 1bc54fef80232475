/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Network devices on one bridge, in pairs: each sends numbered frames to the other of its pair, again until they
 * arrive, and checks each that does. Says "round" when all have received since the last time. The power
 * button ends it, once all that was sent has arrived.
 */
#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define F_MAC	     (1ULL << 5)
#define F_MRG	     (1ULL << 15)
#define HDR	     12U
#define DEVICES	     10U
#define SLOTS	     4U /* frames on their way from one device */
#define BUF_BYTES    2048U
#define WORDS	     24U
#define ROUND	     4U
#define PATIENCE     200U /* looks before a frame is sent again */
#define LOOKS_MAX    200000U

#define PORT_PM1_EVT 0x600
#define PWRBTN_STS   0x100

struct frame {
	uint8_t header[HDR];
	uint8_t to[6], from[6], type[2];
	uint8_t source, slot;
	uint64_t word[WORDS]; /* each is the frame's number, and who sent it */
} __attribute__((packed));

static struct dev {
	struct virtio_drv rx, tx;
	struct virtio_ring rx_ring, tx_ring;
	uint8_t mac[6];
	uint8_t buf[VIRTIO_RING_SIZE][BUF_BYTES];
	bool offered[VIRTIO_RING_SIZE];
	unsigned int received;
	struct {
		bool busy, arrived;
		unsigned int looks;
		uint64_t number;
		struct frame frame;
	} slot[SLOTS];
} devs[DEVICES];
static unsigned int nr_devs;
static uint64_t nr_again;
static bool good = true;

static void fail(const char *what)
{
	good = false;
	guest_check(false, what);
}

static uint64_t word(unsigned int dev, unsigned int slot, uint64_t number)
{
	return (uint64_t)(dev + 1) << 56 | (uint64_t)slot << 48 | number;
}

static void offer(struct dev *d, uint16_t i)
{
	virtio_set_desc(&d->rx_ring.desc[i], d->buf[i], BUF_BYTES, VIRTIO_DESC_WRITE, 0);
	virtio_offer(&d->rx_ring, i);
	d->offered[i] = true;
}

static void send(unsigned int dev, unsigned int n)
{
	struct dev *d = &devs[dev];
	struct frame *f = &d->slot[n].frame;

	memset(f->header, 0, HDR);
	memcpy(f->to, devs[dev ^ 1].mac, 6);
	memcpy(f->from, d->mac, 6);
	f->type[0] = 0x88;
	f->type[1] = 0xb5;
	f->source = (uint8_t)dev;
	f->slot = (uint8_t)n;
	for (unsigned int i = 0; i < WORDS; i++)
		f->word[i] = word(dev, n, d->slot[n].number);
	d->slot[n].busy = true;
	d->slot[n].looks = 0;
	virtio_set_desc(&d->tx_ring.desc[n], f, sizeof(*f), 0, 0);
	virtio_kick(&d->tx, &d->tx_ring, (uint16_t)n);
}

/* A frame of the other device of the pair, this one or one that was sent twice */
static void receive(unsigned int dev, const struct frame *f)
{
	struct dev *from = &devs[dev ^ 1];
	uint64_t number;

	if (memcmp(f->to, devs[dev].mac, 6) != 0 || f->type[0] != 0x88 || f->type[1] != 0xb5)
		return;
	if (f->source != (dev ^ 1) || f->slot >= SLOTS) {
		fail("restart_net: a frame from somewhere else");
		return;
	}
	number = f->word[0] & ((1ULL << 48) - 1);
	for (unsigned int i = 0; i < WORDS; i++)
		if (f->word[i] != word(dev ^ 1, f->slot, number))
			fail("restart_net: a frame with another content");
	if (number > from->slot[f->slot].number)
		fail("restart_net: a frame that was not sent");
	if (number == from->slot[f->slot].number)
		from->slot[f->slot].arrived = true;
	devs[dev].received++;
}

static void serve_rx(unsigned int dev)
{
	struct dev *d = &devs[dev];
	bool any = false;
	uint32_t len;
	int32_t id;

	while ((id = virtio_poll(&d->rx, &d->rx_ring, &len)) >= 0) {
		if (id >= (int32_t)VIRTIO_RING_SIZE || !d->offered[id]) {
			fail("restart_net: a buffer comes twice");
			return;
		}
		d->offered[id] = false;
		if (len >= sizeof(struct frame))
			receive(dev, (const void *)d->buf[id]);
		offer(d, (uint16_t)id);
		any = true;
	}
	if (any)
		mmio_write16(d->rx.doorbell, d->rx.queue);
}

/* Whether all that was sent has arrived; sends more if @more */
static bool serve_tx(unsigned int dev, bool more)
{
	struct dev *d = &devs[dev];
	bool all = true;
	uint32_t len;
	int32_t id;

	while ((id = virtio_poll(&d->tx, &d->tx_ring, &len)) >= 0) {
		if (id >= (int32_t)SLOTS || !d->slot[id].busy) {
			fail("restart_net: a second answer to a frame");
			return true;
		}
		d->slot[id].busy = false;
	}
	for (unsigned int n = 0; n < SLOTS; n++) {
		if (d->slot[n].busy) {
			all = false;
		} else if (!d->slot[n].arrived) {
			all = false;
			if (d->slot[n].looks++ < PATIENCE)
				continue;
			nr_again++;
			send(dev, n);
		} else if (more) {
			d->slot[n].number++;
			d->slot[n].arrived = false;
			send(dev, n);
		}
	}
	return all;
}

static bool serve(bool more)
{
	bool all = true;

	for (unsigned int i = 0; i < nr_devs && good; i++) {
		serve_rx(i);
		all = serve_tx(i, more) && all;
	}
	return all;
}

static bool round_is_over(void)
{
	for (unsigned int i = 0; i < nr_devs; i++)
		if (devs[i].received < ROUND)
			return false;
	for (unsigned int i = 0; i < nr_devs; i++)
		devs[i].received = 0;
	return true;
}

static bool start(struct dev *d)
{
	if (!virtio_negotiate(&d->rx, F_MAC | F_MRG))
		return false;
	for (unsigned int i = 0; i < 6; i++)
		d->mac[i] = mmio_read8(d->rx.config + i);
	d->tx = d->rx;
	d->tx.queue = 1;
	if (!virtio_set_queue(&d->rx, &d->rx_ring) || !virtio_set_queue(&d->tx, &d->tx_ring) ||
	    !virtio_go(&d->rx))
		return false;
	for (uint16_t i = 0; i < VIRTIO_RING_SIZE; i++)
		offer(d, i);
	mmio_write16(d->rx.doorbell, d->rx.queue);
	for (unsigned int n = 0; n < SLOTS; n++)
		d->slot[n].arrived = true;
	return true;
}

void guest_main(void)
{
	unsigned int looks = 0;

	for (unsigned int slot = 1; slot < 32 && nr_devs < DEVICES; slot++) {
		if (!virtio_find_at(&devs[nr_devs].rx, slot, VIRTIO_NET))
			continue;
		if (start(&devs[nr_devs]))
			nr_devs++;
		else
			fail("restart_net: a device does not start");
	}
	guest_puts("# restart_net: begins\n");
	while (good && !(inw(PORT_PM1_EVT) & PWRBTN_STS)) {
		serve(true);
		if (round_is_over())
			guest_puts("round\n");
	}
	while (good && looks < LOOKS_MAX && !serve(false))
		looks++;
	guest_check(good && looks < LOOKS_MAX, "restart_net: all that was sent has arrived");
	for (unsigned int i = 0; i < nr_devs; i++)
		good = good && virtio_status(&devs[i].rx) == 0x0f;
	guest_check(good, "restart_net: no device needs a reset");
	guest_puts("# restart_net: sent again: ");
	guest_put_dec(nr_again);
	guest_puts("\n");
	guest_reset();
}
