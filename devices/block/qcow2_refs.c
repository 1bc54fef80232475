/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/block/qcow2_refs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>

#include "devices/block/qcow2_meta.h"

/* Refcounts that one search reads */
#define QCOW2_SEARCH_MAX (1U << 20)

/**
 * struct qcow2_counts - The refcounts of neighbours, in one page
 * @page_off:	Of the page in the file
 * @at:	Where in the page: the number of the first one, if the page were full of them
 * @nr:	How many
 */
struct qcow2_counts {
	uint64_t page_off;
	uint32_t at, nr;
};

/* Clusters whose refcounts are in one block, as a power of two */
static uint32_t qcow2_block_bits(const struct qcow2_image *m)
{
	return m->cluster_bits + 3 - m->refcount_order;
}

/* Less than a byte: the first one is in the lowest bits */
static uint64_t qcow2_count(const uint8_t *page, uint32_t i, uint32_t order)
{
	const uint32_t bytes = 1U << order >> 3;
	uint64_t v = 0;

	if (bytes == 0)
		return page[i << order >> 3] >> (i << order & 7) & ((1U << (1U << order)) - 1);
	for (uint32_t k = 0; k < bytes; k++)
		v = v << 8 | page[i * bytes + k];
	return v;
}

static void qcow2_set_count(uint8_t *page, uint32_t i, uint32_t order, uint64_t v)
{
	const uint32_t bytes = 1U << order >> 3;
	const uint32_t shift = i << order & 7, mask = ((1U << (1U << (order & 3))) - 1) << shift;
	uint8_t *p = &page[i << order >> 3];

	if (bytes == 0)
		*p = (uint8_t)((*p & ~mask) | v << shift);
	for (uint32_t k = 0; k < bytes; k++)
		page[i * bytes + k] = (uint8_t)(v >> 8 * (bytes - 1 - k));
}

static uint64_t qcow2_count_max(uint32_t order)
{
	return order == 6 ? UINT64_MAX : (1ULL << (1U << order)) - 1;
}

/* Finds the block with the refcount of cluster @c; *ret = 0 when there is none */
static int qcow2_find_block(struct qcow2 *q, uint64_t c, uint64_t *ret)
{
	const struct qcow2_image *m = &q->image[0];
	const uint64_t i = c >> qcow2_block_bits(m);
	uint64_t off;
	int rc;

	*ret = 0;
	if (i >= m->refs_entries)
		return 0;
	rc = qcow2_word(q, 0, m->refs_off + i * 8, &off);
	if (rc < 0 || off == 0)
		return rc;
	if (off % qcow2_cluster(m) != 0 || off >= m->file_bytes ||
	    qcow2_guarded(q, off, qcow2_cluster(m)))
		return qcow2_bad(q, 0, "refcount table: entry", off);
	*ret = off;
	return 0;
}

/* The refcounts from cluster @c on, up to @want of them, that are in @block and in one page */
static struct qcow2_counts qcow2_counts_in(const struct qcow2_image *m, uint64_t block, uint64_t c,
					   uint64_t want)
{
	const uint64_t per_block = 1ULL << qcow2_block_bits(m);
	const uint64_t in_block = c & (per_block - 1);
	const uint64_t byte = block + (in_block << m->refcount_order >> 3);
	const uint64_t page_off = byte & ~(uint64_t)(QCOW2_PAGE - 1);
	const uint64_t per_page = QCOW2_PAGE * 8 >> m->refcount_order;
	const uint64_t at = ((block > page_off ? block - page_off : 0) * 8 >> m->refcount_order) +
			    (block > page_off ? in_block : in_block % per_page);
	const uint64_t nr = qcow2_min(want, qcow2_min(per_page - at, per_block - in_block));

	return (struct qcow2_counts){page_off, (uint32_t)at, (uint32_t)nr};
}

/* Adds @by, 1 or -1, to some refcounts; none may wrap */
static int qcow2_change(struct qcow2 *q, const struct qcow2_counts *s, int by)
{
	const uint32_t order = q->image[0].refcount_order;
	const uint32_t first = s->at << order >> 3, last = ((s->at + s->nr) << order) - 1;
	const uint64_t wraps = by > 0 ? qcow2_count_max(order) : 0;
	uint8_t copy[QCOW2_PAGE];
	const uint8_t *page;
	int rc = qcow2_page_at(q, 0, s->page_off, &page);

	if (rc < 0)
		return rc;
	memcpy(copy, page, sizeof(copy));
	for (uint32_t i = s->at; i < s->at + s->nr; i++) {
		uint64_t v = qcow2_count(copy, i, order);

		if (v == wraps)
			return qcow2_bad(q, 0, "refcount of a cluster in use is", v);
		qcow2_set_count(copy, i, order, by > 0 ? v + 1 : v - 1);
	}
	return qcow2_write_meta(q, s->page_off + first, copy + first, (last >> 3) - first + 1);
}

/* ---- new blocks ---- */

/* Makes an empty block at cluster @at, which it counts itself if it is one of those whose counts it has */
static int qcow2_make_block(struct qcow2 *q, uint64_t at)
{
	const struct qcow2_image *m = &q->image[0];

	if (at >= QCOW2_OFF_MAX >> m->cluster_bits)
		return -ENOSPC;
	return qcow2_clear_meta(q, at << m->cluster_bits, qcow2_cluster(m));
}

/* Counts @nr clusters from @c on in a block that the table may not have yet */
static int qcow2_count_in(struct qcow2 *q, uint64_t block, uint64_t c, uint64_t nr)
{
	int rc = 0;

	while (rc == 0 && nr > 0) {
		struct qcow2_counts s = qcow2_counts_in(&q->image[0], block, c, nr);

		rc = qcow2_change(q, &s, 1);
		c += s.nr;
		nr -= s.nr;
	}
	return rc;
}

/* Copies the table of refcount blocks to @to, which is all zeros, and adds @nr_new blocks from @block on */
static int qcow2_copy_table(struct qcow2 *q, uint64_t to, uint64_t block, uint64_t nr_new)
{
	const struct qcow2_image *m = &q->image[0];
	uint8_t piece[512], entry[8];
	const uint8_t *page;
	int rc = 0;

	for (uint64_t off = 0; rc == 0 && off < m->refs_entries * 8; off += sizeof(piece)) {
		rc = qcow2_page_at(q, 0, m->refs_off + off, &page);
		if (rc < 0)
			return rc;
		memcpy(piece, page + (m->refs_off + off) % QCOW2_PAGE, sizeof(piece));
		rc = qcow2_write_meta(q, to + off, piece, sizeof(piece));
	}
	for (uint64_t i = 0; rc == 0 && i < nr_new; i++) {
		qcow2_put_be64(entry, block + (i << m->cluster_bits));
		rc = qcow2_write_meta(q, to + (m->refs_entries + i) * 8, entry, sizeof(entry));
	}
	return rc;
}

/*
 * Makes the table of refcount blocks twice as large. The new one lies where the old one's reach ends, behind the
 * blocks with its own refcounts. Until the head of the file names it, the file does not know about any of this.
 */
static int qcow2_grow_table(struct qcow2 *q)
{
	const struct qcow2_image *m = &q->image[0];
	const uint32_t bits = qcow2_block_bits(m);
	const uint64_t at = m->refs_entries << bits, old = m->refs_off;
	const uint64_t old_nr = m->refs_entries * 8 >> m->cluster_bits, nr = old_nr * 2;
	const uint64_t blocks = (nr + (nr >> bits) + 2) / (1ULL << bits) + 1;
	int rc = 0;

	if (nr << m->cluster_bits > QCOW2_REFS_BYTES_MAX || blocks > m->refs_entries)
		return -ENOSPC;
	for (uint64_t i = 0; rc == 0 && i < blocks; i++)
		rc = qcow2_make_block(q, at + i);
	for (uint64_t c = 0, n; rc == 0 && c < blocks + nr; c += n) {
		n = qcow2_min(blocks + nr - c, 1ULL << bits);
		rc = qcow2_count_in(q, (at + (c >> bits)) << m->cluster_bits, at + c, n);
	}
	if (rc == 0)
		rc = qcow2_clear_meta(q, (at + blocks) << m->cluster_bits, nr << m->cluster_bits);
	if (rc == 0)
		rc = qcow2_copy_table(q, (at + blocks) << m->cluster_bits, at << m->cluster_bits,
				      blocks);
	if (rc == 0)
		rc = qcow2_barrier(q);
	if (rc == 0)
		rc = qcow2_move_refs(q, (at + blocks) << m->cluster_bits, (uint32_t)nr);
	if (rc == 0)
		rc = qcow2_barrier(q);
	if (rc == 0)
		qcow2_give(q, old, old_nr, true);
	return rc;
}

/* Makes the block that has the refcount of cluster @c, at @c: none of its clusters is in use yet */
static int qcow2_add_block(struct qcow2 *q, uint64_t c)
{
	const struct qcow2_image *m = &q->image[0];
	const uint64_t i = c >> qcow2_block_bits(m), off = c << m->cluster_bits;
	int rc;

	if (i >= m->refs_entries)
		return qcow2_grow_table(q);
	rc = qcow2_make_block(q, c);
	if (rc == 0)
		rc = qcow2_count_in(q, off, c, 1);
	if (rc == 0)
		rc = qcow2_barrier(q);
	if (rc == 0)
		rc = qcow2_write_table(q, m->refs_off + i * 8, off);
	return rc < 0 ? rc : qcow2_barrier(q);
}

/* ---- free clusters ---- */

/* Looks at some refcounts from cluster *@c on, and moves it to the first free one or behind them */
static int qcow2_look(struct qcow2 *q, uint64_t *c, uint64_t want, struct qcow2_counts *ret)
{
	const struct qcow2_image *m = &q->image[0];
	struct qcow2_counts s;
	const uint8_t *page;
	uint64_t block;
	uint32_t i = 0;
	int rc = qcow2_find_block(q, *c, &block);

	ret->nr = 0;
	if (rc < 0)
		return rc;
	if (block == 0)
		return qcow2_add_block(q, *c);
	s = qcow2_counts_in(m, block, *c, UINT32_MAX);
	rc = qcow2_page_at(q, 0, s.page_off, &page);
	if (rc < 0)
		return rc;
	while (i < s.nr && qcow2_count(page, s.at + i, m->refcount_order) > 0)
		i++;
	*c += i;
	*ret = (struct qcow2_counts){s.page_off, s.at + i, 0};
	while (i < s.nr && ret->nr < want && qcow2_count(page, s.at + i, m->refcount_order) == 0) {
		i++;
		ret->nr++;
	}
	return 0;
}

/* Searches from *@c on; -EAGAIN when it found none and *@c is where it gave up */
static int qcow2_search(struct qcow2 *q, uint64_t *c, uint64_t want, struct qcow2_counts *ret)
{
	const struct qcow2_image *m = &q->image[0];
	const uint64_t from = *c;
	int rc = 0;

	for (ret->nr = 0; rc == 0 && ret->nr == 0;) {
		if (*c - from > QCOW2_SEARCH_MAX)
			return -EAGAIN;
		if (*c >= QCOW2_OFF_MAX >> m->cluster_bits)
			return -ENOSPC;
		rc = qcow2_look(q, c, want, ret);
		if (rc == 0 && ret->nr > 0 &&
		    qcow2_guarded(q, *c << m->cluster_bits, ret->nr << m->cluster_bits))
			return qcow2_bad(q, 0, "refcount 0 of a table at", *c << m->cluster_bits);
	}
	return rc;
}

int qcow2_take(struct qcow2 *q, uint64_t want, uint64_t *ret_off, uint64_t *ret_nr)
{
	const struct qcow2_image *m = &q->image[0];
	struct qcow2_counts s;
	uint64_t c = q->free_hint;
	int rc = qcow2_mark(q, true);

	if (rc < 0)
		return rc;
	rc = qcow2_search(q, &c, want, &s);
	q->free_hint = c; /* none is free before it */
	if (rc == -EAGAIN) {
		c = qcow2_end(m) >> m->cluster_bits;
		if (c < q->free_hint)
			c = q->free_hint;
		rc = qcow2_search(q, &c, want, &s);
	}
	if (rc == 0)
		rc = qcow2_change(q, &s, 1);
	if (rc < 0)
		return rc == -EAGAIN ? -ENOSPC : rc;
	if (c == q->free_hint)
		q->free_hint += s.nr;
	*ret_off = c << m->cluster_bits;
	*ret_nr = s.nr;
	return 0;
}

/* A hint: a file system that cannot do it keeps the space.  Syscalls: fallocate */
static void qcow2_punch(const struct qcow2_image *m, uint64_t off, uint64_t bytes)
{
	(void)fallocate(m->fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, (off_t)off,
			(off_t)bytes);
}

/* Finds those that have become free, and their space */
static void qcow2_freed(struct qcow2 *q, const struct qcow2_counts *s, uint64_t c, bool punch)
{
	const struct qcow2_image *m = &q->image[0];
	const uint8_t *page;
	uint32_t run = 0;

	if (qcow2_page_at(q, 0, s->page_off, &page) < 0)
		return;
	for (uint32_t i = 0; i <= s->nr; i++) {
		if (i < s->nr && qcow2_count(page, s->at + i, m->refcount_order) == 0) {
			run++;
			continue;
		}
		if (run > 0 && punch)
			qcow2_punch(m, (c + i - run) << m->cluster_bits,
				    (uint64_t)run << m->cluster_bits);
		if (run > 0 && c + i - run < q->free_hint)
			q->free_hint = c + i - run;
		run = 0;
	}
}

void qcow2_give(struct qcow2 *q, uint64_t off, uint64_t nr, bool punch)
{
	const struct qcow2_image *m = &q->image[0];
	uint64_t c = off >> m->cluster_bits, block;

	if (qcow2_guarded(q, off, nr << m->cluster_bits)) {
		(void)qcow2_bad(q, 0, "a table is used as data at", off);
		return;
	}
	if (qcow2_mark(q, true) < 0)
		return;
	while (nr > 0 && qcow2_find_block(q, c, &block) == 0 && block > 0) {
		struct qcow2_counts s = qcow2_counts_in(m, block, c, nr);

		if (qcow2_change(q, &s, -1) < 0)
			return;
		qcow2_freed(q, &s, c, punch);
		c += s.nr;
		nr -= s.nr;
	}
}

int qcow2_raise(struct qcow2 *q, uint64_t off)
{
	const struct qcow2_image *m = &q->image[0];
	const uint64_t c = off >> m->cluster_bits;
	struct qcow2_counts s;
	const uint8_t *page;
	uint64_t block;
	int rc = qcow2_find_block(q, c, &block);

	if (rc == 0 && block == 0)
		return qcow2_bad(q, 0, "no refcount for the cluster at", off);
	if (rc < 0)
		return rc;
	s = qcow2_counts_in(m, block, c, 1);
	rc = qcow2_page_at(q, 0, s.page_off, &page);
	if (rc < 0 || qcow2_count(page, s.at, m->refcount_order) > 0)
		return rc;
	return qcow2_change(q, &s, 1);
}
