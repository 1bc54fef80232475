/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/virtio/virtio_pci.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <string.h>
#include <sys/eventfd.h>

#include "devices/core/kind.h"
#include "vmm/virtio/common_cfg.h"
#include "vmm/virtio/virtio_pause.h"

#define VIRTIO_PCI_VENDOR      0x1af4
#define VIRTIO_PCI_DEVICE_BASE 0x1040
#define VIRTIO_PCI_REVISION    1 /* 1 or more: not a transitional device */
#define VIRTIO_PCI_ISR_QUEUE   1U
#define VIRTIO_PCI_STEP_MS     2 /* wait of one step while a device is away */

#define VIRTIO_PCI_CLASS_OTHER 0x00ff00 /* a device that fits no class */

/* The device changed its configuration; virtio 1.3 sections 2.5 and 4.1.4.3.1 */
static void virtio_pci_config_changed(struct virtio_pci *v)
{
	if (v->dead)
		return;
	v->be->config_stale = true;
	v->generation++;
	if (v->status & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_pci_config_interrupt(v);
	else
		v->config_changed = true;
}

static void virtio_pci_isr_access(struct virtio_pci *v, bool write, uint64_t off, void *data,
				  unsigned int len)
{
	if (write)
		return;
	memset(data, 0, len);
	if (off != 0)
		return;
	/* With MSI-X KVM reads the call eventfds; without it, we do. */
	for (unsigned int i = 0; !v->msix.enabled && i < v->be->nr_queues; i++) {
		if (virtio_pci_drain(v->be->call_fd[i]))
			v->isr |= VIRTIO_PCI_ISR_QUEUE;
	}
	*(uint8_t *)data = v->isr;
	v->isr = 0;
}

static void virtio_pci_config_access(struct virtio_pci *v, bool write, uint64_t off, void *data,
				     unsigned int len)
{
	struct err err = {0};
	int rc = 0;

	if (!write)
		memset(data, 0, len);
	if (v->dead || off >= v->be->config_bytes || len > v->be->config_bytes - off)
		return;
	/* The device answers only after it has given its rings back. */
	if (write || v->be->config_stale) {
		virtio_pause_wait(v);
		common_cfg_reset_on(v, true);
	}
	if (v->dead)
		return;
	rc = v->be->ops->config(v->be, write, (uint32_t)off, data, len, &err);
	/* Others go on meanwhile, and the wait has an end: the supervisor brings the device back, or ends us. */
	while (rc == -EAGAIN) {
		bus_wait(v->pci->bus, -1, VIRTIO_PCI_STEP_MS);
		common_cfg_reset_on(v, true);
		if (v->dead)
			return;
		rc = v->be->ops->config(v->be, write, (uint32_t)off, data, len, &err);
	}
	if (rc < 0)
		virtio_pci_fail(v, &err);
	else if (write)
		v->generation++; /* other fields may have changed as well */
}

static void virtio_pci_notify_access(struct virtio_pci *v, bool write, uint64_t off, void *data,
				     unsigned int len)
{
	uint64_t q = off / VIRTIO_PCI_NOTIFY_MULT;

	if (!write)
		memset(data, 0, len);
	else if (off % VIRTIO_PCI_NOTIFY_MULT == 0 && q < v->be->nr_queues && v->running &&
		 !v->dead && v->queue[q].enabled)
		virtio_pci_signal(v->be->kick_fd[q]);
}

static void virtio_pci_msix_access(struct virtio_pci *v, bool write, uint64_t off, void *data,
				   unsigned int len)
{
	msix_table_access(&v->msix, write, off, data, len);
}

static void virtio_pci_pba_access(struct virtio_pci *v, bool write, uint64_t off, void *data,
				  unsigned int len)
{
	msix_pba_access(&v->msix, write, off, data, len);
}

static const struct {
	uint32_t off, bytes;
	void (*access)(struct virtio_pci *v, bool write, uint64_t off, void *data,
		       unsigned int len);
} virtio_pci_regions[] = {
	{VIRTIO_PCI_COMMON_OFF, VIRTIO_PCI_COMMON_BYTES, common_cfg_access},
	{VIRTIO_PCI_ISR_OFF, 4, virtio_pci_isr_access},
	{VIRTIO_PCI_DEVCFG_OFF, BACKEND_CONFIG_MAX, virtio_pci_config_access},
	{VIRTIO_PCI_NOTIFY_OFF, BACKEND_QUEUES_MAX *VIRTIO_PCI_NOTIFY_MULT,
	 virtio_pci_notify_access},
	{VIRTIO_PCI_MSIX_OFF, MSIX_TABLE_BYTES, virtio_pci_msix_access},
	{VIRTIO_PCI_PBA_OFF, MSIX_PBA_BYTES, virtio_pci_pba_access},
};

static void virtio_pci_bar_access(void *dev, bool write, uint64_t off, void *data, unsigned int len)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(virtio_pci_regions); i++) {
		uint64_t in = off - virtio_pci_regions[i].off;

		if (off >= virtio_pci_regions[i].off && in < virtio_pci_regions[i].bytes &&
		    len <= virtio_pci_regions[i].bytes - in) {
			virtio_pci_regions[i].access(dev, write, in, data, len);
			return;
		}
	}
	if (!write)
		memset(data, 0xff, len);
}

/*
 * The window of VIRTIO_PCI_CAP_PCI_CFG: an access to the capability's data becomes one to the BAR, for
 * drivers that have no other way to it. The driver chooses BAR, offset and length.
 */
static void virtio_pci_cfg_window(struct virtio_pci *v, bool write, unsigned int off,
				  unsigned int len)
{
	unsigned int data = v->cfg_cap + sizeof(struct virtio_pci_cap);
	uint32_t at = pci_get(&v->fn, v->cfg_cap + offsetof(struct virtio_pci_cap, offset), 4);
	uint32_t bytes = pci_get(&v->fn, v->cfg_cap + offsetof(struct virtio_pci_cap, length), 4);

	if (off >= data + 4 || off + len <= data ||
	    pci_get(&v->fn, v->cfg_cap + offsetof(struct virtio_pci_cap, bar), 1) != VIRTIO_PCI_BAR)
		return;
	if ((bytes != 1 && bytes != 2 && bytes != 4) || at % bytes != 0 ||
	    at >= VIRTIO_PCI_BAR_BYTES)
		return;
	virtio_pci_bar_access(v, write, at, v->fn.config + data, bytes);
}

static void virtio_pci_config_read(void *dev, unsigned int off, unsigned int len)
{
	virtio_pci_cfg_window(dev, false, off, len);
}

static void virtio_pci_config_written(void *dev, unsigned int off, unsigned int len)
{
	struct virtio_pci *v = dev;

	msix_config_written(&v->msix, off, len);
	virtio_pci_cfg_window(v, true, off, len);
}

static void virtio_pci_bar_moved(void *dev, unsigned int bar UNUSED, bool mapped UNUSED,
				 uint64_t addr UNUSED)
{
	virtio_pci_doorbells(dev);
}

static const struct pci_ops virtio_pci_ops = {
	.config_read = virtio_pci_config_read,
	.config_written = virtio_pci_config_written,
	.bar_moved = virtio_pci_bar_moved,
};

/* Adds a capability of virtio's, @extra bytes longer than their common part; returns its offset. */
static unsigned int virtio_pci_add_cap(struct virtio_pci *v, uint8_t type, uint32_t off,
				       uint32_t bytes, unsigned int extra)
{
	unsigned int size = (unsigned int)sizeof(struct virtio_pci_cap) + extra;
	unsigned int at = pci_add_cap(&v->fn, PCI_CAP_ID_VNDR, size);

	pci_put(&v->fn, at + offsetof(struct virtio_pci_cap, cap_len), 1, size);
	pci_put(&v->fn, at + offsetof(struct virtio_pci_cap, cfg_type), 1, type);
	pci_put(&v->fn, at + offsetof(struct virtio_pci_cap, bar), 1, VIRTIO_PCI_BAR);
	pci_put(&v->fn, at + offsetof(struct virtio_pci_cap, offset), 4, off);
	pci_put(&v->fn, at + offsetof(struct virtio_pci_cap, length), 4, bytes);
	return at;
}

static void virtio_pci_add_caps(struct virtio_pci *v)
{
	unsigned int at;

	virtio_pci_add_cap(v, VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_PCI_COMMON_OFF,
			   VIRTIO_PCI_COMMON_BYTES, 0);
	virtio_pci_add_cap(v, VIRTIO_PCI_CAP_ISR_CFG, VIRTIO_PCI_ISR_OFF, 1, 0);
	if (v->be->config_bytes)
		virtio_pci_add_cap(v, VIRTIO_PCI_CAP_DEVICE_CFG, VIRTIO_PCI_DEVCFG_OFF,
				   v->be->config_bytes, 0);
	at = virtio_pci_add_cap(v, VIRTIO_PCI_CAP_NOTIFY_CFG, VIRTIO_PCI_NOTIFY_OFF,
				v->be->nr_queues * VIRTIO_PCI_NOTIFY_MULT, 4);
	pci_put(&v->fn, at + sizeof(struct virtio_pci_cap), 4, VIRTIO_PCI_NOTIFY_MULT);

	v->cfg_cap = virtio_pci_add_cap(v, VIRTIO_PCI_CAP_PCI_CFG, 0, 0, 4);
	v->fn.wmask[v->cfg_cap + offsetof(struct virtio_pci_cap, bar)] = 0xff;
	/* offset, length and the window itself */
	memset(v->fn.wmask + v->cfg_cap + offsetof(struct virtio_pci_cap, offset), 0xff, 12);
}

static void virtio_pci_make_function(struct virtio_pci *v)
{
	const struct kind *kind = kind_of_virtio(v->be->virtio_id);
	const struct pci_id id = {
		.vendor = VIRTIO_PCI_VENDOR,
		.device = (uint16_t)(VIRTIO_PCI_DEVICE_BASE + v->be->virtio_id),
		.sub_vendor = VIRTIO_PCI_VENDOR,
		.sub_device = (uint16_t)(VIRTIO_PCI_DEVICE_BASE + v->be->virtio_id),
		.class = kind ? kind->pci_class : VIRTIO_PCI_CLASS_OTHER,
		.revision = VIRTIO_PCI_REVISION,
	};

	pci_function_init(&v->fn, &id, &virtio_pci_ops, v);
	pci_add_bar(&v->fn, VIRTIO_PCI_BAR, VIRTIO_PCI_BAR_BYTES, virtio_pci_bar_access);
}

int virtio_pci_init(struct virtio_pci *v, const struct virtio_pci_args *args, struct err *err)
{
	static const struct msix_where where = {VIRTIO_PCI_BAR, VIRTIO_PCI_MSIX_OFF,
						VIRTIO_PCI_PBA_OFF};
	struct backend *be = args->be;
	int rc;

	vr_assert(be->nr_queues >= 1 && be->nr_queues <= BACKEND_QUEUES_MAX);
	vr_assert(be->config_bytes <= BACKEND_CONFIG_MAX && be->queue_max > 0);
	*v = (struct virtio_pci){
		.be = be, .pci = args->pci, .vm = args->vm, .mem = args->mem, .config_fd = -1};
	v->config_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (v->config_fd < 0)
		return err_set(err, errno, "eventfd");
	virtio_pci_make_function(v);
	rc = msix_init(&v->msix, v->vm, &v->fn, be->nr_queues + 1U, &where);
	if (rc < 0)
		return err_set(err, -rc, "MSI-X vectors");
	virtio_pci_add_caps(v);
	common_cfg_init(v);
	msix_set_source(&v->msix, VIRTIO_PCI_SOURCE_CONFIG, v->config_fd);
	for (unsigned int i = 0; i < be->nr_queues; i++)
		msix_set_source(&v->msix, VIRTIO_PCI_SOURCE_QUEUE(i), be->call_fd[i]);
	return pci_add_function(v->pci, &v->fn, err);
}

/* Main loop: the device reports that the driver broke a queue. */
static void virtio_pci_on_error(void *arg, int fd, uint32_t events UNUSED)
{
	struct virtio_pci *v = arg;

	pthread_mutex_lock(&v->pci->bus->lock);
	/* A reset clears the signal under the same lock, so an old error does not affect a new driver. */
	if (virtio_pci_drain(fd) && v->running && !v->dead)
		virtio_pci_needs_reset(v, "a queue is broken");
	pthread_mutex_unlock(&v->pci->bus->lock);
}

/* Main loop: the device gives its rings back for a pause, or has died meanwhile. */
static void virtio_pci_on_answer(struct virtio_pci *v)
{
	bool quiet;

	pthread_mutex_lock(&v->pci->bus->lock);
	quiet = virtio_pause_go_on(v);
	pthread_mutex_unlock(&v->pci->bus->lock);
	if (quiet && v->quiet.fn)
		v->quiet.fn(v->quiet.arg);
}

/* Main loop: the device's process has answered, or is gone. */
static void virtio_pci_on_peer(void *arg, int fd, uint32_t events)
{
	struct virtio_pci *v = arg;
	struct err err = {0};

	if (!(events & (EPOLLHUP | EPOLLERR))) {
		virtio_pci_on_answer(v);
		return;
	}
	loop_del(v->loop, fd);
	err_text(&err, EPIPE, "the device's process is gone");
	pthread_mutex_lock(&v->pci->bus->lock);
	if (!v->be->ops->hung_up(v->be))
		virtio_pci_fail(v, &err);
	else if (v->away.fn)
		v->away.fn(v->away.arg, v->be->name, &err);
	pthread_mutex_unlock(&v->pci->bus->lock);
	/* It has no ring any more. */
	virtio_pci_on_answer(v);
}

/* Main loop: the device has sent a message of its own. */
static void virtio_pci_on_change(void *arg, int fd, uint32_t events UNUSED)
{
	struct virtio_pci *v = arg;
	struct err err = {0};
	bool changed = false;
	int rc = v->be->ops->hear(v->be, &changed, &err);

	if (rc <= 0)
		loop_del(v->loop, fd);
	pthread_mutex_lock(&v->pci->bus->lock);
	if (rc < 0)
		virtio_pci_fail(v, &err);
	else if (changed)
		virtio_pci_config_changed(v);
	pthread_mutex_unlock(&v->pci->bus->lock);
}

int virtio_pci_watch_peer(struct virtio_pci *v, struct err *err)
{
	return loop_add(v->loop, v->be->peer_fd, 0, virtio_pci_on_peer, v, err);
}

int virtio_pci_watch(struct virtio_pci *v, struct loop *loop, struct err *err)
{
	int rc = 0;

	v->loop = loop;
	for (unsigned int i = 0; rc == 0 && i < v->be->nr_queues; i++) {
		if (i == 0 || v->be->err_fd[i] != v->be->err_fd[i - 1])
			rc = loop_add(loop, v->be->err_fd[i], EPOLLIN, virtio_pci_on_error, v, err);
	}
	/* The loop watches for the end only: the caller who asks also reads the answer, but in a pause. */
	if (rc == 0 && v->be->peer_fd >= 0)
		rc = virtio_pci_watch_peer(v, err);
	if (rc == 0 && v->be->change_fd >= 0)
		rc = loop_add(loop, v->be->change_fd, EPOLLIN, virtio_pci_on_change, v, err);
	return rc;
}

void virtio_pci_returned(struct virtio_pci *v, bool changed)
{
	pthread_mutex_lock(&v->pci->bus->lock);
	/* The process that died may have answered requests, and not told the driver. */
	for (unsigned int i = 0; v->running && i < v->be->nr_queues; i++) {
		if (v->queue[i].enabled)
			virtio_pci_signal(v->be->call_fd[i]);
	}
	if (changed)
		virtio_pci_config_changed(v);
	pthread_mutex_unlock(&v->pci->bus->lock);
	virtio_pci_on_answer(v);
}

void virtio_pci_done(struct virtio_pci *v)
{
	if (v->config_fd > 0)
		close(v->config_fd);
	v->config_fd = -1;
}
