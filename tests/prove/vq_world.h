/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A ring in a small guest memory, for proofs about virtqueue
 *
 * Guest memory is two regions that touch, a page at DATA and what world_begin() is asked for behind it, a gap on either
 * side, and the region RING, which holds the three parts of a ring at fixed offsets and an indirect table at an odd address.
 */
#ifndef VMRUN_TESTS_PROVE_VQ_WORLD_H
#define VMRUN_TESTS_PROVE_VQ_WORLD_H

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/core/virtqueue.h"
#include "tests/prove/prove.h"

#define F_NEXT	   1U
#define F_WRITE	   2U
#define F_INDIRECT 4U

#define FEATURE_INDIRECT  (1ULL << 28)
#define FEATURE_EVENT_IDX (1ULL << 29)

#define DATA	   0x1000ULL
#define RING	   0x1000000000ULL
#define RING_BYTES (8 * P)
#define DESC	   0U
#define AVAIL	   0x400U
#define USED	   0x600U
#define TABLE	   0x801U

/* A descriptor as it lies in guest memory */
struct entry {
	uint64_t gpa;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

static struct gmem mem;
static uint8_t *ring;
static uint8_t *data[2];
static uint64_t data_end;

/* Guest memory whose second region has @bytes */
static inline void world_begin(uint64_t bytes)
{
	int fd = memfd_create("memory", MFD_CLOEXEC);
	struct err err = {0};

	gmem_done(&mem);
	if (fd < 0 || ftruncate(fd, (off_t)(RING_BYTES + P + bytes)) < 0 || gmem_map(&mem, fd, RING_BYTES, DATA, P, 0, &err) < 0 ||
	    gmem_map(&mem, fd, RING_BYTES + P, DATA + P, bytes, 0, &err) < 0 || gmem_map(&mem, fd, 0, RING, RING_BYTES, 0, &err) < 0)
		exit(1);
	close(fd);
	ring = gmem_ptr(&mem, RING, RING_BYTES);
	data[0] = gmem_ptr(&mem, DATA, P);
	data[1] = gmem_ptr(&mem, DATA + P, bytes);
	data_end = DATA + P + bytes;
}

static inline void put16(unsigned int off, uint16_t v)
{
	memcpy(ring + off, &v, sizeof(v));
}

static inline uint16_t get16(unsigned int off)
{
	uint16_t v;

	memcpy(&v, ring + off, sizeof(v));
	return v;
}

/* A ring of @size that begins at @at, none of it known to the device yet */
static inline struct vq world_ring(uint16_t size, uint16_t at, uint64_t features)
{
	struct vq_layout layout = {.size = size,
				   .next_avail = at,
				   .desc_gpa = RING + DESC,
				   .avail_gpa = RING + AVAIL,
				   .used_gpa = RING + USED,
				   .features = features};
	struct err err = {0};
	struct vq q;

	put16(USED + 2, at);
	if (vq_setup(&q, &mem, &layout, &err) < 0)
		exit(1);
	return q;
}

#endif
