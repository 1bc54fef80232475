/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/vsock/vsock_say.h"

bool vsock_say_wants(const struct vsock_conn *c)
{
	if (c->say != 0)
		return true;
	return c->state == VSOCK_OPEN && c->in >= 0 && c->can_read &&
	       vsock_credit_room(&c->credit) > 0;
}

void vsock_say(struct vsock *v, struct vsock_conn *c, unsigned int what)
{
	c->say = (uint8_t)(c->say | what);
	if (vsock_say_wants(c) && c->list == VSOCK_LIST_NONE)
		vsock_table_move(&v->table, c, VSOCK_LIST_READY);
}

void vsock_say_reset(struct vsock *v, const struct vsock_reset *r)
{
	vr_assert(v->nr_resets < VSOCK_RESETS);
	v->reset[(v->reset_at + v->nr_resets++) % VSOCK_RESETS] = *r;
}

void vsock_say_reset_of(struct vsock *v, const struct vsock_conn *c)
{
	const struct vsock_reset r = {
		.host_cid = VSOCK_HOST_CID,
		.guest_port = c->guest_port,
		.host_port = c->host_port,
		.type = c->seqpacket ? VIRTIO_VSOCK_TYPE_SEQPACKET : VIRTIO_VSOCK_TYPE_STREAM,
	};

	vsock_say_reset(v, &r);
}
