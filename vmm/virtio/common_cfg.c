/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Status machine and registers of the common configuration structure
 *
 * virtio 1.3 section 4.1.4.3, and 3.1.1 for the order of initialisation:
 *
 *   0 -> ACKNOWLEDGE -> DRIVER -> (features) -> FEATURES_OK -> (queues) -> DRIVER_OK
 *
 * A write adds bits in this order, one or several. Removing a bit, or adding one too early, breaks the
 * device until a write of 0 resets it. FEATURES_OK stays clear if the driver's features exceed the offer or
 * lack VERSION_1. The driver may write features before FEATURES_OK, and queue registers between FEATURES_OK
 * and DRIVER_OK. At DRIVER_OK the back-end gets a copy of the queues: later writes have no effect on it.
 * After FAILED only a reset works.
 */
#include "vmm/virtio/common_cfg.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <string.h>

#include "vmm/virtio/virtio_pause.h"

#define COMMON_CFG_STEP_MS 2 /* wait of one step while a device resets */

#define COMMON_CFG_DRIVER_BITS                                                                     \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |      \
	 VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_FAILED)

/* With one of these set, a driver can write neither features nor queues. */
#define COMMON_CFG_BROKEN (VIRTIO_CONFIG_S_FAILED | VIRTIO_CONFIG_S_NEEDS_RESET)

static bool common_cfg_features_open(const struct virtio_pci *v)
{
	return !(v->status & (VIRTIO_CONFIG_S_FEATURES_OK | COMMON_CFG_BROKEN));
}

/* The selected queue if the driver may write its registers, else NULL */
static struct virtio_pci_queue *common_cfg_queue_open(struct virtio_pci *v)
{
	struct virtio_pci_queue *q = &v->queue[v->queue_select % BACKEND_QUEUES_MAX];

	if (v->queue_select >= v->be->nr_queues || !(v->status & VIRTIO_CONFIG_S_FEATURES_OK) ||
	    (v->status & (VIRTIO_CONFIG_S_DRIVER_OK | COMMON_CFG_BROKEN)) || q->enabled)
		return NULL;
	return q;
}

static const struct virtio_pci_queue *common_cfg_queue(const struct virtio_pci *v)
{
	return v->queue_select < v->be->nr_queues ? &v->queue[v->queue_select] : NULL;
}

void common_cfg_init(struct virtio_pci *v)
{
	v->status = 0;
	v->isr = 0;
	v->config_changed = false;
	v->device_feature_select = 0;
	v->driver_feature_select = 0;
	v->driver_features = 0;
	v->queue_select = 0;
	v->config_vector = MSIX_NO_VECTOR;
	for (unsigned int i = 0; i < v->be->nr_queues; i++)
		v->queue[i] = (struct virtio_pci_queue){
			.size = v->be->queue_max,
			.vector = MSIX_NO_VECTOR,
		};
}

static void common_cfg_reset_done(struct virtio_pci *v)
{
	v->resetting = false;
	v->pause = VIRTIO_NOT_PAUSED;
	for (unsigned int i = 0; i < v->be->nr_queues; i++) {
		virtio_pci_drain(v->be->kick_fd[i]);
		virtio_pci_drain(v->be->err_fd[i]);
	}
	msix_reset_sources(&v->msix);
	common_cfg_init(v);
}

void common_cfg_reset_on(struct virtio_pci *v, bool wait)
{
	struct err err = {0};
	unsigned int waited_ms = 0;

	for (bool again = false; v->resetting; again = true) {
		const bool has_rings = !v->dead && v->pause != VIRTIO_PAUSED;
		int rc = has_rings ? v->be->ops->stop(v->be, waited_ms, &err) : 0;

		if (rc < 0)
			virtio_pci_fail(v, &err);
		if (rc <= 0)
			common_cfg_reset_done(v);
		else if (again && !wait)
			return;
		else
			waited_ms = bus_wait(v->pci->bus, v->be->peer_fd, COMMON_CFG_STEP_MS)
					    ? 0
					    : COMMON_CFG_STEP_MS;
	}
}

static void common_cfg_reset(struct virtio_pci *v)
{
	v->resetting = v->running;
	v->running = false;
	virtio_pci_doorbells(v);
	if (v->resetting)
		common_cfg_reset_on(v, false);
	else
		common_cfg_reset_done(v);
}

static void common_cfg_start(struct virtio_pci *v)
{
	struct backend_queue q[BACKEND_QUEUES_MAX] = {0};
	struct err err = {0};

	for (unsigned int i = 0; i < v->be->nr_queues; i++)
		q[i] = (struct backend_queue){
			.enabled = v->queue[i].enabled,
			.size = v->queue[i].size,
			.desc_gpa = v->queue[i].desc_gpa,
			.avail_gpa = v->queue[i].avail_gpa,
			.used_gpa = v->queue[i].used_gpa,
		};
	v->status |= VIRTIO_CONFIG_S_DRIVER_OK;
	v->running = true;
	if (v->be->ops->start(v->be, v->driver_features, q, &err) < 0) {
		virtio_pci_fail(v, &err);
		return;
	}
	virtio_pci_doorbells(v);
	/* The driver may have read the configuration before a change that raised no interrupt. */
	if (v->config_changed)
		virtio_pci_config_interrupt(v);
	v->config_changed = false;
}

static void common_cfg_features_ok(struct virtio_pci *v)
{
	if ((v->driver_features & ~v->be->features) ||
	    !(v->driver_features & 1ULL << VIRTIO_F_VERSION_1))
		return;
	v->status |= VIRTIO_CONFIG_S_FEATURES_OK;
}

static void common_cfg_set_status(struct virtio_pci *v, uint64_t value)
{
	uint8_t added = (uint8_t)value & COMMON_CFG_DRIVER_BITS & (uint8_t)~v->status;

	if (value == 0) {
		if (!v->resetting)
			common_cfg_reset(v);
		return;
	}
	if (v->status & COMMON_CFG_BROKEN)
		return;
	if (v->dead) {
		v->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
		return;
	}
	if (v->status & ~value) {
		virtio_pci_needs_reset(v, "status bit cleared");
		return;
	}
	if (added & VIRTIO_CONFIG_S_FAILED) {
		v->status |= VIRTIO_CONFIG_S_FAILED;
		return;
	}
	v->status |= added & (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	if (v->status == VIRTIO_CONFIG_S_DRIVER ||
	    ((added & (VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)) &&
	     !(v->status & VIRTIO_CONFIG_S_DRIVER))) {
		virtio_pci_needs_reset(v, "status bits out of order");
		return;
	}
	if (added & VIRTIO_CONFIG_S_FEATURES_OK)
		common_cfg_features_ok(v);
	if (!(added & VIRTIO_CONFIG_S_DRIVER_OK))
		return;
	if (v->status & VIRTIO_CONFIG_S_FEATURES_OK)
		common_cfg_start(v);
	else
		virtio_pci_needs_reset(v, "DRIVER_OK without FEATURES_OK");
}

static uint64_t common_cfg_device_features(const struct virtio_pci *v)
{
	return v->device_feature_select < 2
		       ? (uint32_t)(v->be->features >> 32 * v->device_feature_select)
		       : 0;
}

static uint64_t common_cfg_driver_features(const struct virtio_pci *v)
{
	return v->driver_feature_select < 2
		       ? (uint32_t)(v->driver_features >> 32 * v->driver_feature_select)
		       : 0;
}

static void common_cfg_set_driver_features(struct virtio_pci *v, uint64_t value)
{
	unsigned int shift = 32 * (v->driver_feature_select & 1);

	if (!common_cfg_features_open(v))
		return;
	/* No device has a feature bit above 63. */
	if (v->driver_feature_select >= 2) {
		if (value)
			virtio_pci_needs_reset(v, "feature bit above 63");
		return;
	}
	v->driver_features &= ~(0xffffffffULL << shift);
	v->driver_features |= value << shift;
}

static void common_cfg_set_config_vector(struct virtio_pci *v, uint64_t value)
{
	v->config_vector = msix_set_vector(&v->msix, VIRTIO_PCI_SOURCE_CONFIG, (uint16_t)value);
}

/* Always allowed: vectors concern no ring, and drivers clear them after reset. */
static void common_cfg_set_queue_vector(struct virtio_pci *v, uint64_t value)
{
	unsigned int q = v->queue_select;

	if (q < v->be->nr_queues)
		v->queue[q].vector = msix_set_vector(&v->msix, VIRTIO_PCI_SOURCE_QUEUE(q),
						     (uint16_t)value);
}

static void common_cfg_set_queue_size(struct virtio_pci *v, uint64_t value)
{
	struct virtio_pci_queue *q = common_cfg_queue_open(v);

	if (!q)
		return;
	if (value == 0 || value > v->be->queue_max || (value & (value - 1)))
		virtio_pci_needs_reset(v, "queue size is too large or no power of two");
	else
		q->size = (uint16_t)value;
}

static bool common_cfg_ring_ok(const struct virtio_pci *v, uint64_t gpa, uint64_t align,
			       uint64_t bytes)
{
	return gpa % align == 0 && gmem_ptr(v->mem, gpa, bytes);
}

static void common_cfg_set_queue_enable(struct virtio_pci *v, uint64_t value)
{
	struct virtio_pci_queue *q = common_cfg_queue_open(v);

	if (!q || value == 0)
		return;
	/* 6 bytes: flags, index, event index */
	if (value == 1 && common_cfg_ring_ok(v, q->desc_gpa, 16, 16ULL * q->size) &&
	    common_cfg_ring_ok(v, q->avail_gpa, 2, 6 + 2ULL * q->size) &&
	    common_cfg_ring_ok(v, q->used_gpa, 4, 6 + 8ULL * q->size))
		q->enabled = true;
	else
		virtio_pci_needs_reset(
			v, "queue enabled with rings that are misaligned or outside RAM");
}

static void common_cfg_set_queue_select(struct virtio_pci *v, uint64_t value)
{
	v->queue_select = (uint16_t)value;
}

static void common_cfg_set_device_select(struct virtio_pci *v, uint64_t value)
{
	v->device_feature_select = (uint32_t)value;
}

static void common_cfg_set_driver_select(struct virtio_pci *v, uint64_t value)
{
	v->driver_feature_select = (uint32_t)value;
}

/* Getters of plain fields; getters and setters of ring addresses */
#define COMMON_CFG_GET(name, expr)                                                                 \
	static uint64_t common_cfg_get_##name(const struct virtio_pci *v)                          \
	{                                                                                          \
		return (expr);                                                                     \
	}
#define COMMON_CFG_GET_QUEUE(name, expr)                                                           \
	static uint64_t common_cfg_get_##name(const struct virtio_pci *v)                          \
	{                                                                                          \
		const struct virtio_pci_queue *q = common_cfg_queue(v);                            \
                                                                                                   \
		return q ? (expr) : 0;                                                             \
	}
#define COMMON_CFG_RING(name)                                                                      \
	COMMON_CFG_GET_QUEUE(name, q->name)                                                        \
	static void common_cfg_set_##name(struct virtio_pci *v, uint64_t value)                    \
	{                                                                                          \
		struct virtio_pci_queue *q = common_cfg_queue_open(v);                             \
                                                                                                   \
		if (q)                                                                             \
			q->name = value;                                                           \
	}
COMMON_CFG_GET(device_select, v->device_feature_select)
COMMON_CFG_GET(driver_select, v->driver_feature_select)
COMMON_CFG_GET(config_vector, v->config_vector)
COMMON_CFG_GET(nr_queues, v->be->nr_queues)
COMMON_CFG_GET(status, v->status)
COMMON_CFG_GET(generation, v->generation)
COMMON_CFG_GET(queue_select, v->queue_select)
COMMON_CFG_GET_QUEUE(queue_size, q->size)
COMMON_CFG_GET_QUEUE(queue_enable, q->enabled)
COMMON_CFG_GET_QUEUE(notify_off, (uint64_t)(q - v->queue))
COMMON_CFG_RING(desc_gpa)
COMMON_CFG_RING(avail_gpa)
COMMON_CFG_RING(used_gpa)

/* A queue that does not exist has no vector; 0 would be one. */
static uint64_t common_cfg_get_queue_vector(const struct virtio_pci *v)
{
	const struct virtio_pci_queue *q = common_cfg_queue(v);

	return q ? q->vector : MSIX_NO_VECTOR;
}

/* clang-format off */
static const struct common_cfg_field {
	uint8_t off, bytes;
	uint64_t (*get)(const struct virtio_pci *v);
	void (*set)(struct virtio_pci *v, uint64_t value);
} common_cfg_fields[] = {
	{VIRTIO_PCI_COMMON_DFSELECT,      4, common_cfg_get_device_select, common_cfg_set_device_select},
	{VIRTIO_PCI_COMMON_DF,            4, common_cfg_device_features,   NULL},
	{VIRTIO_PCI_COMMON_GFSELECT,      4, common_cfg_get_driver_select, common_cfg_set_driver_select},
	{VIRTIO_PCI_COMMON_GF,            4, common_cfg_driver_features,   common_cfg_set_driver_features},
	{VIRTIO_PCI_COMMON_MSIX,          2, common_cfg_get_config_vector, common_cfg_set_config_vector},
	{VIRTIO_PCI_COMMON_NUMQ,          2, common_cfg_get_nr_queues,     NULL},
	{VIRTIO_PCI_COMMON_STATUS,        1, common_cfg_get_status,        common_cfg_set_status},
	{VIRTIO_PCI_COMMON_CFGGENERATION, 1, common_cfg_get_generation,    NULL},
	{VIRTIO_PCI_COMMON_Q_SELECT,      2, common_cfg_get_queue_select,  common_cfg_set_queue_select},
	{VIRTIO_PCI_COMMON_Q_SIZE,        2, common_cfg_get_queue_size,    common_cfg_set_queue_size},
	{VIRTIO_PCI_COMMON_Q_MSIX,        2, common_cfg_get_queue_vector,  common_cfg_set_queue_vector},
	{VIRTIO_PCI_COMMON_Q_ENABLE,      2, common_cfg_get_queue_enable,  common_cfg_set_queue_enable},
	{VIRTIO_PCI_COMMON_Q_NOFF,        2, common_cfg_get_notify_off,    NULL},
	{VIRTIO_PCI_COMMON_Q_DESCLO,      8, common_cfg_get_desc_gpa,      common_cfg_set_desc_gpa},
	{VIRTIO_PCI_COMMON_Q_AVAILLO,     8, common_cfg_get_avail_gpa,     common_cfg_set_avail_gpa},
	{VIRTIO_PCI_COMMON_Q_USEDLO,      8, common_cfg_get_used_gpa,      common_cfg_set_used_gpa},
};
/* clang-format on */

static const struct common_cfg_field *common_cfg_field(uint64_t off, unsigned int len)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(common_cfg_fields); i++) {
		const struct common_cfg_field *f = &common_cfg_fields[i];

		if (off == f->off && len == f->bytes)
			return f;
		if (f->bytes == 8 && len == 4 && (off == f->off || off == f->off + 4U))
			return f;
	}
	return NULL;
}

void common_cfg_access(struct virtio_pci *v, bool write, uint64_t off, void *data, unsigned int len)
{
	const struct common_cfg_field *f = common_cfg_field(off, len);
	uint64_t value;

	if (!f) {
		if (!write)
			memset(data, 0xff, len);
		return;
	}
	virtio_pause_wait(v);
	/* During a reset the driver may read the registers and write 0 again; any other write waits for its end. */
	if (v->resetting)
		common_cfg_reset_on(
			v, write && (f->get != common_cfg_get_status || *(uint8_t *)data != 0));
	value = f->get(v);
	if (!write) {
		memcpy(data, (uint8_t *)&value + (off - f->off), len);
	} else if (f->set) {
		memcpy((uint8_t *)&value + (off - f->off), data, len);
		f->set(v, value);
	}
}
