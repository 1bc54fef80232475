/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads and writes every configuration register and every register of the BARs with every width, restores
 * it, and expects a machine that works as before.
 */
#include "lib/guest.h"
#include "lib/pci_drv.h"
#include "lib/virtio_drv.h"

#define SLOTS	      32
#define CONFIG_BYTES  256
#define BAR_BYTES     0x4000U
#define BAR_STEP      0x800U /* structures lie at multiples of this */
#define BAR_STEP_USED 0x120U /* and are no longer than this */
#define ENTROPY	      16

static struct virtio_ring ring;
static uint8_t entropy[ENTROPY];
static uint32_t before[SLOTS][CONFIG_BYTES / 4];
static unsigned int found[SLOTS], nr_found;

static void scan(void)
{
	bool others_empty = true;

	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		if (pci_read(slot, 0, 4) == PCI_NOBODY)
			continue;
		found[nr_found++] = slot;
		guest_puts("# slot ");
		guest_put_dec(slot);
		guest_puts(": ");
		guest_put_hex(pci_read(slot, 0, 4));
		guest_puts(" class ");
		guest_put_hex(pci_read(slot, 8, 4) >> 8);
		guest_puts("\n");
		/* Function 1 of it, and bus 1: addressed by the bits beside the slot's */
		outl(0xcf8, 0x80000100U | slot << 11);
		others_empty &= inl(0xcfc) == PCI_NOBODY;
		outl(0xcf8, 0x80010000U | slot << 11);
		others_empty &= inl(0xcfc) == PCI_NOBODY;
	}
	guest_check(nr_found >= 3, "scan: finds bridge, disk and entropy source");
	guest_check(pci_read(0, 10, 2) == 0x0600, "scan: slot 0 is a host bridge");
	guest_check(others_empty, "scan: no other functions, no other bus");
}

static void save(void)
{
	for (unsigned int i = 0; i < nr_found; i++) {
		for (unsigned int off = 0; off < CONFIG_BYTES; off += 4)
			before[i][off / 4] = pci_read(found[i], off, 4);
	}
}

static void poke_config(unsigned int slot)
{
	for (unsigned int len = 1; len <= 4; len *= 2) {
		for (unsigned int off = 0; off < CONFIG_BYTES; off += len) {
			uint32_t was = pci_read(slot, off, len);

			pci_write(slot, off, len, 0xffffffff);
			pci_write(slot, off, len, 0);
			pci_write(slot, off, len, was);
		}
	}
}

static bool config_is_as_before(void)
{
	bool same = true;

	for (unsigned int i = 0; i < nr_found; i++) {
		for (unsigned int off = 0; off < CONFIG_BYTES; off += 4)
			same &= pci_read(found[i], off, 4) == before[i][off / 4];
	}
	return same;
}

static void poke_mmio(uint64_t at, unsigned int len)
{
	switch (len) {
	case 1:
		mmio_read8(at);
		mmio_write8(at, 0xff);
		mmio_write8(at, 0);
		break;
	case 2:
		mmio_read16(at);
		mmio_write16(at, 0xffff);
		mmio_write16(at, 0);
		break;
	case 4:
		mmio_read32(at);
		mmio_write32(at, 0xffffffff);
		mmio_write32(at, 0);
		break;
	default:
		mmio_read64(at);
		mmio_write64(at, ~0ULL);
		mmio_write64(at, 0);
		break;
	}
}

static void poke_bar(unsigned int slot)
{
	uint64_t bar = pci_read(slot, PCI_BAR0, 4) & ~15U;

	if (bar == 0)
		return;
	pci_write(slot, PCI_COMMAND, 2, 6);
	for (uint64_t part = 0; part < BAR_BYTES; part += BAR_STEP) {
		for (unsigned int len = 1; len <= 8; len *= 2) {
			for (uint64_t off = 0; off < BAR_STEP_USED; off += len)
				poke_mmio(bar + part + off, len);
		}
	}
}

/* At its first address, and where the guest moves it */
static bool entropy_works(struct virtio_drv *v)
{
	if (!virtio_start(v, 0, &ring))
		return false;
	memset(entropy, 0, sizeof(entropy));
	virtio_set_desc(&ring.desc[0], entropy, ENTROPY, VIRTIO_DESC_WRITE, 0);
	virtio_kick(v, &ring, 0);
	return virtio_wait(v, &ring, 0) > 0 && virtio_reset(v);
}

static void move_bar(struct virtio_drv *v)
{
	uint32_t was = pci_read(v->slot, PCI_BAR0, 4), size;

	pci_write(v->slot, PCI_BAR0, 4, 0xffffffff);
	size = ~pci_read(v->slot, PCI_BAR0, 4) + 1;
	guest_check(size == BAR_BYTES, "BAR: says its size");
	pci_write(v->slot, PCI_BAR0, 4, was + 0x100000);
	guest_check(mmio_read16(v->common) == 0xffff, "BAR: nothing answers where it was");
	guest_check(virtio_find(v, VIRTIO_RNG) && entropy_works(v), "BAR: works where it is now");
	pci_write(v->slot, PCI_BAR0, 4, was);
	guest_check(virtio_find(v, VIRTIO_RNG) && entropy_works(v), "BAR: works back in its place");
}

void guest_main(void)
{
	struct virtio_drv v;

	scan();
	save();
	for (unsigned int i = 0; i < nr_found; i++)
		poke_config(found[i]);
	guest_check(config_is_as_before(), "config: poked everywhere, as before");
	for (unsigned int i = 0; i < nr_found; i++)
		poke_bar(found[i]);
	guest_check(true, "BARs: poked everywhere, alive");
	guest_check(virtio_find(&v, VIRTIO_RNG) && entropy_works(&v), "a device works after it");
	move_bar(&v);
	guest_puts("# pciscan: done\n");
	guest_reset();
}
