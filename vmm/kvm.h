/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The KVM VM: memory slots, interrupt routing, doorbells
 *
 * Documentation/virt/kvm/api.rst. KVM emulates the interrupt controllers that the architecture chooses
 * (vmm/arch.h). Interrupts below VM_IRQ_MSI are their lines; from VM_IRQ_MSI on each is the message of one
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
 * @taken:	vm_msi_alloc() gave it away
 * @used:	@addr, @data and @devid are set
 */
struct vm_msi {
	bool taken, used;
	uint64_t addr;
	uint32_t data;
	uint32_t devid;
};

struct kvm_irq_routing;

/**
 * struct vm - One VM; once vCPUs run, @msi changes under the bus lock only
 * @routing:	Buffer for the routing table: owned, allocated by vm_create()
 */
struct vm {
	int kvm_fd; /* borrowed */
	int vm_fd;
	size_t run_bytes; /* size of a vCPU's kvm_run mapping */
	struct vm_msi msi[VM_MSIS_MAX];
	struct kvm_irq_routing *routing;
};

/**
 * vm_create() - Create the VM, and what must exist before its vCPUs
 * @kvm_fd:	Open /dev/kvm, borrowed for the VM's life
 *
 * Fails if the API version is not 12, or a capability is missing, which the message names.
 * Syscalls: ioctl
 */
MUST_CHECK int vm_create(struct vm *vm, int kvm_fd, struct err *err);

/** vm_done() - Close the VM; safe after a failed vm_create(), not on a zeroed struct */
void vm_done(struct vm *vm);

/**
 * vm_add_memory() - Back guest addresses with our memory (KVM_SET_USER_MEMORY_REGION)
 * @slot:	Not in use yet
 * @host:	Page aligned; stays mapped for the life of the VM
 */
MUST_CHECK int vm_add_memory(struct vm *vm, unsigned int slot, uint64_t gpa, uint64_t bytes,
			     void *host, struct err *err);

/** vm_ioeventfd() - Have a guest's write to the doorbell at @addr signal an eventfd, or no longer */
MUST_CHECK int vm_ioeventfd(struct vm *vm, bool bind, uint64_t addr, int fd);

/** vm_irqfd() - Have an eventfd raise an interrupt, or no longer; binding delivers signals that are pending in @fd */
MUST_CHECK int vm_irqfd(struct vm *vm, bool bind, unsigned int irq, int fd);

/** vm_msi_alloc() - Allocate an interrupt for one MSI-X vector, without a route; -ENOSPC if none is left */
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
