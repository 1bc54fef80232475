/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: MSI-X: table, pending bits, and eventfds bound to interrupts
 *
 * PCI Local Bus 3.0 section 6.8.2. A source is an eventfd that means "interrupt" (a queue's call
 * eventfd, the configuration eventfd); the driver gives each source a vector. While the vector can
 * be delivered, the source is bound to the vector's interrupt by KVM_IRQFD and no process of ours is on
 * the way. While it is masked the source is not bound, signals collect in the eventfd, and that is
 * the pending bit; binding it again delivers them.
 */
#ifndef VMRUN_VMM_VIRTIO_MSIX_H
#define VMRUN_VMM_VIRTIO_MSIX_H

#include "devices/core/boot.h"
#include "devices/core/base.h"
#include "devices/core/err.h"
#include "vmm/kvm.h"
#include "vmm/virtio/pci.h"

#define MSIX_VECTORS_MAX (BOOT_QUEUES_MAX + 1) /* one for configuration */
#define MSIX_NO_VECTOR   0xffff

#define MSIX_TABLE_BYTES (MSIX_VECTORS_MAX * 16)
#define MSIX_PBA_BYTES   8

struct msix_vector {
	uint32_t word[4]; /* address low, high, data, control: as the guest wrote them */
	int irq;
	bool routed; /* the interrupt goes where @word says */
};

struct msix_source {
	int fd; /* borrowed; -1 = none */
	uint16_t vector;
	int bound_irq; /* -1 = not bound */
};

/**
 * struct msix - The MSI-X capability of one function
 * @nr:		Vectors, and sources
 * @cap:	Offset of the capability in configuration space
 * @enabled, @masked: Of the whole function, from message control
 */
struct msix {
	struct vm *vm;
	struct pci_function *fn;
	unsigned int nr;
	unsigned int cap;
	bool enabled, masked;
	struct msix_vector vector[MSIX_VECTORS_MAX];
	struct msix_source source[MSIX_VECTORS_MAX];
};

/** struct msix_where - Where the structures lie: offsets into BAR @bar, multiples of 8 */
struct msix_where {
	unsigned int bar;
	uint32_t table, pba;
};

/**
 * msix_init() - Add the capability and allocate an interrupt for each vector
 * @nr:		1 to MSIX_VECTORS_MAX
 *
 * Context: setup.  Syscalls: none
 */
MUST_CHECK int msix_init(struct msix *m, struct vm *vm, struct pci_function *fn, unsigned int nr,
			 const struct msix_where *where);

/** msix_set_source() - Say which eventfd source @i is; before the guest runs */
void msix_set_source(struct msix *m, unsigned int i, int fd);

/**
 * msix_set_vector() - The driver chose a vector for source @i
 * @vector:	Guest-supplied
 *
 * Context: bus lock.  Syscalls: ioctl
 * Return: @vector, or MSIX_NO_VECTOR when it does not exist or cannot be used
 */
uint16_t msix_set_vector(struct msix *m, unsigned int i, uint16_t vector);

/** msix_config_written() - Message control may have changed.  Syscalls: ioctl */
void msix_config_written(struct msix *m, unsigned int off, unsigned int len);

/** msix_table_access() - 4 or 8 bytes, aligned; others read as ones.  Syscalls: ioctl */
void msix_table_access(struct msix *m, bool write, uint64_t off, void *data, unsigned int len);

/** msix_pba_access() - Likewise, read-only.  Syscalls: poll */
void msix_pba_access(struct msix *m, bool write, uint64_t off, void *data, unsigned int len);

/** msix_reset_sources() - All back to MSIX_NO_VECTOR, signals dropped.  Syscalls: ioctl read */
void msix_reset_sources(struct msix *m);

#endif
