/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What an architecture gives the VMM
 *
 * One folder implements it, which the Makefile picks: vmm/x86/. No other file of vmm/ names a port, a
 * register or an interrupt line of an architecture. Each part below has a source file of its own, which
 * calls only what stands below that part:
 *
 *   arch.c	facts, interrupt controllers	used by kvm.c, msix.c, serial_port.c
 *   cpu.c	vCPUs				used by vcpu.c
 *   platform.c	register models, kernel, tables	used by machine.c, control.c
 *
 * Some interrupt controllers must exist before the vCPUs (x86), others need the vCPUs first (GIC). So the
 * order is: arch_vm_init(), vCPUs, arch_vcpus_init(), and then all that has an interrupt.
 */
#ifndef VMRUN_VMM_ARCH_H
#define VMRUN_VMM_ARCH_H

#include "devices/core/base.h"
#include "devices/core/ctl.h"
#include "devices/core/err.h"
#include "vmm/bus.h"

struct gmem;
struct kvm_irq_routing_entry;
struct kvm_run;
struct loop;
struct pci;
struct vm;

/* ---- facts ------------------------------------------------------------------------------ */

#define ARCH_RAM_MAX 2

/** struct arch_range - Addresses of the guest */
struct arch_range {
	uint64_t base, bytes;
};

/** struct arch_cap - A capability that KVM must have, KVM_CAP_@name */
struct arch_cap {
	int cap;
	const char *name;
};

/**
 * struct arch - Facts
 * @caps:	@nr_caps capabilities beyond those that kvm.c asks for
 * @pci_window:	Where 32-bit BARs lie, below 4 GiB
 * @msi:	Addresses of interrupt messages; KVM itself would accept any
 * @msi_flags:	Flags of a route for a message: KVM_MSI_VALID_DEVID where KVM needs the device's number
 * @doorbell_bytes: Width of a doorbell write that an ioeventfd takes, 0 = any
 * @serial_space, @serial_base, @serial_irq: Where the serial port is, and its interrupt line
 * @pc:		Name of the program counter
 */
struct arch {
	const struct arch_cap *caps;
	unsigned int nr_caps;
	struct arch_range pci_window;
	struct arch_range msi;
	uint32_t msi_flags;
	unsigned int doorbell_bytes;
	enum bus_space serial_space;
	uint64_t serial_base;
	unsigned int serial_irq;
	const char *pc;
};

extern const struct arch arch;

/**
 * arch_ram() - Where guest RAM lies
 * @ret:	ARCH_RAM_MAX ranges, @bytes in all. The RAM file is mapped to them in this order
 *
 * Return: number of ranges filled
 */
unsigned int arch_ram(uint64_t bytes, struct arch_range *ret);

/* ---- interrupt controllers -------------------------------------------------------------- */

#define ARCH_LINES_MAX	32 /* interrupt lines are numbered below this, messages from it on */
#define ARCH_ROUTES_MAX 64

/** arch_vm_type() - The argument of KVM_CREATE_VM.  Syscalls: ioctl */
unsigned long arch_vm_type(int kvm_fd);

/**
 * arch_vm_init() - Prepare a VM that has no vCPUs yet
 *
 * Context: setup
 * Syscalls: ioctl
 */
MUST_CHECK int arch_vm_init(int vm_fd, struct err *err);

/**
 * arch_routes() - Where KVM delivers the interrupt lines
 * @ret:	ARCH_ROUTES_MAX entries
 *
 * Return: number of entries filled
 */
unsigned int arch_routes(struct kvm_irq_routing_entry *ret);

/* ---- vCPUs ------------------------------------------------------------------------------ */

/** struct arch_vcpus - All vCPUs of a VM: @fd[i] is vCPU i */
struct arch_vcpus {
	int kvm_fd, vm_fd;
	unsigned int nr;
	const int *fd;
};

/**
 * struct arch_exit - What the guest did
 * @nr:		Number of accesses to @addr, @len bytes each, the first at @data
 * @cause, @text: Why the VM ends; END_NONE = it does not
 */
struct arch_exit {
	unsigned int nr;
	enum bus_space space;
	bool write;
	uint64_t addr;
	uint8_t *data;
	unsigned int len;
	enum end_cause cause;
	const char *text;
};

/**
 * arch_vcpus_init() - Give the vCPUs their state after reset
 *
 * Also creates interrupt controllers that need the vCPUs.
 * Context: setup
 * Syscalls: ioctl
 */
MUST_CHECK int arch_vcpus_init(const struct arch_vcpus *v, struct err *err);

/**
 * arch_exit() - Decode an exit that only this architecture has
 * @run:	vcpu.c does not know @run->exit_reason
 * @ret:	Zeroed
 *
 * Return: whether it is known here
 */
bool arch_exit(struct kvm_run *run, struct arch_exit *ret);

/** arch_vcpu_pc() - The program counter of a vCPU, for messages; 0 if unknown.  Syscalls: ioctl */
uint64_t arch_vcpu_pc(int vcpu_fd);

/**
 * arch_vcpu_resume() - The vCPU was out of the guest for long: its watchdogs must not take that for a lock-up
 *
 * Context: the vCPU's thread is not in KVM_RUN
 * Syscalls: ioctl
 */
void arch_vcpu_resume(int vcpu_fd);

/* ---- platform --------------------------------------------------------------------------- */

/* Register models that have no process of their own, and the kernel */
struct arch_platform;

/**
 * struct arch_platform_args - What a platform is made of; all borrowed for its life
 * @end:	The guest has ended; called with @arg, on any thread, bus lock held
 */
struct arch_platform_args {
	uint64_t mem_bytes;
	unsigned int nr_vcpus;
	const struct gmem *mem;
	struct vm *vm;
	struct bus *bus;
	struct pci *pci;
	struct loop *loop;
	void (*end)(void *arg, enum end_cause cause, const char *text);
	void *arg;
};

/**
 * struct arch_guest - What to load
 * @initrd_fd:	-1 = none
 * @serial:	Whether there is a serial port
 * @vcpu_fd:	The first vCPU, which starts the kernel
 */
struct arch_guest {
	int kernel_fd, initrd_fd;
	const char *cmdline;
	bool serial;
	int vcpu_fd;
};

/**
 * arch_platform_init() - Create the register models, and the guest's way to PCI configuration space
 * @ret:	Allocated, and never freed: it ends with the process
 *
 * Context: setup
 * Syscalls: timerfd_create epoll_ctl
 */
MUST_CHECK int arch_platform_init(struct arch_platform **ret, const struct arch_platform_args *args,
				  struct err *err);

/**
 * arch_load() - Load kernel and initrd, describe the machine to the kernel, set the first vCPU to its entry
 *
 * Context: locked
 * Syscalls: fstat pread64 ioctl
 */
MUST_CHECK int arch_load(struct arch_platform *p, const struct arch_guest *g, struct err *err);

/**
 * arch_cmdline() - Replace the command line by a longer one, before the kernel runs
 * @cmdline:	As in struct arch_guest
 * @more:	Parameters for the kernel, or ""
 *
 * Context: locked
 * Syscalls: none
 * Return: 0, or -EINVAL with "kernel: ..." and the old command line still in place
 */
MUST_CHECK int arch_cmdline(struct arch_platform *p, const char *cmdline, const char *more,
			    struct err *err);

/**
 * arch_generation() - Tell the guest that its random numbers may not be its own any more
 * @id:		Fresh: a generation that no guest has had
 *
 * The first call, before the guest runs, only sets the generation; later ones notify the guest.
 * Context: bus lock
 * Syscalls: ioctl
 */
void arch_generation(struct arch_platform *p, const uint64_t id[2]);

/**
 * arch_pause() - All vCPUs are out of the guest: note the time
 *
 * Context: locked
 * Syscalls: ioctl
 */
void arch_pause(struct arch_platform *p);

/**
 * arch_resume() - They are about to enter it: the guest's clock shows the time that has passed since
 *
 * Context: locked
 * Syscalls: ioctl
 */
void arch_resume(struct arch_platform *p);

/**
 * arch_power_button() - Press the power button: asks the guest to power off
 *
 * Context: bus lock
 * Syscalls: ioctl
 */
void arch_power_button(struct arch_platform *p);

/**
 * arch_ctrl_alt_del() - Press Ctrl-Alt-Del, or its counterpart: asks the guest to reboot
 *
 * Context: bus lock
 * Syscalls: ioctl
 */
void arch_ctrl_alt_del(struct arch_platform *p);

#endif
