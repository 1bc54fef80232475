/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/pci_ports.h"

#include <string.h>

#include "vmm/x86/layout.h"

#define PCI_PORTS_RESET 1 /* offset of X86_PORT_RESET, inside the address register */
#define PCI_PORTS_DATA	4
#define PCI_PORTS_BYTES 8
#define ADDRESS_ENABLE	0x80000000U
#define ADDRESS_MASK	0x80fffffcU
#define RESET_CPU	0x04 /* a reset begins when it goes from 0 to 1 */
#define RESET_MASK	0x0e

_Static_assert(X86_PORT_RESET == X86_PORT_PCI_CONFIG + PCI_PORTS_RESET, "reset control register");

static void pci_ports_reset(struct pci_ports *p, bool write, uint8_t *data)
{
	uint8_t before = p->reset_control;

	if (!write) {
		*data = before;
		return;
	}
	p->reset_control = *data & RESET_MASK;
	if (!(before & RESET_CPU) && (*data & RESET_CPU))
		p->reset(p->arg);
}

static void pci_ports_address(struct pci_ports *p, bool write, void *data)
{
	if (!write) {
		memcpy(data, &p->address, sizeof(p->address));
		return;
	}
	memcpy(&p->address, data, sizeof(p->address));
	p->address &= ADDRESS_MASK;
}

static void pci_ports_data(struct pci_ports *p, bool write, unsigned int off, void *data,
			   unsigned int len)
{
	if (p->address & ADDRESS_ENABLE)
		pci_config_access(p->pci, write, p->address >> 8 & 0xffff,
				  (p->address & 0xfc) + off, data, len);
	else if (!write)
		memset(data, 0xff, len);
}

static void pci_ports_access(void *dev, bool write, uint64_t off, void *data, unsigned int len)
{
	struct pci_ports *p = dev;

	if (off >= PCI_PORTS_DATA)
		pci_ports_data(p, write, (unsigned int)off - PCI_PORTS_DATA, data, len);
	else if (off == 0 && len == sizeof(p->address))
		pci_ports_address(p, write, data);
	else if (off == PCI_PORTS_RESET && len == 1)
		pci_ports_reset(p, write, data);
	else if (!write)
		/* Mechanism #1 takes only accesses of the whole address; the others go to ISA, where nothing is. */
		memset(data, 0xff, len);
}

void pci_ports_init(struct pci_ports *p, struct pci *pci, void (*reset)(void *), void *arg)
{
	*p = (struct pci_ports){.pci = pci, .reset = reset, .arg = arg};
}

int pci_ports_add(struct pci_ports *p, struct bus *bus, struct err *err)
{
	return bus_add(bus, BUS_PIO, X86_PORT_PCI_CONFIG, PCI_PORTS_BYTES, pci_ports_access, p,
		       err);
}
