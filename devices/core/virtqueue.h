/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Split virtqueues, device side: the second audited module
 *
 * Implements virtio 1.3 section 2.7 (split virtqueues, indirect descriptors, event index). The only
 * code that reads a ring:
 *
 * - a descriptor is copied once into private memory and validated there; nothing is read twice;
 * - head < size and not in flight, available delta <= size, chain length <= size, or <= VQ_SIZE_MAX when
 *   it ends in an indirect table, indirect only if negotiated and never nested, readable before writable,
 *   no empty buffer, total length counted in 64 bits and at most 2^32;
 * - the used index is private; used.len is what vq_write() and vq_skip() counted;
 * - a chain that is put back is forgotten: popping it again copies and checks all of it anew;
 * - any violation latches VQ_BROKEN until vq_setup() is called again.
 *
 * A device sees vq_read, vq_write, vq_iov and vq_push, never an address. One that decides
 * while it moves bytes, such as a network device, also has vq_unpop, and vq_fill with vq_publish. Code
 * that holds many chains (vq_window.h) keeps their heads and counts itself.
 */
#ifndef VMRUN_DEVICES_CORE_VIRTQUEUE_H
#define VMRUN_DEVICES_CORE_VIRTQUEUE_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "devices/core/gmem.h"
#include "devices/core/vq_track.h"

/*
 * Entries of a ring, and buffers of an indirect table: where the transport gives no size a driver takes
 * this one (QEMU's virtio-mmio), and a table may be longer than a small ring has entries (Linux, QEMU).
 */
#define VQ_SIZE_MAX 1024
#define VQ_SEGS_MAX (VQ_SIZE_MAX + GMEM_REGIONS_MAX) /* pieces one chain may fall into */
#define VQ_IOV_MAX  1024 /* pieces the kernel takes in one call */

enum vq_result { VQ_EMPTY, VQ_CHAIN, VQ_BROKEN };
enum vq_dir { VQ_READABLE, VQ_WRITABLE };

/**
 * struct vq_layout - One ring, as the driver describes it
 * @size:	Entries, a power of two, 1 to VQ_SIZE_MAX
 * @desc_gpa:	16-byte aligned
 * @avail_gpa:	2-byte aligned
 * @used_gpa:	4-byte aligned
 * @next_avail:	Where to go on (vhost-user's vring base); 0 after reset
 * @features:	Negotiated virtio feature bits; the ring looks at INDIRECT_DESC and EVENT_IDX
 */
struct vq_layout {
	uint16_t size;
	uint16_t next_avail;
	uint64_t desc_gpa;
	uint64_t avail_gpa;
	uint64_t used_gpa;
	uint64_t features;
};

/**
 * struct vq - One ring; opaque to devices
 *
 * Pointers stay valid as long as the gmem they came from.
 */
struct vq {
	const struct gmem *mem;
	volatile void *desc;
	volatile void *avail;
	volatile void *used;
	uint64_t features;
	uint16_t size;
	uint16_t next_avail;     /* next entry of the available ring to take */
	uint16_t seen_avail;     /* avail.idx as last read and checked */
	uint16_t next_used;      /* next entry of the used ring to fill */
	uint16_t published_used; /* next_used as the driver sees it */
	uint16_t signalled_used; /* next_used when last asked whether to signal */
	bool signalled_valid;    /* false: the driver's used_event says nothing yet */
	bool pushed;             /* something was pushed since last asked */
	bool ready;
	bool broken;
	const char *why;                       /* static text naming the rule that was broken */
	uint64_t in_flight[VQ_SIZE_MAX / 64]; /* a bit for each head popped and not yet pushed */
	struct vq_track track;                 /* the same in memory that outlives this process */
};

/**
 * struct vq_chain - One request of the driver, copied and validated
 *
 * Fields are the ring's own; devices use the functions below. The device may keep it between
 * vq_pop() and vq_push(), across wake-ups too.
 */
struct vq_chain {
	uint16_t head;
	uint16_t nr_segs;
	uint16_t nr_readable; /* the first so many of @seg are readable */
	uint16_t read_seg;
	uint16_t write_seg;
	size_t read_off;
	size_t write_off;
	uint64_t readable_bytes; /* still to be read */
	uint64_t writable_bytes; /* still to be written */
	uint32_t written_bytes;
	struct iovec seg[VQ_SEGS_MAX];
};

/**
 * vq_setup() - Check a layout and make the ring ready
 * @q:		Overwritten whole, unless the layout is refused
 * @mem:	Borrowed until vq_reset()
 * @layout:	Hostile
 *
 * Refuses sizes that are no power of two or too large, misaligned or partly unmapped areas.
 * Each of the three areas lies in one region. The used index goes on from where the used ring stands,
 * read here and never again: a driver that was reset has zeroed it, and one that was only paused
 * expects the next number.
 * Context: any
 * Syscalls: none
 * Return: 0 or -EINVAL
 */
MUST_CHECK int vq_setup(struct vq *q, const struct gmem *mem, const struct vq_layout *layout,
			struct err *err);

/**
 * vq_recover() - Note what is in flight in a region, and go on with what its last user had in flight
 * @q:		Set up, nothing popped yet
 * @region:	Hostile; as in vq_track_begin(), and borrowed until vq_reset()
 * @desc_num:	Likewise
 *
 * A region that had a user decides where the ring goes on, as the specification wants: behind the chains
 * given back and those in flight.
 * Context: locked
 * Syscalls: none
 * Return: 0 or -EINVAL
 */
MUST_CHECK int vq_recover(struct vq *q, volatile struct vq_region *region, uint16_t desc_num,
			  struct err *err);

/**
 * vq_used_idx() - used.idx of a ring that has no user now
 * @used_gpa:	Hostile
 * @ret:	Untouched on failure
 *
 * Context: any
 * Syscalls: none
 * Return: false when it is not in guest memory
 */
MUST_CHECK bool vq_used_idx(const struct gmem *mem, uint64_t used_gpa, uint16_t *ret);

/**
 * vq_reset() - Forget everything; safe on a zeroed struct
 * @q:		Safe on a zeroed struct. Chains popped from it must not be pushed any more
 *
 * Context: any
 * Syscalls: none
 */
void vq_reset(struct vq *q);

/**
 * vq_pop() - Take the next available chain
 * @ret:	Filled when VQ_CHAIN is answered, undefined otherwise
 *
 * A device that pops without pushing gets at most as many chains as the ring has entries. With
 * event-idx, VQ_EMPTY re-arms the driver's notification before it is answered.
 * Context: locked
 * Syscalls: none
 * Return: VQ_CHAIN; VQ_EMPTY, also of a ring that is not set up; VQ_BROKEN (q->why names the rule)
 */
MUST_CHECK enum vq_result vq_pop(struct vq *q, struct vq_chain *ret);

/**
 * vq_unpop() - Put the chain that was popped last back, to be popped again
 * @q:		The ring it was popped from
 * @head:	In flight; not after this
 *
 * Nothing of it was promised to the driver: what was written into its buffers does not count. Several
 * are put back in the reverse order. The driver's notification is not armed by this: an earlier
 * VQ_EMPTY has armed it for what comes after the chains put back.
 * Context: locked
 * Syscalls: none
 */
void vq_unpop(struct vq *q, uint16_t head);

/**
 * vq_has() - Whether at least @nr chains wait to be popped; false for a broken ring
 * @nr:		How many are wanted
 *
 * Looks at the ring only if what it has seen of it is not enough.
 * Context: locked
 * Syscalls: none
 * Return: false also for a broken ring and one that is not set up
 */
MUST_CHECK bool vq_has(struct vq *q, unsigned int nr);

/** vq_position() - The entry of the available ring that is taken next; where it began until the first is */
static inline uint16_t vq_position(const struct vq *q)
{
	return q->next_avail;
}

/** vq_pops_again() - Whether the next chain that vq_pop() answers is one that the ring's last user had in flight */
static inline bool vq_pops_again(const struct vq *q)
{
	return vq_track_left(&q->track) > 0;
}

/** vq_left() - How many bytes are still to be read or written */
static inline uint64_t vq_left(const struct vq_chain *c, enum vq_dir dir)
{
	return dir == VQ_READABLE ? c->readable_bytes : c->writable_bytes;
}

/**
 * vq_read() - Copy the next bytes the driver sent; returns how many there were, up to @len
 * @len:	At most so many
 *
 * Context: locked
 * Syscalls: none
 * Return: how many there were, up to @len
 */
size_t vq_read(struct vq_chain *c, void *dst, size_t len);

/**
 * vq_write() - Copy bytes towards the driver, counted for used.len; returns how many fitted
 * @len:	At most so many
 *
 * Context: locked
 * Syscalls: none
 * Return: how many fitted
 */
size_t vq_write(struct vq_chain *c, const void *src, size_t len);

/**
 * vq_iov() - The next @max bytes in one direction, without copying
 * @dir:	VQ_READABLE or VQ_WRITABLE
 * @max:	At most so many bytes
 * @iov:	Filled with up to @nr_iov pieces
 * @nr_iov:	Room in it
 *
 * Does not advance: vq_skip() does, once it is known how much was moved.
 * Context: locked
 * Syscalls: none
 * Return: number of entries filled
 */
unsigned int vq_iov(const struct vq_chain *c, enum vq_dir dir, uint64_t max, struct iovec *iov,
		    unsigned int nr_iov);

/**
 * vq_skip() - Advance by @bytes (at most what is left); writable bytes count for used.len
 * @dir:	VQ_READABLE or VQ_WRITABLE
 * @bytes:	Writable bytes count for used.len
 *
 * Context: locked
 * Syscalls: none
 */
void vq_skip(struct vq_chain *c, enum vq_dir dir, uint64_t bytes);

/**
 * vq_fill() - As vq_push(), but the driver does not see it before vq_publish()
 * @q:		The ring it was popped from
 * @c:		In flight; not after this
 *
 * For a packet in several chains, which the driver has to see at once, and for batches.
 * Context: locked
 * Syscalls: none
 */
void vq_fill(struct vq *q, const struct vq_chain *c);

/**
 * vq_fill_head() - As vq_fill(), for a caller that kept only the chain's head and a count
 * @q:		The ring it was popped from
 * @head:	In flight; not after this
 * @bytes:	What was written into it: for used.len
 *
 * Chains may be given back in any order. A chain that is not in flight is a bug of ours (vr_assert).
 * Chains in flight when the queue broke are dropped silently.
 * Context: locked
 * Syscalls: none
 */
void vq_fill_head(struct vq *q, uint16_t head, uint32_t bytes);

/**
 * vq_publish() - Show the driver what was filled
 * @q:		The ring; nothing happens when nothing was, or when it is broken
 *
 * Context: locked
 * Syscalls: none
 */
void vq_publish(struct vq *q);

/**
 * vq_push() - Give a chain back with the length counted
 * @q:		The ring it was popped from
 * @c:		In flight; not after this
 *
 * Chains may be pushed in any order. A chain that is not in flight is a bug of ours (vr_assert). Chains
 * in flight when the queue broke are dropped silently.
 * vq_fill() and vq_publish() in one.
 * Context: locked
 * Syscalls: none
 */
void vq_push(struct vq *q, const struct vq_chain *c);

/**
 * vq_should_signal() - Whether the driver wants an interrupt for what was pushed since last asked
 *
 * What was filled must have been published: an earlier interrupt would be lost. With event-idx
 * the first answer after vq_setup() is yes: whether the ring's last user signalled what it had pushed
 * is not known.
 * Context: locked
 * Syscalls: none
 * Return: false when nothing was pushed, or the queue is broken
 */
MUST_CHECK bool vq_should_signal(struct vq *q);

#endif
