/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/block/qcow2_drop.h"

#include <errno.h>

#include "devices/block/qcow2_lock.h"
#include "devices/block/qcow2_map.h"
#include "devices/block/qcow2_meta.h"
#include "devices/block/qcow2_read.h"
#include "devices/block/qcow2_recount.h"
#include "devices/block/qcow2_walk.h"
#include "devices/block/qcow2_write.h"

/* Zeros as data, a piece at a time */
static int qcow2_write_zeros(struct qcow2 *q, uint64_t off, uint64_t bytes)
{
	static uint8_t zeros[QCOW2_PAGE]; /* never written to */
	struct iovec iov[QCOW2_IOVS];
	int rc = 0;

	while (rc == 0 && bytes > 0) {
		unsigned int nr = 0;
		uint64_t piece = 0;

		for (; nr < QCOW2_IOVS && piece < bytes; nr++) {
			iov[nr].iov_base = zeros;
			iov[nr].iov_len = (size_t)qcow2_min(bytes - piece, sizeof(zeros));
			piece += iov[nr].iov_len;
		}
		rc = qcow2_write_alone(q, iov, nr, off);
		off += piece;
		bytes -= piece;
	}
	return rc;
}

/* Whether version and chain allow it without writing zeros */
static bool qcow2_can_drop(const struct qcow2 *q, uint64_t off, enum qcow2_drop how)
{
	return q->image[0].version >= 3 || (qcow2_reads_zero(q, off) && how != QCOW2_ZERO_KEEP);
}

/* What @p's entry becomes; *ret_give when its cluster is not its own any more */
static uint64_t qcow2_dropped(const struct qcow2 *q, const struct qcow2_place *p, uint64_t off,
			      enum qcow2_drop how, bool *ret_give)
{
	uint64_t empty = QCOW2_ZERO;

	if (qcow2_reads_zero(q, off))
		empty = 0;
	*ret_give = false;
	if (p->kind == QCOW2_IS_ABSENT)
		return how == QCOW2_DISCARD ? p->entry : empty;
	if (p->kind == QCOW2_IS_ZERO && (p->host == 0 || how == QCOW2_ZERO_KEEP))
		return p->entry;
	if (p->kind == QCOW2_IS_DATA && how == QCOW2_ZERO_KEEP)
		return p->entry | QCOW2_ZERO;
	*ret_give = true;
	return empty;
}

/* Drops the first clusters of a range, those with entries in one page; *ret is how many */
static int qcow2_drop_some(struct qcow2 *q, uint64_t off, uint64_t nr, enum qcow2_drop how,
			   uint64_t *ret)
{
	const uint64_t cluster = qcow2_cluster(&q->image[0]);
	uint64_t entry[QCOW2_PAGE_WORDS], old[QCOW2_PAGE_WORDS];
	bool give[QCOW2_PAGE_WORDS], changed = false, gives = false;
	int n = qcow2_entries(q, off, old, qcow2_min(nr, QCOW2_PAGE_WORDS));
	struct qcow2_place p;
	int rc = n < 0 ? n : 0;

	for (int i = 0; rc == 0 && i < n; i++) {
		rc = qcow2_decode(q, 0, old[i], &p);
		if (rc == 0)
			entry[i] = qcow2_dropped(q, &p, off + (uint64_t)i * cluster, how, &give[i]);
		changed |= rc == 0 && entry[i] != old[i];
		gives |= rc == 0 && give[i];
	}
	if (rc == 0 && changed)
		rc = qcow2_set_entries(q, off, entry, (uint64_t)n);
	if (rc == 0 && gives)
		rc = qcow2_barrier(q);
	if (rc < 0)
		return rc;
	for (int i = 0; i < n; i++)
		if (give[i] && qcow2_decode(q, 0, old[i], &p) == 0)
			qcow2_give_place(q, &p);
	*ret = (uint64_t)n;
	return 0;
}

/* Drops whole clusters, but for the last one of the disk, which may be cut off */
static int qcow2_drop_clusters(struct qcow2 *q, uint64_t off, uint64_t end, enum qcow2_drop how)
{
	const struct qcow2_image *m = &q->image[0];
	const uint64_t last = (end + qcow2_cluster(m) - 1) & ~(qcow2_cluster(m) - 1);
	int rc = 0;

	while (rc == 0 && off < end) {
		struct qcow2_place p;
		uint64_t nr;

		rc = qcow2_find(q, 0, off, end - off, &p);
		if (rc == 0 && p.kind == QCOW2_IS_ABSENT &&
		    (how == QCOW2_DISCARD || qcow2_reads_zero(q, off))) {
			off += qcow2_min(p.bytes, end - off);
			continue;
		}
		if (rc == 0)
			rc = qcow2_need_table(q, off);
		if (rc == 0)
			rc = qcow2_drop_some(q, off, (last - off) >> m->cluster_bits, how, &nr);
		if (rc == 0)
			off += nr << m->cluster_bits;
	}
	return rc;
}

static int qcow2_drop_alone(struct qcow2 *q, uint64_t off, uint64_t bytes, enum qcow2_drop how)
{
	const struct qcow2_image *m = &q->image[0];
	const uint64_t mask = qcow2_cluster(m) - 1;
	uint64_t end = off + bytes, from = (off + mask) & ~mask;
	uint64_t to = end == m->bytes ? end : end & ~mask;
	int rc = 0;

	if (from >= to || !qcow2_can_drop(q, from, how))
		return how == QCOW2_DISCARD ? 0 : qcow2_write_zeros(q, off, bytes);
	if (how != QCOW2_DISCARD)
		rc = qcow2_write_zeros(q, off, from - off);
	if (rc == 0)
		rc = qcow2_drop_clusters(q, from, to, how);
	if (rc == 0 && how != QCOW2_DISCARD)
		rc = qcow2_write_zeros(q, to, end - to);
	return rc;
}

int qcow2_drop(struct qcow2 *q, uint64_t off, uint64_t bytes, enum qcow2_drop how)
{
	int rc;

	qcow2_lock(q);
	qcow2_still_begin(q);
	rc = qcow2_recount(q);
	if (rc == 0)
		rc = qcow2_drop_alone(q, off, bytes, how);
	qcow2_still_end(q);
	qcow2_unlock(q);
	return rc;
}
