/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/virtio/vu_channel.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

/* Messages received at once. They all mean the same, so the configuration is read once for all of them. */
#define VU_CHANNEL_BATCH 16
#define VU_CHANNEL_FULL	 65536 /* more messages than a full socket holds */

static int vu_channel_hand_over(struct vu_conn *c, int fd, struct err *err)
{
	struct vu_msg m = vu_conn_msg(VU_SET_BACKEND_REQ_FD, 0);

	m.fd[0] = fd;
	m.nr_fds = 1;
	return vu_conn_do(c, &m, NULL, err);
}

static int vu_channel_make(struct vu_channel *ch, struct err *err)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
		return err_set(err, errno, "socketpair");
	*ch = (struct vu_channel){sv[0], sv[1]};
	/* Our end alone: a back-end may rely on blocking reads at its end. */
	if (fcntl(ch->ours, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, errno, "O_NONBLOCK");
	return 0;
}

static void vu_channel_drain(const struct vu_channel *ch)
{
	struct vu_msg m;
	ssize_t n = 0;

	/* The sender is gone, and what it could send had room in the socket. */
	for (unsigned int i = 0; i < VU_CHANNEL_FULL && n != -EAGAIN; i++) {
		m.nr_fds = 0;
		n = fd_recv(ch->ours, m.bytes, sizeof(m.bytes), m.fd, &m.nr_fds);
		vu_msg_close(&m);
	}
}

int vu_channel_open(struct vu_channel *ch, struct vu_conn *c, struct err *err)
{
	int rc = 0;

	if (!vu_conn_agreed(c, VU_PF_BACKEND_REQ) || !vu_conn_agreed(c, VU_PF_CONFIG))
		return 0;
	if (ch->ours < 0)
		rc = vu_channel_make(ch, err);
	else
		vu_channel_drain(ch);
	return rc < 0 ? rc : vu_channel_hand_over(c, ch->theirs, err);
}

/* Receives one message: 1; 0 if the other end is closed; -EAGAIN if there is none; -errno */
static int vu_channel_recv(const struct vu_conn *c, int fd, struct vu_msg *m, struct err *err)
{
	ssize_t n = fd_recv(fd, &m->hdr, sizeof(m->hdr), m->fd, &m->nr_fds);
	int rc;

	if (n == -EAGAIN)
		return -EAGAIN;
	/* If the process died, its main socket reports that. */
	if (n == 0 || n == -ECONNRESET)
		return 0;
	if (n < 0)
		return err_set(err, (int)-n, "the device's own request: receive");
	if ((size_t)n < sizeof(m->hdr))
		rc = err_text(err, EPROTO, "vhost-user: incomplete request of the device");
	else
		rc = vu_backend_rule_check(m, c->protocol_features, err);
	vu_msg_close(m);
	return rc < 0 ? rc : 1;
}

/* Answers if the back-end asks for it; its closed end is no error */
static int vu_channel_answer(const struct vu_conn *c, int fd, struct vu_msg *m, struct err *err)
{
	const struct {
		struct vu_hdr hdr;
		uint8_t zero[sizeof(m->u64)];
	} wire = {{m->hdr.request, VU_VERSION | VU_FLAG_REPLY, sizeof(m->u64)}, {0}};
	int rc;

	if (!(m->hdr.flags & VU_FLAG_NEED_REPLY) || !vu_conn_agreed(c, VU_PF_REPLY_ACK))
		return 0;
	rc = fd_try_send(fd, &wire, sizeof(wire));
	return rc < 0 && rc != -EPIPE ? err_set(err, -rc, "answer to the device's own request") : 0;
}

int vu_channel_hear(const struct vu_conn *c, int fd, bool *ret_changed, struct err *err)
{
	*ret_changed = false;
	for (unsigned int i = 0; i < VU_CHANNEL_BATCH; i++) {
		struct vu_msg m = {.nr_fds = 0};
		int rc = vu_channel_recv(c, fd, &m, err);

		if (rc <= 0)
			return rc == -EAGAIN ? 1 : rc;
		*ret_changed = true;
		rc = vu_channel_answer(c, fd, &m, err);
		if (rc < 0)
			return rc;
	}
	return 1;
}
