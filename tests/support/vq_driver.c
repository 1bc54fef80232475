/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/vq_driver.h"

#include <string.h>
#include <sys/mman.h>

/* The three parts of a ring as the specification draws them; every field is aligned by nature */
struct vqd_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct vqd_avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[]; /* size entries, then used_event */
};

struct vqd_used {
	uint16_t flags;
	uint16_t idx;
	struct {
		uint32_t id;
		uint32_t len;
	} ring[]; /* size entries, then avail_event */
};

void vqd_mem_init(struct vqd_mem *m, const struct vqd_piece *piece, unsigned int nr)
{
	*m = (struct vqd_mem){.nr = nr};
	vr_assert(nr > 0 && nr <= GMEM_REGIONS_MAX);
	for (unsigned int i = 0; i < nr; i++) {
		m->piece[i] = piece[i];
		m->bytes += piece[i].bytes;
	}
	m->fd = memfd_create("guest", MFD_CLOEXEC);
	vr_assert(m->fd >= 0 && ftruncate(m->fd, (off_t)m->bytes) == 0);
	m->base = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
	vr_assert(m->base != MAP_FAILED);
}

void vqd_mem_done(struct vqd_mem *m)
{
	munmap(m->base, m->bytes);
	close(m->fd);
	*m = (struct vqd_mem){.fd = -1};
}

void vqd_mem_map(const struct vqd_mem *m, struct gmem *g)
{
	uint64_t off = 0;

	for (unsigned int i = 0; i < m->nr; i++) {
		int rc = gmem_map(g, m->fd, off, m->piece[i].gpa, m->piece[i].bytes, 0,
				  &(struct err){0});

		vr_assert(rc == 0);
		off += m->piece[i].bytes;
	}
}

uint64_t vqd_mem_offset(const struct vqd_mem *m, uint64_t gpa, uint64_t len)
{
	uint64_t off = 0;

	for (unsigned int i = 0; i < m->nr; i++) {
		const struct vqd_piece *p = &m->piece[i];

		if (gpa >= p->gpa && gpa < p->gpa + p->bytes) {
			vr_assert(len <= p->gpa + p->bytes - gpa);
			return off + (gpa - p->gpa);
		}
		off += p->bytes;
	}
	vr_assert(!"an address in guest RAM");
}

void *vqd_at(const struct vqd_mem *m, uint64_t gpa, uint64_t len)
{
	return m->base + vqd_mem_offset(m, gpa, len);
}

static struct vqd_avail *vqd_avail(const struct vqd *d)
{
	return vqd_at(d->mem, d->avail_gpa, 6 + 2UL * d->size);
}

static struct vqd_used *vqd_used(const struct vqd *d)
{
	return vqd_at(d->mem, d->used_gpa, 6 + 8UL * d->size);
}

/* The two event fields, each behind the other side's entries */
static uint16_t *vqd_used_event_ptr(const struct vqd *d)
{
	return vqd_at(d->mem, d->avail_gpa + 4 + 2UL * d->size, 2);
}

static uint16_t *vqd_avail_event_ptr(const struct vqd *d)
{
	return vqd_at(d->mem, d->used_gpa + 4 + 8UL * d->size, 2);
}

/* Where the used ring starts behind the first two parts */
static uint64_t vqd_used_start(uint16_t size)
{
	return (16UL * size + 6 + 2UL * size + 3) & ~3UL;
}

uint64_t vqd_bytes(uint16_t size)
{
	return vqd_used_start(size) + 6 + 8UL * size;
}

void vqd_init(struct vqd *d, const struct vqd_mem *m, uint16_t size, uint64_t gpa,
	      uint64_t features)
{
	vr_assert(size > 0 && size <= VQD_SIZE_MAX && gpa % 16 == 0);
	*d = (struct vqd){
		.mem = m,
		.size = size,
		.desc_gpa = gpa,
		.avail_gpa = gpa + 16UL * size,
		.used_gpa = gpa + vqd_used_start(size),
		.features = features,
	};
	memset(vqd_at(m, gpa, vqd_bytes(size)), 0, vqd_bytes(size));
}

struct vq_layout vqd_layout(const struct vqd *d)
{
	return (struct vq_layout){
		.size = d->size,
		.desc_gpa = d->desc_gpa,
		.avail_gpa = d->avail_gpa,
		.used_gpa = d->used_gpa,
		.next_avail = d->used_idx,
		.features = d->features,
	};
}

void vqd_start_at(struct vqd *d, uint16_t idx)
{
	d->avail_idx = d->asked_idx = d->used_idx = idx;
	vqd_avail(d)->idx = idx;
	vqd_used(d)->idx = idx;
	*vqd_used_event_ptr(d) = idx;
	*vqd_avail_event_ptr(d) = idx;
}

void vqd_put_desc_at(const struct vqd_mem *m, uint64_t table_gpa, unsigned int i,
		     const struct vqd_buf *buf, uint16_t flags, uint16_t next)
{
	struct vqd_desc e = {.addr = buf->gpa, .len = buf->len, .flags = flags, .next = next};

	if (buf->writable)
		e.flags |= VQD_WRITE;
	/* Copied: only the ring's own table is aligned for sure. */
	memcpy(vqd_at(m, table_gpa + 16UL * i, sizeof(e)), &e, sizeof(e));
}

void vqd_put_desc(struct vqd *d, uint16_t i, uint64_t gpa, uint32_t len, uint16_t flags,
		  uint16_t next)
{
	struct vqd_buf buf = {.gpa = gpa, .len = len};

	vr_assert(i < d->size);
	vqd_put_desc_at(d->mem, d->desc_gpa, i, &buf, flags, next);
}

void vqd_set_avail_idx(struct vqd *d, uint16_t idx)
{
	d->avail_idx = idx;
	__atomic_store_n(&vqd_avail(d)->idx, idx, __ATOMIC_SEQ_CST);
}

void vqd_offer(struct vqd *d, uint16_t head)
{
	vqd_avail(d)->ring[d->avail_idx % d->size] = head;
	vqd_set_avail_idx(d, (uint16_t)(d->avail_idx + 1));
}

/* Takes a free descriptor, from the top so that chains are not in table order */
static uint16_t vqd_alloc(struct vqd *d)
{
	for (uint16_t i = d->size; i-- > 0;) {
		if (!d->taken[i]) {
			d->taken[i] = true;
			return i;
		}
	}
	vr_assert(!"a free descriptor");
}

uint16_t vqd_add(struct vqd *d, const struct vqd_buf *buf, unsigned int nr)
{
	uint16_t head, at;

	vr_assert(nr > 0);
	head = at = vqd_alloc(d);
	for (unsigned int i = 0; i < nr; i++) {
		bool last = i + 1 == nr;
		uint16_t next = last ? 0 : vqd_alloc(d);

		vqd_put_desc_at(d->mem, d->desc_gpa, at, &buf[i], last ? 0 : VQD_NEXT, next);
		at = next;
	}
	vqd_offer(d, head);
	return head;
}

uint16_t vqd_add_indirect(struct vqd *d, const struct vqd_buf *buf, unsigned int nr,
			  uint64_t table_gpa)
{
	uint16_t head = vqd_alloc(d);

	vr_assert(nr > 0);
	for (unsigned int i = 0; i < nr; i++)
		vqd_put_desc_at(d->mem, table_gpa, i, &buf[i], i + 1 == nr ? 0 : VQD_NEXT,
				(uint16_t)(i + 1));
	vqd_put_desc(d, head, table_gpa, nr * 16, VQD_INDIRECT, 0);
	vqd_offer(d, head);
	return head;
}

bool vqd_must_kick(struct vqd *d)
{
	uint16_t first = d->asked_idx;
	uint16_t event;

	d->asked_idx = d->avail_idx;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(d->features & VQD_F_EVENT_IDX))
		return first != d->avail_idx && !(vqd_used(d)->flags & 1);
	event = *vqd_avail_event_ptr(d);
	/* Notify when the entry whose index is avail_event is among those just added. */
	for (uint16_t i = first; i != d->avail_idx; i++) {
		if (i == event)
			return true;
	}
	return false;
}

bool vqd_take(struct vqd *d, uint32_t *ret_head, uint32_t *ret_len)
{
	struct vqd_used *u = vqd_used(d);
	struct vqd_desc *table = vqd_at(d->mem, d->desc_gpa, 16UL * d->size);
	uint32_t at;

	if (__atomic_load_n(&u->idx, __ATOMIC_SEQ_CST) == d->used_idx)
		return false;
	*ret_head = u->ring[d->used_idx % d->size].id;
	*ret_len = u->ring[d->used_idx % d->size].len;
	d->used_idx++;
	vr_assert(*ret_head < d->size);
	for (at = *ret_head; d->taken[at]; at = table[at].next) {
		d->taken[at] = false;
		if (!(table[at].flags & VQD_NEXT))
			break;
	}
	return true;
}

void vqd_want_signals(struct vqd *d, bool on)
{
	vqd_avail(d)->flags = on ? 0 : 1;
	/* With event-idx "none" is an entry as far away as can be. */
	*vqd_used_event_ptr(d) = on ? d->used_idx : (uint16_t)(d->used_idx - 0x8000);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void vqd_set_used_event(struct vqd *d, uint16_t idx)
{
	*vqd_used_event_ptr(d) = idx;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

uint16_t vqd_avail_event(const struct vqd *d)
{
	return *vqd_avail_event_ptr(d);
}
