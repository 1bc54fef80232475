/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/vu_inflight.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "devices/core/boot.h"

#define VU_INFLIGHT_BYTES_MAX (1U << 20)

size_t vu_inflight_bytes(uint64_t nr_queues, uint64_t queue_size)
{
	if (nr_queues > BOOT_QUEUES_MAX || queue_size > VQ_TRACK_MAX ||
	    (queue_size & (queue_size - 1)) != 0 || queue_size == 0)
		return 0;
	return nr_queues * vq_region_bytes((uint16_t)queue_size);
}

static int vu_inflight_check(const struct vu_inflight_area *a, struct err *err)
{
	const size_t needed = vu_inflight_bytes(a->nr_queues, a->queue_size);

	if (needed == 0)
		return err_text(err, EINVAL, "vhost-user: in-flight regions of %u rings of %u",
				a->nr_queues, a->queue_size);
	if (a->bytes < needed || a->bytes > VU_INFLIGHT_BYTES_MAX)
		return err_text(err, EINVAL, "vhost-user: in-flight regions in %lu bytes",
				a->bytes);
	return 0;
}

int vu_inflight_set(struct vu_inflight *i, const struct vu_msg *m, struct err *err)
{
	const struct vu_inflight_area *a = &m->inflight;
	int rc = vu_inflight_check(a, err);
	struct stat st;
	void *base;

	if (rc < 0)
		return rc;
	if (syscall(SYS_fstat, m->fd[0], &st) < 0) /* by number, as in gmem.c */
		return err_set(err, errno, "vhost-user: in-flight regions");
	if (st.st_size < 0 || a->bytes > (uint64_t)st.st_size ||
	    a->offset > (uint64_t)st.st_size - a->bytes)
		return err_text(err, EINVAL, "vhost-user: in-flight regions exceed their file");
	base = mmap(NULL, a->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd[0], (off_t)a->offset);
	if (base == MAP_FAILED)
		return err_set(err, errno, "vhost-user: in-flight regions");
	vu_inflight_done(i);
	*i = (struct vu_inflight){base, a->bytes, a->nr_queues, a->queue_size};
	return 0;
}

volatile struct vq_region *vu_inflight_region(const struct vu_inflight *i, unsigned int q)
{
	if (q >= i->nr_queues)
		return NULL;
	return (volatile struct vq_region *)(volatile void *)(i->base +
							      q * vq_region_bytes(i->queue_size));
}

void vu_inflight_done(struct vu_inflight *i)
{
	if (i->base)
		munmap(i->base, i->bytes);
	*i = (struct vu_inflight){0};
}
