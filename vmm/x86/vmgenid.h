/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The generation of a VM
 *
 * "Virtual Machine Generation ID" (Microsoft, 2012): 16 bytes in guest memory, which an ACPI device gives the
 * address of. When they change, a generic event device (ACPI 6.5 section 5.6.9) notifies the guest, and its
 * kernel seeds its random numbers anew: another guest, or this one at another time, may have had the same.
 */
#ifndef VMRUN_VMM_X86_VMGENID_H
#define VMRUN_VMM_X86_VMGENID_H

#include "devices/core/gmem.h"

#define VMGENID_BYTES 16

/**
 * struct vmgenid - @set: the guest has had a generation
 */
struct vmgenid {
	const struct gmem *mem;
	void (*irq)(void *arg, bool high);
	void *arg;
	bool set;
};

/** vmgenid_init() - A VM without a generation; @irq raises and lowers the line of the event device */
void vmgenid_init(struct vmgenid *v, const struct gmem *mem, void (*irq)(void *arg, bool high),
		  void *arg);

/** vmgenid_set() - Write the generation, and notify the guest of all but the first.  Syscalls: @irq's */
void vmgenid_set(struct vmgenid *v, const uint64_t id[2]);

#endif
