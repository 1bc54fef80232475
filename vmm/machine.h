/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The machine put together, in stages
 *
 * cmd/vmrun-vmm.c calls each stage once, in the order of this header. After machine_slots() nothing
 * allocates memory, opens a file or creates a thread. Nothing takes a machine apart: it ends with its
 * process.
 */
#ifndef VMRUN_VMM_MACHINE_H
#define VMRUN_VMM_MACHINE_H

#include "devices/core/boot.h"
#include "devices/core/ctl.h"
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

/**
 * struct machine_virtio - A virtio device: the connection to its process, and the guest's view
 * @connection:	Number of the present one, as the supervisor counts
 */
struct machine_virtio {
	struct vu_frontend frontend;
	struct machine *machine;
	uint64_t connection;
	struct virtio_pci pci;
};

enum machine_pause {
	MACHINE_NOT_PAUSED,
	MACHINE_PAUSING, /* no vCPU runs; a device still has rings */
	MACHINE_PAUSED,
};

/**
 * struct machine - One VM
 * @control:	Socket to the supervisor, borrowed
 * @control_rc:	Why the loop was stopped, 0 or -errno
 * @end_fd:	Eventfd: the guest has ended, @end_cause and @end_text say how
 * @end_taken:	Set by the first machine_end()
 * @started:	The guest runs, or is paused
 * @pause:	Whether it is
 * @device_quiet: Called with the machine when a device has given its rings back for a pause (pause.h)
 * @returns:	A device may come back: guest RAM and the in-flight memory stay open
 * @virtio:	Array of @nr_virtio
 */
struct machine {
	struct boot_vmm boot;
	char more_cmdline[BOOT_CMDLINE_MAX]; /* collected from CTL_CMDLINE */
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
	bool started, returns;
	enum machine_pause pause;
	void (*device_quiet)(void *machine);
	int end_fd;
	bool end_taken;
	enum end_cause end_cause;
	char end_text[ERR_MSG_BYTES];
};

/** machine_kvm() - Create the VM with BOOT_FD_KVM, and its bus; m->boot and m->control are set.  Syscalls: ioctl */
MUST_CHECK int machine_kvm(struct machine *m, struct err *err);

/**
 * machine_memory() - Map guest RAM from BOOT_FD_RAM
 *
 * Syscalls: fstat mmap madvise epoll_create1 eventfd2
 */
MUST_CHECK int machine_memory(struct machine *m, struct err *err);

/** machine_vcpus() - Create the vCPUs with their state, and their threads, parked.  Syscalls: vcpu.h's, ioctl */
MUST_CHECK int machine_vcpus(struct machine *m, struct err *err);

/**
 * machine_devices() - Create the platform, PCI, and the devices of BOOT_FD_DEVICE
 *
 * Syscalls: those of arch_platform_init(), virtio_pci.h, vu_frontend.h and serial_port.h
 */
MUST_CHECK int machine_devices(struct machine *m, struct err *err);

/**
 * machine_slots() - Give KVM the guest's RAM
 *
 * The first memory slot waits for a grace period of some 7 ms that began when the interrupt controllers
 * were created. It comes last because by then the period is over.
 * Syscalls: ioctl
 */
MUST_CHECK int machine_slots(struct machine *m, struct err *err);

/**
 * machine_load() - Load kernel and initrd, and set the first vCPU to the kernel's entry
 *
 * The two files are untrusted, so this runs under the filter.
 * Context: locked
 * Syscalls: fstat pread64 ioctl
 */
MUST_CHECK int machine_load(struct machine *m, struct err *err);

/**
 * machine_start() - Let the guest run
 * @more:	Appended to the kernel's command line
 * @hidden:	A bit for each of m->boot.device that the guest is not to see; of virtio devices only
 *
 * First reads the configuration of network devices again: the supervisor may have changed it.
 * Context: locked, main thread
 * Syscalls: futex, and those of vu_frontend_reread()
 * Return: 0; -errno if the guest does not run. This may be called again, unless a device failed
 */
MUST_CHECK int machine_start(struct machine *m, const char *more, uint32_t hidden, struct err *err);

/**
 * machine_device_returns() - A device that was away is back: go on with its next process
 * @name:	Of a device with BOOT_VMM_RETURNS
 * @sock:	Connected to it; taken
 * @connection:	As the supervisor counts
 *
 * Context: locked, main thread, bus lock not held
 * Syscalls: epoll_ctl write, and those of vu_rejoin()
 * Return: 0, also if it dies again or the VM has to end for its sake; -EPROTO if there is no such device
 */
MUST_CHECK int machine_device_returns(struct machine *m, const char *name, int sock,
				      uint64_t connection);

/**
 * machine_phase() - When debugging, report to the supervisor that a phase of the start is over, with the time
 *
 * Context: any thread
 * Syscalls: clock_gettime (vDSO) sendto
 */
void machine_phase(const struct machine *m, const char *phase);

/**
 * machine_end() - Record how the guest ended, and wake the main thread; only the first call counts
 * @cause:	Not END_NONE
 * @text:	Copied; "" if the cause says enough
 *
 * Context: any thread
 * Syscalls: write
 */
void machine_end(struct machine *m, enum end_cause cause, const char *text);

#endif
