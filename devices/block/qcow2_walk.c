/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/block/qcow2_walk.h"

#include "devices/block/qcow2_lock.h"
#include "devices/block/qcow2_recount.h"

size_t qcow2_cut(struct qcow2_cursor *c, uint64_t bytes, struct iovec *ret, unsigned int max,
		 unsigned int *ret_nr)
{
	unsigned int nr = 0;
	size_t done = 0;

	while (bytes > done && c->nr > 0 && nr < max) {
		const size_t n = (size_t)qcow2_min(bytes - done, c->iov->iov_len);

		if (n > 0)
			ret[nr++] = (struct iovec){.iov_base = c->iov->iov_base, .iov_len = n};
		done += n;
		c->iov->iov_base = (uint8_t *)c->iov->iov_base + n;
		c->iov->iov_len -= n;
		if (c->iov->iov_len == 0) {
			c->iov++;
			c->nr--;
		}
	}
	*ret_nr = nr;
	return done;
}

int qcow2_walk(struct qcow2 *q, struct qcow2_cursor *c, uint64_t off,
	       int (*piece)(struct qcow2 *q, struct qcow2_cursor *c, uint64_t off, uint64_t *bytes))
{
	uint64_t left = 0, n;
	int rc = 0;

	for (unsigned int i = 0; i < c->nr; i++)
		left += c->iov[i].iov_len;
	if (!c->keep) {
		qcow2_lock(q);
		rc = qcow2_recount(q);
	}
	while (rc == 0 && left > 0) {
		n = left;
		rc = piece(q, c, off, &n);
		off += n;
		left -= n;
	}
	if (!c->keep)
		qcow2_unlock(q);
	return rc;
}
