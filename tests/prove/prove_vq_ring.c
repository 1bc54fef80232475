/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Whatever the driver writes into the available ring, and in whatever order chains are given back
 *
 * Worlds: rings of 1, 2 and 4 entries that begin at 0 and around the wrap of 16 bits, with and without event index; every
 * content of the available ring, out of each head there is and two that are none; every sequence of up to STEPS steps, each one of:
 * the driver sets avail.idx (to where it began, one on, up to two more than the ring has, and half way around), the device pops, pushes the oldest or the
 * newest chain, puts the newest back. After each step the device's answer, the used ring and avail_event are the model's.
 * And whether an interrupt is due, for every used_event.
 *
 * The model is virtio 1.3 sections 2.7.6 to 2.7.8 with the rules of virtqueue.h: no head twice in flight.
 */
#include "tests/prove/vq_world.h"

#define SIZE_MAX_HERE 4
#define STEPS	      6

#define USED_AT(i)    (USED + 4 + 8 * (i))

struct model {
	bool broken;
	uint16_t next;	      /* entry to pop */
	uint16_t seen;	      /* avail.idx when the device last looked */
	uint16_t used;	      /* used.idx */
	unsigned int nr_held; /* chains in flight, oldest first, and the entries they came from */
	uint16_t held[SIZE_MAX_HERE];
	uint16_t from[SIZE_MAX_HERE];
	uint16_t used_head[SIZE_MAX_HERE];
	uint16_t avail_event;
};

/* All that a step may change */
struct state {
	struct vq q;
	struct model m;
	unsigned int known; /* entries of the available ring that have a value */
	uint8_t rings[0x240];
};

static uint16_t size, start;
static uint64_t features;

static bool model_has(const struct model *m, uint16_t head)
{
	for (unsigned int i = 0; i < m->nr_held; i++)
		if (m->held[i] == head)
			return true;
	return false;
}

/* The device looks at avail.idx, when it has popped all that it saw; false when that breaks the ring */
static bool model_look(struct model *m)
{
	if (m->next != m->seen)
		return true;
	m->seen = get16(AVAIL + 2);
	m->broken = (uint16_t)(m->seen - m->next) > size;
	if (!m->broken && m->seen == m->next && (features & FEATURE_EVENT_IDX))
		m->avail_event = m->next;
	return !m->broken;
}

static enum vq_result model_pop(struct model *m)
{
	uint16_t head;

	if (m->broken || !model_look(m))
		return VQ_BROKEN;
	if (m->next == m->seen)
		return VQ_EMPTY;
	head = get16(AVAIL + 4 + 2 * (m->next % size));
	m->broken = head >= size || model_has(m, head);
	if (m->broken)
		return VQ_BROKEN;
	m->held[m->nr_held] = head;
	m->from[m->nr_held++] = m->next++;
	return VQ_CHAIN;
}

/* Chain @i leaves the device; @used: and the driver sees it */
static void model_land(struct model *m, unsigned int i, bool used)
{
	if (used && !m->broken)
		m->used_head[m->used++ % size] = m->held[i];
	m->nr_held--;
	for (; i < m->nr_held; i++) {
		m->held[i] = m->held[i + 1];
		m->from[i] = m->from[i + 1];
	}
}

/* Whether both agree on everything that a driver can see */
static void compare(const struct vq *q, const struct model *m)
{
	PROVE(q->broken == m->broken, "ring of %u: broken %d: %s", size, q->broken,
	      q->why ? q->why : "");
	PROVE(get16(USED + 2) == m->used, "ring of %u: used index %u, not %u", size,
	      get16(USED + 2), m->used);
	for (uint16_t i = m->used; i != start && (uint16_t)(m->used - i) < size; i--)
		PROVE(get16(USED_AT((uint16_t)(i - 1) % size)) ==
			      m->used_head[(uint16_t)(i - 1) % size],
		      "used entry");
	PROVE(!(features & FEATURE_EVENT_IDX) || get16(USED_AT(size)) == m->avail_event,
	      "avail_event");
}

static void step_pop(struct state *s)
{
	static struct vq_chain c;
	enum vq_result right = model_pop(&s->m), got = vq_pop(&s->q, &c);

	PROVE(got == right, "ring of %u at %u: pop says %d, not %d", size, s->m.next, got, right);
	if (got == VQ_CHAIN)
		PROVE(c.head == s->m.held[s->m.nr_held - 1] && c.nr_segs == 1 &&
			      c.seg[0].iov_base == data[0] + c.head && c.seg[0].iov_len == 1,
		      "a chain's buffer");
}

static void step_push(struct state *s, unsigned int i)
{
	vq_fill_head(&s->q, s->m.held[i], 1);
	vq_publish(&s->q);
	model_land(&s->m, i, true);
}

/* The steps that follow are the driver's, which sets avail.idx */
enum { STEP_POP, STEP_PUSH_OLDEST, STEP_PUSH_NEWEST, STEP_UNPOP, STEP_DRIVER };

/* One step; false where it is none in this state */
static bool step(struct state *s, unsigned int what)
{
	const unsigned int held = s->m.nr_held;

	switch (what) {
	case STEP_POP: step_pop(s); return true;
	case STEP_PUSH_OLDEST:
		if (held == 0)
			return false;
		step_push(s, 0);
		return true;
	case STEP_PUSH_NEWEST:
		if (held < 2)
			return false;
		step_push(s, held - 1);
		return true;
	case STEP_UNPOP:
		/* Only what was popped last is put back. */
		if (held == 0 || s->m.from[held - 1] != (uint16_t)(s->m.next - 1))
			return false;
		vq_unpop(&s->q, s->m.held[held - 1]);
		s->m.next--;
		model_land(&s->m, held - 1, false);
		return true;
	default:
		what -= STEP_DRIVER;
		put16(AVAIL + 2, (uint16_t)(start + (what == size + 3U ? 0x8000U : what)));
		return true;
	}
}

static void enumerate(const struct state *from, unsigned int steps);

/* What follows @what, with @head in the entry that is popped next */
static void enumerate_step(const struct state *from, unsigned int steps, unsigned int what,
			   uint16_t head)
{
	struct state s = *from;
	const unsigned int slot = s.m.next % size;

	memcpy(ring + AVAIL, s.rings, sizeof(s.rings));
	if (what == STEP_POP && !(s.known & 1U << slot)) {
		put16(AVAIL + 4 + 2 * slot, head);
		s.known |= 1U << slot;
	}
	if (!step(&s, what))
		return;
	compare(&s.q, &s.m);
	memcpy(s.rings, ring + AVAIL, sizeof(s.rings));
	if (steps > 1)
		enumerate(&s, steps - 1);
}

/* Every sequence of @steps steps. An entry of the available ring matters when it is popped, and gets every value then. */
static void enumerate(const struct state *from, unsigned int steps)
{
	for (unsigned int what = 0; what <= STEP_DRIVER + size + 3U; what++) {
		bool any = what == STEP_POP && !(from->known & 1U << from->m.next % size);

		for (unsigned int head = 0; head <= (any ? size + 1U : 0); head++)
			enumerate_step(from, steps, what, (uint16_t)(head <= size ? head : 0xffff));
	}
}

/* A buffer of a byte for each head, all different; behind the ring lies one more, for a device that would read it */
static void put_descriptors(unsigned int nr)
{
	memset(ring, 0, RING_BYTES);
	for (unsigned int i = 0; i <= nr; i++) {
		const struct entry e = {DATA + i, 1, F_WRITE, 0};

		memcpy(ring + DESC + 16 * (size_t)i, &e, sizeof(e));
	}
}

/* Every ring of @ring_size that begins at @at */
static void world(uint16_t ring_size, uint16_t at, uint64_t with)
{
	struct state s = {.m = {.next = at, .seen = at, .used = at, .avail_event = at}};

	size = ring_size;
	start = at;
	features = with;
	put_descriptors(size);
	s.q = world_ring(size, at, features);
	put16(AVAIL + 2, at);
	memcpy(s.rings, ring + AVAIL, sizeof(s.rings));
	enumerate(&s, STEPS);
}

/* Whether @event is among the entries [old, old + nr), as the specification says it: the driver wants the interrupt of that one */
static bool model_wants(uint16_t event, uint16_t old, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (event == (uint16_t)(old + i))
			return true;
	return false;
}

/* Interrupts: every used_event, behind every number of chains given back since the last */
static void signals(uint16_t at)
{
	struct vq_chain c;
	struct vq q;

	put_descriptors(SIZE_MAX_HERE);
	for (unsigned int i = 0; i < 0x10000 * SIZE_MAX_HERE; i++) {
		const uint16_t event = (uint16_t)i;
		const unsigned int nr = i / 0x10000;

		q = world_ring(SIZE_MAX_HERE, at, FEATURE_EVENT_IDX);
		/* The first answer after set-up is yes. */
		for (unsigned int k = 0; k <= nr; k++) {
			put16(AVAIL + 2, (uint16_t)(at + k + 1));
			put16(AVAIL + 4 + 2 * ((at + k) % SIZE_MAX_HERE), 0);
			if (vq_pop(&q, &c) != VQ_CHAIN)
				exit(1);
			vq_push(&q, &c);
			if (k == 0)
				PROVE(vq_should_signal(&q), "the first signal");
		}
		put16(AVAIL + 4 + 2 * SIZE_MAX_HERE, event);
		PROVE(vq_should_signal(&q) == model_wants(event, (uint16_t)(at + 1), nr),
		      "used_event %u, %u given back from %u", event, nr, at + 1U);
	}
}

int main(void)
{
	static const uint16_t starts[] = {0, 0x7fff, 0xfffd, 0xfffe, 0xffff};
	char name[64];

	world_begin(P);
	for (unsigned int i = 0; i < ARRAY_SIZE(starts); i++)
		signals(starts[i]);
	prove_said("interrupts");
	for (uint16_t ring_size = 1; ring_size <= SIZE_MAX_HERE; ring_size *= 2) {
		for (unsigned int i = 0; i < ARRAY_SIZE(starts); i++) {
			world(ring_size, starts[i], 0);
			world(ring_size, starts[i], FEATURE_EVENT_IDX);
		}
		snprintf(name, sizeof(name), "steps of a driver and a device on a ring of %u",
			 ring_size);
		prove_said(name);
	}
	return 0;
}
