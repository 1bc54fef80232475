/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: qcow2 as a format of images
 */
#include <errno.h>
#include <unistd.h>

#include "devices/block/block_backing.h"
#include "devices/block/qcow2.h"
#include "devices/block/qcow2_drop.h"
#include "devices/block/qcow2_read.h"
#include "devices/block/qcow2_recount.h"
#include "devices/block/qcow2_write.h"
#include "devices/core/kind.h"

#define BLOCK_QCOW2_FD BOOT_FD_RES

/* The disk is for the life of the program.  Context: setup */
static int block_qcow2_init(struct block_backing *g, const struct boot_dev *rec, struct err *err)
{
	struct qcow2 *q = calloc(1, sizeof(*q));
	struct qcow2_files files = {.nr = rec->nr_res, .writable = !g->read_only};
	struct block_settings s;
	int rc = boot_settings(rec, &s, sizeof(s), err);

	if (rc < 0)
		return rc;
	if (!q)
		return err_set(err, ENOMEM, "memory for a qcow2 disk");
	if (g->direct_mem || g->direct_off)
		return err_text(err, EINVAL, "%s: qcow2 images know no O_DIRECT", rec->name);
	if (rec->nr_res == 0 || s.qcow2 >> rec->nr_res != 0)
		return err_text(err, EINVAL, "%s: %u resources are not the images 0x%x", rec->name,
				rec->nr_res, s.qcow2);
	for (unsigned int i = 0; i < files.nr; i++) {
		files.fd[i] = BLOCK_QCOW2_FD + (int)i;
		files.raw |= s.qcow2 >> i & 1 ? 0 : 1U << i;
	}
	rc = qcow2_open(q, &files, err);
	if (rc < 0)
		return err_wrap(err, "%s", rec->name);
	if (q->image[0].bytes != g->capacity)
		return err_text(err, EINVAL, "%s: the image has %lu bytes now, not %lu", rec->name,
				q->image[0].bytes, g->capacity);
	g->state = q;
	return 0;
}

static void block_qcow2_done(struct block_backing *g)
{
	free(g->state);
}

/* What was written is in the files already.  Syscalls: fdatasync */
static int block_qcow2_flush(void)
{
	return fdatasync(BLOCK_QCOW2_FD) < 0 ? -errno : 0;
}

static int block_qcow2_carry_out(struct block_backing *g, struct block_io *io)
{
	struct qcow2 *q = g->state;

	switch (io->op) {
	case BLOCK_READ: return qcow2_read(q, io->iov, io->nr_iov, io->off);
	case BLOCK_WRITE: return qcow2_write(q, io->iov, io->nr_iov, io->off);
	case BLOCK_FLUSH: return block_qcow2_flush();
	case BLOCK_DISCARD: return qcow2_drop(q, io->off, io->bytes, QCOW2_DISCARD);
	case BLOCK_ZERO:
		return qcow2_drop(q, io->off, io->bytes,
				  io->may_free ? QCOW2_ZERO_FREE : QCOW2_ZERO_KEEP);
	case BLOCK_BLANK: break;
	}
	return -EINVAL;
}

static bool block_qcow2_at_once(struct block_backing *g, struct block_io *io)
{
	if (io->op != BLOCK_READ ||
	    !qcow2_read_cached(g->state, io->iov, io->nr_iov, io->off, io->bytes))
		return false;
	io->rc = 0;
	return true;
}

static void block_qcow2_finish(struct block_backing *g)
{
	qcow2_close(g->state);
}

const struct block_format block_qcow2 = {
	.name = "qcow2",
	.threads = KIND_THREADS_MAX,
	.init = block_qcow2_init,
	.done = block_qcow2_done,
	.carry_out = block_qcow2_carry_out,
	.at_once = block_qcow2_at_once,
	.finish = block_qcow2_finish,
};
