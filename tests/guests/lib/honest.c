/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/honest.h"

#include "lib/pci_drv.h"

#define COMMON_NR_QUEUES  0x12
#define OUT_BYTES	  128U
#define IN_BYTES	  1024U

#define NET_MAC		  (1ULL << 5)
#define NET_CTRL	  (1ULL << 17)
#define NET_MQ		  (1ULL << 22)
#define BLOCK_MQ	  (1ULL << 12)
#define CONSOLE_MULTIPORT (1ULL << 1)
#define BALLOON_STATS	  (1ULL << 1)
#define BALLOON_REPORTING (1ULL << 5)
#define VSOCK_STREAM	  (1ULL << 0)
#define VSOCK_EVENTS	  (1U << 2) /* queue 2: for a transport reset, which is the host's to cause */

static struct virtio_ring spare[HONEST_QUEUES_MAX];
static uint8_t out[OUT_BYTES], in[IN_BYTES];

static void put32(uint8_t *at, uint32_t v)
{
	memcpy(at, &v, sizeof(v));
}

/* ARP: who has 10.9.8.1? The host, which says so. */
static void fill_net(const struct virtio_drv *v, unsigned int n, uint8_t *o)
{
	static const uint8_t arp[] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,  0, 0, 0, 9, 8, 6, 0, 1, 8, 0,  6, 4, 0,
		1,    2,    0,	  0,	0,    0,    9, 10, 9, 8, 2, 0, 0, 0, 0, 0, 0, 10, 9, 8, 1,
	};
	const uint32_t hdr = 12;

	(void)n;
	for (unsigned int i = 0; i < 6; i++)
		o[hdr + 6 + i] = o[hdr + 22 + i] = mmio_read8(v->config + i);
	memcpy(o + hdr, arp, 6);
	memcpy(o + hdr + 12, arp + 12, 10);
	memcpy(o + hdr + 28, arp + 28, sizeof(arp) - 28);
}

/* VIRTIO_NET_CTRL_MQ: two pairs */
static void fill_pairs(const struct virtio_drv *v, unsigned int n, uint8_t *o)
{
	(void)v, (void)n;
	o[0] = 4;
	o[2] = 2;
}

/* DEVICE_READY, to which the device answers with the ports that there are; then PORT_OPEN of two */
static void fill_console(const struct virtio_drv *v, unsigned int n, uint8_t *o)
{
	(void)v;
	put32(o, n == 2);
	put32(o + 4, 1U << 16 | (n > 0 ? 6 : 0));
}

/* A page that no guest of ours uses */
static void fill_balloon(const struct virtio_drv *v, unsigned int n, uint8_t *o)
{
	(void)v, (void)n;
	put32(o, 24U << 8); /* at 24 MiB */
}

/* A connection to a port on which no program of the host listens */
static void fill_vsock(const struct virtio_drv *v, unsigned int n, uint8_t *o)
{
	(void)n;
	put32(o, mmio_read32(v->config));
	put32(o + 8, 2);
	put32(o + 16, 1000);
	put32(o + 20, 80);
	put32(o + 28, 1 | 1U << 16); /* stream, REQUEST */
}

/* FUSE_INIT */
static void fill_fs(const struct virtio_drv *v, unsigned int n, uint8_t *o)
{
	(void)v, (void)n;
	put32(o, 104);
	put32(o + 4, 26);
	put32(o + 8, 1);
	put32(o + 40, 7);
	put32(o + 44, 31);
}

/* A disk's request of zeros reads sector 0. */
static const struct honest_kind kinds[] = {
	{VIRTIO_NET,
	 "net",
	 NET_MAC | NET_CTRL | NET_MQ,
	 0,
	 {{4, 1, 4, 1, fill_pairs}, {1, 1, 54, 0, fill_net}}},
	{VIRTIO_BLOCK, "block", BLOCK_MQ, 0, {{0, 1, 16, 513, NULL}, {1, 1, 16, 513, NULL}}},
	{VIRTIO_CONSOLE,
	 "console",
	 CONSOLE_MULTIPORT,
	 0,
	 {{3, 3, 8, 0, fill_console}, {1, 1, 1, 0, NULL}}},
	{VIRTIO_RNG, "rng", 0, 0, {{0, 1, 0, 64, NULL}}},
	{VIRTIO_BALLOON,
	 "balloon",
	 BALLOON_STATS | BALLOON_REPORTING,
	 0,
	 {{0, 1, 4, 0, fill_balloon}}},
	{VIRTIO_VSOCK, "vsock", VSOCK_STREAM, VSOCK_EVENTS, {{1, 1, 44, 0, fill_vsock}}},
	{VIRTIO_FS, "fs", 0, 0, {{1, 1, 104, 80, fill_fs}}},
};

bool honest_find(struct honest_dev *d, unsigned int slot)
{
	const uint32_t id = pci_read(slot, 0, 4);

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (id != (0x10401af4U + ((uint32_t)kinds[i].id << 16)))
			continue;
		d->kind = &kinds[i];
		if (!virtio_find_at(&d->v, slot, kinds[i].id))
			return false;
		d->nr_queues = mmio_read16(d->v.common + COMMON_NR_QUEUES);
		return d->nr_queues <= HONEST_QUEUES_MAX;
	}
	return false;
}

bool honest_begin(struct honest_dev *d, uint64_t features)
{
	return virtio_negotiate(&d->v, d->kind->features | features);
}

/* How often request @i is made, if its queue is not @except */
static unsigned int times(const struct honest_dev *d, unsigned int i, unsigned int except)
{
	const struct honest_request *r = &d->kind->request[i];

	return r->queue == except ? 0 : r->times;
}

static bool has_request(const struct honest_dev *d, unsigned int q)
{
	for (unsigned int i = 0; i < HONEST_REQUESTS_MAX; i++) {
		if (d->kind->request[i].times && d->kind->request[i].queue == q)
			return true;
	}
	return false;
}

bool honest_queues(struct honest_dev *d, unsigned int except)
{
	bool ok = true;

	for (unsigned int i = 0; i < HONEST_REQUESTS_MAX; i++) {
		if (!times(d, i, except))
			continue;
		d->queue[i] = d->v;
		d->queue[i].queue = d->kind->request[i].queue;
		ok = virtio_set_queue(&d->queue[i], &d->ring[i]) && ok;
	}
	return ok;
}

/* Fills the chain of request @i, the @n-th of its kind, at descriptors @at and @at + 1 */
static void prepare(struct honest_dev *d, unsigned int i, unsigned int n, unsigned int at)
{
	const struct honest_request *r = &d->kind->request[i];
	const bool both = r->out > 0 && r->in > 0;

	memset(out, 0, sizeof(out));
	if (r->fill)
		r->fill(&d->v, n, out);
	if (r->out > 0)
		virtio_set_desc(&d->ring[i].desc[at], out, r->out, both ? VIRTIO_DESC_NEXT : 0,
				(uint16_t)(at + 1));
	if (r->in > 0)
		virtio_set_desc(&d->ring[i].desc[at + both], in, r->in, VIRTIO_DESC_WRITE, 0);
}

static bool ask(struct honest_dev *d, unsigned int i, unsigned int n)
{
	const struct honest_request *r = &d->kind->request[i];
	uint8_t *last = &in[r->in > 0 ? r->in - 1 : 0];
	int64_t len;

	prepare(d, i, n, 0);
	*last = 0xff;
	virtio_kick(&d->queue[i], &d->ring[i], 0);
	len = virtio_wait(&d->queue[i], &d->ring[i], 0);
	/* The last byte says how it went, where there is one. */
	if (d->kind->id == VIRTIO_BLOCK || d->kind->id == VIRTIO_NET)
		return r->in > 0 ? len == r->in && *last == 0 : len == 0;
	return r->in > 0 ? len > 0 : len == 0;
}

void honest_post(struct honest_dev *d, unsigned int i, uint16_t head)
{
	prepare(d, i, 0, 2U * head);
	virtio_kick(&d->queue[i], &d->ring[i], (uint16_t)(2 * head));
}

bool honest_ask(struct honest_dev *d, unsigned int except)
{
	bool ok = true;

	for (unsigned int i = 0; i < HONEST_REQUESTS_MAX; i++) {
		for (unsigned int n = 0; n < times(d, i, except); n++)
			ok = ask(d, i, n) && ok;
	}
	return ok;
}

bool honest_works(struct honest_dev *d)
{
	return honest_begin(d, 0) && honest_queues(d, HONEST_NO_QUEUE) && virtio_go(&d->v) &&
	       honest_ask(d, HONEST_NO_QUEUE) &&
	       !(virtio_status(&d->v) & VIRTIO_STATUS_NEEDS_RESET);
}

static void say(const char *name, const char *what)
{
	guest_puts("# ");
	guest_puts(name);
	guest_puts(what);
}

/* Whether a device works with all its queues */
static bool works_with_all(struct honest_dev *d)
{
	bool ok = honest_begin(d, 0) && honest_queues(d, HONEST_NO_QUEUE);

	for (unsigned int q = 0; q < d->nr_queues; q++) {
		d->v.queue = (uint16_t)q;
		if (!has_request(d, q))
			ok = virtio_set_queue(&d->v, &spare[q]) && ok;
	}
	return ok && virtio_go(&d->v) && honest_ask(d, HONEST_NO_QUEUE) && virtio_reset(&d->v);
}

void honest_first(const char *name)
{
	struct honest_dev d;
	bool ok = true;

	for (unsigned int slot = 1; slot < 32; slot++)
		ok = (!honest_find(&d, slot) || works_with_all(&d)) && ok;
	guest_check(ok, "every device works with all its queues");
	say(name, ": begins\n");
	while (!guest_button())
		continue;
}

void honest_last(const char *name)
{
	struct honest_dev d;
	bool ok = true;

	for (unsigned int slot = 1; slot < 32; slot++)
		ok = (!honest_find(&d, slot) || virtio_reset(&d.v)) && ok;
	guest_check(ok, "every device resets in the end");
	say(name, ": done\n");
	while (!guest_button())
		continue;
	guest_poweroff();
}
