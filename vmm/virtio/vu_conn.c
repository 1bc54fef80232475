/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/virtio/vu_conn.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define VU_CONN_STEP_MS 20 /* long, because a step lasts a little longer than it counts */

bool vu_conn_agreed(const struct vu_conn *c, enum vu_protocol_feature bit)
{
	return c->protocol_features >> bit & 1;
}

/* How many bytes of the next message have arrived; *ret_want is how many it has. */
static ssize_t vu_conn_peek(int sock, size_t *ret_want)
{
	uint8_t buf[sizeof(struct vu_hdr) + VU_PAYLOAD_MAX] = {0};
	ssize_t n = recv(sock, buf, sizeof(buf), MSG_PEEK | MSG_DONTWAIT);
	struct vu_hdr hdr;

	*ret_want = sizeof(hdr);
	if (n < (ssize_t)sizeof(hdr))
		return n < 0 ? -errno : n;
	memcpy(&hdr, buf, sizeof(hdr));
	/* vu_recv() refuses a message that is too large; the header is enough for that. */
	if (hdr.bytes <= VU_PAYLOAD_MAX)
		*ret_want += hdr.bytes;
	return n;
}

/* Adds @ms to the wait; 0, or -ETIMEDOUT if it shall end */
static int vu_conn_waited(struct vu_conn *c, unsigned int ms, struct err *err)
{
	unsigned int before = c->waited_ms / c->late_ms;

	c->waited_ms += ms;
	if (c->waited_ms / c->late_ms == before ||
	    (c->late.fn && c->late.fn(c->late.arg, c->name, (before + 1) * c->late_ms)))
		return 0;
	return err_text(err, ETIMEDOUT, "no answer in %u ms", c->waited_ms);
}

int vu_conn_look(struct vu_conn *c, unsigned int waited_ms, struct err *err)
{
	struct pollfd p = {.fd = c->sock};
	size_t want;
	ssize_t n = vu_conn_peek(c->sock, &want);

	if (n >= 0 && (size_t)n >= want) {
		c->waited_ms = 0;
		return 1;
	}
	if (n < 0 && n != -EAGAIN && n != -EINTR)
		return err_set(err, (int)-n, "receive");
	/* Half a message makes the socket readable, so poll() would not wait. */
	if (n == 0 || (n > 0 && poll(&p, 1, 1) > 0))
		return err_text(err, EPIPE, "the device's process is gone");
	return vu_conn_waited(c, waited_ms + (n > 0), err);
}

/* Waits up to VU_CONN_STEP_MS for an answer; returns as vu_conn_look() */
static int vu_conn_step(struct vu_conn *c, struct err *err)
{
	struct pollfd p = {.fd = c->sock, .events = POLLIN};
	const unsigned int left = c->late_ms - c->waited_ms % c->late_ms;
	const unsigned int ms = left < VU_CONN_STEP_MS ? left : VU_CONN_STEP_MS;
	int rc = poll(&p, 1, (int)ms);

	if (rc < 0 && errno != EINTR)
		return err_set(err, errno, "poll");
	return vu_conn_look(c, rc > 0 ? 0 : ms, err);
}

int vu_conn_bound(struct vu_conn *c, struct err *err)
{
	struct timeval limit = {.tv_sec = VU_SEND_MS / 1000};

	if (setsockopt(c->sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return err_set(err, errno, "SO_SNDTIMEO");
	return 0;
}

int vu_conn_post(struct vu_conn *c, const struct vu_msg *m, struct err *err)
{
	int rc = vu_send(c->sock, m, err);

	if (rc == -EAGAIN)
		return err_text(err, ETIMEDOUT, "the device received nothing in %d ms", VU_SEND_MS);
	return rc;
}

/* As vu_conn_take(), with up to @max_fds fds, which are then the caller's */
static int vu_conn_take_with(struct vu_conn *c, uint32_t request, size_t bytes,
			     unsigned int max_fds, struct vu_msg *ret, struct err *err)
{
	int rc = vu_recv(c->sock, ret, err);

	if (rc == 0)
		return err_text(err, EPIPE, "the device's process is gone");
	if (rc < 0)
		return rc;
	rc = 0;
	if (ret->nr_fds > max_fds)
		rc = err_text(err, EPROTO, "answer with fds");
	else if (ret->hdr.request != request || ret->hdr.flags != (VU_VERSION | VU_FLAG_REPLY))
		rc = err_text(err, EPROTO, "answer %u, flags 0x%x, to request %u", ret->hdr.request,
			      ret->hdr.flags, request);
	else if (ret->hdr.bytes != bytes)
		rc = err_text(err, EPROTO, "answer to request %u has %u bytes, not %zu", request,
			      ret->hdr.bytes, bytes);
	if (rc < 0)
		vu_msg_close(ret);
	return rc;
}

int vu_conn_take(struct vu_conn *c, uint32_t request, size_t bytes, struct vu_msg *ret,
		 struct err *err)
{
	return vu_conn_take_with(c, request, bytes, 0, ret, err);
}

/* Waits until an answer has arrived. */
static int vu_conn_wait(struct vu_conn *c, struct err *err)
{
	int rc;

	do
		rc = vu_conn_step(c, err);
	while (rc == 0);
	return rc < 0 ? rc : 0;
}

int vu_conn_ask(struct vu_conn *c, struct vu_msg *m, size_t bytes, struct err *err)
{
	uint32_t request = m->hdr.request;
	int rc = vu_conn_post(c, m, err);

	if (rc == 0)
		rc = vu_conn_wait(c, err);
	return rc < 0 ? rc : vu_conn_take(c, request, bytes, m, err);
}

int vu_conn_ask_fd(struct vu_conn *c, struct vu_msg *m, size_t bytes, int *ret_fd, struct err *err)
{
	uint32_t request = m->hdr.request;
	int rc = vu_conn_post(c, m, err);

	if (rc == 0)
		rc = vu_conn_wait(c, err);
	if (rc == 0)
		rc = vu_conn_take_with(c, request, bytes, 1, m, err);
	if (rc == 0)
		*ret_fd = m->nr_fds > 0 ? m->fd[0] : -1;
	return rc;
}

struct vu_msg vu_conn_msg(enum vu_request request, size_t bytes)
{
	return (struct vu_msg){.hdr = {request, VU_VERSION, (uint32_t)bytes}};
}

int vu_conn_ask_u64(struct vu_conn *c, enum vu_request request, uint64_t *ret, struct err *err)
{
	struct vu_msg m = vu_conn_msg(request, 0);
	int rc = vu_conn_ask(c, &m, sizeof(m.u64), err);

	if (rc == 0)
		*ret = m.u64;
	return rc;
}

int vu_conn_do(struct vu_conn *c, struct vu_msg *m, bool *ret_refused, struct err *err)
{
	uint32_t request = m->hdr.request;
	int rc;

	if (ret_refused)
		*ret_refused = false;
	if (vu_conn_agreed(c, VU_PF_REPLY_ACK))
		m->hdr.flags |= VU_FLAG_NEED_REPLY;
	rc = vu_conn_post(c, m, err);
	if (rc < 0 || !vu_conn_agreed(c, VU_PF_REPLY_ACK))
		return rc;
	rc = vu_conn_wait(c, err);
	if (rc == 0)
		rc = vu_conn_take(c, request, sizeof(m->u64), m, err);
	if (rc < 0 || m->u64 == 0)
		return rc;
	if (!ret_refused)
		return err_text(err, EIO, "the device refused request %u", request);
	*ret_refused = true;
	return 0;
}

int vu_conn_post_u64(struct vu_conn *c, enum vu_request request, uint64_t value, struct err *err)
{
	struct vu_msg m = vu_conn_msg(request, sizeof(m.u64));

	m.u64 = value;
	return vu_conn_post(c, &m, err);
}

int vu_conn_post_state(struct vu_conn *c, enum vu_request request, uint32_t q, uint32_t num,
		       struct err *err)
{
	struct vu_msg m = vu_conn_msg(request, sizeof(m.state));

	m.state = (struct vu_vring_state){q, num};
	return vu_conn_post(c, &m, err);
}
