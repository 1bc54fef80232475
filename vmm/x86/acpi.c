/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/acpi.h"

#include <errno.h>
#include <string.h>

#include "vmm/serial_port.h"
#include "vmm/x86/acpi_pm.h"
#include "vmm/x86/aml.h"
#include "vmm/x86/layout.h"
#include "vmm/x86/rtc_regs.h"

#define RSDP_BYTES	    36
#define HEADER_BYTES	    36
#define FADT_BYTES	    276
#define FACS_BYTES	    64
#define TABLE_ALIGN	    64

#define OEM_ID		    "VMRUN "
#define OEM_TABLE_ID	    "VMRUN   "
#define CREATOR_ID	    "VMRN"

#define FADT_WBINVD	    (1U << 0)
#define FADT_PROC_C1	    (1U << 2)
#define FADT_NO_SLP_BUTTON  (1U << 5) /* means "control method or none"; there is none */
#define FADT_NO_FIXED_RTC   (1U << 6)
#define FADT_TIMER_32_BITS  (1U << 8)
#define FADT_RESET_REG	    (1U << 10)
#define FADT_LEGACY_DEVICES (1U << 0) /* IAPC_BOOT_ARCH */
#define FADT_8042	    (1U << 1)
#define FADT_NO_VGA	    (1U << 2)
#define FADT_NO_C2	    101 /* latencies above 100 and 1000 us mean: not supported */
#define FADT_NO_C3	    1001

#define MADT_PCAT_COMPAT    1U /* there are PICs too */
#define MADT_ENABLED	    1U
#define MADT_LEVEL_HIGH	    0xdU
#define MADT_ALL_CPUS	    0xff

/** struct acpi - The area while it is filled; @used is where the next table goes */
struct acpi {
	uint8_t *buf;
	size_t bytes;
	size_t used;
	uint64_t gpa;
	bool full;
};

static void acpi_put(uint8_t *p, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

static uint8_t acpi_checksum(const uint8_t *p, size_t bytes)
{
	uint8_t sum = 0;

	while (bytes > 0)
		sum = (uint8_t)(sum + p[--bytes]);
	return (uint8_t)-sum;
}

/* Reserves room for a table, aligned; NULL if there is none */
static uint8_t *acpi_take(struct acpi *a, size_t bytes, uint64_t *ret_gpa)
{
	size_t at = (a->used + TABLE_ALIGN - 1) & ~(size_t)(TABLE_ALIGN - 1);

	if (at > a->bytes || bytes > a->bytes - at) {
		a->full = true;
		return NULL;
	}
	a->used = at + bytes;
	*ret_gpa = a->gpa + at;
	return a->buf + at;
}

/* Fills in the header of the table @t, whose body is complete */
static void acpi_seal(uint8_t *t, const char *signature, size_t bytes, uint8_t revision)
{
	memcpy(t, signature, 4);
	acpi_put(t + 4, bytes, 4);
	t[8] = revision;
	memcpy(t + 10, OEM_ID, 6);
	memcpy(t + 16, OEM_TABLE_ID, 8);
	acpi_put(t + 24, 1, 4);
	memcpy(t + 28, CREATOR_ID, 4);
	acpi_put(t + 32, 1, 4);
	t[9] = acpi_checksum(t, bytes);
}

/* ---- DSDT ------------------------------------------------------------------------------- */

/** struct isa_device - A device that an OS finds only through ACPI */
struct isa_device {
	const char *name;
	const char *eisa_id; /* or */
	const char *hid;
	unsigned int nr_res;
	struct aml_res res[3];
};

static const struct isa_device isa_devices[] = {
	{"KBD_",
	 "PNP0303",
	 NULL,
	 3,
	 {{AML_IO, X86_PORT_I8042_DATA, 1},
	  {AML_IO, X86_PORT_I8042_COMMAND, 1},
	  {AML_IRQ, X86_GSI_KEYBOARD, 0}}},
	{"RTC_", "PNP0B00", NULL, 2, {{AML_IO, X86_PORT_RTC, 2}, {AML_IRQ, X86_GSI_RTC, 0}}},
	{"PEVT", NULL, "QEMU0001", 1, {{AML_IO, X86_PORT_PVPANIC, 1}}},
};

#define ACPI_STATUS_CHANGED 0x80 /* value of a notification whose meaning is the device's own */

static const struct isa_device isa_serial = {
	"COM1",
	"PNP0501",
	NULL,
	2,
	{{AML_IO, X86_PORT_SERIAL, SERIAL_PORT_BYTES}, {AML_IRQ, X86_GSI_SERIAL, 0}}};

static void acpi_dsdt_isa(struct aml *a, const struct isa_device *d)
{
	size_t mark = aml_device(a, d->name);

	aml_name(a, "_HID");
	if (d->eisa_id)
		aml_eisa_id(a, d->eisa_id);
	else
		aml_string(a, d->hid);
	aml_name(a, "_UID");
	aml_int(a, 1);
	aml_name(a, "_STA");
	aml_int(a, 0xf); /* present, enabled, shown, working */
	aml_crs(a, d->res, d->nr_res);
	aml_close(a, mark);
}

/* The generation of the VM, and the event device that has its interrupt (vmgenid.h) */
static void acpi_dsdt_generation(struct aml *a)
{
	static const struct aml_res irq[] = {{AML_IRQ, X86_GSI_GENERATION, 0}};
	size_t mark = aml_device(a, "VGEN"), inner;

	aml_name(a, "_HID");
	aml_string(a, "VMGENCTR");
	aml_name(a, "_CID");
	aml_string(a, "VM_Gen_Counter");
	aml_name(a, "_DDN");
	aml_string(a, "VM_Gen_Counter");
	aml_name(a, "ADDR");
	inner = aml_package(a, 2);
	aml_int(a, X86_GENERATION & 0xffffffff);
	aml_int(a, X86_GENERATION >> 32);
	aml_close(a, inner);
	aml_close(a, mark);

	mark = aml_device(a, "GED_");
	aml_name(a, "_HID");
	aml_string(a, "ACPI0013");
	aml_name(a, "_UID");
	aml_int(a, 0);
	aml_crs(a, irq, ARRAY_SIZE(irq));
	inner = aml_method(a, "_EVT", 1);
	aml_notify(a, "\\._SB_VGEN", ACPI_STATUS_CHANGED);
	aml_close(a, inner);
	aml_close(a, mark);
}

static void acpi_dsdt_pci(struct aml *a)
{
	static const struct aml_res res[] = {
		{AML_BUS, 0, 1},
		{AML_IO, X86_PORT_PCI_CONFIG, 8},
		{AML_IO_WINDOW, 0, X86_PORT_PCI_CONFIG},
		{AML_IO_WINDOW, 0xd00, 0x10000 - 0xd00},
		{AML_MEM_WINDOW, X86_PCI_MMIO, X86_PCI_MMIO_BYTES},
	};
	size_t mark = aml_device(a, "PCI0");

	aml_name(a, "_HID");
	aml_eisa_id(a, "PNP0A03");
	aml_name(a, "_UID");
	aml_int(a, 0);
	aml_name(a, "_BBN");
	aml_int(a, 0);
	aml_crs(a, res, ARRAY_SIZE(res));
	aml_name(a, "_PRT"); /* no INTx: every device has MSI-X */
	aml_close(a, aml_package(a, 0));
	aml_close(a, mark);
}

static uint64_t acpi_dsdt(struct acpi *acpi, const struct acpi_config *c)
{
	uint64_t gpa = 0;
	uint8_t *t = acpi_take(acpi, HEADER_BYTES, &gpa);
	struct aml a;
	size_t mark;

	if (!t)
		return 0;
	aml_init(&a, t + HEADER_BYTES, acpi->bytes - acpi->used);
	mark = aml_scope(&a, "\\_SB_");
	acpi_dsdt_pci(&a);
	for (size_t i = 0; i < ARRAY_SIZE(isa_devices); i++)
		acpi_dsdt_isa(&a, &isa_devices[i]);
	if (c->serial)
		acpi_dsdt_isa(&a, &isa_serial);
	acpi_dsdt_generation(&a);
	aml_close(&a, mark);
	aml_name(&a, "_S5_");
	mark = aml_package(&a, 2);
	aml_int(&a, ACPI_PM_SLP_TYP_S5);
	aml_int(&a, ACPI_PM_SLP_TYP_S5);
	aml_close(&a, mark);
	acpi->full |= a.full;
	acpi->used += a.bytes;
	acpi_seal(t, "DSDT", HEADER_BYTES + a.bytes, 2);
	return gpa;
}

/* ---- FACS, FADT ------------------------------------------------------------------------- */

static uint64_t acpi_facs(struct acpi *acpi)
{
	uint64_t gpa = 0;
	uint8_t *t = acpi_take(acpi, FACS_BYTES, &gpa);

	if (!t)
		return 0;
	memcpy(t, "FACS", 4);
	acpi_put(t + 4, FACS_BYTES, 4);
	t[32] = 2; /* version; this table has no checksum */
	return gpa;
}

/* Generic address structure of a port (section 5.2.3.2) */
static void acpi_put_port(uint8_t *p, unsigned int bytes, uint64_t port)
{
	p[0] = 1; /* system I/O space */
	p[1] = (uint8_t)(bytes * 8);
	p[3] = bytes >= 4 ? 3 : (uint8_t)bytes; /* access size: 1, 2 or 4 bytes */
	acpi_put(p + 4, port, 8);
}

static uint64_t acpi_fadt(struct acpi *acpi, uint64_t dsdt, uint64_t facs)
{
	static const struct {
		uint8_t off, bytes;
		uint32_t value;
	} fields[] = {
		{46, 2, X86_GSI_SCI},
		{56, 4, X86_PORT_PM + ACPI_PM_EVENT},	/* PM1a_EVT_BLK */
		{64, 4, X86_PORT_PM + ACPI_PM_CONTROL}, /* PM1a_CNT_BLK */
		{76, 4, X86_PORT_PM + ACPI_PM_TIMER},	/* PM_TMR_BLK */
		{88, 1, 4},				/* PM1_EVT_LEN */
		{89, 1, 2},				/* PM1_CNT_LEN */
		{91, 1, 4},				/* PM_TMR_LEN */
		{96, 2, FADT_NO_C2},
		{98, 2, FADT_NO_C3},
		{108, 1, RTC_CENTURY},
		{109, 2, FADT_LEGACY_DEVICES | FADT_8042 | FADT_NO_VGA},
		{112, 4,
		 FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLP_BUTTON | FADT_NO_FIXED_RTC |
			 FADT_TIMER_32_BITS | FADT_RESET_REG},
		{128, 1, X86_RESET_VALUE},
	};
	uint64_t gpa = 0;
	uint8_t *t = acpi_take(acpi, FADT_BYTES, &gpa);

	if (!t)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		acpi_put(t + fields[i].off, fields[i].value, fields[i].bytes);
	acpi_put(t + 36, facs, 4);
	acpi_put(t + 40, dsdt, 4);
	acpi_put(t + 140, dsdt, 8);
	acpi_put_port(t + 116, 1, X86_PORT_RESET);
	acpi_put_port(t + 148, 4, X86_PORT_PM + ACPI_PM_EVENT);
	acpi_put_port(t + 172, 2, X86_PORT_PM + ACPI_PM_CONTROL);
	acpi_put_port(t + 208, 4, X86_PORT_PM + ACPI_PM_TIMER);
	acpi_seal(t, "FACP", FADT_BYTES, 6);
	return gpa;
}

/* ---- MADT ------------------------------------------------------------------------------- */

static uint8_t *acpi_madt_entry(uint8_t *p, uint8_t type, uint8_t bytes)
{
	p[0] = type;
	p[1] = bytes;
	return p + bytes;
}

static uint8_t *acpi_madt_override(uint8_t *p, uint8_t irq, uint32_t gsi, uint16_t flags)
{
	p[3] = irq;
	acpi_put(p + 4, gsi, 4);
	acpi_put(p + 8, flags, 2);
	return acpi_madt_entry(p, 2, 10);
}

static uint64_t acpi_madt(struct acpi *acpi, const struct acpi_config *c)
{
	size_t bytes = HEADER_BYTES + 8 + c->nr_vcpus * 8 + 12 + 2 * 10 + 6;
	uint64_t gpa = 0;
	uint8_t *t = acpi_take(acpi, bytes, &gpa), *p;

	if (!t)
		return 0;
	acpi_put(t + 36, X86_LAPIC, 4);
	acpi_put(t + 40, MADT_PCAT_COMPAT, 4);
	p = t + HEADER_BYTES + 8;
	for (unsigned int i = 0; i < c->nr_vcpus; i++) {
		p[2] = (uint8_t)i; /* processor's uid */
		p[3] = (uint8_t)i; /* APIC id */
		acpi_put(p + 4, MADT_ENABLED, 4);
		p = acpi_madt_entry(p, 0, 8);
	}
	acpi_put(p + 4, X86_IOAPIC, 4);
	p = acpi_madt_entry(p, 1, 12);
	p = acpi_madt_override(p, 0, 2, 0); /* as in arch_routes() */
	p = acpi_madt_override(p, X86_GSI_SCI, X86_GSI_SCI, MADT_LEVEL_HIGH);
	p[2] = MADT_ALL_CPUS;
	p[5] = 1; /* NMIs arrive at LINT1 */
	p = acpi_madt_entry(p, 4, 6);
	vr_assert(p == t + bytes);
	acpi_seal(t, "APIC", bytes, 4);
	return gpa;
}

/* ---- roots ------------------------------------------------------------------------------ */

static uint64_t acpi_xsdt(struct acpi *acpi, const uint64_t *tables, unsigned int nr)
{
	size_t bytes = HEADER_BYTES + nr * 8;
	uint64_t gpa = 0;
	uint8_t *t = acpi_take(acpi, bytes, &gpa);

	if (!t)
		return 0;
	for (unsigned int i = 0; i < nr; i++)
		acpi_put(t + HEADER_BYTES + i * 8, tables[i], 8);
	acpi_seal(t, "XSDT", bytes, 1);
	return gpa;
}

int acpi_build(const struct acpi_config *c, uint8_t *buf, size_t bytes, uint64_t gpa,
	       struct err *err)
{
	struct acpi acpi = {.buf = buf, .bytes = bytes, .gpa = gpa};
	uint64_t rsdp_gpa, tables[2], dsdt, xsdt;
	uint8_t *rsdp = acpi_take(&acpi, RSDP_BYTES, &rsdp_gpa);

	dsdt = acpi_dsdt(&acpi, c);
	tables[0] = acpi_fadt(&acpi, dsdt, acpi_facs(&acpi));
	tables[1] = acpi_madt(&acpi, c);
	xsdt = acpi_xsdt(&acpi, tables, ARRAY_SIZE(tables));
	if (acpi.full)
		return err_set(err, ENOSPC, "ACPI tables");
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, OEM_ID, 6);
	rsdp[15] = 2; /* revision */
	acpi_put(rsdp + 20, RSDP_BYTES, 4);
	acpi_put(rsdp + 24, xsdt, 8);
	rsdp[8] = acpi_checksum(rsdp, 20); /* of the part that ACPI 1.0 defines, then of all */
	rsdp[32] = acpi_checksum(rsdp, RSDP_BYTES);
	return 0;
}
