/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/virtio/vu_region.h"

#include <errno.h>
#include <string.h>

#include "devices/core/vq_track.h"

static int vu_region_ask(struct vu_region *r, struct vu_conn *c, struct err *err)
{
	struct vu_msg m = vu_conn_msg(VU_GET_INFLIGHT_FD, sizeof(m.inflight));
	cleanup_fd int fd = -1;
	int rc;

	m.inflight = r->area;
	rc = vu_conn_ask_fd(c, &m, sizeof(m.inflight), &fd, err);
	if (rc < 0)
		return rc;
	if ((m.inflight.bytes > 0) != (fd >= 0))
		return err_text(err, EPROTO, "answer to GET_INFLIGHT_FD has %lu bytes and %s fd",
				m.inflight.bytes, fd < 0 ? "no" : "an");
	r->area.bytes = m.inflight.bytes;
	r->area.offset = m.inflight.offset;
	r->fd = fd < 0 ? 0 : TAKE_FD(fd);
	return 0;
}

/* Takes the back-end's own region if it has one, and otherwise the supervisor's memory from now on */
static int vu_region_choose(struct vu_region *r, struct vu_conn *c, struct err *err)
{
	struct vu_region theirs = {
		.area = {.nr_queues = r->area.nr_queues, .queue_size = r->area.queue_size}};
	int rc = vu_region_ask(&theirs, c, err);

	if (rc < 0)
		return rc;
	r->ask = false;
	if (theirs.area.bytes > 0)
		*r = theirs;
	return 0;
}

int vu_region_renew(struct vu_region *r, struct vu_conn *c, uint16_t nr_queues, uint16_t queue_size,
		    struct err *err)
{
	const size_t bytes = nr_queues * vq_region_bytes(queue_size);
	int rc = 0;

	if (!vu_conn_agreed(c, VU_PF_INFLIGHT_SHMFD))
		return 0;
	r->area.nr_queues = nr_queues;
	r->area.queue_size = queue_size;
	if (r->ask) {
		rc = vu_region_choose(r, c, err);
		if (rc < 0 || !r->base)
			return rc < 0 ? rc : vu_region_send(r, c, err);
	}
	if (r->base) {
		vr_assert(bytes <= r->area.bytes);
		memset(r->base, 0, bytes);
	} else {
		vu_region_done(r);
		r->area = (struct vu_inflight_area){.nr_queues = nr_queues,
						    .queue_size = queue_size};
		rc = vu_region_ask(r, c, err);
	}
	return rc < 0 ? rc : vu_region_send(r, c, err);
}

int vu_region_send(struct vu_region *r, struct vu_conn *c, struct err *err)
{
	struct vu_msg m = vu_conn_msg(VU_SET_INFLIGHT_FD, sizeof(m.inflight));
	int rc;

	if (!vu_conn_agreed(c, VU_PF_INFLIGHT_SHMFD) || r->area.bytes == 0 || (r->once && r->sent))
		return 0;
	m.inflight = r->area;
	m.fd[0] = r->fd;
	m.nr_fds = 1;
	rc = vu_conn_do(c, &m, NULL, err);
	r->sent = rc == 0;
	return rc;
}

void vu_region_done(struct vu_region *r)
{
	if (!r->base && r->fd > 0)
		close(r->fd);
	*r = (struct vu_region){0};
}
