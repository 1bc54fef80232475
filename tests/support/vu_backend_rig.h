/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The back-end side of vhost-user with a device that echoes, and a front-end, in one process
 */
#ifndef VMRUN_TESTS_SUPPORT_VU_BACKEND_RIG_H
#define VMRUN_TESTS_SUPPORT_VU_BACKEND_RIG_H

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "devices/core/vu_backend.h"
#include "tests/support/vu_peer.h"

#define ECHO_QUEUES  2
#define ECHO_FEATURE (1ULL << 5)
#define PF_BIT	     (1ULL << 30)

/* ---- a device that answers each request with a copy of it ---- */

static struct {
	unsigned int starts, resets, calls, budget;
	uint64_t features;
	uint8_t config[8];
	bool refuse_start;
} echo;

static int echo_init(struct device *d, const struct boot_dev *b, struct err *err)
{
	(void)b;
	(void)err;
	d->nr_queues = ECHO_QUEUES;
	d->features = ECHO_FEATURE;
	return 0;
}

static int echo_start(struct device *d, uint64_t features)
{
	(void)d;
	echo.starts++;
	echo.features = features;
	return echo.refuse_start ? -EIO : 0;
}

static void echo_queue(struct device *d, unsigned int q)
{
	static struct vq_chain c;
	unsigned int budget = echo.budget;
	enum vq_result rc = VQ_CHAIN;

	echo.calls++;
	while (budget-- > 0 && (rc = vq_pop(&d->vq[q], &c)) == VQ_CHAIN) {
		char buf[64];
		size_t n = vq_read(&c, buf, sizeof(buf));

		vq_write(&c, buf, n);
		vq_push(&d->vq[q], &c);
	}
	device_end_turn(d, q, rc);
}

static int echo_config(struct device *d, bool write, uint32_t off, void *buf, uint32_t len)
{
	(void)d;
	cr_assert(off <= sizeof(echo.config) && len <= sizeof(echo.config) - off);
	if (write && off < 4)
		return -EPERM;
	if (write)
		memcpy(echo.config + off, buf, len);
	else
		memcpy(buf, echo.config + off, len);
	return 0;
}

static void echo_reset(struct device *d)
{
	(void)d;
	echo.resets++;
}

static const struct kind echo_kind = {
	.name = "echo",
	.virtio_id = 63,
	.config_bytes = sizeof(echo.config),
};

static const struct device_ops echo_ops = {
	.kind = &echo_kind,
	.queue_max = 64,
	.features = ECHO_FEATURE,
	.state_size = 1,
	.init = echo_init,
	.start = echo_start,
	.queue = echo_queue,
	.config = echo_config,
	.reset = echo_reset,
};

/* ---- both ends in one process ---- */

#define RING_GPA(q) (0x1000 + 0x2000 * (uint64_t)(q))
#define BUF_GPA	    0x8000

static struct loop loop;
static struct device dev;
static struct vu_backend backend;
static struct vqd_mem mem;
static struct vqd ring[ECHO_QUEUES];
static int kick[ECHO_QUEUES], call[ECHO_QUEUES], error[ECHO_QUEUES];
static int sock, back_sock;

static inline void connect_peer(void)
{
	struct err err;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	sock = pair[0];
	back_sock = pair[1];
	loop.stop = false;
	cr_assert_eq(vu_backend_init(&backend, &dev, back_sock, &err), 0);
}

static inline void setup(void)
{
	static const struct vqd_piece pieces[] = {{0, 0x10000}, {0x100000, 0x10000}};
	struct err err;

	vqd_mem_init(&mem, pieces, ARRAY_SIZE(pieces));
	for (unsigned int q = 0; q < ECHO_QUEUES; q++) {
		kick[q] = eventfd(0, EFD_NONBLOCK);
		call[q] = eventfd(0, EFD_NONBLOCK);
		error[q] = eventfd(0, EFD_NONBLOCK);
	}
	echo.budget = 1000;
	cr_assert_eq(loop_init(&loop, &err), 0);
	cr_assert_eq(device_init(&dev, &echo_ops, &loop, &err), 0);
	cr_assert_eq(dev.ops->init(&dev, NULL, &err), 0);
	connect_peer();
}

/* Lets the back-end work until it waits; false once its loop was stopped */
static inline bool pump(void)
{
	struct err err;

	for (int i = 0; i < 64 && !loop.stop; i++)
		cr_assert_eq(loop_once(&loop, 0, &err), 0);
	return !loop.stop;
}

/* The acknowledgement of a request sent with VUP_NEED_REPLY */
static inline uint64_t ack(uint32_t request)
{
	struct vup_msg r;
	uint64_t v;

	cr_assert(pump(), "request %u ended the connection", request);
	cr_assert(vup_recv(sock, &r), "request %u was not answered", request);
	cr_assert(r.request == request && r.flags == 5 && r.bytes == 8);
	memcpy(&v, r.payload, sizeof(v));
	return v;
}

/* The u64 that answers a question */
static inline uint64_t ask(uint32_t request)
{
	vup_empty(sock, request, 0);
	return ack(request);
}

static inline uint64_t count(int fd)
{
	uint64_t v = 0;

	return read(fd, &v, sizeof(v)) == sizeof(v) ? v : 0;
}

static inline void agree(uint64_t features)
{
	ask(VUP_GET_FEATURES);
	vup_u64(sock, VUP_SET_PROTOCOL_FEATURES, 0, ask(VUP_GET_PROTOCOL_FEATURES));
	vup_empty(sock, VUP_SET_OWNER, 0);
	vup_u64(sock, VUP_SET_FEATURES, VUP_NEED_REPLY, features);
	cr_assert_eq(ack(VUP_SET_FEATURES), 0);
}

static inline void describe(unsigned int q)
{
	vqd_init(&ring[q], &mem, 16, RING_GPA(q), 0);
	vup_state(sock, VUP_SET_VRING_NUM, 0, q, ring[q].size);
	vup_state(sock, VUP_SET_VRING_BASE, 0, q, 0);
	vup_addr(sock, 0, q, &ring[q]);
	vup_fd(sock, VUP_SET_VRING_CALL, 0, q, call[q]);
	vup_fd(sock, VUP_SET_VRING_ERR, 0, q, error[q]);
}

/* Everything a front-end does up to a running ring 0 */
static inline void run_ring(void)
{
	agree(PF_BIT | ECHO_FEATURE);
	vup_mem_table(sock, 0, &mem);
	describe(0);
	vup_fd(sock, VUP_SET_VRING_KICK, 0, 0, kick[0]);
	vup_state(sock, VUP_SET_VRING_ENABLE, VUP_NEED_REPLY, 0, 1);
	cr_assert_eq(ack(VUP_SET_VRING_ENABLE), 0);
}

static inline void offer(unsigned int q, const char *text)
{
	const struct vqd_buf buf[] = {{BUF_GPA, (uint32_t)strlen(text), false},
				      {0x100000, 64, true}};

	memcpy(vqd_at(&mem, BUF_GPA, 64), text, strlen(text));
	vqd_add(&ring[q], buf, 2);
	cr_assert_eq(eventfd_write(kick[q], 1), 0);
}

static inline bool echoed(unsigned int q, const char *text)
{
	uint32_t head, len;

	return vqd_take(&ring[q], &head, &len) && len == strlen(text) &&
	       !memcmp(vqd_at(&mem, 0x100000, len), text, len);
}

#endif
