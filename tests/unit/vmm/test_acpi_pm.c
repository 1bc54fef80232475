/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/acpi_pm.h"

#include <criterion/criterion.h>

static struct acpi_pm pm;
static bool sci_high;
static unsigned int sci_calls, poweroffs;

static void sci(void *arg, bool high)
{
	cr_assert(arg == &pm);
	sci_high = high;
	sci_calls++;
}

static void poweroff(void *arg)
{
	cr_assert(arg == &pm);
	poweroffs++;
}

static void start(void)
{
	acpi_pm_init(&pm, sci, poweroff, &pm);
	sci_high = false;
	sci_calls = poweroffs = 0;
}

TestSuite(acpi_pm, .init = start);

static uint32_t get(uint64_t off, unsigned int len)
{
	uint32_t v = 0;

	acpi_pm_access(&pm, false, off, &v, len);
	return v;
}

static void set(uint64_t off, uint32_t v, unsigned int len)
{
	acpi_pm_access(&pm, true, off, &v, len);
}

Test(acpi_pm, power_button_raises_sci_until_acknowledged)
{
	acpi_pm_press(&pm);
	cr_assert_eq(sci_calls, 0, "not enabled");
	set(2, 0x0100, 2);
	cr_assert(sci_high, "enabling announces what is pending");
	cr_assert_eq(get(0, 2), 0x0100);
	acpi_pm_press(&pm);
	cr_assert_eq(sci_calls, 1, "already high");
	set(0, 0x0001, 2);
	cr_assert(sci_high, "another bit's acknowledgement");
	set(0, 0x0100, 2);
	cr_assert(!sci_high);
	cr_assert_eq(get(0, 4), 0x01000000, "enable stays");
}

Test(acpi_pm, widths_agree)
{
	set(2, 0x20, 1);
	set(3, 0x01, 1);
	cr_assert_eq(get(2, 2), 0x0120);
	cr_assert_eq(get(3, 1), 0x01);
	acpi_pm_press(&pm);
	cr_assert_eq(get(0, 4), 0x01200100);
	set(1, 0x01, 1);
	cr_assert_eq(get(0, 2), 0);
	set(2, 0xffff, 2);
	cr_assert_eq(get(2, 2), 0x0721, "only events that exist can be enabled");
}

Test(acpi_pm, only_s5_powers_off)
{
	static const struct {
		uint16_t value;
		unsigned int poweroffs;
	} cases[] = {
		{5 << 10 | 1 << 13, 1}, {5 << 10, 0},		{1 << 13, 0},
		{3 << 10 | 1 << 13, 0}, {7 << 10 | 1 << 13, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		start();
		set(4, cases[i].value, 2);
		cr_assert_eq(poweroffs, cases[i].poweroffs, "case %zu", i);
		cr_assert_eq(get(4, 2) & (1 << 13 | 1), 1, "SLP_EN reads 0, SCI_EN 1");
	}
	/* Linux writes the type first, then both. */
	start();
	set(4, 5 << 10 | 1, 2);
	cr_assert_eq(poweroffs, 0);
	set(4, 5 << 10 | 1 << 13 | 1, 2);
	cr_assert_eq(poweroffs, 1);
}

Test(acpi_pm, timer_counts_at_its_rate)
{
	cr_assert_eq(acpi_pm_ticks(0), 0);
	cr_assert_eq(acpi_pm_ticks(1000000000), 3579545);
	cr_assert_eq(acpi_pm_ticks(500000000), 1789772);
	/* A week, and the 32 bits have wrapped. */
	cr_assert_eq(acpi_pm_ticks(604800ULL * 1000000000), (uint32_t)(604800ULL * 3579545));
}
