/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/block/qcow2.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "devices/block/qcow2_lock.h"
#include "devices/core/fdio.h"

static int qcow2_open_raw(struct qcow2_image *m, unsigned int i, unsigned int nr, struct err *err)
{
	m->raw = true;
	m->bytes = m->file_bytes;
	return i > 0 && i + 1 == nr
		       ? 0
		       : err_text(err, EINVAL, "image %u of %u in a chain cannot be raw", i, nr);
}

static int qcow2_read_head(const struct qcow2_image *m, unsigned int i, struct qcow2_head *ret,
			   struct err *err)
{
	const size_t bytes = (size_t)qcow2_min(m->file_bytes, QCOW2_HEAD_BYTES);
	uint8_t buf[QCOW2_HEAD_BYTES];
	int rc = fd_pread_full(m->fd, buf, bytes, 0);

	if (rc < 0)
		return err_set(err, -rc, "image %u of the chain", i);
	rc = qcow2_head_parse(buf, bytes, m->file_bytes, ret, err);
	return rc < 0 ? err_wrap(err, "image %u of the chain", i) : 0;
}

static int qcow2_open_image(struct qcow2 *q, const struct qcow2_files *files, unsigned int i,
			    struct err *err)
{
	struct qcow2_image *m = &q->image[i];
	struct qcow2_head h;
	struct stat st;
	int rc;

	m->fd = files->fd[i];
	if (fstat(m->fd, &st) < 0)
		return err_set(err, errno, "image %u of the chain", i);
	m->file_bytes = (uint64_t)st.st_size;
	if (files->raw >> i & 1)
		return qcow2_open_raw(m, i, files->nr, err);
	rc = qcow2_read_head(m, i, &h, err);
	if (rc < 0)
		return rc;
	if (i == 0 && q->writable && h.why_readonly)
		return err_text(err, EINVAL, "image 0 of the chain %s", h.why_readonly);
	if ((h.backing[0] != 0) != (i + 1 < files->nr))
		return err_text(err, EINVAL, "image %u of the chain %s a backing file", i,
				h.backing[0] ? "lacks" : "has not");
	m->bytes = h.bytes;
	m->version = h.version;
	m->cluster_bits = h.cluster_bits;
	m->refcount_order = h.refcount_order;
	m->l1_off = h.l1_off;
	m->l1_entries = h.l1_entries;
	m->dirty = h.dirty;
	q->markable = i == 0 ? h.version >= 3 && !h.lazy : q->markable;
	q->marked = i == 0 ? h.dirty : q->marked;
	m->refs_off = h.refs_off;
	m->refs_entries = (uint64_t)h.refs_clusters << (h.cluster_bits - 3);
	return 0;
}

/* Memory that is used when it is needed: most images need little of it */
static int qcow2_make_room(struct qcow2 *q, struct err *err)
{
	size_t pages = QCOW2_PAGES * sizeof(*q->page), cluster = 1;
	uint8_t *room;

	for (unsigned int i = 0; i < q->nr_images; i++)
		if (!q->image[i].raw && qcow2_cluster(&q->image[i]) > cluster)
			cluster = (size_t)qcow2_cluster(&q->image[i]);
	room = mmap(NULL, pages + 5 * cluster, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (room == MAP_FAILED)
		return err_set(err, errno, "memory for a qcow2 disk");
	q->page = (struct qcow2_page *)(void *)room;
	q->fill = room + pages;
	q->packed = q->fill + 2 * cluster;
	q->unpacked = q->packed + 2 * cluster;
	return 0;
}

int qcow2_open(struct qcow2 *ret, const struct qcow2_files *files, struct err *err)
{
	int rc = 0;

	ret->nr_images = files->nr;
	ret->writable = files->writable;
	for (unsigned int i = 0; rc == 0 && i < files->nr; i++)
		rc = qcow2_open_image(ret, files, i, err);
	if (rc == 0)
		rc = qcow2_lock_init(ret, err);
	return rc < 0 ? rc : qcow2_make_room(ret, err);
}
