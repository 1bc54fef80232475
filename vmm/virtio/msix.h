/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: MSI-X: table, pending bits, and eventfds bound to interrupts
 *
 * PCI Local Bus 3.0 section 6.8.2. A source is an eventfd that means "interrupt" (a queue's call
 * eventfd, the configuration eventfd); the driver assigns a vector to each source. While the vector can be
 * delivered, KVM_IRQFD binds the source to the vector's interrupt, and no process of ours is involved.
 * While the vector is masked, the source is unbound and signals collect in the eventfd, which makes the
 * pending bit; binding it again delivers them.
 */
#ifndef VMRUN_VMM_VIRTIO_MSIX_H
#define VMRUN_VMM_VIRTIO_MSIX_H

#include "devices/core/base.h"
#include "devices/core/boot.h"
#include "devices/core/err.h"
#include "vmm/kvm.h"
#include "vmm/virtio/backend.h"
#include "vmm/virtio/pci.h"

#define MSIX_VECTORS_MAX (BACKEND_QUEUES_MAX + 1) /* one for configuration */
#define MSIX_NO_VECTOR	 0xffff

#define MSIX_TABLE_BYTES (MSIX_VECTORS_MAX * 16)
#define MSIX_PBA_BYTES	 8

struct msix_vector {
	uint32_t word[4]; /* address low, high, data, control: as the guest wrote them */
	int irq;
	bool routed; /* KVM delivers @irq as @word says */
};

struct msix_source {
	int fd; /* borrowed; -1 = none */
	uint16_t vector;
	int bound_irq; /* -1 = not bound */
};

/**
 * struct msix - The MSI-X capability of one function
 * @nr:		Number of vectors and of sources
 * @cap:	Offset of the capability in configuration space
 * @enabled, @masked: The whole function, by message control
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

/** struct msix_where - Where table and pending bits are: offsets into BAR @bar, multiples of 8 */
struct msix_where {
	unsigned int bar;
	uint32_t table, pba;
};

/**
 * msix_init() - Add the capability and allocate an interrupt for each vector
 * @nr:		1 to MSIX_VECTORS_MAX
 *
 * Context: setup
 * Syscalls: none
 */
MUST_CHECK int msix_init(struct msix *m, struct vm *vm, struct pci_function *fn, unsigned int nr,
			 const struct msix_where *where);

/** msix_set_source() - Set the eventfd of source @i; before the guest runs */
void msix_set_source(struct msix *m, unsigned int i, int fd);

/**
 * msix_set_vector() - The driver chose a vector for source @i
 * @vector:	Guest-supplied
 *
 * Context: bus lock
 * Syscalls: ioctl
 * Return: @vector, or MSIX_NO_VECTOR if it does not exist
 */
uint16_t msix_set_vector(struct msix *m, unsigned int i, uint16_t vector);

/** msix_config_written() - Message control may have changed.  Syscalls: ioctl */
void msix_config_written(struct msix *m, unsigned int off, unsigned int len);

/** msix_table_access() - Access the table: 4 or 8 bytes, aligned; others read as ones.  Syscalls: ioctl */
void msix_table_access(struct msix *m, bool write, uint64_t off, void *data, unsigned int len);

/** msix_pba_access() - Access the pending bits: likewise, read-only.  Syscalls: poll */
void msix_pba_access(struct msix *m, bool write, uint64_t off, void *data, unsigned int len);

/** msix_reset_sources() - Set all vectors to MSIX_NO_VECTOR, drop pending signals.  Syscalls: ioctl read */
void msix_reset_sources(struct msix *m);

#endif
