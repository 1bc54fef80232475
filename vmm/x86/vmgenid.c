/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/vmgenid.h"

#include <string.h>

#include "vmm/x86/layout.h"

_Static_assert(X86_GENERATION % 8 == 0, "the specification wants it aligned");
_Static_assert(X86_GENERATION + VMGENID_BYTES <= X86_ACPI + X86_ACPI_BYTES, "inside the ACPI area");

void vmgenid_init(struct vmgenid *v, const struct gmem *mem, void (*irq)(void *arg, bool high),
		  void *arg)
{
	*v = (struct vmgenid){.mem = mem, .irq = irq, .arg = arg};
}

void vmgenid_set(struct vmgenid *v, const uint64_t id[2])
{
	void *at = gmem_ptr(v->mem, X86_GENERATION, VMGENID_BYTES);

	vr_assert(at); /* arch_load() has checked the size of RAM */
	memcpy(at, id, VMGENID_BYTES);
	if (v->set) { /* an edge */
		v->irq(v->arg, true);
		v->irq(v->arg, false);
	}
	v->set = true;
}
