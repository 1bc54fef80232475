/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A front-end and its back-end, a thread that answers by the rules but for one trick
 *
 * Included by one file of a test program; needs criterion.
 */
#ifndef VMRUN_TESTS_SUPPORT_VU_FRONTEND_RIG_H
#define VMRUN_TESTS_SUPPORT_VU_FRONTEND_RIG_H

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "devices/core/vu_msg.h"
#include "vmm/virtio/vu_frontend.h"

#define V1	  (1ULL << VIRTIO_F_VERSION_1)
#define PROTOCOL  (1ULL << VU_F_PROTOCOL_FEATURES)
#define PF_ALL	  (1ULL << VU_PF_MQ | 1ULL << VU_PF_REPLY_ACK | 1ULL << VU_PF_CONFIG)
#define RAM_BYTES 0x200000U
#define LOG_MAX	  128

/* What a peer does wrong, in its answer to peer.trick_at */
enum trick {
	NONE,
	GONE,	    /* closes the socket */
	SILENT,	    /* answers nothing */
	HALF,	    /* half a header, then nothing */
	HALF_GONE,  /* half a payload, then closes */
	OTHER,	    /* answers another request */
	NO_FLAG,    /* without the reply flag */
	NEED_REPLY, /* with need_reply */
	VERSION,    /* another version */
	SHORT,	    /* a byte less */
	LONG,	    /* eight bytes more */
	HUGE,	    /* says it has 4 GiB */
	WITH_FD,    /* an fd comes along */
	REFUSE,	    /* a bad ack, or an empty configuration */
	BAD_BODY,   /* well-formed, but not about what was asked */
	WAIT,	    /* answers when peer.go says so */
};

/* A back-end in a thread; fields are set before it runs and read after it was joined */
static struct peer {
	int sock;
	uint64_t features, protocol, queues;
	uint32_t size_max;
	uint32_t trick_at;
	enum trick trick;
	uint8_t config;	   /* each byte of it */
	uint64_t inflight; /* bytes of its in-flight area */
	pthread_t thread;
	unsigned int nr;
	struct vu_msg log[LOG_MAX];
	int go;	     /* eventfd */
	int channel; /* what SET_BACKEND_REQ_FD brought, -1 */
} peer;
static int front;
static struct gmem mem;
static int mem_fd;
static struct vu_frontend f;
static struct err err;

static void peer_fill(struct vu_msg *m)
{
	bool ack = m->hdr.flags & VU_FLAG_NEED_REPLY;
	uint64_t value = 0;

	switch (m->hdr.request) {
	case VU_GET_FEATURES: value = peer.features; break;
	case VU_GET_PROTOCOL_FEATURES: value = peer.protocol; break;
	case VU_GET_QUEUE_NUM: value = peer.queues; break;
	case VU_GET_CONFIG: memset(m->config.data, peer.config, m->config.bytes); return;
	case VU_GET_VRING_BASE: m->state.num = 7; return;
	case VU_GET_INFLIGHT_FD:
		m->inflight.bytes = peer.inflight;
		m->inflight.offset = 4096;
		return;
	case VU_SET_VRING_NUM: value = ack && m->state.num > peer.size_max; break;
	default: break;
	}
	m->hdr.bytes = 8;
	m->u64 = value;
}

/* Sends the answer, with what is wrong about it; false ends the peer. */
static bool peer_answer(struct vu_msg *m)
{
	enum trick trick = m->hdr.request == peer.trick_at ? peer.trick : NONE;
	eventfd_t v;
	uint8_t wire[sizeof(m->hdr) + VU_PAYLOAD_MAX + 8] = {0};
	bool brings_fd;
	size_t len;

	if (trick == WAIT)
		eventfd_read(peer.go, &v);
	peer_fill(m);
	m->hdr.flags = VU_VERSION | VU_FLAG_REPLY;
	if (trick == OTHER)
		m->hdr.request++;
	else if (trick == NO_FLAG)
		m->hdr.flags = VU_VERSION;
	else if (trick == NEED_REPLY)
		m->hdr.flags |= VU_FLAG_NEED_REPLY;
	else if (trick == VERSION)
		m->hdr.flags = VU_FLAG_REPLY | 2;
	else if (trick == SHORT)
		m->hdr.bytes--;
	else if (trick == LONG)
		m->hdr.bytes += 8;
	else if (trick == REFUSE && m->hdr.request == VU_GET_CONFIG)
		m->hdr.bytes = 0;
	else if (trick == REFUSE)
		m->u64 = 1;
	else if (trick == BAD_BODY)
		m->bytes[0] ^= 1;
	memcpy(wire, &m->hdr, sizeof(m->hdr));
	memcpy(wire + sizeof(m->hdr), m->bytes, m->hdr.bytes);
	len = sizeof(m->hdr) + m->hdr.bytes;
	if (trick == HUGE)
		memset(wire + 8, 0xff, 4);
	if (trick == HALF)
		len = 6;
	if (trick == HALF_GONE)
		len -= 4;
	if (trick == GONE || trick == SILENT)
		return trick == SILENT;
	brings_fd = trick == WITH_FD || (m->hdr.request == VU_GET_INFLIGHT_FD && peer.inflight > 0);
	return fd_send(peer.sock, wire, len, &mem_fd, brings_fd) == 0 && trick != HALF_GONE;
}

static void *peer_run(void *arg UNUSED)
{
	struct vu_msg m;

	while (vu_recv(peer.sock, &m, &(struct err){0}) > 0) {
		const struct vu_rule *rule = vu_rule(m.hdr.request);

		if (peer.nr < LOG_MAX)
			peer.log[peer.nr++] = m;
		if (m.hdr.request == VU_SET_BACKEND_REQ_FD && m.nr_fds == 1)
			peer.channel = TAKE_FD(m.fd[0]);
		vu_msg_close(&m);
		m.nr_fds = 0;
		if ((rule->replies || (m.hdr.flags & VU_FLAG_NEED_REPLY)) && !peer_answer(&m))
			break;
	}
	close(peer.sock);
	return NULL;
}

/* A back-end, and the front-end's end of its socket in @front; it runs once peer.thread is made */
UNUSED static void peer_setup(void)
{
	int sv[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	front = sv[0];
	peer = (struct peer){
		.sock = sv[1],
		.features = V1 | PROTOCOL | 1ULL << 29 | 1ULL << 34 | 1ULL << 9,
		.protocol = PF_ALL | 1ULL << VU_PF_STATUS,
		.queues = 2,
		.size_max = 256,
		.config = 0x5a,
		.channel = -1,
		.go = eventfd(0, EFD_SEMAPHORE),
	};
}

UNUSED static void setup(void)
{
	gmem_done(&mem); /* of the row before, in tests that call this for each */
	peer_setup();
	mem_fd = memfd_create("ram", MFD_CLOEXEC);
	cr_assert_eq(ftruncate(mem_fd, RAM_BYTES), 0);
	cr_assert_eq(gmem_map(&mem, mem_fd, 0, 0, RAM_BYTES / 2, 0, &err), 0);
	cr_assert_eq(gmem_map(&mem, mem_fd, RAM_BYTES / 2, 1ULL << 32, RAM_BYTES / 2, 0, &err), 0);
}

/* What f.late says, and heard */
static struct {
	unsigned int times, last_ms, patience;
} late;

static bool on_late(void *arg UNUSED, const char *device, unsigned int ms)
{
	cr_expect_str_eq(device, "block0");
	late.last_ms = ms;
	return late.times++ < late.patience;
}

/* What the front-end of a device that may come back gets on top */
static struct {
	bool returns;
	struct vu_region region;
} again;

UNUSED static int connect_block(unsigned int late_ms)
{
	struct vu_frontend_args args = {
		.name = "block0",
		.sock = front,
		.returns = again.returns,
		.region = again.region,
		.ask = {.virtio_id = VIRTIO_ID_BLOCK, .mem = &mem, .mem_fd = mem_fd},
		.late_ms = late_ms,
		.late = {on_late, NULL}};

	cr_assert_eq(pthread_create(&peer.thread, NULL, peer_run, NULL), 0);
	return vu_frontend_init(&f, &args, &err);
}

/* Hangs up and waits for the peer: afterwards its log can be read. */
UNUSED static void join(void)
{
	vu_frontend_done(&f);
	pthread_join(peer.thread, NULL);
}

UNUSED static const struct backend_queue queues[2] = {
	{true, 64, 0x1000, 0x2000, 0x3000},
	{true, 128, (1ULL << 32) + 0x1000, 0x5000, 0x6000},
};

UNUSED static void check_log(const uint32_t *want, size_t nr)
{
	for (size_t i = 0; i < nr && i < peer.nr; i++)
		cr_expect_eq(peer.log[i].hdr.request, want[i], "message %zu is %u, not %u", i,
			     peer.log[i].hdr.request, want[i]);
	cr_expect_eq(peer.nr, nr, "%u messages", peer.nr);
}

#endif
