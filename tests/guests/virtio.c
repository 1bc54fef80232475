/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds disk and entropy source, and uses them as a polling driver does. */
#include "lib/guest.h"
#include "lib/pci_drv.h"
#include "lib/virtio_drv.h"

#define BLK_IN	      0
#define BLK_OUT	      1
#define BLK_FLUSH     4
#define BLK_GET_ID    8
#define BLK_OK	      0
#define BLK_IOERR     1
#define F_FLUSH	      (1ULL << 9)

#define SECTOR	      8
#define BYTES	      2048U
#define ENTROPY	      32U

#define CAP_MSIX      0x11
#define MSIX_ENABLE   0x8000
#define APIC_SPURIOUS 0xfee000f0
#define APIC_IRR      0xfee00200
#define APIC_MESSAGE  0xfee00000 /* to the first vCPU */
#define VECTOR	      0x51

/* In the common configuration structure */
#define COMMON_QUEUE_SELECT 0x16
#define COMMON_QUEUE_VECTOR 0x1a

static struct virtio_ring ring;
static struct virtio_drv blk, rng;
static uint8_t pattern[BYTES], back[BYTES], entropy[ENTROPY], zeroes[ENTROPY];
static volatile uint8_t status;
static struct {
	uint32_t type, reserved;
	uint64_t sector;
} header;

/* One request, its data in two pieces; returns used.len, and the device's status in @status */
static int64_t blk_request(uint32_t type, uint64_t sector, void *data, uint32_t len)
{
	uint16_t dir = type == BLK_OUT ? 0 : VIRTIO_DESC_WRITE;
	struct virtio_desc *d = ring.desc;
	uint32_t half = len / 2;

	header.type = type;
	header.sector = sector;
	status = 0xff;
	virtio_set_desc(&d[0], &header, sizeof(header), VIRTIO_DESC_NEXT, len ? 1 : 3);
	virtio_set_desc(&d[1], data, half, VIRTIO_DESC_NEXT | dir, 2);
	virtio_set_desc(&d[2], (uint8_t *)data + half, len - half, VIRTIO_DESC_NEXT | dir, 3);
	virtio_set_desc(&d[3], (const void *)&status, 1, VIRTIO_DESC_WRITE, 0);
	virtio_kick(&blk, &ring, 0);
	return virtio_wait(&blk, &ring, 0);
}

static void test_block(void)
{
	uint64_t capacity;

	guest_check(virtio_start(&blk, F_FLUSH, &ring), "block: starts");
	capacity = mmio_read32(blk.config) | (uint64_t)mmio_read32(blk.config + 4) << 32;
	guest_check(capacity >= 16, "block: has a capacity");
	for (unsigned int i = 0; i < BYTES; i += 4)
		*(uint32_t *)(pattern + i) = i * 2654435761U;
	guest_check(blk_request(BLK_OUT, SECTOR, pattern, BYTES) == 1 && status == BLK_OK,
		    "block: writes a pattern");
	guest_check(blk_request(BLK_IN, SECTOR, back, BYTES) == BYTES + 1 && status == BLK_OK,
		    "block: reads, and counts what it wrote to memory");
	guest_check(memcmp(pattern, back, BYTES) == 0, "block: the pattern comes back");
	guest_check(blk_request(BLK_FLUSH, 0, NULL, 0) == 1 && status == BLK_OK, "block: flushes");
	guest_check(blk_request(BLK_GET_ID, 0, back, 20) == 21 && status == BLK_OK,
		    "block: says its id");
	guest_check(blk_request(BLK_IN, capacity, back, 512) >= 1 && status == BLK_IOERR,
		    "block: past the end is an error, no crash");
	guest_check(blk_request(BLK_IN, SECTOR, back, 512) == 513 && status == BLK_OK,
		    "block: goes on after it");
	guest_check(virtio_status(&blk) == 0x0f, "block: is content");
	guest_check(virtio_reset(&blk), "block: resets");
}

static void test_rng(void)
{
	int64_t got;

	guest_check(virtio_start(&rng, 0, &ring), "rng: starts");
	virtio_set_desc(&ring.desc[0], entropy, ENTROPY, VIRTIO_DESC_WRITE, 0);
	virtio_kick(&rng, &ring, 0);
	got = virtio_wait(&rng, &ring, 0);
	guest_check(got > 0 && got <= ENTROPY, "rng: gives entropy");
	guest_check(memcmp(entropy, zeroes, ENTROPY) != 0, "rng: not all zero");
	guest_check(virtio_reset(&rng), "rng: resets");
}

/* Where an MSI-X table is, its vectors switched on; 0: the function has none */
static uint64_t msix_table(unsigned int slot)
{
	unsigned int at = pci_read(slot, PCI_CAPS, 1), bar;

	while (at && pci_read(slot, at, 1) != CAP_MSIX)
		at = pci_read(slot, at + 1, 1);
	if (!at)
		return 0;
	pci_write(slot, at + 2, 2, MSIX_ENABLE);
	bar = pci_read(slot, at + 4, 4);
	return (pci_read(slot, PCI_BAR0 + 4 * (bar & 7), 4) & ~15U) + (bar & ~7U);
}

/* Interrupts are off in this guest: one that came waits in the local APIC. */
static bool interrupt_waits(void)
{
	for (unsigned int i = 0; i < 10000; i++) {
		if (mmio_read32(APIC_IRR + VECTOR / 32 * 16) & 1U << VECTOR % 32)
			return true;
	}
	return false;
}

static void test_interrupt(void)
{
	uint64_t table;

	guest_check(virtio_negotiate(&rng, 0) && virtio_set_queue(&rng, &ring), "msix: starts");
	table = msix_table(rng.slot);
	if (!guest_check(table != 0, "msix: has a table"))
		return;
	mmio_write32(APIC_SPURIOUS, 0x1ff);
	mmio_write32(table, APIC_MESSAGE);
	mmio_write32(table + 4, 0);
	mmio_write32(table + 8, VECTOR);
	mmio_write32(table + 12, 0);
	mmio_write16(rng.common + COMMON_QUEUE_SELECT, 0);
	mmio_write16(rng.common + COMMON_QUEUE_VECTOR, 0);
	guest_check(virtio_go(&rng), "msix: goes");
	virtio_set_desc(&ring.desc[0], entropy, ENTROPY, VIRTIO_DESC_WRITE, 0);
	virtio_kick(&rng, &ring, 0);
	guest_check(virtio_wait(&rng, &ring, 0) > 0 && interrupt_waits(),
		    "msix: a used buffer raises the interrupt");
	guest_check(virtio_reset(&rng), "msix: resets");
}

void guest_main(void)
{
	if (guest_check(virtio_find(&blk, VIRTIO_BLOCK), "block: found"))
		test_block();
	if (guest_check(virtio_find(&rng, VIRTIO_RNG), "rng: found"))
		test_rng();
	test_interrupt();
	guest_puts("# virtio: done\n");
	guest_reset();
}
