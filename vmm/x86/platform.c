/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: vmm/arch.h for x86: the platform of a PC
 *
 * Puts the register models together, wires their interrupts, and loads the kernel.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/arch.h"
#include "vmm/kvm.h"
#include "vmm/x86/acpi.h"
#include "vmm/x86/acpi_pm.h"
#include "vmm/x86/i8042.h"
#include "vmm/x86/kernel_load.h"
#include "vmm/x86/layout.h"
#include "vmm/x86/linux_boot.h"
#include "vmm/x86/pci_ports.h"
#include "vmm/x86/pvpanic.h"
#include "vmm/x86/rtc.h"
#include "vmm/x86/vmgenid.h"

/**
 * struct arch_platform - A PC; arch_load() sets @kernel
 * @clock:	The guest's clock when it was paused; flags 0: KVM did not tell
 */
struct arch_platform {
	struct arch_platform_args args;
	struct i8042 i8042;
	struct rtc rtc;
	struct acpi_pm pm;
	struct pvpanic pvpanic;
	struct pci_ports pci_ports;
	struct vmgenid vmgenid;
	struct kernel kernel;
	struct kvm_clock_data clock;
};

/* ---- ends ------------------------------------------------------------------------------- */

static void platform_end(struct arch_platform *p, enum end_cause cause, const char *text)
{
	p->args.end(p->args.arg, cause, text);
}

static void platform_reset_by_i8042(void *arg)
{
	platform_end(arg, END_RESET, "reset by the keyboard controller");
}

static void platform_reset_by_port(void *arg)
{
	platform_end(arg, END_RESET, "reset by port 0xcf9");
}

static void platform_poweroff(void *arg)
{
	platform_end(arg, END_POWEROFF, "ACPI S5");
}

static void platform_panic(void *arg)
{
	platform_end(arg, END_PANIC, "the guest's kernel panicked");
}

/* ---- interrupt lines -------------------------------------------------------------------- */

static void platform_irq(struct arch_platform *p, unsigned int gsi, bool high)
{
	int rc = vm_irq_line(p->args.vm, gsi, high);

	vr_assert(rc == 0);
}

static void platform_irq_keyboard(void *arg, bool high)
{
	platform_irq(arg, X86_GSI_KEYBOARD, high);
}

static void platform_irq_sci(void *arg, bool high)
{
	platform_irq(arg, X86_GSI_SCI, high);
}

static void platform_irq_generation(void *arg, bool high)
{
	platform_irq(arg, X86_GSI_GENERATION, high);
}

static void platform_irq_rtc(void *arg, bool high)
{
	platform_irq(arg, X86_GSI_RTC, high);
}

/* ---- register models -------------------------------------------------------------------- */

static void platform_init(struct arch_platform *p, const struct arch_platform_args *args)
{
	const struct rtc_args rtc = {
		.mem_bytes = args->mem_bytes,
		.nr_vcpus = args->nr_vcpus,
		.irq = platform_irq_rtc,
		.arg = p,
	};

	p->args = *args;
	pci_ports_init(&p->pci_ports, args->pci, platform_reset_by_port, p);
	i8042_init(&p->i8042, platform_irq_keyboard, platform_reset_by_i8042, p);
	rtc_init(&p->rtc, &rtc);
	acpi_pm_init(&p->pm, platform_irq_sci, platform_poweroff, p);
	vmgenid_init(&p->vmgenid, args->mem, platform_irq_generation, p);
	p->pvpanic = (struct pvpanic){.panicked = platform_panic, .arg = p};
}

static int platform_add(struct arch_platform *p, struct bus *bus, struct err *err)
{
	int rc = pci_ports_add(&p->pci_ports, bus, err);

	if (rc == 0)
		rc = i8042_add(&p->i8042, bus, err);
	if (rc == 0)
		rc = rtc_add(&p->rtc, bus, err);
	if (rc == 0)
		rc = rtc_watch(&p->rtc, p->args.loop, bus, err);
	if (rc == 0)
		rc = acpi_pm_add(&p->pm, bus, err);
	if (rc == 0)
		rc = pvpanic_add(&p->pvpanic, bus, err);
	return rc;
}

int arch_platform_init(struct arch_platform **ret, const struct arch_platform_args *args,
		       struct err *err)
{
	struct arch_platform *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return err_set(err, ENOMEM, "platform");
	platform_init(p, args);
	rc = platform_add(p, args->bus, err);
	/* After a failure the bus may still point to it, so it is not freed: the process ends. */
	if (rc == 0)
		*ret = p;
	return rc;
}

void arch_power_button(struct arch_platform *p)
{
	acpi_pm_press(&p->pm);
}

void arch_ctrl_alt_del(struct arch_platform *p)
{
	i8042_ctrl_alt_del(&p->i8042);
}

/* ---- time and chance --------------------------------------------------------------------- */

void arch_generation(struct arch_platform *p, const uint64_t id[2])
{
	vmgenid_set(&p->vmgenid, id);
}

void arch_pause(struct arch_platform *p)
{
	p->clock = (struct kvm_clock_data){0};
	if (ioctl(p->args.vm->vm_fd, KVM_GET_CLOCK, &p->clock) < 0)
		p->clock.flags = 0;
}

/*
 * KVM's clock goes on while no vCPU runs, but not while the host sleeps. With the real time of both moments
 * KVM makes up for that. A kernel before 5.16 does not say the real time: there the clock is left alone.
 */
void arch_resume(struct arch_platform *p)
{
	struct kvm_clock_data clock = {
		.clock = p->clock.clock,
		.realtime = p->clock.realtime,
		.flags = KVM_CLOCK_REALTIME,
	};

	if (p->clock.flags & KVM_CLOCK_REALTIME)
		(void)!ioctl(p->args.vm->vm_fd, KVM_SET_CLOCK, &clock);
}

/* ---- the kernel ------------------------------------------------------------------------- */

int arch_load(struct arch_platform *p, const struct arch_guest *g, struct err *err)
{
	const struct gmem *mem = p->args.mem;
	const struct acpi_config acpi = {.nr_vcpus = p->args.nr_vcpus, .serial = g->serial};
	struct linux_boot boot = {
		.mem = mem,
		.kernel = &p->kernel,
		.cmdline = g->cmdline,
		.rsdp_gpa = X86_ACPI,
	};
	void *tables = gmem_ptr(mem, X86_ACPI, X86_ACPI_BYTES);
	int rc;

	if (!tables)
		return err_text(err, ENOMEM, "guest RAM: less than 1 MiB");
	rc = kernel_load(g->kernel_fd, mem, &p->kernel, err);
	if (rc == 0 && g->initrd_fd >= 0)
		rc = kernel_load_initrd(g->initrd_fd, mem, &p->kernel, &boot.initrd_gpa,
					&boot.initrd_bytes, err);
	if (rc == 0)
		rc = acpi_build(&acpi, tables, X86_GENERATION - X86_ACPI, X86_ACPI, err);
	if (rc == 0)
		rc = linux_boot_write(&boot, err);
	return rc == 0 ? linux_boot_entry(g->vcpu_fd, &p->kernel, err) : rc;
}

int arch_cmdline(struct arch_platform *p, const char *cmdline, const char *more, struct err *err)
{
	return linux_boot_cmdline(p->args.mem, &p->kernel, cmdline, more, err);
}
