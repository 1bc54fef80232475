/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: State of one virtio device on PCI, and how it signals
 *
 * What the two halves of virtio-pci share: common_cfg.c (the registers by which a driver sets the
 * device up) and virtio_pci.c (the rest) both interrupt the driver, bind doorbells and notice that the device
 * has failed. Everything here runs with the bus lock held.
 */
#ifndef VMRUN_VMM_VIRTIO_VIRTIO_PCI_STATE_H
#define VMRUN_VMM_VIRTIO_VIRTIO_PCI_STATE_H

#include "devices/core/gmem.h"
#include "devices/core/log.h"
#include "devices/core/loop.h"
#include "vmm/device_hook.h"
#include "vmm/kvm.h"
#include "vmm/virtio/backend.h"
#include "vmm/virtio/msix.h"
#include "vmm/virtio/pci.h"

/* MSI-X sources: configuration, then the queues */
#define VIRTIO_PCI_SOURCE_CONFIG   0
#define VIRTIO_PCI_SOURCE_QUEUE(q) (1 + (q))

/* Regions of the BAR; the notification region has 4 bytes per queue */
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

/**
 * enum virtio_pause - Where a device is between running and paused (virtio_pause.h)
 */
enum virtio_pause {
	VIRTIO_NOT_PAUSED,
	VIRTIO_PAUSING, /* it still has rings */
	VIRTIO_PAUSED,
};

/** struct virtio_pci_quiet - Called when the device has given its rings back for a pause; main thread, no lock */
struct virtio_pci_quiet {
	void (*fn)(void *arg);
	void *arg;
};

/** struct virtio_pci_queue - Registers of one queue */
struct virtio_pci_queue {
	uint16_t size;
	uint16_t vector;
	bool enabled;
	uint64_t desc_gpa, avail_gpa, used_gpa;
};

/**
 * struct virtio_pci - One virtio device on the PCI bus
 * @be:			Borrowed
 * @mem:		Borrowed; to check ring addresses
 * @config_fd:		Eventfd of the configuration interrupt
 * @cfg_cap:		Offset of the VIRTIO_PCI_CAP_PCI_CFG capability
 * @running:		The back-end has been started
 * @resetting:		It is being stopped, and still has rings
 * @pause:		Whether its rings are taken back for a pause; the driver does not notice. PAUSED with
 *			@resetting: a reset that went on in a pause
 * @pause_over:		The pause ended before they were: they go back to it
 * @dead:		The back-end failed; NEEDS_RESET for good
 * @isr:		Bits of the ISR status register; those of call eventfds come on top
 * @config_changed:	The configuration changed before there was a driver to interrupt
 * @notify_at:		Guest address of the doorbells while they shall be bound, else 0
 * @bound:		Whether ioeventfd has bound each queue's doorbell, at @notify_at
 * @hook:		Set by the machine after init
 * @away:		Likewise: the device's process is gone, and may come back
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
	enum virtio_pause pause;
	bool pause_over;
	uint32_t device_feature_select, driver_feature_select;
	uint64_t driver_features;
	uint16_t queue_select;
	uint16_t config_vector;
	struct virtio_pci_queue queue[BACKEND_QUEUES_MAX];
	uint64_t notify_at;
	bool bound[BACKEND_QUEUES_MAX];
	struct loop *loop;
	struct log_limit limit;
	struct device_hook hook, away;
	struct virtio_pci_quiet quiet;
};

/** virtio_pci_signal() - Signal an eventfd.  Syscalls: write */
void virtio_pci_signal(int fd);

/**
 * virtio_pci_needs_reset() - The driver violated a rule: set DEVICE_NEEDS_RESET, interrupt it
 * @why:	Static text for the log
 *
 * Syscalls: write
 */
void virtio_pci_needs_reset(struct virtio_pci *v, const char *why);

/**
 * virtio_pci_config_interrupt() - Raise the configuration interrupt; the driver has set DRIVER_OK
 *
 * Syscalls: write
 */
void virtio_pci_config_interrupt(struct virtio_pci *v);

/** virtio_pci_fail() - The back-end has failed: set NEEDS_RESET for good, call v->hook once.  Syscalls: write */
void virtio_pci_fail(struct virtio_pci *v, const struct err *why);

/** virtio_pci_doorbells() - Bind or unbind doorbells, as the BAR and the queues now require.  Syscalls: ioctl */
void virtio_pci_doorbells(struct virtio_pci *v);

/** virtio_pci_drain() - Clear the signal of an eventfd; returns whether there was one.  Syscalls: read */
bool virtio_pci_drain(int fd);

#endif
