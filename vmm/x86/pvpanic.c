/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/pvpanic.h"

#include "vmm/x86/layout.h"

/* The range is one byte, so every access is. */
static void pvpanic_access(void *dev, bool write, uint64_t off UNUSED, void *data,
			   unsigned int len UNUSED)
{
	struct pvpanic *p = dev;
	uint8_t *byte = data;

	if (!write) {
		*byte = PVPANIC_PANICKED | PVPANIC_CRASH_LOADED;
	} else if (*byte & PVPANIC_PANICKED) {
		p->panicked(p->arg);
	}
}

int pvpanic_add(struct pvpanic *p, struct bus *bus, struct err *err)
{
	return bus_add(bus, BUS_PIO, X86_PORT_PVPANIC, 1, pvpanic_access, p, err);
}
