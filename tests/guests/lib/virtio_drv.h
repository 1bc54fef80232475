/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A polling driver of virtio-pci, modern
 *
 * Written from virtio 1.3, not from our device side. Nothing here allocates, or checks what a test
 * breaks on purpose: the ring is the guest's to fill. A struct virtio_drv knows one queue: copied after
 * virtio_negotiate(), with another @queue, it is the driver of that one.
 */
#ifndef VMRUN_TESTS_GUESTS_LIB_VIRTIO_DRV_H
#define VMRUN_TESTS_GUESTS_LIB_VIRTIO_DRV_H

#include "lib/guest.h"

#define VIRTIO_NET     1
#define VIRTIO_BLOCK   2
#define VIRTIO_CONSOLE 3
#define VIRTIO_RNG     4
#define VIRTIO_BALLOON 5
#define VIRTIO_VSOCK   19
#define VIRTIO_FS      26

#define VIRTIO_STATUS_ACKNOWLEDGE 1
#define VIRTIO_STATUS_DRIVER      2
#define VIRTIO_STATUS_DRIVER_OK   4
#define VIRTIO_STATUS_FEATURES_OK 8
#define VIRTIO_STATUS_NEEDS_RESET 64
#define VIRTIO_STATUS_FAILED      128

#define VIRTIO_F_INDIRECT  (1ULL << 28)
#define VIRTIO_F_EVENT_IDX (1ULL << 29)
#define VIRTIO_F_VERSION   (1ULL << 32)

#define VIRTIO_DESC_NEXT     1
#define VIRTIO_DESC_WRITE    2
#define VIRTIO_DESC_INDIRECT 4

#define VIRTIO_RING_SIZE 16

struct virtio_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

/* One split ring; in .bss, mapped one to one */
struct virtio_ring {
	struct virtio_desc desc[VIRTIO_RING_SIZE];
	struct {
		uint16_t flags, idx, ring[VIRTIO_RING_SIZE], used_event;
	} avail;
	struct {
		uint16_t flags, idx;
		struct {
			uint32_t id, len;
		} ring[VIRTIO_RING_SIZE];
		uint16_t avail_event;
	} used __attribute__((aligned(4)));
} __attribute__((aligned(16)));

/* Guest addresses of the structures in the BAR, 0 where the device has none */
struct virtio_drv {
	unsigned int slot;
	uint64_t common, isr, config, notify;
	uint32_t notify_multiplier;
	uint64_t features; /* negotiated */
	uint64_t doorbell; /* of @queue */
	uint16_t queue;
	uint16_t seen_used;
};

/* Finds a device, switches memory decode on, reads its capabilities; false if there is none */
bool virtio_find(struct virtio_drv *v, uint16_t virtio_id);

/* As virtio_find(), for the function in a slot */
bool virtio_find_at(struct virtio_drv *v, unsigned int slot, uint16_t virtio_id);

uint8_t virtio_status(const struct virtio_drv *v);

/* Writes 0 and waits until it reads back; false when it does not */
bool virtio_reset(struct virtio_drv *v);

/* Reset, then up to FEATURES_OK with what of @features is offered, and VERSION_1 */
bool virtio_negotiate(struct virtio_drv *v, uint64_t features);

/* Makes a ring of any size v->queue, as it lies; false when the device does not enable it */
bool virtio_place_queue(struct virtio_drv *v, uint16_t size, const void *desc, const void *avail,
			const void *used);

/* Zeroes @r and makes it v->queue; false when the device does not enable it */
bool virtio_set_queue(struct virtio_drv *v, struct virtio_ring *r);

/* DRIVER_OK */
bool virtio_go(const struct virtio_drv *v);

/* Negotiation, queue 0, DRIVER_OK */
bool virtio_start(struct virtio_drv *v, uint64_t features, struct virtio_ring *r);

/* Makes the chain at @head available; then rings */
void virtio_offer(struct virtio_ring *r, uint16_t head);
void virtio_kick(struct virtio_drv *v, struct virtio_ring *r, uint16_t head);

/* The next used element if there is one: its head, and its length; else -1 */
int32_t virtio_poll(struct virtio_drv *v, struct virtio_ring *r, uint32_t *ret_len);

/* Waits for the next used element; its length, or -1 when none came or it is not @head */
int64_t virtio_wait(struct virtio_drv *v, struct virtio_ring *r, uint16_t head);

/* Waits until the device says DEVICE_NEEDS_RESET */
bool virtio_wait_broken(const struct virtio_drv *v);

/* Fills one descriptor */
void virtio_set_desc(struct virtio_desc *d, const void *buf, uint32_t len, uint16_t flags,
		     uint16_t next);

#endif
