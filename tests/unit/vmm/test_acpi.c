/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/acpi.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/golden.h"
#include "vmm/x86/layout.h"

#define AREA_BYTES 0x4000

static uint8_t area[AREA_BYTES];

static uint64_t le(const uint8_t *p, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes-- > 0)
		v = v << 8 | p[bytes];
	return v;
}

static uint8_t sum(const uint8_t *p, size_t bytes)
{
	uint8_t s = 0;

	for (size_t i = 0; i < bytes; i++)
		s = (uint8_t)(s + p[i]);
	return s;
}

static void build(unsigned int nr_vcpus, bool serial)
{
	struct acpi_config c = {.nr_vcpus = nr_vcpus, .serial = serial};

	memset(area, 0, sizeof(area));
	cr_assert_eq(acpi_build(&c, area, sizeof(area), X86_ACPI, &(struct err){0}), 0);
}

/* The table a pointer leads to: inside the area, complete, with a right checksum */
static const uint8_t *table(uint64_t gpa, const char *signature, uint8_t revision)
{
	const uint8_t *t;
	uint64_t bytes;

	cr_assert(gpa >= X86_ACPI && gpa - X86_ACPI <= sizeof(area) - 36, "%s", signature);
	t = area + (gpa - X86_ACPI);
	bytes = le(t + 4, 4);
	cr_assert_eq(memcmp(t, signature, 4), 0, "%.4s is not %s", (const char *)t, signature);
	cr_assert(bytes >= 36 && bytes <= sizeof(area) - (gpa - X86_ACPI));
	cr_assert_eq(t[8], revision, "%s", signature);
	cr_assert_eq(sum(t, bytes), 0, "checksum of %s", signature);
	return t;
}

static const uint8_t *root(unsigned int i)
{
	const uint8_t *xsdt = table(le(area + 24, 8), "XSDT", 1);

	cr_assert_eq(le(xsdt + 4, 4), 36 + 2 * 8);
	return area + (le(xsdt + 36 + 8 * i, 8) - X86_ACPI);
}

static const uint8_t *fadt(void)
{
	return table(X86_ACPI + (uint64_t)(root(0) - area), "FACP", 6);
}

static const uint8_t *madt(void)
{
	return table(X86_ACPI + (uint64_t)(root(1) - area), "APIC", 4);
}

Test(acpi, rsdp)
{
	build(1, true);
	cr_assert_eq(memcmp(area, "RSD PTR ", 8), 0);
	cr_assert_eq(area[15], 2);
	cr_assert_eq(le(area + 20, 4), 36);
	cr_assert_eq(sum(area, 20), 0);
	cr_assert_eq(sum(area, 36), 0);
}

Test(acpi, fadt)
{
	static const struct {
		const char *what;
		unsigned int off, bytes;
		uint64_t value;
	} fields[] = {
		{"SCI", 46, 2, 9},
		{"SMI command port: none, ACPI is on", 48, 4, 0},
		{"PM1a event", 56, 4, 0x600},
		{"PM1a control", 64, 4, 0x604},
		{"PM timer", 76, 4, 0x608},
		{"PM1 event length", 88, 1, 4},
		{"PM1 control length", 89, 1, 2},
		{"PM timer length", 91, 1, 4},
		{"C2 latency", 96, 2, 101},
		{"century", 108, 1, 0x32},
		{"boot architecture", 109, 2, 7},
		{"flags", 112, 4, 0x565},
		{"reset register: a port, 8 bits", 116, 4, 0x01000801},
		{"reset register", 120, 8, 0xcf9},
		{"reset value", 128, 1, 6},
		{"X_PM1a event: 32 bits", 148, 4, 0x03002001},
		{"X_PM1a event", 152, 8, 0x600},
		{"X_PM1a control: 16 bits", 172, 4, 0x02001001},
		{"X_PM1a control", 176, 8, 0x604},
		{"X_PM timer", 212, 8, 0x608},
	};
	const uint8_t *f;

	build(1, true);
	f = fadt();
	cr_assert_eq(le(f + 4, 4), 276);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		cr_assert_eq(le(f + fields[i].off, fields[i].bytes), fields[i].value, "%s: 0x%lx",
			     fields[i].what, le(f + fields[i].off, fields[i].bytes));
	cr_assert_eq(le(f + 40, 4), le(f + 140, 8), "DSDT twice");
}

Test(acpi, facs_and_dsdt)
{
	const uint8_t *facs, *f;
	uint64_t gpa;

	build(1, true);
	f = fadt();
	gpa = le(f + 36, 4);
	cr_assert_eq(gpa % 64, 0, "alignment of FACS");
	facs = area + (gpa - X86_ACPI);
	cr_assert_eq(memcmp(facs, "FACS", 4), 0);
	cr_assert_eq(le(facs + 4, 4), 64);
	table(le(f + 140, 8), "DSDT", 2);
}

Test(acpi, madt_lists_every_vcpu)
{
	static const unsigned int counts[] = {1, 4, 32};

	for (size_t c = 0; c < ARRAY_SIZE(counts); c++) {
		unsigned int seen[5] = {0};
		const uint8_t *t, *p;

		build(counts[c], true);
		t = madt();
		cr_assert_eq(le(t + 36, 4), 0xfee00000);
		cr_assert_eq(le(t + 40, 4), 1);
		for (p = t + 44; p < t + le(t + 4, 4); p += p[1]) {
			cr_assert(p[0] < ARRAY_SIZE(seen) && p[1] >= 6);
			if (p[0] == 0)
				cr_assert(p[3] == seen[0] && le(p + 4, 4) == 1);
			if (p[0] == 1)
				cr_assert(le(p + 4, 4) == 0xfec00000 && le(p + 8, 4) == 0);
			if (p[0] == 2 && p[3] == 0)
				cr_assert(le(p + 4, 4) == 2 && le(p + 8, 2) == 0);
			if (p[0] == 2 && p[3] == 9)
				cr_assert(le(p + 4, 4) == 9 && le(p + 8, 2) == 0xd);
			if (p[0] == 4)
				cr_assert(p[2] == 0xff && p[5] == 1);
			seen[p[0]]++;
		}
		cr_assert(p == t + le(t + 4, 4));
		cr_assert(seen[0] == counts[c] && seen[1] == 1 && seen[2] == 2 && seen[4] == 1);
	}
}

/* tests/golden/dsdt.hex: 16 bytes a line; `iasl -d` reads the bytes */
Test(acpi, dsdt_is_the_golden_one)
{
	cleanup_free char *is = NULL, *wanted = NULL;
	size_t len, bytes;
	const uint8_t *t;
	FILE *out = open_memstream(&is, &len);

	build(4, true);
	t = table(le(fadt() + 140, 8), "DSDT", 2);
	bytes = le(t + 4, 4);
	cr_assert(out);
	for (size_t i = 0; i < bytes; i++)
		fprintf(out, "%02x%c", t[i], i % 16 == 15 || i + 1 == bytes ? '\n' : ' ');
	fclose(out);
	wanted = golden_text("dsdt.hex", is);
	cr_assert_str_eq(is, wanted);
}

Test(acpi, serial_port_only_where_there_is_one)
{
	const uint8_t *t;

	build(1, true);
	t = table(le(fadt() + 140, 8), "DSDT", 2);
	cr_assert(memmem(t, le(t + 4, 4), "COM1", 4));
	build(1, false);
	t = table(le(fadt() + 140, 8), "DSDT", 2);
	cr_assert_not(memmem(t, le(t + 4, 4), "COM1", 4));
}

Test(acpi, too_small_an_area_is_refused)
{
	struct acpi_config c = {.nr_vcpus = 32, .serial = true};
	size_t bytes = 0;

	memset(area, 0, sizeof(area));
	while (acpi_build(&c, area, bytes, X86_ACPI, &(struct err){0}) < 0) {
		for (size_t i = bytes; i < sizeof(area); i++)
			cr_assert_eq(area[i], 0, "room for %zu, byte %zu was written", bytes, i);
		memset(area, 0, sizeof(area));
		bytes += 32;
		cr_assert_lt(bytes, sizeof(area));
	}
	cr_assert_gt(bytes, 1000);
}
