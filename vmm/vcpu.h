/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: vCPU threads
 *
 * vcpus_create() creates the vCPUs; vcpus_park() creates their threads, which then wait: they exist before
 * the filter is installed, so it need not allow creating one. vcpus_release() lets them into the guest;
 * vcpus_pause() takes them out and vcpus_resume() lets them in again, any number of times.
 * vcpus_halt(), from any thread and also from a register model, lets no vCPU enter the guest again;
 * vcpus_stop() also interrupts those that are in it. A stopped thread waits for the process to exit.
 */
#ifndef VMRUN_VMM_VCPU_H
#define VMRUN_VMM_VCPU_H

#include <linux/kvm.h>

#include "devices/core/base.h"
#include "devices/core/boot.h"
#include "devices/core/ctl.h"
#include "devices/core/err.h"
#include "vmm/bus.h"
#include "vmm/kvm.h"

struct vcpus;

/**
 * struct vcpu - One vCPU and its thread
 * @run:	KVM's shared page and what follows it, vm->run_bytes
 * @tid:	Thread id, set before it parks
 * @tell_first:	The next exit is the first one, and hooks.first_exit is called
 */
struct vcpu {
	struct vcpus *set;
	unsigned int id;
	int fd;
	int tid;
	bool tell_first;
	struct kvm_run *run;
};

/** struct vcpu_hooks - Called by the vCPU threads; @first_exit may be NULL */
struct vcpu_hooks {
	void (*end)(void *arg, enum end_cause cause, const char *text);
	void (*first_exit)(void *arg);
	void *arg;
};

/**
 * struct vcpus - All vCPUs of a VM
 * @state:	Futex word, enum vcpus_state
 * @waiting:	Futex word: number of threads that stay out of the guest in this state
 * @pid:	Of this process
 * @stacks:	Mapping of the threads' stacks, a guard page below each
 */
struct vcpus {
	unsigned int nr;
	struct vm *vm;
	struct bus *bus;
	struct vcpu_hooks hooks;
	uint32_t state;
	uint32_t waiting;
	int pid;
	uint8_t *stacks;
	struct vcpu vcpu[BOOT_VCPUS_MAX];
};

/** struct vcpus_args - Arguments of vcpus_create(); pointers are borrowed for the life of the set */
struct vcpus_args {
	unsigned int nr; /* 1 to BOOT_VCPUS_MAX */
	struct vm *vm;
	struct bus *bus;
	struct vcpu_hooks hooks;
};

/**
 * vcpus_create() - Create the vCPUs with their state, without threads
 *
 * Context: setup
 * Syscalls: ioctl mmap
 * Return: 0 or -errno; call vcpus_done() in either case
 */
MUST_CHECK int vcpus_create(struct vcpus *s, const struct vcpus_args *args, struct err *err);

/**
 * vcpus_park() - Start one thread per vCPU, and wait until all of them wait
 *
 * Context: setup
 * Syscalls: mmap mprotect clone3 futex rt_sigaction rt_sigprocmask, and those of thread start
 */
MUST_CHECK int vcpus_park(struct vcpus *s, struct err *err);

/**
 * vcpus_release() - Let the vCPUs run
 *
 * Context: main thread
 * Syscalls: futex
 */
void vcpus_release(struct vcpus *s);

/**
 * vcpus_pause() - Take all vCPUs out of the guest, each after the instruction at hand
 *
 * Context: main thread, bus lock not held
 * Syscalls: futex tgkill, and those of vcpus_resume()
 * Return: false if they do not run, or a thread did not leave within a second, which waits for a device: then
 * they go on
 */
MUST_CHECK bool vcpus_pause(struct vcpus *s);

/**
 * vcpus_resume() - Let paused vCPUs into the guest again
 *
 * Context: main thread
 * Syscalls: futex, and those of arch_vcpu_resume()
 */
void vcpus_resume(struct vcpus *s);

/**
 * vcpus_halt() - Let no vCPU enter the guest again
 *
 * Context: any thread
 * Syscalls: none
 */
void vcpus_halt(struct vcpus *s);

/**
 * vcpus_stop() - Halt, and wait until no vCPU is in the guest or in a register model
 *
 * Context: main thread, bus lock not held
 * Syscalls: futex tgkill
 * Return: false if a thread did not stop within a second: it waits for a device
 */
MUST_CHECK bool vcpus_stop(struct vcpus *s);

/** vcpus_done() - Close the vCPUs; no thread may have been started */
void vcpus_done(struct vcpus *s);

#endif
