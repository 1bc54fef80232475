/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/acpi_pm.h"

#include <time.h>

#include "vmm/x86/layout.h"

#define PM1_PWRBTN	0x0100 /* in status and enable */
#define PM1_ENABLE_BITS 0x0721 /* timer, global, power and sleep button, clock */
#define PM1_SCI_EN	0x0001
#define PM1_SLP_TYP(c)	((c) >> 10 & 7)
#define PM1_SLP_EN	0x2000

#define NS_PER_S	1000000000ULL

uint32_t acpi_pm_ticks(uint64_t ns)
{
	/* In two parts: one product would overflow after an hour and a half. */
	return (uint32_t)(ns / NS_PER_S * ACPI_PM_TIMER_HZ +
			  ns % NS_PER_S * ACPI_PM_TIMER_HZ / NS_PER_S);
}

static uint32_t acpi_pm_timer(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return acpi_pm_ticks((uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec);
}

static void acpi_pm_update_sci(struct acpi_pm *pm)
{
	bool high = pm->status & pm->enable;

	if (high == pm->sci_high)
		return;
	pm->sci_high = high;
	pm->sci(pm->arg, high);
}

void acpi_pm_press(struct acpi_pm *pm)
{
	pm->status |= PM1_PWRBTN;
	acpi_pm_update_sci(pm);
}

static uint8_t acpi_pm_read_byte(const struct acpi_pm *pm, uint64_t off, uint32_t timer)
{
	const uint32_t word[] = {(uint32_t)pm->enable << 16 | pm->status, pm->control, timer};

	return (uint8_t)(word[off / 4] >> (off % 4 * 8));
}

static uint16_t acpi_pm_with_byte(uint16_t word, uint64_t byte, uint8_t value)
{
	unsigned int shift = byte ? 8 : 0;

	return (uint16_t)((word & ~(0xffu << shift)) | (unsigned int)value << shift);
}

static void acpi_pm_write_byte(struct acpi_pm *pm, uint64_t off, uint8_t value)
{
	switch (off) {
	case ACPI_PM_EVENT:
	case ACPI_PM_EVENT + 1:
		pm->status &= (uint16_t)~acpi_pm_with_byte(0, off & 1, value);
		break;
	case ACPI_PM_EVENT + 2:
	case ACPI_PM_EVENT + 3:
		pm->enable = acpi_pm_with_byte(pm->enable, off & 1, value) & PM1_ENABLE_BITS;
		break;
	case ACPI_PM_CONTROL:
	case ACPI_PM_CONTROL + 1:
		pm->control = acpi_pm_with_byte(pm->control, off & 1, value) | PM1_SCI_EN;
		break;
	default: break; /* the timer is read-only */
	}
}

void acpi_pm_access(void *dev, bool write, uint64_t off, void *data, unsigned int len)
{
	struct acpi_pm *pm = dev;
	uint8_t *byte = data;
	/* Read once for all bytes, so that they are of one value */
	uint32_t timer = !write && off + len > ACPI_PM_TIMER ? acpi_pm_timer() : 0;

	for (unsigned int i = 0; i < len; i++) {
		if (write)
			acpi_pm_write_byte(pm, off + i, byte[i]);
		else
			byte[i] = acpi_pm_read_byte(pm, off + i, timer);
	}
	if (!write)
		return;
	acpi_pm_update_sci(pm);
	if (pm->control & PM1_SLP_EN) {
		pm->control &= (uint16_t)~PM1_SLP_EN; /* reads as 0 */
		if (PM1_SLP_TYP(pm->control) == ACPI_PM_SLP_TYP_S5)
			pm->poweroff(pm->arg);
	}
}

void acpi_pm_init(struct acpi_pm *pm, void (*sci)(void *, bool), void (*poweroff)(void *),
		  void *arg)
{
	*pm = (struct acpi_pm){
		.sci = sci,
		.poweroff = poweroff,
		.arg = arg,
		.control = PM1_SCI_EN,
	};
}

int acpi_pm_add(struct acpi_pm *pm, struct bus *bus, struct err *err)
{
	return bus_add(bus, BUS_PIO, X86_PORT_PM, ACPI_PM_BYTES, acpi_pm_access, pm, err);
}
