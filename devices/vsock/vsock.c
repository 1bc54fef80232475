/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: virtio-vsock: sockets between the guest and the host (virtio 1.3 section 5.10)
 *
 * Rings: rx, tx, event. This process makes no socket: the host's end of a connection is an fd that the
 * supervisor hands in. vsock.h has the way of the bytes; here are the device's queues, events and settings.
 */
#include <errno.h>
#include <string.h>

#include "devices/vsock/vsock_ask.h"
#include "devices/vsock/vsock_host.h"
#include "devices/vsock/vsock_rx.h"
#include "devices/vsock/vsock_tx.h"

#define VSOCK_F_STREAM 0 /* virtio 1.3; older headers lack it */
#define VSOCK_SLOT     0
#define VSOCK_EVENTS   64 /* fds looked at before others have their turn */

/* A guest that had connections with an earlier process of this device closes them when it hears this */
static void vsock_event_ring(struct device *d)
{
	const struct virtio_vsock_event gone = {VIRTIO_VSOCK_EVENT_TRANSPORT_RESET};
	struct vsock *v = d->state;
	enum vq_result rc;

	if (!v->transport_reset || !d->runs[VSOCK_EVENT])
		return;
	rc = vq_pop(&d->vq[VSOCK_EVENT], &v->chain);
	if (rc == VQ_CHAIN) {
		vq_write(&v->chain, &gone, sizeof(gone));
		vq_push(&d->vq[VSOCK_EVENT], &v->chain);
		v->transport_reset = false;
		rc = VQ_EMPTY; /* the other buffers wait for the next event */
	}
	device_end_turn(d, VSOCK_EVENT, rc);
}

/* Its driver is gone; what it sent still drains */
static void vsock_forget(struct vsock *v)
{
	for (unsigned int i = 0; i < v->table.nr; i++) {
		struct vsock_conn *c = &v->table.conn[i];

		if (c->state != VSOCK_FREE && c->state != VSOCK_DRAINING)
			vsock_host_over(v, c);
	}
	v->nr_resets = 0;
	v->tx_held = v->transport_reset = false;
}

/*
 * Rings that stopped and run again: a guest that was paused goes on where they stopped, and has its connections. Another
 * driver begins anew. And a ring that begins where an earlier process left it belongs to a guest whose connections are gone.
 */
static void vsock_note_position(struct device *d, unsigned int q)
{
	const uint16_t at = vq_position(&d->vq[q]);
	struct vsock *v = d->state;

	if (v->seen >> q & 1)
		return;
	v->seen = (uint8_t)(v->seen | 1U << q);
	if (v->stopped && at != v->stopped_at[q]) {
		vsock_forget(v);
		v->stopped = false;
	} else if (!v->stopped && at != 0) {
		v->transport_reset = true;
	}
}

static void vsock_queue(struct device *d, unsigned int q)
{
	vsock_note_position(d, q);
	vsock_event_ring(d);
	if (q == VSOCK_TX)
		vsock_tx(d);
	if (q != VSOCK_EVENT)
		vsock_rx(d);
}

/* Syscalls: epoll_pwait */
static void vsock_serve_fds(struct vsock *v, int timeout_ms)
{
	struct epoll_event ready[VSOCK_EVENTS];
	const int nr = epoll_pwait(v->epoll_fd, ready, VSOCK_EVENTS, timeout_ms, NULL);

	for (int i = 0; i < nr; i++) {
		const uint64_t token = ready[i].data.u64;
		struct vsock_conn *c = vsock_table_of(&v->table, token & ~VSOCK_TOKEN_OUT);

		if (c)
			vsock_host_event(v, c, token & VSOCK_TOKEN_OUT, ready[i].events);
	}
}

/**
 * vsock_event() - fds of connections are ready
 *
 * Context: locked
 * Syscalls: epoll_pwait
 */
static void vsock_event(struct device *d, unsigned int slot, uint32_t events)
{
	(void)slot;
	(void)events;
	vsock_serve_fds(d->state, 0);
	vsock_rx(d);
}

static int vsock_config(struct device *d, bool write, uint32_t off, void *buf, uint32_t len)
{
	const struct vsock *v = d->state;
	const struct virtio_vsock_config config = {.guest_cid = v->cid};

	if (write)
		return -EPERM;
	memcpy(buf, (const uint8_t *)&config + off, len);
	return 0;
}

static void vsock_stop(struct device *d, unsigned int q)
{
	struct vsock *v = d->state;

	v->stopped_at[q] = vq_position(&d->vq[q]);
}

/* All rings have stopped: for a pause, or because the driver is gone. The next one that runs tells. */
static void vsock_reset(struct device *d)
{
	struct vsock *v = d->state;

	v->stopped = true;
	v->seen = 0;
}

/* The next front-end's guest is another */
static void vsock_left(struct device *d)
{
	struct vsock *v = d->state;

	vsock_forget(v);
	v->stopped = false;
}

/**
 * vsock_finish() - What the guest sent before its end reaches its readers
 *
 * Context: locked
 * Syscalls: epoll_pwait
 */
static void vsock_finish(struct device *d)
{
	struct vsock *v = d->state;

	vsock_forget(v);
	while (vsock_table_first(&v->table, VSOCK_LIST_DRAIN))
		vsock_serve_fds(v, -1);
}

/**
 * vsock_init() - Take over the CID, and make what watches the fds
 * @d:		Zeroed state
 * @rec:	No resource; its settings are checked
 *
 * Context: setup
 * Syscalls: epoll_create1 epoll_ctl
 * Return: 0 or -errno
 */
static int vsock_init(struct device *d, const struct boot_dev *rec, struct err *err)
{
	struct vsock *v = d->state;
	struct vsock_settings s;
	int rc = boot_settings(rec, &s, sizeof(s), err);

	if (rc < 0)
		return rc;
	if (rec->nr_res != 0 || rec->nr_queues > VSOCK_RINGS || s.cid < VSOCK_CID_FIRST ||
	    s.cid > VSOCK_CID_LAST || s.conns < 1 || s.conns > VSOCK_CONNS_MAX || s.reserved)
		return err_text(err, EINVAL, "%s: %u resources, CID %llu, %u connections",
				rec->name, rec->nr_res, (unsigned long long)s.cid, s.conns);
	v->cid = s.cid;
	v->half_in = -1;
	vsock_table_init(&v->table, s.conns);
	d->nr_queues = VSOCK_RINGS;
	d->features = 1ULL << VSOCK_F_STREAM | 1ULL << VIRTIO_VSOCK_F_SEQPACKET;
	v->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (v->epoll_fd < 0)
		return err_set(err, errno, "%s: epoll_create1", rec->name);
	return device_watch(d, VSOCK_SLOT, v->epoll_fd, EPOLLIN, err);
}

const struct device_ops vsock_device = {
	.kind = &kind_table[KIND_VSOCK],
	.queue_max = VQ_SIZE_MAX,
	.features = 1ULL << VSOCK_F_STREAM | 1ULL << VIRTIO_VSOCK_F_SEQPACKET,
	.state_size = sizeof(struct vsock),
	.init = vsock_init,
	.queue = vsock_queue,
	.event = vsock_event,
	.config = vsock_config,
	.control = vsock_ask_control,
	.stop = vsock_stop,
	.reset = vsock_reset,
	.left = vsock_left,
	.finish = vsock_finish,
};
