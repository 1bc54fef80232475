/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/pci_drv.h"

#define PCI_PORT_ADDRESS 0xcf8
#define PCI_PORT_DATA	 0xcfc

static uint16_t pci_select(unsigned int slot, unsigned int off)
{
	outl(PCI_PORT_ADDRESS, 0x80000000U | slot << 11 | (off & 0xfc));
	return (uint16_t)(PCI_PORT_DATA + (off & 3));
}

uint32_t pci_read(unsigned int slot, unsigned int off, unsigned int len)
{
	uint16_t port = pci_select(slot, off);

	return len == 4 ? inl(port) : len == 2 ? inw(port) : inb(port);
}

void pci_write(unsigned int slot, unsigned int off, unsigned int len, uint32_t v)
{
	uint16_t port = pci_select(slot, off);

	if (len == 4)
		outl(port, v);
	else if (len == 2)
		outw(port, (uint16_t)v);
	else
		outb(port, (uint8_t)v);
}

unsigned int pci_find(uint16_t vendor, uint16_t device)
{
	for (unsigned int slot = 1; slot < 32; slot++) {
		if (pci_read(slot, 0, 4) == ((uint32_t)device << 16 | vendor))
			return slot;
	}
	return 0;
}
