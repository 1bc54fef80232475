/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/block/qcow2_write.h"

#include <errno.h>

#include "devices/block/qcow2_lock.h"
#include "devices/block/qcow2_map.h"
#include "devices/block/qcow2_meta.h"
#include "devices/block/qcow2_read.h"
#include "devices/block/qcow2_refs.h"
#include "devices/block/qcow2_walk.h"

/**
 * struct qcow2_fresh - Clusters that are written for the first time
 * @place:	Its present content
 * @off, @bytes: The guest's bytes, in these clusters only
 * @host, @nr:	Where they are in the file
 * @taken:	They were free before
 * @copied:	They also hold old bytes of the disk, or zeros, which stand elsewhere or nowhere
 */
struct qcow2_fresh {
	struct qcow2_place place;
	uint64_t off, bytes;
	uint64_t host, nr;
	bool taken, copied;
};

/* Finds room for as much of @f as is of one kind and can be in one piece */
static int qcow2_place_fresh(struct qcow2 *q, struct qcow2_fresh *f)
{
	const struct qcow2_image *m = &q->image[0];
	const uint64_t in_cluster = f->off & (qcow2_cluster(m) - 1);
	uint64_t want;
	int rc = 0;

	f->bytes = qcow2_min(f->bytes, f->place.bytes);
	want = ((in_cluster + f->bytes - 1) >> m->cluster_bits) + 1;
	f->taken = f->place.kind != QCOW2_IS_ZERO || f->place.host == 0;
	f->host = f->place.host;
	f->nr = 1;
	if (f->taken)
		rc = qcow2_take(q, want, &f->host, &f->nr);
	f->bytes = qcow2_min(f->bytes, (f->nr << m->cluster_bits) - in_cluster);
	return rc;
}

/* Reads what stands before and behind the guest's bytes in their clusters */
static int qcow2_fill(struct qcow2 *q, const struct qcow2_fresh *f, size_t head, size_t tail)
{
	struct iovec before = {.iov_base = q->fill, .iov_len = head};
	struct iovec behind = {.iov_base = q->fill + head, .iov_len = tail};
	int rc = head > 0 ? qcow2_read_alone(q, &before, 1, f->off - head) : 0;

	return rc == 0 && tail > 0 ? qcow2_read_alone(q, &behind, 1, f->off + f->bytes) : rc;
}

/* Writes the clusters whole; only the guest's bytes where the file has nothing but zeros around them */
static int qcow2_write_fresh(struct qcow2 *q, struct qcow2_fresh *f, struct qcow2_cursor *c)
{
	const struct qcow2_image *m = &q->image[0];
	const size_t in_cluster = f->off & (qcow2_cluster(m) - 1);
	const bool zeros = f->place.kind == QCOW2_IS_ZERO ||
			   (f->place.kind == QCOW2_IS_ABSENT &&
			    qcow2_reads_zero(q, f->off - in_cluster));
	const bool bare = zeros && f->taken && f->host >= m->file_bytes;
	size_t head = bare ? 0 : in_cluster;
	size_t tail = bare ? 0 : (f->nr << m->cluster_bits) - in_cluster - f->bytes;
	struct iovec iov[QCOW2_IOVS + 2];
	unsigned int nr, first = head > 0;
	uint64_t end;
	int rc = qcow2_fill(q, f, head, tail);

	if (rc < 0)
		return rc;
	iov[0] = (struct iovec){.iov_base = q->fill, .iov_len = head};
	if (qcow2_cut(c, f->bytes, iov + first, QCOW2_IOVS, &nr) != f->bytes)
		return -EIO;
	nr += first;
	if (tail > 0)
		iov[nr++] = (struct iovec){.iov_base = q->fill + head, .iov_len = tail};
	end = f->host + in_cluster - head;
	rc = qcow2_pwrite(m->fd, iov, (int)nr, &end);
	qcow2_grown(q, end);
	f->copied = head > 0 || tail > 0;
	return rc;
}

/*
 * A flush has promised the old bytes, and the host may write the table back before the copy: then a power
 * failure would take them.
 */
static int qcow2_keep_promise(const struct qcow2 *q, const struct qcow2_fresh *f)
{
	return f->copied ? qcow2_barrier(q) : 0;
}

static int qcow2_link_fresh(struct qcow2 *q, const struct qcow2_fresh *f)
{
	uint64_t entry[QCOW2_PAGE_WORDS];

	for (uint64_t i = 0; i < f->nr; i++)
		entry[i] = (f->host + (i << q->image[0].cluster_bits)) | QCOW2_COPIED;
	return qcow2_set_entries(q, f->off, entry, f->nr);
}

/* Writes the first part of [off, off + *bytes) to clusters of its own, and makes *bytes its size */
static int qcow2_write_new(struct qcow2 *q, struct qcow2_cursor *c, uint64_t off, uint64_t *bytes)
{
	struct qcow2_fresh f = {.off = off, .bytes = *bytes};
	int rc = qcow2_need_table(q, off);

	if (rc == 0)
		rc = qcow2_find(q, 0, off, *bytes, &f.place);
	if (rc == 0)
		rc = qcow2_place_fresh(q, &f);
	if (rc < 0)
		return rc;
	rc = qcow2_write_fresh(q, &f, c);
	if (rc == 0)
		rc = qcow2_keep_promise(q, &f);
	if (rc < 0) {
		if (f.taken)
			qcow2_give(q, f.host, f.nr, true);
		return rc;
	}
	*bytes = f.bytes;
	rc = qcow2_link_fresh(q, &f);
	if (rc < 0 || f.place.kind != QCOW2_IS_PACKED)
		return rc;
	rc = qcow2_barrier(q);
	if (rc == 0)
		qcow2_give_place(q, &f.place);
	return rc;
}

/* To clusters that are there.  @keep: the lock stays this thread's */
static int qcow2_write_data(struct qcow2 *q, struct iovec *iov, unsigned int nr, uint64_t off,
			    bool keep)
{
	const bool without = !keep && qcow2_move_begin(q);
	int rc = qcow2_pwrite(q->image[0].fd, iov, (int)nr, &off);

	qcow2_move_end(q, without);
	qcow2_grown(q, off);
	return rc;
}

static int qcow2_write_piece(struct qcow2 *q, struct qcow2_cursor *c, uint64_t off, uint64_t *bytes)
{
	const uint64_t in_cluster = off & (qcow2_cluster(&q->image[0]) - 1);
	struct iovec iov[QCOW2_IOVS];
	struct qcow2_place p;
	unsigned int nr;
	int rc = qcow2_find(q, 0, off, *bytes, &p);

	if (rc < 0)
		return rc;
	if (p.kind != QCOW2_IS_DATA)
		return qcow2_write_new(q, c, off, bytes);
	*bytes = qcow2_cut(c, qcow2_min(*bytes, p.bytes), iov, QCOW2_IOVS, &nr);
	if (qcow2_guarded(q, p.host + in_cluster, *bytes))
		return qcow2_bad(q, 0, "a table is used as data at", p.host);
	return qcow2_write_data(q, iov, nr, p.host + in_cluster, c->keep);
}

int qcow2_write_alone(struct qcow2 *q, struct iovec *iov, unsigned int nr, uint64_t off)
{
	struct qcow2_cursor c = {.iov = iov, .nr = nr, .keep = true};

	return qcow2_walk(q, &c, off, qcow2_write_piece);
}

int qcow2_write(struct qcow2 *q, struct iovec *iov, unsigned int nr, uint64_t off)
{
	struct qcow2_cursor c = {.iov = iov, .nr = nr};

	return qcow2_walk(q, &c, off, qcow2_write_piece);
}
