/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/block/qcow2_meta.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "devices/block/block_fd.h"

#define QCOW2_IOVS 64

static uint8_t qcow2_zeros[QCOW2_PAGE]; /* never written to */

int qcow2_bad(struct qcow2 *q, unsigned int image, const char *what, uint64_t value)
{
	log_limited(&q->bad_limit, LOG_LEVEL_ERROR,
		    "qcow2: image %u of the chain is damaged: %s 0x%lx", image, what, value);
	return -EIO;
}

static bool qcow2_overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
	return a < b + b_bytes && b < a + a_bytes;
}

bool qcow2_guarded(const struct qcow2 *q, uint64_t off, uint64_t bytes)
{
	const struct qcow2_image *m = &q->image[0];

	return off < qcow2_cluster(m) || qcow2_overlap(off, bytes, m->l1_off, m->l1_entries * 8) ||
	       qcow2_overlap(off, bytes, m->refs_off, m->refs_entries * 8);
}

static struct qcow2_page *qcow2_slot(struct qcow2 *q, unsigned int image, uint64_t number)
{
	const uint64_t mixed = (number + image * 0x1f351fULL) * 0x9e3779b97f4a7c15ULL;

	return &q->page[(mixed >> 40) % QCOW2_PAGES];
}

int qcow2_pread(int fd, struct iovec *iov, unsigned int nr, uint64_t off, uint64_t end)
{
	ssize_t n;

	while (nr > 0) {
		n = preadv(fd, iov, (int)nr, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0 && off < end)
			return -EIO;
		if (n == 0)
			break;
		off += (uint64_t)n;
		nr = block_fd_consume(&iov, nr, (size_t)n);
	}
	block_fd_blank(iov, nr);
	return 0;
}

static int qcow2_read_page(const struct qcow2_image *m, uint64_t number, uint8_t *page)
{
	struct iovec iov = {.iov_base = page, .iov_len = QCOW2_PAGE};

	return qcow2_pread(m->fd, &iov, 1, number * QCOW2_PAGE, m->file_bytes);
}

int qcow2_page_at(struct qcow2 *q, unsigned int image, uint64_t off, const uint8_t **ret)
{
	const uint64_t number = off / QCOW2_PAGE;
	struct qcow2_page *p = qcow2_slot(q, image, number);
	int rc;

	if (p->tag != number + 1 || p->image != image) {
		if (q->no_wait)
			return -EAGAIN;
		p->tag = 0;
		rc = qcow2_read_page(&q->image[image], number, p->byte);
		if (rc < 0)
			return rc;
		p->tag = number + 1;
		p->image = image;
	}
	*ret = p->byte;
	return 0;
}

int qcow2_word(struct qcow2 *q, unsigned int image, uint64_t off, uint64_t *ret)
{
	const uint8_t *page;
	int rc = qcow2_page_at(q, image, off, &page);

	if (rc == 0)
		*ret = qcow2_be64(page + off % QCOW2_PAGE);
	return rc;
}

int qcow2_pwrite(int fd, struct iovec *iov, int nr, uint64_t *off)
{
	ssize_t n;

	while (nr > 0) {
		n = pwritev(fd, iov, nr < QCOW2_IOVS ? nr : QCOW2_IOVS, (off_t)*off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		*off += (uint64_t)n;
		nr = (int)block_fd_consume(&iov, (unsigned int)nr, (size_t)n);
	}
	return 0;
}

void qcow2_grown(struct qcow2 *q, uint64_t off)
{
	if (off > q->image[0].file_bytes)
		q->image[0].file_bytes = off;
}

static int qcow2_store(struct qcow2 *q, uint64_t off, const void *buf, size_t bytes)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)buf, .iov_len = bytes};
	struct qcow2_page *p = qcow2_slot(q, 0, off / QCOW2_PAGE);
	const bool cached = p->tag == off / QCOW2_PAGE + 1 && p->image == 0;
	uint64_t end = off;
	int rc;

	vr_assert(off % QCOW2_PAGE + bytes <= QCOW2_PAGE);
	rc = qcow2_pwrite(q->image[0].fd, &iov, 1, &end);
	qcow2_grown(q, end);
	if (cached && rc == 0)
		memcpy(p->byte + off % QCOW2_PAGE, buf, bytes);
	else if (cached) /* a part of it may be in the file */
		p->tag = 0;
	return rc;
}

int qcow2_write_meta(struct qcow2 *q, uint64_t off, const void *buf, size_t bytes)
{
	if (qcow2_guarded(q, off, bytes))
		return qcow2_bad(q, 0, "metadata in the place of other metadata at", off);
	return qcow2_store(q, off, buf, bytes);
}

int qcow2_write_table(struct qcow2 *q, uint64_t off, uint64_t value)
{
	uint8_t buf[8];

	qcow2_put_be64(buf, value);
	return qcow2_store(q, off, buf, sizeof(buf));
}

int qcow2_move_refs(struct qcow2 *q, uint64_t off, uint32_t clusters)
{
	struct qcow2_image *m = &q->image[0];
	const uint32_t count = __builtin_bswap32(clusters);
	uint8_t buf[12];
	int rc;

	qcow2_put_be64(buf, off);
	memcpy(buf + 8, &count, sizeof(count));
	rc = qcow2_store(q, QCOW2_AT_REFS, buf, sizeof(buf));
	if (rc < 0)
		return rc;
	m->refs_off = off;
	m->refs_entries = (uint64_t)clusters << (m->cluster_bits - 3);
	return 0;
}

int qcow2_barrier(const struct qcow2 *q)
{
	return fdatasync(q->image[0].fd) < 0 ? -errno : 0;
}

int qcow2_mark(struct qcow2 *q, bool dirty)
{
	uint8_t buf[8];
	int rc = 0;

	if (!q->markable || q->marked == dirty)
		return 0;
	qcow2_put_be64(buf, dirty ? QCOW2_F_DIRTY : 0);
	if (!dirty)
		rc = qcow2_barrier(q);
	if (rc == 0)
		rc = qcow2_store(q, QCOW2_AT_INCOMPATIBLE, buf, sizeof(buf));
	if (rc == 0 && dirty)
		rc = qcow2_barrier(q);
	if (rc == 0)
		q->marked = dirty;
	return rc;
}

int qcow2_clear_meta(struct qcow2 *q, uint64_t off, uint64_t bytes)
{
	int rc = 0;

	if (qcow2_guarded(q, off, bytes))
		return qcow2_bad(q, 0, "metadata in the place of other metadata at", off);
	while (rc == 0 && bytes > 0) {
		uint64_t n = qcow2_min(bytes, QCOW2_PAGE - off % QCOW2_PAGE);

		rc = qcow2_store(q, off, qcow2_zeros, (size_t)n);
		off += n;
		bytes -= n;
	}
	return rc;
}
