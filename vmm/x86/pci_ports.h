/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: PCI configuration mechanism #1, and the reset control register
 *
 * PCI Local Bus 3.0, chapter 3.2.2.3. The guest writes to port 0xcf8 where it wants to go, and finds the
 * function's configuration space at ports 0xcfc to 0xcff. Port 0xcf9 lies inside the address register's
 * ports, so the reset control register is served here too.
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

/** pci_ports_init() - Registers after reset; @pci is borrowed */
void pci_ports_init(struct pci_ports *p, struct pci *pci, void (*reset)(void *), void *arg);

/** pci_ports_add() - Claim the ports */
MUST_CHECK int pci_ports_add(struct pci_ports *p, struct bus *bus, struct err *err);

#endif
