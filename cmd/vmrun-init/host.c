/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/host.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <linux/vm_sockets.h>

#include "devices/core/agent_msg.h"

/* As many as 50 sessions begin at once */
#define HOST_BACKLOG   256
#define HOST_SETTLE_MS 1000

int host_listen(struct err *err)
{
	const struct sockaddr_vm at = {
		.svm_family = AF_VSOCK,
		.svm_port = AGENT_PORT,
		.svm_cid = VMADDR_CID_ANY,
	};
	cleanup_fd int sock = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (sock < 0 || bind(sock, (const void *)&at, sizeof(at)) < 0 ||
	    listen(sock, HOST_BACKLOG) < 0)
		return err_set(err, errno, "listening for the host");
	return TAKE_FD(sock);
}

int host_connect(struct err *err)
{
	const struct sockaddr_vm at = {
		.svm_family = AF_VSOCK,
		.svm_port = AGENT_PORT,
		.svm_cid = VMADDR_CID_HOST,
	};
	cleanup_fd int sock = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sock < 0 || connect(sock, (const void *)&at, sizeof(at)) < 0)
		return err_set(err, errno, "connecting to the host");
	return TAKE_FD(sock);
}

int host_accept(int listener, uint32_t *ret_port)
{
	struct sockaddr_vm peer = {0};
	socklen_t len = sizeof(peer);
	cleanup_fd int sock = accept4(listener, (void *)&peer, &len, SOCK_CLOEXEC);

	if (sock < 0)
		return -errno;
	if (peer.svm_cid != VMADDR_CID_HOST)
		return -EACCES;
	*ret_port = peer.svm_port;
	return TAKE_FD(sock);
}

void host_settle(int control)
{
	struct pollfd p = {.fd = control, .events = POLLRDHUP};

	(void)!shutdown(control, SHUT_WR);
	(void)!poll(&p, 1, HOST_SETTLE_MS);
}
