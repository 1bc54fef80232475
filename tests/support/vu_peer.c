/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/vu_peer.h"

#include <string.h>
#include <sys/socket.h>

#define VUP_HDR	    12U
#define VUP_VERSION 1U

void vup_send(int sock, uint32_t request, uint32_t flags, const void *payload, uint32_t bytes,
	      const int *fds, unsigned int nr_fds)
{
	struct vup_msg m = {.request = request, .flags = flags | VUP_VERSION, .bytes = bytes};
	struct iovec iov = {.iov_base = &m, .iov_len = VUP_HDR + bytes};
	char control[CMSG_SPACE(16 * sizeof(int))] __attribute__((aligned(8))) = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	vr_assert(bytes <= sizeof(m.payload) && nr_fds <= 16);
	if (bytes > 0)
		memcpy(m.payload, payload, bytes);
	if (nr_fds > 0) {
		struct cmsghdr *c;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nr_fds * sizeof(int));
	}
	n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	vr_assert(n < 0 || (size_t)n == iov.iov_len);
}

bool vup_recv(int sock, struct vup_msg *ret)
{
	struct vup_msg m = {0};

	if (recv(sock, &m, VUP_HDR, MSG_DONTWAIT) != (ssize_t)VUP_HDR)
		return false;
	vr_assert(m.bytes <= sizeof(m.payload));
	if (m.bytes > 0 && recv(sock, m.payload, m.bytes, MSG_WAITALL) != (ssize_t)m.bytes)
		return false;
	*ret = m;
	return true;
}

bool vup_gone(int sock)
{
	char c;

	return recv(sock, &c, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

void vup_empty(int sock, uint32_t request, uint32_t flags)
{
	vup_send(sock, request, flags, NULL, 0, NULL, 0);
}

void vup_u64(int sock, uint32_t request, uint32_t flags, uint64_t v)
{
	vup_send(sock, request, flags, &v, sizeof(v), NULL, 0);
}

void vup_state(int sock, uint32_t request, uint32_t flags, uint32_t index, uint32_t num)
{
	const uint32_t payload[2] = {index, num};

	vup_send(sock, request, flags, payload, sizeof(payload), NULL, 0);
}

void vup_fd(int sock, uint32_t request, uint32_t flags, uint32_t index, int fd)
{
	const uint64_t payload = index | (fd < 0 ? VUP_NO_FD : 0);

	vup_send(sock, request, flags, &payload, sizeof(payload), &fd, fd < 0 ? 0 : 1);
}

void vup_mem_table(int sock, uint32_t flags, const struct vqd_mem *m)
{
	uint64_t payload[1 + 4 * GMEM_REGIONS_MAX] = {m->nr};
	int fds[GMEM_REGIONS_MAX];

	for (unsigned int i = 0; i < m->nr; i++) {
		uint64_t *r = payload + 1 + 4 * i;

		r[0] = m->piece[i].gpa;
		r[1] = m->piece[i].bytes;
		r[2] = VUP_USER_BASE + m->piece[i].gpa;
		r[3] = vqd_mem_offset(m, m->piece[i].gpa, 1);
		fds[i] = m->fd;
	}
	vup_send(sock, VUP_SET_MEM_TABLE, flags, payload, 8 + 32 * m->nr, fds, m->nr);
}

void vup_addr(int sock, uint32_t flags, uint32_t index, const struct vqd *d)
{
	const uint64_t payload[5] = {index, VUP_USER_BASE + d->desc_gpa,
				     VUP_USER_BASE + d->used_gpa, VUP_USER_BASE + d->avail_gpa, 0};

	vup_send(sock, VUP_SET_VRING_ADDR, flags, payload, sizeof(payload), NULL, 0);
}

void vup_inflight(int sock, uint32_t flags, const struct vup_inflight *i, int fd)
{
	vup_send(sock, fd < 0 ? VUP_GET_INFLIGHT_FD : VUP_SET_INFLIGHT_FD, flags, i, sizeof(*i),
		 &fd, fd < 0 ? 0 : 1);
}

void vup_config(int sock, uint32_t request, uint32_t flags, uint32_t offset, uint32_t bytes,
		const void *data)
{
	const uint32_t head[3] = {offset, bytes, 0};
	uint8_t payload[sizeof(head) + 256] = {0};

	vr_assert(bytes <= 256);
	memcpy(payload, head, sizeof(head));
	if (data)
		memcpy(payload + sizeof(head), data, bytes);
	vup_send(sock, request, flags, payload, (uint32_t)sizeof(head) + bytes, NULL, 0);
}
