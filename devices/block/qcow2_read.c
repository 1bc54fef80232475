/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/block/qcow2_read.h"

#include <errno.h>
#include <string.h>

#include "devices/block/block_fd.h"
#include "devices/block/inflate.h"
#include "devices/block/qcow2_lock.h"
#include "devices/block/qcow2_map.h"
#include "devices/block/qcow2_meta.h"
#include "devices/block/qcow2_recount.h"
#include "devices/block/qcow2_walk.h"

bool qcow2_reads_zero(const struct qcow2 *q, uint64_t off)
{
	return q->nr_images == 1 || off >= q->image[1].bytes;
}

static void qcow2_copy_out(const struct iovec *iov, unsigned int nr, const uint8_t *from)
{
	for (unsigned int i = 0; i < nr; i++) {
		memcpy(iov[i].iov_base, from, iov[i].iov_len);
		from += iov[i].iov_len;
	}
}

/* Unpacks a compressed cluster to q->unpacked, if it is not there already */
static int qcow2_unpack(struct qcow2 *q, unsigned int image, uint64_t entry)
{
	const struct qcow2_image *m = &q->image[image];
	uint64_t off, end = qcow2_packed_end(m, entry, &off);
	struct iovec iov = {.iov_base = q->packed, .iov_len = (size_t)(end - off)};
	int rc;

	if (q->unpacked_entry == entry && q->unpacked_image == image)
		return 0;
	q->unpacked_entry = 0;
	rc = qcow2_pread(m->fd, &iov, 1, off, m->file_bytes);
	if (rc < 0)
		return rc;
	if (inflate_all(q->packed, (size_t)(end - off), q->unpacked, (size_t)qcow2_cluster(m)) !=
	    (ssize_t)qcow2_cluster(m))
		return qcow2_bad(q, image, "compressed cluster at", off);
	q->unpacked_entry = entry;
	q->unpacked_image = image;
	return 0;
}

/* Finds the image that has byte @off: *ret_image is q->nr_images when none has. Makes *bytes what can be read at once */
static int qcow2_resolve(struct qcow2 *q, uint64_t off, uint64_t *bytes, unsigned int *ret_image,
			 struct qcow2_place *ret)
{
	unsigned int i = 0;

	*ret = (struct qcow2_place){.kind = QCOW2_IS_ABSENT};
	for (; i < q->nr_images && off < q->image[i].bytes; i++) {
		const struct qcow2_image *m = &q->image[i];
		int rc;

		*bytes = qcow2_min(*bytes, m->bytes - off);
		if (m->raw) {
			*ret = (struct qcow2_place){.kind = QCOW2_IS_DATA};
			break;
		}
		rc = qcow2_find(q, i, off, *bytes, ret);
		if (rc < 0)
			return rc;
		*bytes = qcow2_min(*bytes, ret->bytes);
		if (ret->kind != QCOW2_IS_ABSENT)
			break;
	}
	*ret_image = i;
	return 0;
}

/* @keep: the lock stays this thread's */
static int qcow2_read_data(struct qcow2 *q, const struct qcow2_image *m, struct iovec *iov,
			   unsigned int nr, uint64_t off, bool keep)
{
	const uint64_t end = m->file_bytes;
	const bool without = !keep && qcow2_move_begin(q);
	int rc = qcow2_pread(m->fd, iov, nr, off, end);

	qcow2_move_end(q, without);
	return rc;
}

static int qcow2_read_piece(struct qcow2 *q, struct qcow2_cursor *c, uint64_t off, uint64_t *bytes)
{
	struct iovec iov[QCOW2_IOVS];
	const struct qcow2_image *m;
	struct qcow2_place p;
	unsigned int image, nr;
	uint64_t in_cluster;
	int rc = qcow2_resolve(q, off, bytes, &image, &p);

	if (rc < 0)
		return rc;
	m = &q->image[image < q->nr_images ? image : 0];
	in_cluster = m->raw ? off : off & (qcow2_cluster(m) - 1);
	if (p.kind == QCOW2_IS_PACKED)
		rc = qcow2_unpack(q, image, p.entry);
	if (rc < 0)
		return rc;
	*bytes = qcow2_cut(c, *bytes, iov, QCOW2_IOVS, &nr);
	if (p.kind == QCOW2_IS_DATA)
		return qcow2_read_data(q, m, iov, nr, p.host + in_cluster, c->keep);
	if (p.kind == QCOW2_IS_PACKED)
		qcow2_copy_out(iov, nr, q->unpacked + in_cluster);
	else
		block_fd_blank(iov, nr);
	return 0;
}

int qcow2_read_alone(struct qcow2 *q, struct iovec *iov, unsigned int nr, uint64_t off)
{
	struct qcow2_cursor c = {.iov = iov, .nr = nr, .keep = true};

	return qcow2_walk(q, &c, off, qcow2_read_piece);
}

int qcow2_read(struct qcow2 *q, struct iovec *iov, unsigned int nr, uint64_t off)
{
	struct qcow2_cursor c = {.iov = iov, .nr = nr};

	return qcow2_walk(q, &c, off, qcow2_read_piece);
}

bool qcow2_read_cached(struct qcow2 *q, const struct iovec *iov, unsigned int nr, uint64_t off,
		       uint64_t bytes)
{
	struct qcow2_place p = {.kind = QCOW2_IS_PACKED};
	uint64_t here = bytes, at;
	const struct qcow2_image *m;
	unsigned int image = 0;
	bool all;

	if (!qcow2_lock_now(q))
		return false;
	q->no_wait = true;
	all = !qcow2_uncounted(q) && qcow2_resolve(q, off, &here, &image, &p) == 0 && here >= bytes;
	q->no_wait = false;
	m = &q->image[image < q->nr_images ? image : 0];
	at = m->raw ? off : p.host + (off & (qcow2_cluster(m) - 1));
	if (all && p.kind == QCOW2_IS_DATA)
		all = block_fd_read_cached(m->fd, iov, nr, at, bytes);
	else if (all && p.kind != QCOW2_IS_PACKED)
		block_fd_blank(iov, nr);
	qcow2_unlock(q);
	return all && p.kind != QCOW2_IS_PACKED;
}
