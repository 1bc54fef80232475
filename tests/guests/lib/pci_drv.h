/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI as a guest sees it: configuration mechanism #1, bus 0, function 0 of each slot. */
#ifndef VMRUN_TESTS_GUESTS_LIB_PCI_DRV_H
#define VMRUN_TESTS_GUESTS_LIB_PCI_DRV_H

#include "lib/guest.h"

#define PCI_NOBODY  0xffffffffU /* what an empty slot reads as */
#define PCI_COMMAND 0x04
#define PCI_BAR0    0x10
#define PCI_CAPS    0x34

/* @len: 1, 2 or 4; @off is a multiple of it */
uint32_t pci_read(unsigned int slot, unsigned int off, unsigned int len);
void pci_write(unsigned int slot, unsigned int off, unsigned int len, uint32_t v);

/* The slot of the first function with this vendor and device; 0 when there is none */
unsigned int pci_find(uint16_t vendor, uint16_t device);

#endif
