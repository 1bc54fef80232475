/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/block/qcow2_recount.h"

#include <errno.h>

#include "devices/block/qcow2_map.h"
#include "devices/block/qcow2_meta.h"
#include "devices/block/qcow2_refs.h"

/**
 * struct qcow2_tally - What a count has found
 * @end:	Where the last cluster of the guest's ends
 * @broken:	Something could not be counted
 */
struct qcow2_tally {
	uint64_t end;
	bool broken;
};

/* A broken entry harms only what it is for */
static int qcow2_tally_failed(struct qcow2_tally *t, int rc)
{
	if (rc != -EIO)
		return rc;
	t->broken = true;
	return 0;
}

/* Compressed clusters are QEMU's work: counted before it closed the image */
static int qcow2_recount_entry(struct qcow2 *q, uint64_t entry, struct qcow2_tally *t)
{
	const uint64_t cluster = qcow2_cluster(&q->image[0]);
	struct qcow2_place p;
	int rc = qcow2_decode(q, 0, entry, &p);

	if (rc == 0 && p.kind != QCOW2_IS_PACKED && p.host > 0) {
		rc = qcow2_raise(q, p.host);
		if (rc == 0 && p.host + cluster > t->end)
			t->end = p.host + cluster;
	}
	return qcow2_tally_failed(t, rc);
}

/* Counts the table for the bytes from @off on, and all that is in it */
static int qcow2_recount_table(struct qcow2 *q, uint64_t off, struct qcow2_tally *t)
{
	const struct qcow2_image *m = &q->image[0];
	uint64_t entry[QCOW2_PAGE_WORDS], table, nr = qcow2_cluster(m) / 8;
	int n, rc = qcow2_table(q, 0, off, &table);

	if (rc < 0 || table == 0)
		return qcow2_tally_failed(t, rc);
	rc = qcow2_tally_failed(t, qcow2_raise(q, table));
	while (rc == 0 && nr > 0) {
		n = qcow2_entries(q, off, entry, qcow2_min(nr, QCOW2_PAGE_WORDS));
		if (n < 0)
			return qcow2_tally_failed(t, n);
		for (int i = 0; rc == 0 && i < n; i++)
			rc = entry[i] ? qcow2_recount_entry(q, entry[i], t) : 0;
		off += (uint64_t)n << m->cluster_bits;
		nr -= (uint64_t)n;
	}
	return rc;
}

/* A cluster that the file lost with its end is there again, as zeros */
static int qcow2_reach(struct qcow2 *q, uint64_t end)
{
	static uint8_t zeros[512]; /* never written to */
	struct iovec iov = {.iov_base = zeros, .iov_len = sizeof(zeros)};
	uint64_t off = end - sizeof(zeros);
	int rc;

	if (end <= qcow2_end(&q->image[0]))
		return 0;
	rc = qcow2_pwrite(q->image[0].fd, &iov, 1, &off);
	if (rc == 0)
		qcow2_grown(q, off);
	return rc;
}

int qcow2_recount(struct qcow2 *q)
{
	struct qcow2_image *m = &q->image[0];
	const uint64_t step = qcow2_cluster(m) / 8 << m->cluster_bits;
	struct qcow2_tally t = {0};
	int rc = 0;

	if (!qcow2_uncounted(q))
		return 0;
	for (uint64_t off = 0; rc == 0 && off < m->bytes; off += step)
		rc = qcow2_recount_table(q, off, &t);
	if (rc < 0)
		return rc;
	t.broken |= qcow2_reach(q, t.end) < 0;
	m->dirty = false;
	if (t.broken)
		q->markable = false; /* as it is, marked */
	return 0;
}

void qcow2_close(struct qcow2 *q)
{
	if (!qcow2_uncounted(q) && qcow2_mark(q, false) < 0)
		log_limited(&q->bad_limit, LOG_LEVEL_WARN,
			    "qcow2: the image stays marked as dirty");
}
