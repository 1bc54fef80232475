/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A virtio device in its process, under its policy, between a front-end and a driver
 *
 * For devices of which a test needs only the requests. Guest RAM is two pieces with a gap between them.
 */
#ifndef VMRUN_TESTS_SUPPORT_DEV_RIG_H
#define VMRUN_TESTS_SUPPORT_DEV_RIG_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "devices/core/ctl.h"
#include "tests/support/dev_child.h"
#include "tests/support/vu_peer.h"

#define DEV_RIG_RINGS	  5
#define DEV_RIG_GPA(q)	  (0x1000 + 0x8000 * (uint64_t)(q)) /* of ring q */
#define DEV_RIG_DATA_GPA  0x40000			    /* from here on RAM is free */
#define DEV_RIG_PIECE	  0x800000ULL
#define DEV_RIG_GAP	  0x100000ULL
#define DEV_RIG_SECOND	  (DEV_RIG_PIECE + DEV_RIG_GAP) /* where the second piece begins */
#define DEV_RIG_RAM_BYTES (2 * DEV_RIG_PIECE)

/**
 * struct dev_rig - One device
 * @rec, @res:	Set before dev_rig_start(): boot record and resources
 * @kick, @call, @error: By ring; -1 while it has not been started
 */
struct dev_rig {
	struct boot_dev rec;
	const int *res;
	struct dev_child child;
	struct vqd_mem mem;
	struct vqd ring[DEV_RIG_RINGS];
	int kick[DEV_RIG_RINGS], call[DEV_RIG_RINGS], error[DEV_RIG_RINGS];
	uint64_t offered, features;
};

/* ---- a front-end --------------------------------------------------------------------------- */

static inline uint64_t dev_rig_answer(struct dev_rig *r, uint32_t request)
{
	struct vup_msg m;
	uint64_t v;

	cr_assert(dev_child_wait(r->child.vmm) && vup_recv(r->child.vmm, &m), "request %u",
		  request);
	cr_assert(m.request == request && m.bytes == 8);
	memcpy(&v, m.payload, sizeof(v));
	return v;
}

/* Gets to know a device on r->child.vmm; the driver takes those features of @want that it offers */
static inline void dev_rig_meet(struct dev_rig *r, uint64_t want)
{
	static const struct vqd_piece pieces[] = {{0, DEV_RIG_PIECE},
						  {DEV_RIG_SECOND, DEV_RIG_PIECE}};

	memset(r->kick, 0xff, sizeof(r->kick));
	vqd_mem_init(&r->mem, pieces, ARRAY_SIZE(pieces));
	vup_empty(r->child.vmm, VUP_GET_FEATURES, 0);
	r->offered = dev_rig_answer(r, VUP_GET_FEATURES);
	r->features = r->offered & (want | 1ULL << 30 | 1ULL << 32);
	vup_empty(r->child.vmm, VUP_GET_PROTOCOL_FEATURES, 0);
	/* All but in-flight regions, as vmrun's VMM: the device settles with its memory. */
	vup_u64(r->child.vmm, VUP_SET_PROTOCOL_FEATURES, 0,
		dev_rig_answer(r, VUP_GET_PROTOCOL_FEATURES) & ~(1ULL << 12));
	vup_empty(r->child.vmm, VUP_SET_OWNER, 0);
	vup_u64(r->child.vmm, VUP_SET_FEATURES, 0, r->features);
	vup_mem_table(r->child.vmm, 0, &r->mem);
}

/* Starts the device up to its features */
static inline void dev_rig_start(struct dev_rig *r, const struct device_ops *ops, uint64_t want)
{
	char policy[64];

	snprintf(policy, sizeof(policy), "%s_device", ops->kind->name);
	cr_assert(dev_child_start(&r->child, ops, &r->rec, r->res, policy));
	dev_rig_meet(r, want);
}

/* Starts ring @q, empty */
static inline void dev_rig_ring(struct dev_rig *r, unsigned int q, uint16_t size)
{
	const int vmm = r->child.vmm;

	if (r->kick[q] < 0) {
		r->kick[q] = eventfd(0, EFD_NONBLOCK);
		r->call[q] = eventfd(0, EFD_NONBLOCK);
		r->error[q] = eventfd(0, EFD_NONBLOCK);
	}
	vqd_init(&r->ring[q], &r->mem, size, DEV_RIG_GPA(q), r->features & VQD_F_EVENT_IDX);
	vup_state(vmm, VUP_SET_VRING_NUM, 0, q, size);
	vup_state(vmm, VUP_SET_VRING_BASE, 0, q, 0);
	vup_addr(vmm, 0, q, &r->ring[q]);
	vup_fd(vmm, VUP_SET_VRING_CALL, 0, q, r->call[q]);
	vup_fd(vmm, VUP_SET_VRING_ERR, 0, q, r->error[q]);
	vup_fd(vmm, VUP_SET_VRING_KICK, VUP_NEED_REPLY, q, r->kick[q]);
	cr_assert_eq(dev_rig_answer(r, VUP_SET_VRING_KICK), 0);
	vup_state(vmm, VUP_SET_VRING_ENABLE, VUP_NEED_REPLY, q, 1);
	cr_assert_eq(dev_rig_answer(r, VUP_SET_VRING_ENABLE), 0);
}

/* Stops ring @q: where it stopped */
static inline uint32_t dev_rig_stop_ring(struct dev_rig *r, unsigned int q)
{
	vup_state(r->child.vmm, VUP_GET_VRING_BASE, 0, q, 0);
	return (uint32_t)(dev_rig_answer(r, VUP_GET_VRING_BASE) >> 32);
}

/* Configuration space; a write waits until it is done, and may be refused */
static inline uint32_t dev_rig_config(struct dev_rig *r, uint32_t off)
{
	const uint32_t zero = 0;
	struct vup_msg m;
	uint32_t v;

	vup_config(r->child.vmm, VUP_GET_CONFIG, 0, off, sizeof(v), &zero);
	cr_assert(dev_child_wait(r->child.vmm) && vup_recv(r->child.vmm, &m));
	cr_assert(m.request == VUP_GET_CONFIG && m.bytes == 12 + sizeof(v));
	memcpy(&v, m.payload + 12, sizeof(v));
	return v;
}

static inline bool dev_rig_set_config(struct dev_rig *r, uint32_t off, const void *data,
				      uint32_t bytes)
{
	vup_config(r->child.vmm, VUP_SET_CONFIG, VUP_NEED_REPLY, off, bytes, data);
	return dev_rig_answer(r, VUP_SET_CONFIG) == 0;
}

/* Hands over a channel for the device's own messages: our end of it */
static inline int dev_rig_channel(struct dev_rig *r)
{
	int end[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, end), 0);
	vup_send(r->child.vmm, VUP_SET_BACKEND_REQ_FD, VUP_NEED_REPLY, NULL, 0, &end[1], 1);
	cr_assert_eq(dev_rig_answer(r, VUP_SET_BACKEND_REQ_FD), 0);
	close(end[1]);
	return end[0];
}

/* A request of the supervisor; @m becomes the answer */
static inline void dev_rig_ask(struct dev_rig *r, struct ctl_msg *m)
{
	cr_assert_eq(ctl_send_whole(r->child.control, m, -1), 0);
	cr_assert(dev_child_wait(r->child.control) && ctl_recv(r->child.control, m) == 1);
	cr_assert_eq(m->type, CTL_DONE);
}

static inline void dev_rig_end(struct dev_rig *r)
{
	cr_assert_eq(dev_child_stop(&r->child), 0, "the device did not end well");
}

/* ---- a driver ------------------------------------------------------------------------------ */

/* Waits for the next used element of ring @q: its length, that is */
static inline uint32_t dev_rig_take(struct dev_rig *r, unsigned int q)
{
	uint32_t head, len;

	while (!vqd_take(&r->ring[q], &head, &len)) {
		eventfd_t v;

		cr_assert(dev_child_wait(r->call[q]), "no interrupt");
		eventfd_read(r->call[q], &v);
	}
	return len;
}

static inline void dev_rig_kick(struct dev_rig *r, unsigned int q)
{
	eventfd_write(r->kick[q], 1);
}

/* One request: used.len */
static inline uint32_t dev_rig_submit(struct dev_rig *r, unsigned int q, const struct vqd_buf *buf,
				      unsigned int nr)
{
	vqd_add(&r->ring[q], buf, nr);
	dev_rig_kick(r, q);
	return dev_rig_take(r, q);
}

/* The device says that the driver broke ring @q, and lives */
static inline void dev_rig_expect_broken(struct dev_rig *r, unsigned int q)
{
	eventfd_t v;

	cr_assert(dev_child_wait(r->error[q]), "queue %u was not reported", q);
	eventfd_read(r->error[q], &v);
	vup_empty(r->child.vmm, VUP_GET_FEATURES, 0);
	cr_assert_eq(dev_rig_answer(r, VUP_GET_FEATURES), r->offered);
}

#endif
