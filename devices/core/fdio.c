/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/fdio.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Room for one SCM_RIGHTS message, aligned as cmsghdr wants it */
union fd_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(FDIO_FDS_MAX * sizeof(int))];
};

int fd_read_full(int fd, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, (char *)buf + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return done == 0 ? -EPIPE : -EPROTO;
		done += (size_t)n;
	}
	return 0;
}

int fd_pread_full(int fd, void *buf, size_t len, uint64_t off)
{
	size_t done = 0;

	if (off > INT64_MAX || len > INT64_MAX - off)
		return -EOVERFLOW;
	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		done += (size_t)n;
	}
	return 0;
}

/* One send, or one write where @fd is no socket; EINTR retried */
static ssize_t fd_write_some(int fd, const void *buf, size_t len)
{
	ssize_t n;

	do {
		n = send(fd, buf, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n >= 0 || errno != ENOTSOCK)
		return n < 0 ? -errno : n;
	do {
		n = write(fd, buf, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int fd_write_full(int fd, const void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = fd_write_some(fd, (const char *)buf + done, len - done);

		if (n < 0)
			return (int)n;
		done += (size_t)n;
	}
	return 0;
}

/* One message with fds, of which a stream socket may take a part only.  Syscalls: sendmsg */
static ssize_t fd_send_fds(int sock, const void *buf, size_t len, const int *fds,
			   unsigned int nr_fds, int flags)
{
	const size_t bytes = nr_fds * sizeof(int);
	struct iovec iov = {.iov_base = (char *)(uintptr_t)buf, .iov_len = len};
	union fd_control control = {0};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = (__typeof__(msg.msg_controllen))CMSG_SPACE(bytes),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = (__typeof__(c->cmsg_len))CMSG_LEN(bytes);
	memcpy(CMSG_DATA(c), fds, bytes);
	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL | flags);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int fd_send(int sock, const void *buf, size_t len, const int *fds, unsigned int nr_fds)
{
	ssize_t n = 0;

	vr_assert(len > 0 && nr_fds <= FDIO_FDS_MAX);
	if (nr_fds > 0)
		n = fd_send_fds(sock, buf, len, fds, nr_fds, 0);
	return n < 0 ? (int)n : fd_write_full(sock, (const char *)buf + n, len - (size_t)n);
}

int fd_try_send(int sock, const void *buf, size_t len)
{
	ssize_t n;

	do {
		n = send(sock, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EMSGSIZE;
}

int fd_try_send_fd(int sock, const void *buf, size_t len, int fd)
{
	const ssize_t n = fd_send_fds(sock, buf, len, &fd, 1, MSG_DONTWAIT);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EMSGSIZE;
}

/*
 * Collects the fds of a received message; returns how many. The kernel puts all of them into one
 * header, and no socket of ours asks for another kind of control message.
 */
static unsigned int fd_collect(struct msghdr *msg, int fds[FDIO_FDS_MAX])
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	size_t n;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	vr_assert(n <= FDIO_FDS_MAX); /* the control buffer holds no more */
	memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	return (unsigned int)n;
}

ssize_t fd_recv(int sock, void *buf, size_t len, int ret_fds[FDIO_FDS_MAX],
		unsigned int *ret_nr_fds)
{
	struct iovec iov = {.iov_base = buf, .iov_len = len};
	union fd_control control = {0};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	int fds[FDIO_FDS_MAX];
	unsigned int nr;
	ssize_t n;

	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	nr = fd_collect(&msg, fds);
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		n = -EMSGSIZE;
	/* An empty datagram reads like a closed peer, and may still have brought fds. */
	if (n <= 0) {
		for (unsigned int i = 0; i < nr; i++)
			close(fds[i]);
		nr = 0;
	}
	if (n >= 0) {
		memcpy(ret_fds, fds, nr * sizeof(int));
		*ret_nr_fds = nr;
	}
	return n;
}

ssize_t fd_recv_plain(int sock, void *buf, size_t len)
{
	struct iovec iov = {.iov_base = buf, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return -EPROTO;
	return n > 0 ? n : -EPIPE;
}
