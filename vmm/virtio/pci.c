/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/virtio/pci.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

uint32_t pci_get(const struct pci_function *fn, unsigned int off, unsigned int len)
{
	uint32_t v = 0;

	vr_assert(len <= sizeof(v) && off <= PCI_CONFIG_BYTES - len);
	memcpy(&v, fn->config + off, len);
	return v;
}

void pci_put(struct pci_function *fn, unsigned int off, unsigned int len, uint32_t value)
{
	vr_assert(len <= sizeof(value) && off <= PCI_CONFIG_BYTES - len);
	memcpy(fn->config + off, &value, len);
}

static void pci_put_mask(struct pci_function *fn, unsigned int off, unsigned int len, uint32_t mask)
{
	memcpy(fn->wmask + off, &mask, len);
}

void pci_function_init(struct pci_function *fn, const struct pci_id *id, const struct pci_ops *ops,
		       void *dev)
{
	*fn = (struct pci_function){.cap_end = PCI_STD_HEADER_SIZEOF, .ops = ops, .dev = dev};
	pci_put(fn, PCI_VENDOR_ID, 2, id->vendor);
	pci_put(fn, PCI_DEVICE_ID, 2, id->device);
	pci_put(fn, PCI_CLASS_REVISION, 4, id->class << 8 | id->revision);
	pci_put(fn, PCI_SUBSYSTEM_VENDOR_ID, 2, id->sub_vendor);
	pci_put(fn, PCI_SUBSYSTEM_ID, 2, id->sub_device);
	pci_put_mask(fn, PCI_CACHE_LINE_SIZE, 1, 0xff);
	pci_put_mask(fn, PCI_INTERRUPT_LINE, 1, 0xff);
}

void pci_add_bar(struct pci_function *fn, unsigned int bar, uint32_t bytes,
		 void (*access)(void *, bool, uint64_t, void *, unsigned int))
{
	vr_assert(bar < PCI_BARS_MAX && bytes >= 16 && (bytes & (bytes - 1)) == 0);
	fn->bar[bar] = (struct pci_bar){.bytes = bytes, .access = access};
	/* Address bits below the size stay 0, from which a guest finds the size. */
	pci_put_mask(fn, PCI_BASE_ADDRESS_0 + 4 * bar, 4, ~(bytes - 1));
	pci_put_mask(fn, PCI_COMMAND, 2,
		     PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
}

unsigned int pci_add_cap(struct pci_function *fn, uint8_t id, unsigned int bytes)
{
	unsigned int at = fn->cap_end;

	vr_assert(bytes >= 2 && bytes <= PCI_CONFIG_BYTES - at);
	pci_put(fn, at, 1, id);
	pci_put(fn, fn->cap_last ? fn->cap_last + PCI_CAP_LIST_NEXT : PCI_CAPABILITY_LIST, 1, at);
	pci_put(fn, PCI_STATUS, 2, PCI_STATUS_CAP_LIST);
	fn->cap_last = at;
	fn->cap_end = at + ((bytes + 3) & ~3U);
	return at;
}

static bool pci_bar_wanted(const struct pci *pci, const struct pci_function *fn, unsigned int i,
			   uint32_t *ret_addr)
{
	const struct pci_bar *bar = &fn->bar[i];
	uint32_t addr = pci_get(fn, PCI_BASE_ADDRESS_0 + 4 * i, 4);

	*ret_addr = addr;
	return bar->bytes && (pci_get(fn, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY) &&
	       addr >= pci->window_base && addr - pci->window_base < pci->window_bytes &&
	       bar->bytes <= pci->window_bytes - (addr - pci->window_base);
}

static void pci_bar_tell(struct pci_function *fn, unsigned int i)
{
	if (fn->ops->bar_moved)
		fn->ops->bar_moved(fn->dev, i, fn->bar[i].mapped, fn->bar[i].addr);
}

/* Removes a BAR from the bus unless it is in its place. */
static void pci_bar_leave(struct pci *pci, struct pci_function *fn, unsigned int i)
{
	struct pci_bar *bar = &fn->bar[i];
	uint32_t addr;

	if (!bar->mapped || (pci_bar_wanted(pci, fn, i, &addr) && addr == bar->addr))
		return;
	bar->mapped = false;
	pci_bar_tell(fn, i);
	bus_del(pci->bus, BUS_MMIO, bar->addr);
}

static void pci_bar_arrive(struct pci *pci, struct pci_function *fn, unsigned int i)
{
	struct pci_bar *bar = &fn->bar[i];
	struct err other;
	uint32_t addr;

	if (bar->mapped || !pci_bar_wanted(pci, fn, i, &addr))
		return;
	/* Fails if another range is there. That is no error: the guest may still move either. */
	if (bus_add(pci->bus, BUS_MMIO, addr, bar->bytes, bar->access, fn->dev, &other) < 0)
		return;
	bar->addr = addr;
	bar->mapped = true;
	pci_bar_tell(fn, i);
}

/* Looks at all functions: a BAR that leaves may have blocked another. */
static void pci_update_bars(struct pci *pci)
{
	static void (*const step[])(struct pci *, struct pci_function *,
				    unsigned int) = {pci_bar_leave, pci_bar_arrive};

	for (unsigned int s = 0; s < ARRAY_SIZE(step); s++) {
		for (unsigned int n = 0; n < PCI_SLOTS_MAX; n++) {
			for (unsigned int i = 0; pci->slot[n] && i < PCI_BARS_MAX; i++)
				step[s](pci, pci->slot[n], i);
		}
	}
}

static void pci_config_read(struct pci_function *fn, unsigned int off, void *data, unsigned int len)
{
	if (fn->ops->config_read)
		fn->ops->config_read(fn->dev, off, len);
	memcpy(data, fn->config + off, len);
}

static void pci_config_write(struct pci *pci, struct pci_function *fn, unsigned int off,
			     const uint8_t *data, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++) {
		uint8_t mask = fn->wmask[off + i], *byte = &fn->config[off + i];

		*byte = (uint8_t)((*byte & ~mask) | (data[i] & mask));
	}
	if (off < PCI_COMMAND + 2 || (off >= PCI_BASE_ADDRESS_0 && off < PCI_CARDBUS_CIS))
		pci_update_bars(pci);
	if (fn->ops->config_written)
		fn->ops->config_written(fn->dev, off, len);
}

void pci_config_access(struct pci *pci, bool write, unsigned int function, unsigned int off,
		       void *data, unsigned int len)
{
	/* Bits 15 to 8 are the bus, 7 to 3 the slot, 2 to 0 the function in it. */
	struct pci_function *fn = function & ~(31U << 3) ? NULL : pci->slot[function >> 3];

	if (fn && off < PCI_CONFIG_BYTES && len <= PCI_CONFIG_BYTES - off) {
		if (write)
			pci_config_write(pci, fn, off, data, len);
		else
			pci_config_read(fn, off, data, len);
	} else if (!write) {
		memset(data, 0xff, len);
	}
}

void pci_init(struct pci *pci, struct bus *bus, uint64_t window_base, uint64_t window_bytes)
{
	static const struct pci_ops bridge_ops = {0};
	static const struct pci_id bridge_id = {
		.vendor = 0x8086,
		.device = 0x0d57,
		.class = 0x060000,
	};

	vr_assert(window_base <= UINT32_MAX && window_bytes <= (1ULL << 32) - window_base);
	*pci = (struct pci){.bus = bus, .window_base = window_base, .window_bytes = window_bytes};
	pci_function_init(&pci->bridge, &bridge_id, &bridge_ops, pci);
	pci->slot[0] = &pci->bridge;
}

/* Sets the first address of a BAR, as firmware would; the command register still disables it. */
static int pci_place_bar(struct pci *pci, struct pci_function *fn, unsigned int i, struct err *err)
{
	uint64_t bytes = fn->bar[i].bytes;
	uint64_t at = (pci->window_base + pci->window_used + bytes - 1) & ~(bytes - 1);

	if (at - pci->window_base > pci->window_bytes ||
	    bytes > pci->window_bytes - (at - pci->window_base))
		return err_text(err, ENOSPC, "pci: no room for BAR %u of slot %u", i, fn->slot);
	pci_put(fn, PCI_BASE_ADDRESS_0 + 4 * i, 4, (uint32_t)at);
	pci->window_used = at - pci->window_base + bytes;
	return 0;
}

int pci_add_function(struct pci *pci, struct pci_function *fn, struct err *err)
{
	unsigned int slot = 1;

	while (slot < PCI_SLOTS_MAX && pci->slot[slot])
		slot++;
	if (slot == PCI_SLOTS_MAX)
		return err_text(err, ENOSPC, "pci: more than %d devices", PCI_SLOTS_MAX - 1);
	fn->slot = slot;
	for (unsigned int i = 0; i < PCI_BARS_MAX; i++) {
		int rc = fn->bar[i].bytes ? pci_place_bar(pci, fn, i, err) : 0;

		if (rc < 0)
			return rc;
	}
	pci->slot[slot] = fn;
	return 0;
}

void pci_hide_function(struct pci *pci, struct pci_function *fn)
{
	vr_assert(pci->slot[fn->slot] == fn || !pci->slot[fn->slot]);
	pci->slot[fn->slot] = NULL;
}
