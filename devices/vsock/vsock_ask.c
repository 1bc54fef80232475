/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Connections and the supervisor, who has the sockets
 *
 *   the guest connects:  CTL_VSOCK_ASK to the supervisor --> CTL_VSOCK_FOUND with the host's end, or without
 *   the host connects:   CTL_VSOCK_CONNECT with the host's end --> the guest gets a REQUEST
 *   the host ends it:    CTL_VSOCK_END --> the guest gets a RST
 *
 * Few questions are open at a time. The connections behind them wait in a list, as long as the guest does.
 */
#include "devices/vsock/vsock_ask.h"

#include <errno.h>

#include "devices/core/ctl.h"
#include "devices/core/fdio.h"
#include "devices/vsock/vsock_host.h"
#include "devices/vsock/vsock_rx.h"
#include "devices/vsock/vsock_say.h"

void vsock_ask(struct vsock *v)
{
	struct vsock_conn *c;

	while (v->asks < VSOCK_ASKS_MAX && (c = vsock_table_first(&v->table, VSOCK_LIST_ASK))) {
		const struct ctl_msg m = {
			.type = CTL_VSOCK_ASK,
			.code = c->host_port,
			.arg = vsock_table_ticket(&v->table, c),
			.value = {c->seqpacket},
		};

		vsock_table_move(&v->table, c, VSOCK_LIST_NONE);
		if (fd_try_send(BOOT_FD_CONTROL, &m, sizeof(m)) == 0)
			v->asks++;
		else
			vsock_host_abort(v, c);
	}
}

/* The answer to the question that @m->arg names; its connection may be gone */
static int vsock_ask_found(struct vsock *v, const struct ctl_msg *m, int *fd)
{
	struct vsock_conn *c = vsock_table_of(&v->table, m->arg);
	int host;

	if (v->asks == 0)
		return -EPROTO;
	v->asks--;
	if (!c || c->state != VSOCK_ASKED)
		return 0;
	host = TAKE_FD(*fd);
	if (host < 0 || vsock_host_attach(v, c, host, host) < 0) {
		vsock_host_abort(v, c);
		return 0;
	}
	c->state = VSOCK_OPEN;
	vsock_say(v, c, VSOCK_SAY_RESPONSE);
	return 0;
}

static int vsock_ask_may_connect(const struct device *d, const struct ctl_msg *m, struct err *err)
{
	const bool seqpacket = m->code & CTL_VSOCK_SEQPACKET;
	const struct vsock *v = d->state;

	if (m->arg > UINT32_MAX || m->code & ~(uint32_t)CTL_VSOCK_FLAGS ||
	    !(m->code & (CTL_VSOCK_IN | CTL_VSOCK_OUT)))
		return err_text(err, EINVAL, "vsock: port %llu, flags %x",
				(unsigned long long)m->arg, m->code);
	/* A guest that is paused, or about to be, hears of it when it goes on. */
	if (!d->runs[VSOCK_RX] && !d->runs[VSOCK_TX] && !d->runs[VSOCK_EVENT] && !v->stopped)
		return err_text(err, ENOTCONN, "vsock: the guest has no driver for it yet");
	if (seqpacket && !(d->acked & 1ULL << VIRTIO_VSOCK_F_SEQPACKET))
		return err_text(err, EPROTONOSUPPORT, "vsock: the guest has no seqpacket sockets");
	if (!vsock_say_may_begin(v))
		return err_text(err, EAGAIN, "vsock: the guest does not take its packets");
	return 0;
}

static int vsock_ask_connect(struct device *d, struct ctl_msg *m, int *fd, struct err *err)
{
	const uint32_t port = (uint32_t)m->arg;
	struct vsock *v = d->state;
	cleanup_fd int half = TAKE_FD(v->half_in);
	struct vsock_conn *c;
	int in, out, rc = vsock_ask_may_connect(d, m, err);

	if (rc < 0)
		return rc;
	c = vsock_host_begin(v, port, vsock_table_port(&v->table, port),
			     m->code & CTL_VSOCK_SEQPACKET);
	if (!c)
		return err_text(err, ENOSPC, "vsock: all %u connections are taken", v->table.nr);
	c->state = VSOCK_OFFERED;
	c->greet = m->code & CTL_VSOCK_GREET;
	c->lent = m->code & CTL_VSOCK_LENT;
	out = m->code & CTL_VSOCK_OUT ? *fd : -1;
	in = half >= 0 ? TAKE_FD(half) : m->code & CTL_VSOCK_IN ? *fd : -1;
	*fd = -1;
	rc = vsock_host_attach(v, c, in, out);
	if (rc < 0) {
		vsock_host_drop(v, c);
		return err_set(err, -rc, "vsock: watch the host's end");
	}
	vsock_say(v, c, VSOCK_SAY_REQUEST);
	m->value[0] = c->host_port;
	return 0;
}

/* A guest that keeps a connection open must not keep the host's end of it from its readers. */
static int vsock_ask_end(struct vsock *v, const struct ctl_msg *m)
{
	for (unsigned int i = 0; i < CTL_VALUES; i++) {
		struct vsock_conn *c = NULL;

		if (m->value[i] && m->value[i] <= UINT32_MAX && m->arg <= UINT32_MAX)
			c = vsock_table_find(&v->table, (uint32_t)m->arg, (uint32_t)m->value[i]);
		if (!c)
			continue;
		vsock_say_reset_of(v, c);
		vsock_host_over(v, c);
	}
	return 0;
}

int vsock_ask_control(struct device *d, struct ctl_msg *m, int *fd, struct err *err)
{
	struct vsock *v = d->state;
	int rc;

	if (m->type == CTL_VSOCK_FOUND) {
		rc = vsock_ask_found(v, m, fd);
	} else if (m->type == CTL_VSOCK_END) {
		rc = vsock_ask_end(v, m);
	} else if (m->type != CTL_VSOCK_CONNECT || *fd < 0) {
		return -EPROTO;
	} else if (m->code == CTL_VSOCK_HALF && v->half_in < 0) {
		v->half_in = TAKE_FD(*fd);
		return 0;
	} else {
		rc = vsock_ask_connect(d, m, fd, err);
	}
	vsock_ask(v);
	vsock_rx(d);
	return rc;
}
