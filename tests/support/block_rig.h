/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The block device in its process, under its policy, between a driver and an image in memory
 */
#ifndef VMRUN_TESTS_SUPPORT_BLOCK_RIG_H
#define VMRUN_TESTS_SUPPORT_BLOCK_RIG_H

#include <criterion/criterion.h>
#include <linux/virtio_blk.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "devices/core/settings.h"
#include "tests/support/dev_child.h"
#include "tests/support/vu_peer.h"

extern const struct device_ops block_device;

#define SECTORS	   2048ULL
#define F_FLUSH	   (1ULL << VIRTIO_BLK_F_FLUSH)
#define RING_GPA   0x1000
#define HEAD_GPA   0x9000
#define STATUS_GPA 0x9100
#define TABLE_GPA  0xa000
#define DATA_GPA   0x10000
#define DATA_BYTES 0x20000 /* crosses from one piece of memory into the next */
#define MEM_BYTES  0x40000ULL
#define FILL	   0xa5

static struct dev_child child;
static struct vqd_mem mem;
static struct vqd ring;
static int image, kick, call, error;
static int chain[BOOT_RES_MAX] = {-1}; /* instead of the image, if there is one */
static uint64_t features;
static uint16_t ring_size = 128;

/* ---- a front-end and a driver ---- */

static struct boot_dev rec;
static struct block_settings settings;

static inline void record(uint32_t flags)
{
	rec = (struct boot_dev){.name = "block0", .type = "block", .nr_res = 1, .flags = flags};
	settings = (struct block_settings){.capacity_bytes = SECTORS * 512, .unit_bytes = 512};
	memcpy(settings.serial, "0123456789abcdefghij", 20);
}

static inline uint64_t answer(uint32_t request)
{
	struct vup_msg m;
	uint64_t v;

	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m), "request %u", request);
	cr_assert(m.request == request && m.bytes == 8);
	memcpy(&v, m.payload, sizeof(v));
	return v;
}

static inline void start_ring(unsigned int q, struct vqd *r, uint64_t gpa)
{
	vqd_init(r, &mem, ring_size, gpa, 0);
	vup_state(child.vmm, VUP_SET_VRING_NUM, 0, q, r->size);
	vup_state(child.vmm, VUP_SET_VRING_BASE, 0, q, 0);
	vup_addr(child.vmm, 0, q, r);
	vup_fd(child.vmm, VUP_SET_VRING_CALL, 0, q, call);
	vup_fd(child.vmm, VUP_SET_VRING_ERR, 0, q, error);
	vup_fd(child.vmm, VUP_SET_VRING_KICK, VUP_NEED_REPLY, q, kick);
	cr_assert_eq(answer(VUP_SET_VRING_KICK), 0);
	/* Answered, or requests that come soon would be taken up by it and not by the doorbell */
	vup_state(child.vmm, VUP_SET_VRING_ENABLE, VUP_NEED_REPLY, q, 1);
	cr_assert_eq(answer(VUP_SET_VRING_ENABLE), 0);
}

/* Starts the device on @image or @chain; @leave are features the driver does not take */
static inline void start(uint64_t leave)
{
	static const struct vqd_piece pieces[] = {{0, 0x20000}, {0x20000, 0x20000}};

	boot_set_settings(&rec, &settings, sizeof(settings));
	cr_assert(dev_child_start(&child, &block_device, &rec, chain[0] < 0 ? &image : chain,
				  "block_device"));
	vqd_mem_init(&mem, pieces, ARRAY_SIZE(pieces));
	kick = eventfd(0, EFD_NONBLOCK);
	call = eventfd(0, EFD_NONBLOCK);
	error = eventfd(0, EFD_NONBLOCK);
	vup_empty(child.vmm, VUP_GET_FEATURES, 0);
	features = answer(VUP_GET_FEATURES);
	vup_empty(child.vmm, VUP_GET_PROTOCOL_FEATURES, 0);
	vup_u64(child.vmm, VUP_SET_PROTOCOL_FEATURES, 0, answer(VUP_GET_PROTOCOL_FEATURES));
	vup_empty(child.vmm, VUP_SET_OWNER, 0);
	vup_u64(child.vmm, VUP_SET_FEATURES, 0, features & ~leave & ~VQD_F_EVENT_IDX);
	vup_mem_table(child.vmm, 0, &mem);
	start_ring(0, &ring, RING_GPA);
}

static inline void setup(void)
{
	record(0);
	image = memfd_create("image", MFD_CLOEXEC);
	cr_assert_eq(ftruncate(image, SECTORS * 512), 0);
	start(0);
}

static inline void teardown(void)
{
	cr_assert_eq(dev_child_stop(&child), 0, "the device did not end well");
}

struct answered {
	int status;
	uint32_t len;
};

/* Rings, waits for the next used entry */
static inline struct answered submit(struct vqd *r)
{
	struct answered a = {.status = -1};
	uint32_t head;

	eventfd_write(kick, 1);
	/* The interrupt of the answer before may come late: it is not this one's. */
	while (!vqd_take(r, &head, &a.len)) {
		eventfd_t v;

		cr_assert(dev_child_wait(call), "no interrupt");
		eventfd_read(call, &v);
	}
	a.status = *(uint8_t *)vqd_at(&mem, STATUS_GPA, 1);
	return a;
}

static inline void put_head(uint32_t type, uint64_t sector)
{
	struct virtio_blk_outhdr h = {.type = type, .sector = sector};

	memcpy(vqd_at(&mem, HEAD_GPA, sizeof(h)), &h, sizeof(h));
	memset(vqd_at(&mem, STATUS_GPA, 1), FILL, 1);
}

/* One request with up to one data buffer at DATA_GPA */
static inline struct answered request(uint32_t type, uint64_t sector, uint32_t bytes)
{
	bool in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
	const struct vqd_buf with[] = {
		{HEAD_GPA, 16, false}, {DATA_GPA, bytes, in}, {STATUS_GPA, 1, true}};
	const struct vqd_buf without[] = {{HEAD_GPA, 16, false}, {STATUS_GPA, 1, true}};

	put_head(type, sector);
	vqd_add(&ring, bytes ? with : without, bytes ? 3 : 2);
	return submit(&ring);
}

/* The guest's data buffer; within one piece of memory */
static inline uint8_t *data(uint64_t off, uint64_t bytes)
{
	return vqd_at(&mem, DATA_GPA + off, bytes);
}

static inline void fill_image(uint64_t sector, uint64_t count, uint8_t v)
{
	uint8_t buf[512];

	memset(buf, v, sizeof(buf));
	for (uint64_t i = 0; i < count; i++)
		cr_assert_eq(pwrite(image, buf, 512, (off_t)((sector + i) * 512)), 512);
}

/* Whether sectors [@sector, @sector + @count) of the image hold @v only */
static inline bool image_is(uint64_t sector, uint64_t count, uint8_t v)
{
	uint8_t buf[512];

	for (uint64_t i = 0; i < count; i++) {
		if (pread(image, buf, 512, (off_t)((sector + i) * 512)) != 512)
			return false;
		for (unsigned int k = 0; k < sizeof(buf); k++) {
			if (buf[k] != v)
				return false;
		}
	}
	return true;
}

#endif
