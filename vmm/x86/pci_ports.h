/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: PCI configuration mechanism #1, and the reset control register
 *
 * PCI Local Bus 3.0, chapter 3.2.2.3. The guest writes an address to port 0xcf8, and accesses configuration
 * space there at ports 0xcfc to 0xcff. Port 0xcf9, inside the ports of the address register, is the reset
 * control register.
 */
#ifndef VMRUN_VMM_X86_PCI_PORTS_H
#define VMRUN_VMM_X86_PCI_PORTS_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "vmm/virtio/pci.h"

/**
 * struct pci_ports - The two registers
 * @reset:	The guest asks for a reset; called with @arg, bus lock held
 */
struct pci_ports {
	struct pci *pci;
	uint32_t address;
	uint8_t reset_control;
	void (*reset)(void *arg);
	void *arg;
};

/** pci_ports_init() - Set the state after reset; @pci is borrowed */
void pci_ports_init(struct pci_ports *p, struct pci *pci, void (*reset)(void *), void *arg);

/** pci_ports_add() - Add the ports to the bus */
MUST_CHECK int pci_ports_add(struct pci_ports *p, struct bus *bus, struct err *err);

#endif
