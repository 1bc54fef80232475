/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/arch.h"

#include <criterion/criterion.h>
#include <linux/kvm.h>

#define GIB (1ULL << 30)

Test(arch, ram_goes_around_the_hole)
{
	static const struct {
		uint64_t bytes;
		unsigned int nr;
		struct arch_range ram[ARCH_RAM_MAX];
	} rows[] = {
		{1ULL << 20, 1, {{0, 1ULL << 20}}},
		{3 * GIB, 1, {{0, 3 * GIB}}},
		{3 * GIB + 4096, 2, {{0, 3 * GIB}, {4 * GIB, 4096}}},
		{64 * GIB, 2, {{0, 3 * GIB}, {4 * GIB, 61 * GIB}}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arch_range ram[ARCH_RAM_MAX];

		cr_assert_eq(arch_ram(rows[i].bytes, ram), rows[i].nr, "row %zu", i);
		for (unsigned int n = 0; n < rows[i].nr; n++) {
			cr_expect_eq(ram[n].base, rows[i].ram[n].base, "row %zu", i);
			cr_expect_eq(ram[n].bytes, rows[i].ram[n].bytes, "row %zu", i);
		}
	}
}

Test(arch, the_hole_has_bars_and_interrupt_messages)
{
	struct arch_range ram[ARCH_RAM_MAX];

	cr_assert_eq(arch_ram(8 * GIB, ram), 2);
	cr_expect_geq(arch.pci_window.base, ram[0].base + ram[0].bytes);
	cr_expect_leq(arch.pci_window.base + arch.pci_window.bytes, arch.msi.base);
	cr_expect_leq(arch.msi.base + arch.msi.bytes, ram[1].base);
}

Test(arch, routes_are_those_of_a_pc)
{
	struct kvm_irq_routing_entry e[ARCH_ROUTES_MAX];
	unsigned int nr = arch_routes(e), ioapic = 0, pic = 0;

	cr_assert_leq(nr, ARCH_ROUTES_MAX);
	for (unsigned int i = 0; i < nr; i++) {
		uint32_t chip = e[i].u.irqchip.irqchip, pin = e[i].u.irqchip.pin;

		cr_assert_lt(e[i].gsi, ARCH_LINES_MAX);
		if (chip == KVM_IRQCHIP_IOAPIC) {
			ioapic++;
			cr_expect_eq(pin, e[i].gsi == 0 ? 2 : e[i].gsi);
		} else {
			pic++;
			cr_expect_eq(pin + (chip == KVM_IRQCHIP_PIC_SLAVE ? 8 : 0), e[i].gsi);
		}
	}
	cr_expect_eq(ioapic, 23, "all but pin 0");
	cr_expect_eq(pic, 16);
}

Test(arch, exits)
{
	struct {
		struct kvm_run run;
		uint8_t data[16];
	} page = {.run.exit_reason = KVM_EXIT_IO};
	struct arch_exit e = {0};

	page.run.io.direction = KVM_EXIT_IO_OUT;
	page.run.io.port = 0x3f8;
	page.run.io.size = 2;
	page.run.io.count = 3;
	page.run.io.data_offset = sizeof(page.run);
	cr_assert(arch_exit(&page.run, &e));
	cr_expect_eq(e.nr, 3);
	cr_expect_eq(e.space, BUS_PIO);
	cr_expect(e.write);
	cr_expect_eq(e.addr, 0x3f8);
	cr_expect_eq(e.len, 2);
	cr_expect_eq(e.data, page.data);
	cr_expect_eq(e.cause, END_NONE);

	e = (struct arch_exit){0};
	page.run.exit_reason = KVM_EXIT_SHUTDOWN;
	cr_assert(arch_exit(&page.run, &e));
	cr_expect_eq(e.nr, 0);
	cr_expect_eq(e.cause, END_TRIPLE_FAULT);
	cr_expect_str_eq(e.text, "triple fault");

	page.run.exit_reason = KVM_EXIT_HYPERCALL;
	cr_expect_not(arch_exit(&page.run, &e));
}
