/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Breaks each rule of a ring, one after the other, on the entropy source and on the disk. Each time
 * the device must say DEVICE_NEEDS_RESET, and after a reset it must work.
 */
#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define WRITE	 VIRTIO_DESC_WRITE
#define NEXT	 VIRTIO_DESC_NEXT
#define TABLE	 VIRTIO_DESC_INDIRECT

#define NOT_RAM	 0x90000000ULL /* between RAM and BARs */
#define BUFFER	 64U
#define DISK_IN	 0
#define DISK_ERR 0xff

static struct virtio_ring ring;
static struct virtio_desc table[4];
static uint8_t buffer[512];
static volatile uint8_t status;
static struct {
	uint32_t type, reserved;
	uint64_t sector;
} header;

static void head_past_size(struct virtio_drv *v)
{
	virtio_kick(v, &ring, VIRTIO_RING_SIZE);
}

static void more_available_than_entries(struct virtio_drv *v)
{
	virtio_set_desc(&ring.desc[0], buffer, BUFFER, WRITE, 0);
	ring.avail.idx = VIRTIO_RING_SIZE;
	virtio_kick(v, &ring, 0);
}

static void loop_in_chain(struct virtio_drv *v)
{
	virtio_set_desc(&ring.desc[0], buffer, BUFFER, WRITE | NEXT, 1);
	virtio_set_desc(&ring.desc[1], buffer, BUFFER, WRITE | NEXT, 0);
	virtio_kick(v, &ring, 0);
}

static void next_past_size(struct virtio_drv *v)
{
	virtio_set_desc(&ring.desc[0], buffer, BUFFER, WRITE | NEXT, VIRTIO_RING_SIZE);
	virtio_kick(v, &ring, 0);
}

static void indirect(struct virtio_drv *v)
{
	virtio_set_desc(&table[0], buffer, BUFFER, WRITE, 0);
	virtio_set_desc(&ring.desc[0], table, sizeof(table[0]), TABLE, 0);
	virtio_kick(v, &ring, 0);
}

static void indirect_in_indirect(struct virtio_drv *v)
{
	virtio_set_desc(&table[0], &table[1], sizeof(table[1]), TABLE, 0);
	virtio_set_desc(&table[1], buffer, BUFFER, WRITE, 0);
	virtio_set_desc(&ring.desc[0], table, sizeof(table[0]), TABLE, 0);
	virtio_kick(v, &ring, 0);
}

static void indirect_of_odd_size(struct virtio_drv *v)
{
	virtio_set_desc(&table[0], buffer, BUFFER, WRITE, 0);
	virtio_set_desc(&ring.desc[0], table, sizeof(table[0]) + 8, TABLE, 0);
	virtio_kick(v, &ring, 0);
}

static void indirect_outside_ram(struct virtio_drv *v)
{
	virtio_set_desc(&ring.desc[0], (void *)NOT_RAM, sizeof(table[0]), TABLE, 0);
	virtio_kick(v, &ring, 0);
}

static void writable_before_readable(struct virtio_drv *v)
{
	virtio_set_desc(&ring.desc[0], buffer, BUFFER, WRITE | NEXT, 1);
	virtio_set_desc(&ring.desc[1], buffer, BUFFER, 0, 0);
	virtio_kick(v, &ring, 0);
}

static void outside_ram(struct virtio_drv *v)
{
	virtio_set_desc(&ring.desc[0], (void *)NOT_RAM, BUFFER, WRITE, 0);
	virtio_kick(v, &ring, 0);
}

static void across_the_end_of_ram(struct virtio_drv *v)
{
	virtio_set_desc(&ring.desc[0], buffer, 0xffffffff, WRITE, 0);
	virtio_kick(v, &ring, 0);
}

static void address_that_wraps(struct virtio_drv *v)
{
	virtio_set_desc(&ring.desc[0], (void *)~(uintptr_t)15, BUFFER, WRITE, 0);
	virtio_kick(v, &ring, 0);
}

static void available_far_ahead(struct virtio_drv *v)
{
	virtio_set_desc(&ring.desc[0], buffer, BUFFER, WRITE, 0);
	ring.avail.idx = 0x7fff;
	virtio_kick(v, &ring, 0);
}

static const struct {
	const char *name;
	void (*breaks)(struct virtio_drv *v);
	uint64_t features;
} rules[] = {
	{"head past the ring", head_past_size, 0},
	{"more available than entries", more_available_than_entries, 0},
	{"available index far ahead", available_far_ahead, 0},
	{"loop in a chain", loop_in_chain, 0},
	{"next past the ring", next_past_size, 0},
	{"indirect, not negotiated", indirect, 0},
	{"indirect in indirect", indirect_in_indirect, VIRTIO_F_INDIRECT},
	{"indirect of an odd size", indirect_of_odd_size, VIRTIO_F_INDIRECT},
	{"indirect outside RAM", indirect_outside_ram, VIRTIO_F_INDIRECT},
	{"writable before readable", writable_before_readable, 0},
	{"buffer outside RAM", outside_ram, 0},
	{"buffer across the end of RAM", across_the_end_of_ram, 0},
	{"buffer whose address wraps", address_that_wraps, 0},
};

/* Whether an honest request works: 64 bytes of entropy, or sector 0 */
static bool works(struct virtio_drv *v, uint16_t id)
{
	if (!virtio_start(v, 0, &ring))
		return false;
	if (id == VIRTIO_RNG) {
		virtio_set_desc(&ring.desc[0], buffer, BUFFER, WRITE, 0);
		virtio_kick(v, &ring, 0);
		return virtio_wait(v, &ring, 0) > 0;
	}
	header.type = DISK_IN;
	status = DISK_ERR;
	virtio_set_desc(&ring.desc[0], &header, sizeof(header), NEXT, 1);
	virtio_set_desc(&ring.desc[1], buffer, sizeof(buffer), WRITE | NEXT, 2);
	virtio_set_desc(&ring.desc[2], (const void *)&status, 1, WRITE, 0);
	virtio_kick(v, &ring, 0);
	return virtio_wait(v, &ring, 0) == sizeof(buffer) + 1 && status == 0;
}

static void check(bool ok, const char *device, const char *rule, const char *what)
{
	guest_puts(ok ? "ok - " : "not ok - ");
	guest_puts(device);
	guest_puts(": ");
	guest_puts(rule);
	guest_puts(what);
}

static void break_rules(uint16_t id, const char *name)
{
	struct virtio_drv v;

	if (!virtio_find(&v, id)) {
		check(false, name, "found", "\n");
		return;
	}
	for (unsigned int i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		bool ok = virtio_start(&v, rules[i].features, &ring);

		if (ok)
			rules[i].breaks(&v);
		check(ok && virtio_wait_broken(&v), name, rules[i].name, ": needs reset\n");
		check(works(&v, id), name, rules[i].name, ": works after it\n");
	}
	virtio_reset(&v);
}

void guest_main(void)
{
	break_rules(VIRTIO_RNG, "rng");
	break_rules(VIRTIO_BLOCK, "block");
	guest_puts("# hostile: done\n");
	guest_reset();
}
