/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/kvm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/arch.h"

#define VM_ROUTES_MAX (ARCH_ROUTES_MAX + VM_MSIS_MAX)

static const struct arch_cap vm_caps[] = {
	{KVM_CAP_IRQCHIP, "IRQCHIP"},
	{KVM_CAP_USER_MEMORY, "USER_MEMORY"},
	{KVM_CAP_MP_STATE, "MP_STATE"},
	{KVM_CAP_IRQ_ROUTING, "IRQ_ROUTING"},
	{KVM_CAP_IRQFD, "IRQFD"},
	{KVM_CAP_IOEVENTFD, "IOEVENTFD"},
	{KVM_CAP_IMMEDIATE_EXIT, "IMMEDIATE_EXIT"},
};

static int vm_check_caps(int kvm_fd, const struct arch_cap *caps, size_t nr, struct err *err)
{
	for (size_t i = 0; i < nr; i++) {
		if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, caps[i].cap) <= 0)
			return err_text(err, EOPNOTSUPP, "kvm: this host's KVM lacks KVM_CAP_%s",
					caps[i].name);
	}
	return 0;
}

static int vm_check(int kvm_fd, struct err *err)
{
	int version = ioctl(kvm_fd, KVM_GET_API_VERSION, 0), rc;

	if (version < 0)
		return err_set(err, errno, "KVM_GET_API_VERSION");
	if (version != KVM_API_VERSION)
		return err_text(err, EOPNOTSUPP, "kvm: API version %d, need %d", version,
				KVM_API_VERSION);
	rc = vm_check_caps(kvm_fd, vm_caps, ARRAY_SIZE(vm_caps), err);
	return rc == 0 ? vm_check_caps(kvm_fd, arch.caps, arch.nr_caps, err) : rc;
}

/* KVM replaces the whole table, so every change builds it anew. */
static int vm_set_routing(struct vm *vm)
{
	struct kvm_irq_routing *r = vm->routing;

	r->nr = arch_routes(r->entries);
	for (uint32_t i = 0; i < VM_MSIS_MAX; i++) {
		if (!vm->msi[i].used)
			continue;
		r->entries[r->nr++] = (struct kvm_irq_routing_entry){
			.gsi = VM_IRQ_MSI + i,
			.type = KVM_IRQ_ROUTING_MSI,
			.flags = arch.msi_flags,
			.u.msi = {.address_lo = (uint32_t)vm->msi[i].addr,
				  .address_hi = (uint32_t)(vm->msi[i].addr >> 32),
				  .data = vm->msi[i].data,
				  .devid = vm->msi[i].devid},
		};
	}
	return ioctl(vm->vm_fd, KVM_SET_GSI_ROUTING, r) < 0 ? -errno : 0;
}

int vm_create(struct vm *vm, int kvm_fd, struct err *err)
{
	int rc;

	*vm = (struct vm){.kvm_fd = kvm_fd, .vm_fd = -1};
	rc = vm_check(kvm_fd, err);
	if (rc < 0)
		return rc;
	rc = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (rc < 0)
		return err_set(err, errno, "KVM_GET_VCPU_MMAP_SIZE");
	vm->run_bytes = (size_t)rc;
	vm->routing = calloc(1, sizeof(*vm->routing) +
					VM_ROUTES_MAX * sizeof(vm->routing->entries[0]));
	if (!vm->routing)
		return err_set(err, ENOMEM, "interrupt routing table");
	vm->vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, arch_vm_type(kvm_fd));
	if (vm->vm_fd < 0)
		return err_set(err, errno, "KVM_CREATE_VM");
	rc = arch_vm_init(vm->vm_fd, err);
	if (rc < 0)
		return rc;
	rc = vm_set_routing(vm);
	return rc < 0 ? err_set(err, -rc, "KVM_SET_GSI_ROUTING") : 0;
}

void vm_done(struct vm *vm)
{
	if (vm->vm_fd >= 0)
		close(vm->vm_fd);
	vm->vm_fd = -1;
	free(TAKE_PTR(vm->routing));
}

int vm_add_memory(struct vm *vm, unsigned int slot, uint64_t gpa, uint64_t bytes, void *host,
		  struct err *err)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = bytes,
		.userspace_addr = (uint64_t)(uintptr_t)host,
	};

	if (ioctl(vm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return err_set(err, errno, "KVM_SET_USER_MEMORY_REGION of %llu bytes at 0x%llx",
			       (unsigned long long)bytes, (unsigned long long)gpa);
	return 0;
}

int vm_ioeventfd(struct vm *vm, bool bind, uint64_t addr, int fd)
{
	struct kvm_ioeventfd io = {
		.addr = addr,
		.len = arch.doorbell_bytes,
		.fd = fd,
		.flags = bind ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN,
	};

	return ioctl(vm->vm_fd, KVM_IOEVENTFD, &io) < 0 ? -errno : 0;
}

int vm_irqfd(struct vm *vm, bool bind, unsigned int irq, int fd)
{
	struct kvm_irqfd irqfd = {
		.fd = (uint32_t)fd,
		.gsi = irq,
		.flags = bind ? 0 : KVM_IRQFD_FLAG_DEASSIGN,
	};

	return ioctl(vm->vm_fd, KVM_IRQFD, &irqfd) < 0 ? -errno : 0;
}

int vm_msi_alloc(struct vm *vm)
{
	for (int i = 0; i < VM_MSIS_MAX; i++) {
		if (!vm->msi[i].taken) {
			vm->msi[i] = (struct vm_msi){.taken = true};
			return VM_IRQ_MSI + i;
		}
	}
	return -ENOSPC;
}

int vm_msi_route(struct vm *vm, unsigned int irq, uint64_t addr, uint32_t data, uint32_t devid)
{
	struct vm_msi *msi, before;
	int rc;

	vr_assert(irq >= VM_IRQ_MSI && irq - VM_IRQ_MSI < VM_MSIS_MAX);
	msi = &vm->msi[irq - VM_IRQ_MSI];
	vr_assert(msi->taken);
	if (msi->used && msi->addr == addr && msi->data == data)
		return 0;
	before = *msi;
	*msi = (struct vm_msi){true, true, addr, data, devid};
	rc = vm_set_routing(vm);
	/* Forget a route that KVM refuses, or it would refuse every later table. */
	if (rc < 0)
		*msi = before;
	return rc;
}

int vm_irq_line(struct vm *vm, unsigned int irq, bool high)
{
	struct kvm_irq_level level = {.irq = irq, .level = high};

	return ioctl(vm->vm_fd, KVM_IRQ_LINE, &level) < 0 ? -errno : 0;
}
