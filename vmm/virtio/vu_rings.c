/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/virtio/vu_rings.h"

#include <errno.h>

static int vu_rings_send_fd(struct vu_conn *c, enum vu_request request, unsigned int q, int fd,
			    struct err *err)
{
	struct vu_msg m = vu_conn_msg(request, sizeof(m.u64));

	m.u64 = q;
	m.fd[0] = fd;
	m.nr_fds = 1;
	/* KICK starts the ring, so the back-end checks the ring then. */
	return request == VU_SET_VRING_KICK ? vu_conn_do(c, &m, NULL, err)
					    : vu_conn_post(c, &m, err);
}

static int vu_rings_start_one(struct vu_conn *c, const struct backend *be, unsigned int i,
			      const struct backend_queue *q, uint16_t base, struct err *err)
{
	struct vu_msg addr = vu_conn_msg(VU_SET_VRING_ADDR, sizeof(addr.addr));
	const struct {
		enum vu_request request;
		int fd;
	} fds[] = {
		{VU_SET_VRING_ERR, be->err_fd[i]},
		{VU_SET_VRING_CALL, be->call_fd[i]},
		{VU_SET_VRING_KICK, be->kick_fd[i]},
	};
	int rc = vu_conn_post_state(c, VU_SET_VRING_NUM, i, q->size, err);

	addr.addr = (struct vu_vring_addr){
		.index = i,
		.desc_user_addr = VU_USER_BASE + q->desc_gpa,
		.avail_user_addr = VU_USER_BASE + q->avail_gpa,
		.used_user_addr = VU_USER_BASE + q->used_gpa,
	};
	if (rc == 0)
		rc = vu_conn_post_state(c, VU_SET_VRING_BASE, i, base, err);
	if (rc == 0)
		rc = vu_conn_post(c, &addr, err);
	for (unsigned int n = 0; rc == 0 && n < ARRAY_SIZE(fds); n++)
		rc = vu_rings_send_fd(c, fds[n].request, i, fds[n].fd, err);
	return rc;
}

static int vu_rings_enable_one(struct vu_conn *c, unsigned int i, struct err *err)
{
	struct vu_msg m = vu_conn_msg(VU_SET_VRING_ENABLE, sizeof(m.state));

	m.state = (struct vu_vring_state){i, 1};
	return vu_conn_do(c, &m, NULL, err);
}

int vu_rings_start(struct vu_rings *r, struct vu_conn *c, const struct backend *be,
		   const struct backend_queue *q, bool enable, struct err *err)
{
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < be->nr_queues; i++) {
		if (!q[i].enabled)
			continue;
		rc = vu_rings_start_one(c, be, i, &q[i], r->base[i], err);
		if (rc == 0)
			r->started |= 1U << i;
	}
	for (unsigned int i = 0; rc == 0 && enable && i < be->nr_queues; i++) {
		if (q[i].enabled)
			rc = vu_rings_enable_one(c, i, err);
	}
	return rc;
}

/* Whether the device has given ring @i back: 1, 0 or -errno */
static int vu_rings_stopped(struct vu_rings *r, struct vu_conn *c, unsigned int i,
			    unsigned int waited_ms, struct err *err)
{
	struct vu_msg m;
	int rc = vu_conn_look(c, waited_ms, err);

	if (rc <= 0)
		return rc;
	rc = vu_conn_take(c, VU_GET_VRING_BASE, sizeof(m.state), &m, err);
	if (rc == 0 && m.state.index != i)
		rc = err_text(err, EPROTO, "answer about ring %u, not %u", m.state.index, i);
	r->stopping &= ~(1U << i);
	return rc < 0 ? rc : 1;
}

int vu_rings_stop(struct vu_rings *r, struct vu_conn *c, unsigned int waited_ms, struct err *err)
{
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < BACKEND_QUEUES_MAX; i++) {
		if (r->started & 1U << i)
			rc = vu_conn_post_state(c, VU_GET_VRING_BASE, i, 0, err);
	}
	r->stopping |= r->started;
	r->started = 0;
	for (unsigned int i = 0; rc >= 0 && i < BACKEND_QUEUES_MAX; i++) {
		if (!(r->stopping & 1U << i))
			continue;
		rc = vu_rings_stopped(r, c, i, waited_ms, err);
		if (rc == 0)
			return 1;
	}
	return rc < 0 ? rc : 0;
}
