/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/agent_conn.h"

#include <errno.h>
#include <sys/socket.h>

#include "devices/core/fdio.h"

int agent_conn_open(struct agent_conn *l, int *ret_fd, struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return err_set(err, errno, "connection to the guest's init");
	*l = (struct agent_conn){.fd = pair[0]};
	*ret_fd = pair[1];
	return 0;
}

void agent_conn_close(struct agent_conn *l)
{
	cleanup_close_fd(&l->fd);
	l->fd = -1;
}

int agent_conn_send(struct agent_conn *l, const struct agent_msg *m, struct err *err)
{
	const int rc = l->fd < 0 ? -ENOTCONN : fd_try_send(l->fd, m, sizeof(*m));

	return rc < 0 ? err_set(err, -rc, "the guest's init does not listen") : 0;
}

int agent_conn_recv(struct agent_conn *l, struct agent_msg *ret)
{
	ssize_t n;

	do
		n = recv(l->fd, (char *)&l->record + l->got, sizeof(l->record) - l->got,
			 MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n == 0 ? 0 : -errno;
	l->got += (size_t)n;
	if (l->got < sizeof(l->record))
		return -EAGAIN;
	l->got = 0;
	*ret = l->record;
	return 1;
}
