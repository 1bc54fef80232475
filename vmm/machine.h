/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The machine put together, in stages
 *
 * Each stage is one function, called once and in the order of this header by cmd/vmrun-vmm.c. After
 * machine_slots() nothing allocates, opens or makes a thread. A machine is never taken apart: it ends
 * with its process.
 */
#ifndef VMRUN_VMM_MACHINE_H
#define VMRUN_VMM_MACHINE_H

#include "devices/core/boot.h"
#include "devices/core/gmem.h"
#include "devices/core/loop.h"
#include "vmm/arch.h"
#include "vmm/bus.h"
#include "vmm/kvm.h"
#include "vmm/serial_port.h"
#include "vmm/vcpu.h"
#include "vmm/virtio/pci.h"
#include "vmm/virtio/virtio_pci.h"
#include "vmm/virtio/vu_frontend.h"

/** struct machine_virtio - A virtio device: its other process, and what the guest sees of it */
struct machine_virtio {
	struct vu_frontend frontend;
	struct virtio_pci pci;
};

/**
 * struct machine - One VM
 * @control:	Socket to the supervisor, borrowed
 * @control_rc:	Why the loop was stopped, 0 or -errno
 * @end_fd:	Eventfd: the guest has ended, @end_cause and @end_text say how
 * @end_taken:	Set by whoever ends the guest first
 * @started:	CTL_START has come
 * @virtio:	Array of @nr_virtio
 */
struct machine {
	struct boot_vmm boot;
	char more_cmdline[BOOT_CMDLINE_MAX]; /* CTL_CMDLINE's so far */
	int control;
	int control_rc;
	struct loop loop;
	struct gmem mem;
	struct vm vm;
	struct bus bus;
	struct pci pci;
	struct arch_platform *platform;
	bool has_serial;
	struct serial_port serial;
	unsigned int nr_virtio;
	struct machine_virtio *virtio;
	struct vcpus vcpus;
	bool started;
	int end_fd;
	bool end_taken;
	enum end_cause end_cause;
	char end_text[ERR_MSG_BYTES];
};

/** machine_kvm() - Create the VM from BOOT_FD_KVM; m->boot and m->control have been set.  Syscalls: ioctl */
MUST_CHECK int machine_kvm(struct machine *m, struct err *err);

/**
 * machine_memory() - Map guest RAM from BOOT_FD_RAM
 *
 * Syscalls: fstat mmap madvise epoll_create1 eventfd2
 */
MUST_CHECK int machine_memory(struct machine *m, struct err *err);

/** machine_vcpus() - vCPUs with their state, their threads parked.  Syscalls: vcpu.h's, ioctl */
MUST_CHECK int machine_vcpus(struct machine *m, struct err *err);

/**
 * machine_devices() - The architecture's platform, PCI, and the devices behind BOOT_FD_DEVICE
 *
 * Syscalls: those of arch_platform_init(), virtio_pci.h, vu_frontend.h and serial_port.h
 */
MUST_CHECK int machine_devices(struct machine *m, struct err *err);

/**
 * machine_slots() - Tell KVM of guest RAM
 *
 * The first memory slot waits for the grace period that creating the irqchip has begun, some 7 ms:
 * coming last it finds it over.
 * Syscalls: ioctl
 */
MUST_CHECK int machine_slots(struct machine *m, struct err *err);

/**
 * machine_load() - Kernel, initrd and what a kernel finds into RAM; where the first vCPU starts
 *
 * Nobody vouches for the two files: they are read under the filter.
 * Context: locked.  Syscalls: fstat pread64 ioctl
 */
MUST_CHECK int machine_load(struct machine *m, struct err *err);

/**
 * machine_start() - Let the guest run
 * @more:	Appended to the kernel's command line
 *
 * What the supervisor told network devices since machine_devices() is looked at first.
 * Context: locked, main thread.  Syscalls: futex, and those of vu_frontend_reread()
 * Return: 0; -errno, and the guest does not run: what was wrong can be mended and this called again,
 * unless it was a device
 */
MUST_CHECK int machine_start(struct machine *m, const char *more, struct err *err);

/**
 * machine_phase() - When debugging, tell the supervisor that a phase of the start is over, and when
 *
 * Context: any thread.  Syscalls: clock_gettime (vDSO) sendto
 */
void machine_phase(const struct machine *m, const char *phase);

/**
 * machine_end() - The guest has ended; the first call counts
 * @cause:	Not END_NONE
 * @text:	Copied; "" when the cause says all
 *
 * Context: any thread.  Syscalls: write
 */
void machine_end(struct machine *m, enum end_cause cause, const char *text);

#endif
