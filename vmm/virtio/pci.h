/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: One PCI bus
 *
 * PCI Local Bus 3.0, chapter 6. Bus 0, functions 00:NN.0, no bridge but the host's. The architecture
 * decides how a guest reaches configuration space, and calls pci_config_access().
 *
 * A function has 256 bytes of configuration space, a mask of the bits that the guest may write, and 32-bit
 * memory BARs. A BAR answers on the bus while the command register's memory bit is set and the BAR lies in
 * the host bridge's window; the guest may move it. If a guest puts two BARs at one address, the first one
 * keeps it.
 */
#ifndef VMRUN_VMM_VIRTIO_PCI_H
#define VMRUN_VMM_VIRTIO_PCI_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "vmm/bus.h"

#define PCI_CONFIG_BYTES 256
#define PCI_SLOTS_MAX	 32 /* with the host bridge in slot 0 */
#define PCI_BARS_MAX	 6

/**
 * struct pci_ops - What happens to a function; any may be NULL
 * @config_read:	Bytes [@off, @off + @len) of fn->config are about to be read
 * @config_written:	They were written, through the mask; BARs have moved already
 * @bar_moved:		BAR @bar answers at @addr from now on, or with @mapped false no longer
 *
 * Called with the bus lock held, on a vCPU's thread.
 */
struct pci_ops {
	void (*config_read)(void *dev, unsigned int off, unsigned int len);
	void (*config_written)(void *dev, unsigned int off, unsigned int len);
	void (*bar_moved)(void *dev, unsigned int bar, bool mapped, uint64_t addr);
};

/**
 * struct pci_bar - A 32-bit non-prefetchable memory BAR
 * @bytes:	Power of two, at least 16; 0 = no such BAR, reads as 0
 * @access:	As in struct bus_range
 * @mapped:	Whether it answers on the bus, at @addr
 */
struct pci_bar {
	uint32_t bytes;
	uint32_t addr;
	bool mapped;
	void (*access)(void *dev, bool write, uint64_t off, void *data, unsigned int len);
};

/** struct pci_id - What a function's header says; @class is base class, subclass, interface */
struct pci_id {
	uint16_t vendor, device;
	uint16_t sub_vendor, sub_device;
	uint32_t class;
	uint8_t revision;
};

/**
 * struct pci_function - One function; embedded in its device
 * @config:	Configuration space as the guest reads it, little endian
 * @wmask:	Bits of @config that the guest may write
 * @cap_last:	Offset of the last capability, 0 before the first
 * @cap_end:	First free byte for a capability
 * @slot:	Given by pci_add_function()
 */
struct pci_function {
	uint8_t config[PCI_CONFIG_BYTES];
	uint8_t wmask[PCI_CONFIG_BYTES];
	struct pci_bar bar[PCI_BARS_MAX];
	unsigned int cap_last, cap_end;
	unsigned int slot;
	const struct pci_ops *ops;
	void *dev;
};

/**
 * struct pci - The bus
 * @window_base, @window_bytes: Addresses that the host bridge forwards
 */
struct pci {
	struct bus *bus;
	uint64_t window_base, window_bytes;
	uint64_t window_used;
	struct pci_function *slot[PCI_SLOTS_MAX];
	struct pci_function bridge;
};

/**
 * pci_init() - An empty bus with a host bridge
 * @bus:		Borrowed for the life of @pci
 * @window_base:	Below 4 GiB, as is the window's end; page aligned, as @window_bytes
 *
 * Context: setup
 * Syscalls: none
 */
void pci_init(struct pci *pci, struct bus *bus, uint64_t window_base, uint64_t window_bytes);

/** pci_function_init() - Zero a function and fill in its header; no BARs, no capabilities yet */
void pci_function_init(struct pci_function *fn, const struct pci_id *id, const struct pci_ops *ops,
		       void *dev);

/** pci_add_bar() - Add a BAR to a function; before pci_add_function() */
void pci_add_bar(struct pci_function *fn, unsigned int bar, uint32_t bytes,
		 void (*access)(void *, bool, uint64_t, void *, unsigned int));

/**
 * pci_add_cap() - Append a capability to the list
 * @bytes:	Size with the two bytes of id and link
 *
 * The caller fills config and wmask from two bytes after the offset that this returns. There is room for
 * all capabilities, or an assertion fails.
 * Return: its offset in config, a multiple of 4
 */
unsigned int pci_add_cap(struct pci_function *fn, uint8_t id, unsigned int bytes);

/**
 * pci_add_function() - Put a function into the next free slot and its BARs into the window
 * @fn:		Borrowed for the life of @pci
 *
 * Context: setup
 * Syscalls: none
 * Return: 0, or -ENOSPC if no slot is free or the window is full
 */
MUST_CHECK int pci_add_function(struct pci *pci, struct pci_function *fn, struct err *err);

/** pci_hide_function() - Empty the slot of a function, before the guest runs: its BARs do not answer yet */
void pci_hide_function(struct pci *pci, struct pci_function *fn);

/**
 * pci_config_access() - Carry out a guest's access of configuration space
 * @function:	Guest-supplied: bus in bits 15 to 8, slot in 7 to 3, function in 2 to 0
 * @off:	Guest-supplied. Reads beyond configuration space, or of no function, give ones
 *
 * Context: bus lock
 * Syscalls: those of the function's ops
 */
void pci_config_access(struct pci *pci, bool write, unsigned int function, unsigned int off,
		       void *data, unsigned int len);

/** pci_get() - The little-endian value of @len (1, 2, 4) bytes at @off in configuration space */
uint32_t pci_get(const struct pci_function *fn, unsigned int off, unsigned int len);

/** pci_put() - Set it, ignoring the write mask */
void pci_put(struct pci_function *fn, unsigned int off, unsigned int len, uint32_t value);

#endif
