/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/block/qcow2_map.h"

#include <errno.h>

#include "devices/block/qcow2_meta.h"
#include "devices/block/qcow2_refs.h"

#define L1_OFF	    0x00fffffffffffe00ULL
#define L2_OFF	    0x00fffffffffffe00ULL
#define L1_RESERVED (~(L1_OFF | QCOW2_COPIED))
#define L2_RESERVED (~(L2_OFF | QCOW2_COPIED | QCOW2_ZERO))

static uint64_t qcow2_l1_at(const struct qcow2_image *m, uint64_t off)
{
	return m->l1_off + (off >> (2 * m->cluster_bits - 3)) * 8;
}

int qcow2_table(struct qcow2 *q, unsigned int image, uint64_t off, uint64_t *ret)
{
	const struct qcow2_image *m = &q->image[image];
	uint64_t entry, at;
	int rc = qcow2_word(q, image, qcow2_l1_at(m, off), &entry);

	if (rc < 0)
		return rc;
	at = entry & L1_OFF;
	if (entry & L1_RESERVED || at % qcow2_cluster(m) != 0 || at > m->file_bytes ||
	    (at > 0 && qcow2_cluster(m) > m->file_bytes - at))
		return qcow2_bad(q, image, "L1 entry", entry);
	if (at > 0 && image == 0 && q->writable &&
	    (!(entry & QCOW2_COPIED) || qcow2_guarded(q, at, qcow2_cluster(m))))
		return qcow2_bad(q, image, "L1 entry of a table that cannot be written to", entry);
	*ret = at;
	return 0;
}

uint64_t qcow2_packed_end(const struct qcow2_image *m, uint64_t entry, uint64_t *ret_off)
{
	const uint32_t off_bits = 62 - (m->cluster_bits - 8);
	const uint64_t off = entry & ((1ULL << off_bits) - 1);
	const uint64_t more = (entry & (QCOW2_PACKED - 1)) >> off_bits;

	*ret_off = off;
	return (off & ~511ULL) + (more + 1) * 512;
}

int qcow2_decode(struct qcow2 *q, unsigned int image, uint64_t entry, struct qcow2_place *ret)
{
	const struct qcow2_image *m = &q->image[image];
	struct qcow2_place p = {.kind = QCOW2_IS_PACKED, .entry = entry};
	uint64_t off;

	if (entry & QCOW2_PACKED) {
		(void)qcow2_packed_end(m, entry, &off);
		if (off >= m->file_bytes || off >= QCOW2_OFF_MAX)
			return qcow2_bad(q, image, "L2 entry of a compressed cluster", entry);
		*ret = p;
		return 0;
	}
	p.host = entry & L2_OFF;
	if (entry & L2_RESERVED || p.host % qcow2_cluster(m) != 0 ||
	    (entry & QCOW2_ZERO && m->version < 3))
		return qcow2_bad(q, image, "L2 entry", entry);
	if (entry & QCOW2_ZERO)
		p.kind = QCOW2_IS_ZERO;
	else
		p.kind = p.host > 0 ? QCOW2_IS_DATA : QCOW2_IS_ABSENT;
	if (p.kind == QCOW2_IS_DATA && p.host >= qcow2_end(m) && !m->dirty)
		return qcow2_bad(q, image, "L2 entry of a cluster beyond the end of the file",
				 entry);
	if (p.host > 0 && image == 0 && q->writable &&
	    (!(entry & QCOW2_COPIED) || qcow2_guarded(q, p.host, qcow2_cluster(m))))
		return qcow2_bad(q, image, "L2 entry of a cluster that cannot be written to",
				 entry);
	*ret = p;
	return 0;
}

/* Whether the cluster that @entry is for goes on after @p, which has @nr clusters */
static bool qcow2_goes_on(const struct qcow2_image *m, const struct qcow2_place *p, uint64_t entry,
			  uint64_t nr)
{
	const uint64_t host = p->host + (nr << m->cluster_bits);

	switch (p->kind) {
	case QCOW2_IS_ABSENT: return entry == 0;
	case QCOW2_IS_ZERO: return p->host == 0 && entry == p->entry;
	case QCOW2_IS_DATA:
		return entry == (host | (p->entry & QCOW2_COPIED)) && host < qcow2_end(m);
	case QCOW2_IS_PACKED: return false;
	}
	return false;
}

/* How many entries from the one for byte @off on are in one page of a table */
static uint64_t qcow2_in_page(const struct qcow2_image *m, uint64_t off, uint64_t at)
{
	const uint64_t in_table = (off >> m->cluster_bits) & (qcow2_cluster(m) / 8 - 1);

	return qcow2_min(qcow2_cluster(m) / 8 - in_table,
			 (QCOW2_PAGE - (at + in_table * 8) % QCOW2_PAGE) / 8);
}

static uint64_t qcow2_entry_at(const struct qcow2_image *m, uint64_t off, uint64_t table)
{
	return table + ((off >> m->cluster_bits) & (qcow2_cluster(m) / 8 - 1)) * 8;
}

int qcow2_find(struct qcow2 *q, unsigned int image, uint64_t off, uint64_t bytes,
	       struct qcow2_place *ret)
{
	const struct qcow2_image *m = &q->image[image];
	const uint64_t in_cluster = off & (qcow2_cluster(m) - 1);
	uint64_t table, nr = 1, most, at;
	struct qcow2_place p;
	const uint8_t *page;
	int rc = qcow2_table(q, image, off, &table);

	if (rc < 0)
		return rc;
	if (table == 0) {
		nr = qcow2_cluster(m) / 8 << m->cluster_bits; /* what a table covers */
		*ret = (struct qcow2_place){.bytes = nr - (off & (nr - 1))};
		return 0;
	}
	at = qcow2_entry_at(m, off, table);
	rc = qcow2_page_at(q, image, at, &page);
	if (rc == 0)
		rc = qcow2_decode(q, image, qcow2_be64(page + at % QCOW2_PAGE), &p);
	if (rc < 0)
		return rc;
	most = qcow2_min(qcow2_in_page(m, off, table),
			 ((in_cluster + bytes - 1) >> m->cluster_bits) + 1);
	while (nr < most && qcow2_goes_on(m, &p, qcow2_be64(page + at % QCOW2_PAGE + nr * 8), nr))
		nr++;
	p.bytes = (nr << m->cluster_bits) - in_cluster;
	*ret = p;
	return 0;
}

void qcow2_give_place(struct qcow2 *q, const struct qcow2_place *p)
{
	const struct qcow2_image *m = &q->image[0];
	uint64_t off, end;

	if (p->kind == QCOW2_IS_PACKED) {
		end = qcow2_packed_end(m, p->entry, &off);
		off &= ~(qcow2_cluster(m) - 1);
		qcow2_give(q, off, ((end - 1 - off) >> m->cluster_bits) + 1, true);
	} else if (p->host > 0) {
		qcow2_give(q, p->host, 1, true);
	}
}

int qcow2_need_table(struct qcow2 *q, uint64_t off)
{
	const struct qcow2_image *m = &q->image[0];
	uint64_t table, nr;
	int rc = qcow2_table(q, 0, off, &table);

	if (rc < 0 || table > 0)
		return rc;
	rc = qcow2_take(q, 1, &table, &nr);
	if (rc < 0)
		return rc;
	rc = qcow2_clear_meta(q, table, qcow2_cluster(m));
	if (rc == 0)
		rc = qcow2_barrier(q);
	if (rc < 0) {
		qcow2_give(q, table, 1, true);
		return rc;
	}
	return qcow2_write_table(q, qcow2_l1_at(m, off), table | QCOW2_COPIED);
}

int qcow2_entries(struct qcow2 *q, uint64_t off, uint64_t *ret, uint64_t nr)
{
	const struct qcow2_image *m = &q->image[0];
	const uint8_t *page;
	uint64_t table, at;
	int rc = qcow2_table(q, 0, off, &table);

	if (rc == 0 && table == 0)
		return -EIO;
	at = rc < 0 ? 0 : qcow2_entry_at(m, off, table);
	if (rc == 0)
		rc = qcow2_page_at(q, 0, at, &page);
	if (rc < 0)
		return rc;
	nr = qcow2_min(nr, qcow2_in_page(m, off, table));
	for (uint64_t i = 0; i < nr; i++)
		ret[i] = qcow2_be64(page + at % QCOW2_PAGE + i * 8);
	return (int)nr;
}

int qcow2_set_entries(struct qcow2 *q, uint64_t off, const uint64_t *entry, uint64_t nr)
{
	const struct qcow2_image *m = &q->image[0];
	uint8_t buf[QCOW2_PAGE];
	uint64_t table;
	int rc = qcow2_table(q, 0, off, &table);

	if (rc < 0)
		return rc;
	vr_assert(table > 0 && nr <= qcow2_in_page(m, off, table));
	for (uint64_t i = 0; i < nr; i++)
		qcow2_put_be64(buf + i * 8, entry[i]);
	return qcow2_write_meta(q, qcow2_entry_at(m, off, table), buf, nr * 8);
}
