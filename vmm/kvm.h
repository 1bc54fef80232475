/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The KVM VM: memory slots, interrupt routing, doorbells
 *
 * Documentation/virt/kvm/api.rst. Interrupt controllers are KVM's; which, the architecture says. Its
 * interrupt lines are numbered below VM_IRQ_MSI; from there on interrupts are message-signalled, one per
 * MSI-X vector.
 */
#ifndef VMRUN_VMM_KVM_H
#define VMRUN_VMM_KVM_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "vmm/arch.h"

#define VM_IRQ_MSI  ARCH_LINES_MAX
#define VM_MSIS_MAX 512

/**
 * struct vm_msi - One message-signalled interrupt route
 * @used:	Whether it has an address and data to be delivered to
 */
struct vm_msi {
	bool taken, used;
	uint64_t addr;
	uint32_t data;
	uint32_t devid;
};

struct kvm_irq_routing;

/**
 * struct vm - One VM; changes to @msi are made under the bus lock once vCPUs run
 * @routing:	Where the routing table is put together for KVM: owned, allocated by vm_create()
 */
struct vm {
	int kvm_fd; /* borrowed */
	int vm_fd;
	size_t run_bytes; /* size of a vCPU's kvm_run mapping */
	struct vm_msi msi[VM_MSIS_MAX];
	struct kvm_irq_routing *routing;
};

/**
 * vm_create() - Create the VM, and what must be there before its vCPUs
 * @kvm_fd:	Open /dev/kvm, borrowed for the VM's life
 *
 * Refuses another API version than 12 and names a missing capability.
 * Syscalls: ioctl
 */
MUST_CHECK int vm_create(struct vm *vm, int kvm_fd, struct err *err);

/** vm_done() - Close the VM; safe after a failed vm_create(), not on a zeroed struct */
void vm_done(struct vm *vm);

/**
 * vm_add_memory() - Back guest addresses with our memory (KVM_SET_USER_MEMORY_REGION)
 * @slot:	Not in use yet
 * @host:	Page aligned; stays mapped as long as the VM lives
 */
MUST_CHECK int vm_add_memory(struct vm *vm, unsigned int slot, uint64_t gpa, uint64_t bytes,
			     void *host, struct err *err);

/** vm_ioeventfd() - Bind a guest's write of a doorbell to an eventfd, or unbind it */
MUST_CHECK int vm_ioeventfd(struct vm *vm, bool bind, uint64_t addr, int fd);

/** vm_irqfd() - Bind an eventfd to an interrupt, or unbind it. Signals pending in @fd are delivered on bind */
MUST_CHECK int vm_irqfd(struct vm *vm, bool bind, unsigned int irq, int fd);

/** vm_msi_alloc() - An interrupt for one MSI-X vector, without a route; -ENOSPC when all are taken */
MUST_CHECK int vm_msi_alloc(struct vm *vm);

/**
 * vm_msi_route() - Say where an interrupt from vm_msi_alloc() is delivered (KVM_SET_GSI_ROUTING)
 * @devid:	The function's bus, slot and number, as in pci_config_access()
 */
MUST_CHECK int vm_msi_route(struct vm *vm, unsigned int irq, uint64_t addr, uint32_t data,
			    uint32_t devid);

/** vm_irq_line() - Set the level of an interrupt line; @irq as KVM_IRQ_LINE numbers it */
MUST_CHECK int vm_irq_line(struct vm *vm, unsigned int irq, bool high);

#endif
