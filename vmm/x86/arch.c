/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: vmm/arch.h for x86: facts and interrupt controllers
 *
 * KVM emulates PICs, IOAPIC and LAPICs. There is no PIT: guests have kvm-clock and the LAPIC's TSC deadline
 * timer, and removing a PIT costs KVM two grace periods (16 ms).
 */
#include "vmm/arch.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "vmm/x86/layout.h"

#define ARCH_IOAPIC_PINS   24
#define ARCH_PIC_PINS	   16
#define ARCH_PIC_CHIP_PINS 8

_Static_assert(ARCH_IOAPIC_PINS <= ARCH_LINES_MAX, "interrupt lines");
_Static_assert(ARCH_PIC_PINS + ARCH_IOAPIC_PINS <= ARCH_ROUTES_MAX, "routes");

static const struct arch_cap arch_caps[] = {
	{KVM_CAP_SET_TSS_ADDR, "SET_TSS_ADDR"},
	{KVM_CAP_EXT_CPUID, "EXT_CPUID"},
	{KVM_CAP_TSC_DEADLINE_TIMER, "TSC_DEADLINE_TIMER"},
	{KVM_CAP_IOEVENTFD_NO_LENGTH, "IOEVENTFD_NO_LENGTH"},
};

const struct arch arch = {
	.caps = arch_caps,
	.nr_caps = ARRAY_SIZE(arch_caps),
	.pci_window = {X86_PCI_MMIO, X86_PCI_MMIO_BYTES},
	.msi = {X86_MSI, X86_MSI_BYTES},
	.serial_space = BUS_PIO,
	.serial_base = X86_PORT_SERIAL,
	.serial_irq = X86_GSI_SERIAL,
	.pc = "RIP",
};

unsigned int arch_ram(uint64_t bytes, struct arch_range *ret)
{
	uint64_t low = bytes < X86_HOLE ? bytes : X86_HOLE;

	ret[0] = (struct arch_range){0, low};
	ret[1] = (struct arch_range){X86_HIGH, bytes - low};
	return bytes > low ? 2 : 1;
}

unsigned long arch_vm_type(int kvm_fd UNUSED)
{
	return 0;
}

int arch_vm_init(int vm_fd, struct err *err)
{
	uint64_t identity = X86_KVM_IDENTITY;

	if (ioctl(vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0)
		return err_set(err, errno, "KVM_SET_IDENTITY_MAP_ADDR");
	if (ioctl(vm_fd, KVM_SET_TSS_ADDR, X86_KVM_TSS) < 0)
		return err_set(err, errno, "KVM_SET_TSS_ADDR");
	if (ioctl(vm_fd, KVM_CREATE_IRQCHIP, 0) < 0)
		return err_set(err, errno, "KVM_CREATE_IRQCHIP");
	return 0;
}

static struct kvm_irq_routing_entry arch_pin(uint32_t gsi, uint32_t chip, uint32_t pin)
{
	return (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = {.irqchip = chip, .pin = pin},
	};
}

unsigned int arch_routes(struct kvm_irq_routing_entry *ret)
{
	unsigned int nr = 0;

	for (uint32_t gsi = 0; gsi < ARCH_PIC_PINS; gsi++)
		ret[nr++] = arch_pin(gsi,
				     gsi < ARCH_PIC_CHIP_PINS ? KVM_IRQCHIP_PIC_MASTER
							      : KVM_IRQCHIP_PIC_SLAVE,
				     gsi % ARCH_PIC_CHIP_PINS);
	/* As on every PC, IRQ 0 arrives at pin 2 of the IOAPIC (acpi.c says so); pin 0 is unused. */
	for (uint32_t gsi = 0; gsi < ARCH_IOAPIC_PINS; gsi++) {
		if (gsi != 2)
			ret[nr++] = arch_pin(gsi, KVM_IRQCHIP_IOAPIC, gsi == 0 ? 2 : gsi);
	}
	return nr;
}
