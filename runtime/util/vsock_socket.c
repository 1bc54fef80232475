/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/vsock_socket.h"

#include <errno.h>
#include <sys/socket.h>

#include <linux/vm_sockets.h>

#include "devices/core/settings.h"

static int vsock_socket_new(void)
{
	const int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

int vsock_socket_connect(uint32_t cid, uint32_t port, uint32_t *ret_own)
{
	struct sockaddr_vm svm = {.svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port};
	socklen_t len = sizeof(svm);
	cleanup_fd int fd = vsock_socket_new();

	if (fd < 0)
		return fd;
	if ((connect(fd, (const struct sockaddr *)&svm, sizeof(svm)) < 0 && errno != EINPROGRESS) ||
	    getsockname(fd, (struct sockaddr *)&svm, &len) < 0)
		return -errno;
	*ret_own = svm.svm_port;
	return TAKE_FD(fd);
}

int vsock_socket_listen(uint32_t port)
{
	const struct sockaddr_vm svm = {
		.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = port};
	cleanup_fd int fd = vsock_socket_new();

	if (fd < 0)
		return fd;
	/* The kernel resets a connection that has no room in the queue. */
	if (bind(fd, (const struct sockaddr *)&svm, sizeof(svm)) < 0 ||
	    listen(fd, VSOCK_CONNS_MAX) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int vsock_socket_accept(int listener, uint32_t cid)
{
	struct sockaddr_vm peer = {0};
	socklen_t len = sizeof(peer);
	cleanup_fd int fd = accept4(listener, (struct sockaddr *)&peer, &len,
				    SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return -errno;
	return peer.svm_cid == cid ? TAKE_FD(fd) : -ECONNABORTED;
}
