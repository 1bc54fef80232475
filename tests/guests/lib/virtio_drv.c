/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/virtio_drv.h"

#include "lib/pci_drv.h"

/* Bounds, not measurements: each step costs some microseconds where KVM only emulates. */
#define WAIT_MEMORY 1000000
#define WAIT_EXITS  100000

#define CAP_VENDOR  0x09
/* In a virtio capability */
#define CAP_NEXT       1
#define CAP_TYPE       3
#define CAP_OFFSET     8
#define CAP_MULTIPLIER 16

/* In the common configuration structure */
#define COMMON_DEVICE_SELECT 0x00
#define COMMON_DEVICE_BITS   0x04
#define COMMON_DRIVER_SELECT 0x08
#define COMMON_DRIVER_BITS   0x0c
#define COMMON_STATUS	     0x14
#define COMMON_QUEUE_SELECT  0x16
#define COMMON_QUEUE_SIZE    0x18
#define COMMON_QUEUE_ENABLE  0x1c
#define COMMON_QUEUE_NOTIFY  0x1e
#define COMMON_QUEUE_DESC    0x20
#define COMMON_QUEUE_AVAIL   0x28
#define COMMON_QUEUE_USED    0x30

bool virtio_find(struct virtio_drv *v, uint16_t virtio_id)
{
	return virtio_find_at(v, pci_find(0x1af4, (uint16_t)(0x1040 + virtio_id)), virtio_id);
}

bool virtio_find_at(struct virtio_drv *v, unsigned int slot, uint16_t virtio_id)
{
	uint64_t *const where[] = {NULL, &v->common, &v->notify, &v->isr, &v->config};
	uint64_t bar;

	memset(v, 0, sizeof(*v));
	v->slot = slot;
	if (slot == 0 || pci_read(slot, 0, 4) != (0x10401af4U + ((uint32_t)virtio_id << 16)))
		return false;
	pci_write(slot, PCI_COMMAND, 2, 6);
	bar = pci_read(slot, PCI_BAR0, 4) & ~15U;
	for (unsigned int at = pci_read(slot, PCI_CAPS, 1); at;
	     at = pci_read(slot, at + CAP_NEXT, 1)) {
		uint32_t head = pci_read(slot, at, 4);
		unsigned int type = head >> 24;

		if ((head & 0xff) != CAP_VENDOR || type < 1 || type > 4)
			continue;
		*where[type] = bar + pci_read(slot, at + CAP_OFFSET, 4);
		if (type == 2)
			v->notify_multiplier = pci_read(slot, at + CAP_MULTIPLIER, 4);
	}
	return v->common && v->notify && v->isr;
}

uint8_t virtio_status(const struct virtio_drv *v)
{
	return mmio_read8(v->common + COMMON_STATUS);
}

bool virtio_reset(struct virtio_drv *v)
{
	mmio_write8(v->common + COMMON_STATUS, 0);
	for (unsigned int i = 0; i < WAIT_EXITS; i++) {
		if (virtio_status(v) == 0)
			return true;
	}
	return false;
}

static uint64_t virtio_offered(const struct virtio_drv *v)
{
	uint64_t low;

	mmio_write32(v->common + COMMON_DEVICE_SELECT, 0);
	low = mmio_read32(v->common + COMMON_DEVICE_BITS);
	mmio_write32(v->common + COMMON_DEVICE_SELECT, 1);
	return (uint64_t)mmio_read32(v->common + COMMON_DEVICE_BITS) << 32 | low;
}

bool virtio_negotiate(struct virtio_drv *v, uint64_t features)
{
	uint8_t status = VIRTIO_STATUS_ACKNOWLEDGE;

	if (!virtio_reset(v))
		return false;
	mmio_write8(v->common + COMMON_STATUS, status);
	status |= VIRTIO_STATUS_DRIVER;
	mmio_write8(v->common + COMMON_STATUS, status);
	v->features = virtio_offered(v) & (features | VIRTIO_F_VERSION);
	for (unsigned int i = 0; i < 2; i++) {
		mmio_write32(v->common + COMMON_DRIVER_SELECT, i);
		mmio_write32(v->common + COMMON_DRIVER_BITS, (uint32_t)(v->features >> 32 * i));
	}
	status |= VIRTIO_STATUS_FEATURES_OK;
	mmio_write8(v->common + COMMON_STATUS, status);
	return virtio_status(v) == status;
}

bool virtio_place_queue(struct virtio_drv *v, uint16_t size, const void *desc, const void *avail,
			const void *used)
{
	const struct {
		unsigned int reg;
		const void *at;
	} rings[] = {
		{COMMON_QUEUE_DESC, desc},
		{COMMON_QUEUE_AVAIL, avail},
		{COMMON_QUEUE_USED, used},
	};

	v->seen_used = 0;
	mmio_write16(v->common + COMMON_QUEUE_SELECT, v->queue);
	mmio_write16(v->common + COMMON_QUEUE_SIZE, size);
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t gpa = (uintptr_t)rings[i].at;

		mmio_write32(v->common + rings[i].reg, (uint32_t)gpa);
		mmio_write32(v->common + rings[i].reg + 4, (uint32_t)(gpa >> 32));
	}
	v->doorbell = v->notify +
		      mmio_read16(v->common + COMMON_QUEUE_NOTIFY) * v->notify_multiplier;
	mmio_write16(v->common + COMMON_QUEUE_ENABLE, 1);
	return mmio_read16(v->common + COMMON_QUEUE_ENABLE) == 1;
}

bool virtio_set_queue(struct virtio_drv *v, struct virtio_ring *r)
{
	memset(r, 0, sizeof(*r));
	return virtio_place_queue(v, VIRTIO_RING_SIZE, r->desc, &r->avail, &r->used);
}

bool virtio_go(const struct virtio_drv *v)
{
	uint8_t status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |
			 VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK;

	mmio_write8(v->common + COMMON_STATUS, status);
	return virtio_status(v) == status;
}

bool virtio_start(struct virtio_drv *v, uint64_t features, struct virtio_ring *r)
{
	return virtio_negotiate(v, features) && virtio_set_queue(v, r) && virtio_go(v);
}

void virtio_offer(struct virtio_ring *r, uint16_t head)
{
	r->avail.ring[r->avail.idx % VIRTIO_RING_SIZE] = head;
	/* x86 keeps stores in order; the compiler has to as well. */
	__atomic_store_n(&r->avail.idx, (uint16_t)(r->avail.idx + 1), __ATOMIC_RELEASE);
}

void virtio_kick(struct virtio_drv *v, struct virtio_ring *r, uint16_t head)
{
	virtio_offer(r, head);
	mmio_write16(v->doorbell, v->queue);
}

int32_t virtio_poll(struct virtio_drv *v, struct virtio_ring *r, uint32_t *ret_len)
{
	unsigned int at = v->seen_used % VIRTIO_RING_SIZE;

	if (__atomic_load_n(&r->used.idx, __ATOMIC_ACQUIRE) == v->seen_used)
		return -1;
	v->seen_used++;
	*ret_len = r->used.ring[at].len;
	return (int32_t)r->used.ring[at].id;
}

int64_t virtio_wait(struct virtio_drv *v, struct virtio_ring *r, uint16_t head)
{
	for (unsigned int i = 0; i < WAIT_MEMORY; i++) {
		uint32_t len;
		int32_t got = virtio_poll(v, r, &len);

		if (got >= 0)
			return got == head ? (int64_t)len : -1;
		__builtin_ia32_pause();
	}
	return -1;
}

bool virtio_wait_broken(const struct virtio_drv *v)
{
	for (unsigned int i = 0; i < WAIT_EXITS; i++) {
		if (virtio_status(v) & VIRTIO_STATUS_NEEDS_RESET)
			return true;
	}
	return false;
}

void virtio_set_desc(struct virtio_desc *d, const void *buf, uint32_t len, uint16_t flags,
		     uint16_t next)
{
	*d = (struct virtio_desc){(uintptr_t)buf, len, flags, next};
}
