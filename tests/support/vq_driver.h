/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Driver side of a split virtqueue, for tests
 *
 * Written from the specification (virtio 1.3 section 2.7) and independently of virtqueue.c, so that
 * a misreading on one side shows. Plays an honest driver by vqd_add() and vqd_take(), a hostile one
 * by vqd_put_desc(), vqd_offer() and vqd_set_avail_idx(). Misuse by a test aborts it.
 */
#ifndef VMRUN_TESTS_SUPPORT_VQ_DRIVER_H
#define VMRUN_TESTS_SUPPORT_VQ_DRIVER_H

#include "devices/core/gmem.h"
#include "devices/core/virtqueue.h"

#define VQD_SIZE_MAX 2048 /* larger than any device takes, to see it refused */

#define VQD_NEXT     1
#define VQD_WRITE    2
#define VQD_INDIRECT 4

#define VQD_F_INDIRECT  (1ULL << 28)
#define VQD_F_EVENT_IDX (1ULL << 29)

/** struct vqd_piece - One region of guest RAM */
struct vqd_piece {
	uint64_t gpa;
	uint64_t bytes;
};

/**
 * struct vqd_mem - Guest RAM as the driver sees it: a memfd holding the pieces one after the other
 * @fd:		Owned; what a front-end would send to a back-end
 * @base:	Owned mapping of the whole file
 */
struct vqd_mem {
	int fd;
	uint8_t *base;
	uint64_t bytes;
	unsigned int nr;
	struct vqd_piece piece[GMEM_REGIONS_MAX];
};

/** vqd_mem_init() - Make guest RAM of @nr pieces, filled with zeros */
void vqd_mem_init(struct vqd_mem *m, const struct vqd_piece *piece, unsigned int nr);
void vqd_mem_done(struct vqd_mem *m);

/** vqd_mem_map() - Map every piece into @g, the device's view; user addresses are 0 */
void vqd_mem_map(const struct vqd_mem *m, struct gmem *g);

/** vqd_mem_offset() - Where in the memfd [@gpa, @gpa + @len) lies; within one piece */
uint64_t vqd_mem_offset(const struct vqd_mem *m, uint64_t gpa, uint64_t len);

/** vqd_at() - The driver's pointer for [@gpa, @gpa + @len), within one piece */
void *vqd_at(const struct vqd_mem *m, uint64_t gpa, uint64_t len);

/** struct vqd_buf - One buffer of a request */
struct vqd_buf {
	uint64_t gpa;
	uint32_t len;
	bool writable;
};

/**
 * struct vqd - One ring
 * @avail_idx:	What the driver has published
 * @asked_idx:	@avail_idx when vqd_must_kick() was last asked
 * @used_idx:	What the driver has taken back
 */
struct vqd {
	const struct vqd_mem *mem;
	uint16_t size;
	uint64_t desc_gpa, avail_gpa, used_gpa;
	uint64_t features;
	uint16_t avail_idx, asked_idx, used_idx;
	bool taken[VQD_SIZE_MAX];
};

/**
 * vqd_init() - Lay out an empty ring at @gpa and zero it
 * @gpa:	16-byte aligned; vqd_bytes() are used from there
 * @features:	VQD_F_*
 */
void vqd_init(struct vqd *d, const struct vqd_mem *m, uint16_t size, uint64_t gpa,
	      uint64_t features);

/** vqd_bytes() - What a ring of @size entries takes */
uint64_t vqd_bytes(uint16_t size);

/** vqd_layout() - What the driver would tell the device */
struct vq_layout vqd_layout(const struct vqd *d);

/** vqd_add() - Make a request available as a chain of descriptors; returns its head */
uint16_t vqd_add(struct vqd *d, const struct vqd_buf *buf, unsigned int nr);

/** vqd_add_indirect() - As vqd_add(), with the buffers in a table at @table_gpa */
uint16_t vqd_add_indirect(struct vqd *d, const struct vqd_buf *buf, unsigned int nr,
			  uint64_t table_gpa);

/** vqd_must_kick() - Whether what was made available since last asked needs a notification */
bool vqd_must_kick(struct vqd *d);

/** vqd_take() - Take the next used entry back and free its descriptors; false when there is none */
bool vqd_take(struct vqd *d, uint32_t *ret_head, uint32_t *ret_len);

/** vqd_want_signals() - Ask for an interrupt with the next used entry, or for none */
void vqd_want_signals(struct vqd *d, bool on);

/** vqd_set_used_event() - Ask for an interrupt when entry @idx is used (event-idx only) */
void vqd_set_used_event(struct vqd *d, uint16_t idx);

/** vqd_avail_event() - What the device wrote (event-idx only) */
uint16_t vqd_avail_event(const struct vqd *d);

/** vqd_start_at() - Make an empty ring look as if @idx requests had come and gone */
void vqd_start_at(struct vqd *d, uint16_t idx);

/* The hostile driver */

/** vqd_put_desc() - Write entry @i of the table, marking nothing taken */
void vqd_put_desc(struct vqd *d, uint16_t i, uint64_t gpa, uint32_t len, uint16_t flags,
		  uint16_t next);

/** vqd_put_desc_at() - Write a descriptor anywhere, such as into an indirect table */
void vqd_put_desc_at(const struct vqd_mem *m, uint64_t table_gpa, unsigned int i,
		     const struct vqd_buf *buf, uint16_t flags, uint16_t next);

/** vqd_offer() - Make any head available, sensible or not */
void vqd_offer(struct vqd *d, uint16_t head);

/** vqd_set_avail_idx() - Publish any available index */
void vqd_set_avail_idx(struct vqd *d, uint16_t idx);

#endif
