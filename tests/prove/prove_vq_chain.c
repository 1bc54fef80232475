/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: vq_pop() ends, and yields only what lies in guest memory
 *
 * Worlds: every ring of size 1, 2 and 4, and every indirect table of up to 4 entries, of which each descriptor takes every
 * combination of the values of plain_values() and table_values(): addresses at, before and behind the borders of RAM,
 * lengths around what fits, every flag, every next index and two beyond. A descriptor that the walk does not reach cannot matter; so values
 * are given to a descriptor when the model asks for it, and the device has to agree with the model whatever lies in the others.
 *
 * The model is virtio 1.3 section 2.7.5 with the limits of virtqueue.h: it collects buffers, then bytes.
 */
#include "tests/prove/vq_world.h"

#define ENTRIES	   4
#define VALUES_MAX 1024
#define CHAIN_MAX  (1ULL << 32)

/* What a chain is, as the model has it */
struct model {
	enum { MODEL_BROKEN, MODEL_CHAIN, MODEL_ASKS_RING, MODEL_ASKS_TABLE } is;
	unsigned int asks; /* the entry that has no value yet */
	unsigned int nr;
	unsigned int nr_readable;
	uint64_t bytes[2];
	struct iovec seg[2 * ENTRIES * 2];
	unsigned int buffers;
};

static struct entry values[2][VALUES_MAX]; /* of a ring, of a table */
static unsigned int nr_values[2];
/* What lies in an entry that no walk may reach: harmless, so that a walk that does differs from the model's */
static const struct entry beyond = {DATA, 1, 0, 0};
static struct entry desc[ENTRIES], table[ENTRIES];
static bool desc_known[ENTRIES], table_known[ENTRIES];
static uint16_t size;
static unsigned int table_entries;
static struct vq fresh;

static void value(unsigned int of, uint64_t gpa, uint32_t len, unsigned int flags,
		  unsigned int next)
{
	if (nr_values[of] == VALUES_MAX)
		exit(1);
	values[of][nr_values[of]++] = (struct entry){gpa, len, (uint16_t)flags, (uint16_t)next};
}

/* Buffers of a ring or a table of @entries: readable, writable, last and not, and flags that are not defined */
static void plain_values(unsigned int of, unsigned int entries)
{
	/* The longest buffer: all of DATA, or what 32 bits can say */
	const uint32_t most = data_end - DATA < UINT32_MAX ? (uint32_t)(data_end - DATA)
							   : UINT32_MAX;
	const uint64_t gpas[] = {DATA - 1,     DATA,
				 DATA + P - 1, data_end - 1,
				 data_end,     most < UINT32_MAX ? (uint64_t)-1 : data_end - most};
	const uint32_t lens[] = {0,
				 1,
				 P + 1,
				 most,
				 most < UINT32_MAX ? most + 1 : 2,
				 most < UINT32_MAX ? UINT32_MAX : most - 1};

	for (unsigned int i = 0; i < ARRAY_SIZE(gpas) * ARRAY_SIZE(lens); i++) {
		uint64_t gpa = gpas[i / ARRAY_SIZE(lens)];
		uint32_t len = lens[i % ARRAY_SIZE(lens)];

		value(of, gpa, len, 0, 0);
		value(of, gpa, len, F_WRITE, 0);
		for (unsigned int next = 0; next <= entries + 1; next++) {
			unsigned int to = next <= entries ? next : 0xffff;

			value(of, gpa, len, F_NEXT, to);
			value(of, gpa, len, F_NEXT | F_WRITE, to);
		}
	}
	value(of, DATA, 1, 0xfff8, 0);
	value(of, DATA, 1, 0xfff8 | F_WRITE | F_NEXT, 0);
}

/* Descriptors of indirect tables, at addresses and of lengths that fit and do not */
static void table_values(unsigned int of)
{
	static const uint64_t gpas[] = {RING + TABLE, RING + RING_BYTES - 16,
					RING + RING_BYTES - 15, DATA - 1, (uint64_t)-1};
	static const uint32_t lens[] = {
		0, 1, 15, 16, 17, 32, 64, 16 * VQ_SIZE_MAX, 16 * (VQ_SIZE_MAX + 1), 0xfffffff0};

	for (unsigned int i = 0; i < ARRAY_SIZE(gpas) * ARRAY_SIZE(lens) * 4; i++)
		value(of, gpas[i / 4 / ARRAY_SIZE(lens)], lens[i / 4 % ARRAY_SIZE(lens)],
		      F_INDIRECT | i % 4, 0);
}

/* Whether the buffer is RAM of DATA, in one or two pieces, which join the chain */
static bool model_buffer(struct model *m, const struct entry *e, unsigned int limit)
{
	uint64_t first = e->gpa - DATA, parts[2];
	bool writable = (e->flags & F_WRITE) != 0;

	if (++m->buffers > limit || e->len == 0 || (!writable && m->nr > m->nr_readable))
		return false;
	if (m->bytes[0] + m->bytes[1] + e->len > CHAIN_MAX)
		return false;
	if (e->gpa < DATA || e->gpa >= data_end || e->len > data_end - e->gpa)
		return false;
	parts[0] = first < P && e->len > P - first ? P - first : e->len;
	parts[1] = e->len - parts[0];
	for (unsigned int i = 0; i < 2 && parts[i] > 0; i++) {
		uint64_t at = first + (i == 1 ? parts[0] : 0);

		/* A table may lead in a circle, up to the limit of a chain: its pieces are counted, not kept. */
		if (m->nr < ARRAY_SIZE(m->seg))
			m->seg[m->nr] = (struct iovec){at < P ? data[0] + at : data[1] + (at - P),
						       parts[i]};
		m->nr++;
	}
	m->nr_readable = writable ? m->nr_readable : m->nr;
	m->bytes[writable] += e->len;
	return true;
}

/* The entries of the table that @d names */
static void model_table(struct model *m, const struct entry *d)
{
	uint64_t entries = d->len / 16;
	unsigned int i = 0;

	if (!(fresh.features & FEATURE_INDIRECT) || (d->flags & F_NEXT) || d->len == 0 ||
	    d->len % 16 != 0 || entries > VQ_SIZE_MAX)
		return;
	if (d->gpa < RING || d->gpa - RING >= RING_BYTES || d->len > RING_BYTES - (d->gpa - RING))
		return;
	while (i < entries) {
		const struct entry *e = d->gpa == RING + TABLE && i < table_entries ? &table[i]
										    : &beyond;

		if (e == &table[i] && !table_known[i]) {
			m->is = MODEL_ASKS_TABLE;
			m->asks = i;
			return;
		}
		if ((e->flags & F_INDIRECT) || !model_buffer(m, e, VQ_SIZE_MAX))
			return;
		if (!(e->flags & F_NEXT)) {
			m->is = MODEL_CHAIN;
			return;
		}
		i = e->next;
	}
}

static void model_chain(struct model *m, unsigned int head)
{
	unsigned int i = head;

	*m = (struct model){.is = MODEL_BROKEN};
	while (i < size) {
		if (!desc_known[i]) {
			m->is = MODEL_ASKS_RING;
			m->asks = i;
			return;
		}
		if (desc[i].flags & F_INDIRECT) {
			model_table(m, &desc[i]);
			return;
		}
		if (!model_buffer(m, &desc[i], size))
			return;
		if (!(desc[i].flags & F_NEXT)) {
			m->is = MODEL_CHAIN;
			return;
		}
		i = desc[i].next;
	}
}

/* Has the device agree with the model */
static void ask(const struct model *m, unsigned int head)
{
	static struct vq_chain c;
	struct vq q = fresh;
	enum vq_result got = vq_pop(&q, &c);
	const bool chain = m->is == MODEL_CHAIN;
	const unsigned int kept = m->nr < ARRAY_SIZE(m->seg) ? m->nr : ARRAY_SIZE(m->seg);

	PROVE(got == (chain ? VQ_CHAIN : VQ_BROKEN),
	      "size %u, head %u, descriptor 0x%lx, %u bytes, flags %u: %d, %s", size, head,
	      desc[head].gpa, desc[head].len, desc[head].flags, got, q.why ? q.why : "");
	if (!chain)
		return;
	PROVE(c.head == head && c.nr_segs == m->nr && c.nr_readable == m->nr_readable &&
		      c.readable_bytes == m->bytes[0] && c.writable_bytes == m->bytes[1],
	      "size %u, head %u: %u pieces, not %u", size, head, c.nr_segs, m->nr);
	PROVE(memcmp(c.seg, m->seg, kept * sizeof(*c.seg)) == 0, "size %u, head %u: other pieces",
	      size, head);
}

/* Every chain at @head that begins with the descriptors known so far */
static void enumerate(unsigned int head)
{
	struct model m;
	unsigned int of, i;
	size_t at;

	model_chain(&m, head);
	if (m.is == MODEL_BROKEN || m.is == MODEL_CHAIN) {
		ask(&m, head);
		return;
	}
	of = m.is == MODEL_ASKS_TABLE;
	i = m.asks;
	at = (of ? TABLE : DESC) + 16 * (size_t)i;
	*(of ? &table_known[i] : &desc_known[i]) = true;
	for (unsigned int v = 0; v < nr_values[of]; v++) {
		*(of ? &table[i] : &desc[i]) = values[of][v];
		memcpy(ring + at, &values[of][v], 16);
		enumerate(head);
	}
	*(of ? &table_known[i] : &desc_known[i]) = false;
	memcpy(ring + at, &beyond, sizeof(beyond));
}

/* Every ring of @ring_size, and in it every table of which the first @entries entries matter */
static void world(uint16_t ring_size, unsigned int entries, uint64_t features)
{
	char name[80];

	memset(ring, 0, RING_BYTES);
	for (unsigned int i = 0; i < (AVAIL - DESC) / sizeof(beyond); i++)
		memcpy(ring + DESC + i * sizeof(beyond), &beyond, sizeof(beyond));
	for (unsigned int i = 0; i < (RING_BYTES - TABLE) / sizeof(beyond); i++)
		memcpy(ring + TABLE + i * sizeof(beyond), &beyond, sizeof(beyond));
	memcpy(ring + RING_BYTES - sizeof(beyond), &beyond, sizeof(beyond));
	size = ring_size;
	table_entries = entries;
	nr_values[0] = 0;
	nr_values[1] = 0;
	plain_values(0, size);
	table_values(0);
	plain_values(1, entries);
	table_values(1);
	fresh = world_ring(size, 0, features);
	put16(AVAIL + 2, 1);
	for (unsigned int head = 0; head < size; head++) {
		put16(AVAIL + 4, (uint16_t)head);
		enumerate(head);
	}
	snprintf(name, sizeof(name), "a ring of %u, tables of %u%s, %" PRIu64 " pages", ring_size,
		 entries, features ? "" : " refused", (uint64_t)((data_end - DATA) / P));
	prove_said(name);
}

int main(void)
{
	/* The second region is so large that a chain may have more bytes than its limit. */
	world_begin(1ULL << 32);
	world(2, 0, 0);
	world(2, 2, FEATURE_INDIRECT);
	world_begin(P);
	world(1, 0, 0);
	world(2, 0, 0);
	world(1, 1, FEATURE_INDIRECT);
	world(1, 2, FEATURE_INDIRECT);
	world(2, 2, FEATURE_INDIRECT);
	world(4, 0, 0);
	world(1, 4, FEATURE_INDIRECT);
	world(4, 1, FEATURE_INDIRECT);
	return 0;
}
