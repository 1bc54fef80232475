/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A KVM that only remembers, for tests of what binds interrupts and doorbells
 *
 * Included by one file of a test program. Its functions stand in for those of vmm/kvm.c, which then
 * is not linked.
 */
#ifndef VMRUN_TESTS_SUPPORT_FAKE_VM_H
#define VMRUN_TESTS_SUPPORT_FAKE_VM_H

#include <errno.h>

#include "vmm/kvm.h"

#define FAKE_BINDINGS_MAX 64

/* @fail: what the next and every later call answers; @doorbell.addr 0 and @irq.irq 0: free */
static struct fake_vm {
	int fail;
	unsigned int route_calls;
	struct {
		uint64_t addr;
		int fd;
	} doorbell[FAKE_BINDINGS_MAX];
	struct {
		unsigned int irq;
		int fd;
	} irq[FAKE_BINDINGS_MAX];
} fake_vm;

/* The interrupt an eventfd is bound to, 0 = none */
UNUSED static unsigned int fake_irq_of(int fd)
{
	for (unsigned int i = 0; i < FAKE_BINDINGS_MAX; i++) {
		if (fake_vm.irq[i].irq && fake_vm.irq[i].fd == fd)
			return fake_vm.irq[i].irq;
	}
	return 0;
}

/* The guest address an eventfd is bound to, 0 = none */
UNUSED static uint64_t fake_doorbell_of(int fd)
{
	for (unsigned int i = 0; i < FAKE_BINDINGS_MAX; i++) {
		if (fake_vm.doorbell[i].addr && fake_vm.doorbell[i].fd == fd)
			return fake_vm.doorbell[i].addr;
	}
	return 0;
}

int vm_irqfd(struct vm *vm UNUSED, bool bind, unsigned int irq, int fd)
{
	unsigned int want = bind ? 0 : irq;

	if (fake_vm.fail)
		return fake_vm.fail;
	/* As KVM: an eventfd has one binding. */
	if (bind && fake_irq_of(fd))
		return -EBUSY;
	for (unsigned int i = 0; i < FAKE_BINDINGS_MAX; i++) {
		if (fake_vm.irq[i].irq != want || (!bind && fake_vm.irq[i].fd != fd))
			continue;
		fake_vm.irq[i].irq = bind ? irq : 0;
		fake_vm.irq[i].fd = fd;
		return 0;
	}
	return -ENOENT;
}

int vm_ioeventfd(struct vm *vm UNUSED, bool bind, uint64_t addr, int fd)
{
	uint64_t want = bind ? 0 : addr;

	if (fake_vm.fail)
		return fake_vm.fail;
	for (unsigned int i = 0; i < FAKE_BINDINGS_MAX; i++) {
		if (fake_vm.doorbell[i].addr != want || (!bind && fake_vm.doorbell[i].fd != fd))
			continue;
		fake_vm.doorbell[i].addr = bind ? addr : 0;
		fake_vm.doorbell[i].fd = fd;
		return 0;
	}
	return -ENOENT;
}

int vm_msi_alloc(struct vm *vm)
{
	for (int i = 0; i < VM_MSIS_MAX; i++) {
		if (!vm->msi[i].taken) {
			vm->msi[i].taken = true;
			return VM_IRQ_MSI + i;
		}
	}
	return -ENOSPC;
}

int vm_msi_route(struct vm *vm, unsigned int irq, uint64_t addr, uint32_t data, uint32_t devid)
{
	if (fake_vm.fail)
		return fake_vm.fail;
	fake_vm.route_calls++;
	vm->msi[irq - VM_IRQ_MSI] = (struct vm_msi){true, true, addr, data, devid};
	return 0;
}

#endif
