/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Order of accesses to a ring
 *
 * The driver runs on other CPUs while we look. What is read is read once, into private memory, in
 * this order (virtio 1.3 section 2.7.13 and 2.7.14):
 *
 *   pop:    avail.idx (acquire), avail.ring[], descriptors
 *   empty:  avail_event written, full fence, avail.idx once more
 *   push:   used.ring[] written (fill), used.idx (publish, release); vq_track.h notes both
 *   signal: full fence, then avail.flags or used_event
 *
 * The two fences close the two races in which each side looks before the other has written: a chain
 * made available while we go to sleep, and an interrupt enabled while we complete.
 *
 * The specification does not say what an empty buffer (len 0) means. Nothing can be moved through
 * one, and other implementations of the device side refuse it, so no working driver makes one: it
 * breaks the queue like any other senseless descriptor. Descriptor flags that are not defined are
 * ignored, and so is WRITE beside INDIRECT, as the specification asks.
 */
#include "devices/core/virtqueue.h"

#include <errno.h>
#include <linux/virtio_ring.h>

_Static_assert(VQ_TRACK_MAX == VQ_SIZE_MAX, "what is tracked of the largest ring");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rings are read as they are");

#define VQ_CHAIN_BYTES_MAX (1ULL << 32)

/* Byte offsets of the two rings' fields; VQ_*_EVENT lies behind the entries */
#define VQ_FLAGS_OFF		 0U
#define VQ_IDX_OFF		 2U
#define VQ_RING_OFF		 4U
#define VQ_AVAIL_ENTRY		 2U
#define VQ_USED_ENTRY		 8U
#define VQ_USED_EVENT_OFF(size)	 (VQ_RING_OFF + VQ_AVAIL_ENTRY * (size_t)(size))
#define VQ_AVAIL_EVENT_OFF(size) (VQ_RING_OFF + VQ_USED_ENTRY * (size_t)(size))

#define VQ_FEATURES		 (1ULL << VIRTIO_RING_F_INDIRECT_DESC | 1ULL << VIRTIO_RING_F_EVENT_IDX)

/* A descriptor, private */
struct vq_desc {
	uint64_t gpa;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

/* Half a descriptor where it lies: an indirect table may have any alignment */
struct vq_raw {
	uint64_t v;
} __attribute__((packed, may_alias));

/* A chain while it is collected */
struct vq_walk {
	struct vq *q;
	struct vq_chain *c;
	unsigned int nr_descs; /* buffers so far, the descriptor of an indirect table not counted */
	unsigned int max;      /* as many as there may be */
	uint64_t bytes;
};

static volatile uint16_t *vq_ring16(volatile void *ring, size_t off)
{
	return (volatile uint16_t *)(volatile void *)((volatile uint8_t *)ring + off);
}

static uint16_t vq_avail_idx(const struct vq *q)
{
	return __atomic_load_n(vq_ring16(q->avail, VQ_IDX_OFF), __ATOMIC_ACQUIRE);
}

static bool vq_has_event_idx(const struct vq *q)
{
	return (q->features & 1ULL << VIRTIO_RING_F_EVENT_IDX) != 0;
}

static bool vq_in_flight(const struct vq *q, uint16_t head)
{
	return (q->in_flight[head / 64] >> head % 64 & 1) != 0;
}

/* The one place where a queue breaks. Returns false, for the caller to return */
static bool vq_break(struct vq *q, const char *why)
{
	q->broken = true;
	q->why = why;
	return false;
}

/* The single copy of entry @i of a descriptor table */
static struct vq_desc vq_copy_desc(const volatile void *table, unsigned int i)
{
	const volatile struct vq_raw *raw = (const volatile struct vq_raw *)table + 2 * (size_t)i;
	uint64_t lo = raw[0].v;
	uint64_t hi = raw[1].v;

	return (struct vq_desc){
		.gpa = lo,
		.len = (uint32_t)hi,
		.flags = (uint16_t)(hi >> 32),
		.next = (uint16_t)(hi >> 48),
	};
}

int vq_setup(struct vq *q, const struct gmem *mem, const struct vq_layout *layout, struct err *err)
{
	uint16_t size = layout->size;
	struct vq new = {.mem = mem,
			 .features = layout->features & VQ_FEATURES,
			 .size = size,
			 .next_avail = layout->next_avail,
			 .seen_avail = layout->next_avail};

	if (size == 0 || size > VQ_SIZE_MAX || (size & (size - 1)) != 0)
		return err_text(err, EINVAL, "ring of %u entries: not a power of two up to %d",
				size, VQ_SIZE_MAX);
	if (layout->desc_gpa % 16 != 0 || layout->avail_gpa % 2 != 0 || layout->used_gpa % 4 != 0)
		return err_text(err, EINVAL, "ring at 0x%lx, 0x%lx, 0x%lx: misaligned",
				layout->desc_gpa, layout->avail_gpa, layout->used_gpa);
	new.desc = gmem_ptr(mem, layout->desc_gpa, 16ULL * size);
	new.avail = gmem_ptr(mem, layout->avail_gpa, VQ_USED_EVENT_OFF(size) + 2);
	new.used = gmem_ptr(mem, layout->used_gpa, VQ_AVAIL_EVENT_OFF(size) + 2);
	if (!new.desc || !new.avail || !new.used)
		return err_text(err, EINVAL, "ring at 0x%lx, 0x%lx, 0x%lx: not in guest memory",
				layout->desc_gpa, layout->avail_gpa, layout->used_gpa);
	new.next_used = *vq_ring16(new.used, VQ_IDX_OFF);
	new.published_used = new.next_used;
	new.signalled_used = new.next_used;
	new.ready = true;
	/* Ask for every notification; the last user of the ring may have asked for fewer. */
	*vq_ring16(new.used, VQ_FLAGS_OFF) = 0;
	if (vq_has_event_idx(&new))
		*vq_ring16(new.used, VQ_AVAIL_EVENT_OFF(size)) = new.next_avail;
	*q = new;
	return 0;
}

void vq_reset(struct vq *q)
{
	*q = (struct vq){0};
}

/* Adds one buffer to the chain */
static bool vq_walk_buffer(struct vq_walk *w, const struct vq_desc *d)
{
	struct vq_chain *c = w->c;
	bool writable = (d->flags & VRING_DESC_F_WRITE) != 0;
	unsigned int n;

	if (++w->nr_descs > w->max)
		return vq_break(w->q, "chain too long");
	if (d->len == 0)
		return vq_break(w->q, "empty buffer");
	if (!writable && c->nr_segs != c->nr_readable)
		return vq_break(w->q, "readable buffer after a writable one");
	w->bytes += d->len;
	if (w->bytes > VQ_CHAIN_BYTES_MAX)
		return vq_break(w->q, "chain of more than 2^32 bytes");
	/* Buffers that do not overlap cross fewer borders than there are regions: room suffices. */
	n = gmem_iov(w->q->mem, d->gpa, d->len, c->seg + c->nr_segs, VQ_SEGS_MAX - c->nr_segs);
	if (n == 0)
		return vq_break(w->q, "buffer outside guest memory");
	c->nr_segs = (uint16_t)(c->nr_segs + n);
	if (writable) {
		c->writable_bytes += d->len;
	} else {
		c->nr_readable = c->nr_segs;
		c->readable_bytes += d->len;
	}
	return true;
}

/* Adds the buffers of an indirect table, which ends the chain */
static bool vq_walk_indirect(struct vq_walk *w, const struct vq_desc *d)
{
	const volatile void *table;
	unsigned int size, i = 0;
	struct vq_desc e;

	if (!(w->q->features & 1ULL << VIRTIO_RING_F_INDIRECT_DESC))
		return vq_break(w->q, "indirect table not negotiated");
	if (d->flags & VRING_DESC_F_NEXT)
		return vq_break(w->q, "indirect table with a next descriptor");
	if (d->len == 0 || d->len % 16 != 0 || d->len / 16 > VQ_SIZE_MAX)
		return vq_break(w->q, "indirect table of a bad length");
	table = gmem_ptr(w->q->mem, d->gpa, d->len);
	if (!table)
		return vq_break(w->q, "indirect table outside guest memory");
	size = d->len / 16;
	/*
	 * The specification has the queue's size here too. But drivers make tables as long as the
	 * device's limits allow (seg_max), however small the ring is, and other devices take them.
	 */
	w->max = VQ_SIZE_MAX;
	do {
		if (i >= size)
			return vq_break(w->q, "next index outside the indirect table");
		e = vq_copy_desc(table, i);
		if (e.flags & VRING_DESC_F_INDIRECT)
			return vq_break(w->q, "indirect table inside an indirect table");
		if (!vq_walk_buffer(w, &e))
			return false;
		i = e.next;
	} while (e.flags & VRING_DESC_F_NEXT);
	return true;
}

/* Collects the chain that starts at @head; ends because vq_walk_buffer() counts */
static bool vq_walk_chain(struct vq *q, uint16_t head, struct vq_chain *c)
{
	struct vq_walk w = {.q = q, .c = c, .max = q->size};
	unsigned int i = head;
	struct vq_desc d;

	c->head = head;
	c->nr_segs = 0;
	c->nr_readable = 0;
	c->readable_bytes = 0;
	c->writable_bytes = 0;
	do {
		if (i >= q->size)
			return vq_break(q, "next index outside the queue");
		d = vq_copy_desc(q->desc, i);
		if (d.flags & VRING_DESC_F_INDIRECT)
			return vq_walk_indirect(&w, &d);
		if (!vq_walk_buffer(&w, &d))
			return false;
		i = d.next;
	} while (d.flags & VRING_DESC_F_NEXT);
	return true;
}

/* Reads avail.idx; false when that breaks the queue */
static bool vq_look(struct vq *q)
{
	uint16_t idx = vq_avail_idx(q);

	if ((uint16_t)(idx - q->next_avail) > q->size)
		return vq_break(q, "available index ahead by more than the queue's size");
	q->seen_avail = idx;
	return true;
}

/* Makes seen_avail current; the notification is armed if nothing is there. False when broken */
static bool vq_look_or_arm(struct vq *q)
{
	if (q->next_avail != q->seen_avail)
		return true;
	if (!vq_look(q))
		return false;
	if (q->next_avail != q->seen_avail || !vq_has_event_idx(q))
		return true;
	*vq_ring16(q->used, VQ_AVAIL_EVENT_OFF(q->size)) = q->next_avail;
	/* The driver writes avail.idx, then reads avail_event: we go the other way round. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return vq_look(q);
}

/* Hands out the chain at @head; false when that breaks the queue */
static bool vq_take(struct vq *q, uint16_t head, struct vq_chain *ret)
{
	if (head >= q->size)
		return vq_break(q, "available head outside the queue");
	if (vq_in_flight(q, head))
		return vq_break(q, "available head in flight already");
	if (!vq_walk_chain(q, head, ret))
		return false;
	ret->read_seg = 0;
	ret->read_off = 0;
	ret->write_seg = ret->nr_readable;
	ret->write_off = 0;
	ret->written_bytes = 0;
	q->in_flight[head / 64] |= 1ULL << head % 64;
	return true;
}

enum vq_result vq_pop(struct vq *q, struct vq_chain *ret)
{
	uint16_t head;

	if (!q->ready)
		return VQ_EMPTY;
	if (q->broken)
		return VQ_BROKEN;
	if (vq_track_left(&q->track) > 0)
		return vq_take(q, vq_track_again(&q->track), ret) ? VQ_CHAIN : VQ_BROKEN;
	if (!vq_look_or_arm(q))
		return VQ_BROKEN;
	if (q->next_avail == q->seen_avail)
		return VQ_EMPTY;
	head = *vq_ring16(q->avail,
			  VQ_RING_OFF + VQ_AVAIL_ENTRY * (size_t)(q->next_avail & (q->size - 1)));
	if (!vq_take(q, head, ret))
		return VQ_BROKEN;
	vq_track_popped(&q->track, head);
	q->next_avail++;
	return VQ_CHAIN;
}

/* The chain leaves the device's hands; one that is not in them is a bug of ours */
static void vq_land(struct vq *q, uint16_t head)
{
	vr_assert(q->ready && head < q->size && vq_in_flight(q, head));
	q->in_flight[head / 64] &= ~(1ULL << head % 64);
}

void vq_unpop(struct vq *q, uint16_t head)
{
	vq_land(q, head);
	if (vq_track_unpopped(&q->track, head))
		q->next_avail--;
}

bool vq_has(struct vq *q, unsigned int nr)
{
	const unsigned int again = vq_track_left(&q->track);

	if (!q->ready || q->broken)
		return false;
	if (again + (uint16_t)(q->seen_avail - q->next_avail) >= nr)
		return true;
	return vq_look(q) && again + (uint16_t)(q->seen_avail - q->next_avail) >= nr;
}

void vq_fill_head(struct vq *q, uint16_t head, uint32_t bytes)
{
	volatile uint32_t *entry;
	size_t off = VQ_RING_OFF + VQ_USED_ENTRY * (size_t)(q->next_used & (q->size - 1));

	vq_land(q, head);
	if (q->broken)
		return;
	entry = (volatile uint32_t *)(volatile void *)((volatile uint8_t *)q->used + off);
	entry[0] = head;
	entry[1] = bytes;
	vq_track_filled(&q->track, head);
	q->next_used++;
	/* Once around since last asked: a passed used_event looks like one to come. */
	if (q->next_used == q->signalled_used)
		q->signalled_valid = false;
}

void vq_fill(struct vq *q, const struct vq_chain *c)
{
	vq_fill_head(q, c->head, c->written_bytes);
}

void vq_publish(struct vq *q)
{
	if (q->published_used == q->next_used || q->broken)
		return;
	q->published_used = q->next_used;
	q->pushed = true;
	__atomic_store_n(vq_ring16(q->used, VQ_IDX_OFF), q->next_used, __ATOMIC_RELEASE);
	vq_track_published(&q->track, q->next_used);
}

void vq_push(struct vq *q, const struct vq_chain *c)
{
	vq_fill(q, c);
	vq_publish(q);
}

bool vq_should_signal(struct vq *q)
{
	uint16_t old = q->signalled_used;
	uint16_t event;

	if (!q->ready || q->broken)
		return false;
	vr_assert(q->published_used == q->next_used);
	if (!q->pushed)
		return false;
	q->pushed = false;
	q->signalled_used = q->next_used;
	/* The driver writes flags or used_event, then reads used.idx: the other way round. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!vq_has_event_idx(q))
		return (*vq_ring16(q->avail, VQ_FLAGS_OFF) & VRING_AVAIL_F_NO_INTERRUPT) == 0;
	event = *vq_ring16(q->avail, VQ_USED_EVENT_OFF(q->size));
	if (!q->signalled_valid) {
		q->signalled_valid = true;
		return true;
	}
	/* Whether used_event lies among the entries [old, next_used) */
	return (uint16_t)(q->next_used - event - 1) < (uint16_t)(q->next_used - old);
}
