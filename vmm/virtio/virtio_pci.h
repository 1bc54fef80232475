/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: virtio over PCI, modern only
 *
 * virtio 1.3 section 4.1: the guest's view of one device. The guest's status writes are a strict
 * machine (see virtio_pci.c); queue registers can be written only between FEATURES_OK and
 * DRIVER_OK, and are then copied into a description that does not change until reset.
 */
#ifndef VMRUN_VMM_VIRTIO_VIRTIO_PCI_H
#define VMRUN_VMM_VIRTIO_VIRTIO_PCI_H

#include "devices/core/gmem.h"
#include "devices/core/log.h"
#include "devices/core/loop.h"
#include "vmm/kvm.h"
#include "vmm/virtio/backend.h"
#include "vmm/virtio/msix.h"
#include "vmm/virtio/pci.h"

/* Regions of the one BAR; the notification region has 4 bytes a queue */
#define VIRTIO_PCI_BAR		0
#define VIRTIO_PCI_BAR_BYTES	0x4000
#define VIRTIO_PCI_COMMON_OFF	0x0000
#define VIRTIO_PCI_COMMON_BYTES 0x40
#define VIRTIO_PCI_ISR_OFF	0x0800
#define VIRTIO_PCI_DEVCFG_OFF	0x1000
#define VIRTIO_PCI_NOTIFY_OFF	0x2000
#define VIRTIO_PCI_NOTIFY_MULT	4
#define VIRTIO_PCI_MSIX_OFF	0x3000
#define VIRTIO_PCI_PBA_OFF	0x3800

/** struct virtio_pci_queue - Queue registers, as the driver reads and writes them */
struct virtio_pci_queue {
	uint16_t size;
	uint16_t vector;
	bool enabled;
	uint64_t desc_gpa, avail_gpa, used_gpa;
};

/**
 * struct virtio_pci - One virtio device on the PCI bus
 * @be:			Borrowed
 * @mem:		Borrowed; says which ring addresses are RAM
 * @config_fd:		Eventfd of the configuration interrupt
 * @cfg_cap:		Offset of the VIRTIO_PCI_CAP_PCI_CFG capability
 * @running:		The back-end has been started
 * @resetting:		It is being stopped, and has not let go of its rings yet
 * @dead:		The back-end failed; NEEDS_RESET for good
 * @isr:		Bits of the ISR status register besides those read from the call eventfds
 * @config_changed: Before there was a driver to interrupt
 * @notify_at:		Guest address of the doorbells, 0 = they are not to be bound
 * @bound:		Whether each queue's doorbell is bound by ioeventfd, at @notify_at
 * @hook:		Set by the machine after init
 */
struct virtio_pci {
	struct pci_function fn;
	struct msix msix;
	struct backend *be;
	struct pci *pci;
	struct vm *vm;
	const struct gmem *mem;
	int config_fd;
	unsigned int cfg_cap;
	uint8_t status;
	uint8_t generation;
	uint8_t isr;
	bool running, resetting, dead, config_changed;
	uint32_t device_feature_select, driver_feature_select;
	uint64_t driver_features;
	uint16_t queue_select;
	uint16_t config_vector;
	struct virtio_pci_queue queue[BACKEND_QUEUES_MAX];
	uint64_t notify_at;
	bool bound[BACKEND_QUEUES_MAX];
	struct loop *loop;
	struct log_limit limit;
	struct device_hook hook;
};

/** struct virtio_pci_args - What a device is made of; all borrowed for its life */
struct virtio_pci_args {
	struct backend *be;
	struct pci *pci;
	struct vm *vm;
	const struct gmem *mem;
};

/**
 * virtio_pci_init() - Make the function, its capabilities, BAR and interrupts; add it to the bus
 *
 * Context: setup.  Syscalls: eventfd2
 * Return: 0 or -errno
 */
MUST_CHECK int virtio_pci_init(struct virtio_pci *v, const struct virtio_pci_args *args,
			       struct err *err);

/**
 * virtio_pci_watch() - Watch the error eventfds and the device's process in the VMM's main loop
 *
 * A broken queue sets DEVICE_NEEDS_RESET and raises the configuration interrupt; a dead process
 * does so too and calls v->hook. A changed configuration space has another generation and raises the
 * configuration interrupt. The callbacks take the bus lock.
 * Context: setup, main thread.  Syscalls: epoll_ctl; later read write and the back-end's
 */
MUST_CHECK int virtio_pci_watch(struct virtio_pci *v, struct loop *loop, struct err *err);

/** virtio_pci_done() - Close what init made; the vCPUs and the loop have ended. Safe when zeroed */
void virtio_pci_done(struct virtio_pci *v);

#endif
