/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/vu_backend.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

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
	device_signal(d, q);
	if (rc == VQ_BROKEN)
		device_broken(d, q, d->vq[q].why);
	else if (rc == VQ_CHAIN)
		device_again(d, q);
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

static const struct device_ops echo_ops = {
	.name = "echo",
	.virtio_id = 63,
	.nr_queues = ECHO_QUEUES,
	.queue_max = 64,
	.config_len = sizeof(echo.config),
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

static void connect_peer(void)
{
	struct err err;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	sock = pair[0];
	back_sock = pair[1];
	loop.stop = false;
	cr_assert_eq(vu_backend_init(&backend, &dev, back_sock, &err), 0);
}

static void setup(void)
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

TestSuite(vu_backend, .init = setup);

/* Lets the back-end do everything there is to do; false once its loop was stopped */
static bool pump(void)
{
	struct err err;

	for (int i = 0; i < 64 && !loop.stop; i++)
		cr_assert_eq(loop_once(&loop, 0, &err), 0);
	return !loop.stop;
}

/* The acknowledgement of a request sent with VUP_NEED_REPLY */
static uint64_t ack(uint32_t request)
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
static uint64_t ask(uint32_t request)
{
	vup_empty(sock, request, 0);
	return ack(request);
}

static uint64_t count(int fd)
{
	uint64_t v = 0;

	return read(fd, &v, sizeof(v)) == sizeof(v) ? v : 0;
}

static void agree(uint64_t features)
{
	ask(VUP_GET_FEATURES);
	vup_u64(sock, VUP_SET_PROTOCOL_FEATURES, 0, ask(VUP_GET_PROTOCOL_FEATURES));
	vup_empty(sock, VUP_SET_OWNER, 0);
	vup_u64(sock, VUP_SET_FEATURES, VUP_NEED_REPLY, features);
	cr_assert_eq(ack(VUP_SET_FEATURES), 0);
}

static void describe(unsigned int q)
{
	vqd_init(&ring[q], &mem, 16, RING_GPA(q), 0);
	vup_state(sock, VUP_SET_VRING_NUM, 0, q, ring[q].size);
	vup_state(sock, VUP_SET_VRING_BASE, 0, q, 0);
	vup_addr(sock, 0, q, &ring[q]);
	vup_fd(sock, VUP_SET_VRING_CALL, 0, q, call[q]);
	vup_fd(sock, VUP_SET_VRING_ERR, 0, q, error[q]);
}

/* Everything a front-end does up to a running ring 0 */
static void run_ring(void)
{
	agree(PF_BIT | ECHO_FEATURE);
	vup_mem_table(sock, 0, &mem);
	describe(0);
	vup_fd(sock, VUP_SET_VRING_KICK, 0, 0, kick[0]);
	vup_state(sock, VUP_SET_VRING_ENABLE, VUP_NEED_REPLY, 0, 1);
	cr_assert_eq(ack(VUP_SET_VRING_ENABLE), 0);
}

static void offer(unsigned int q, const char *text)
{
	const struct vqd_buf buf[] = {{BUF_GPA, (uint32_t)strlen(text), false},
				      {0x100000, 64, true}};

	memcpy(vqd_at(&mem, BUF_GPA, 64), text, strlen(text));
	vqd_add(&ring[q], buf, 2);
	cr_assert_eq(eventfd_write(kick[q], 1), 0);
}

static bool echoed(unsigned int q, const char *text)
{
	uint32_t head, len;

	return vqd_take(&ring[q], &head, &len) && len == strlen(text) &&
	       !memcmp(vqd_at(&mem, 0x100000, len), text, len);
}

/* ---- tests ---- */

Test(vu_backend, says_what_it_can)
{
	const uint64_t core = 1ULL << 28 | 1ULL << 29 | PF_BIT | 1ULL << 32;

	cr_assert_eq(ask(VUP_GET_FEATURES), core | ECHO_FEATURE);
	cr_assert_eq(ask(VUP_GET_PROTOCOL_FEATURES), 1 << 0 | 1 << 3 | 1 << 9 | 1 << 13);
	vup_u64(sock, VUP_SET_PROTOCOL_FEATURES, 0, 1);
	cr_assert_eq(ask(VUP_GET_QUEUE_NUM), ECHO_QUEUES);
}

Test(vu_backend, runs_a_ring)
{
	run_ring();
	cr_assert_eq(echo.starts, 1);
	cr_assert_eq(echo.features, PF_BIT | ECHO_FEATURE);
	offer(0, "hello");
	offer(0, "hello");
	cr_assert(pump());
	cr_assert(echoed(0, "hello") && echoed(0, "hello"));
	cr_assert_eq(count(call[0]), 1, "one interrupt for the batch");
	vqd_want_signals(&ring[0], false);
	offer(0, "quiet");
	cr_assert(pump());
	cr_assert(echoed(0, "quiet"));
	cr_assert_eq(count(call[0]), 0);
}

Test(vu_backend, a_ring_waits_until_it_is_enabled)
{
	agree(PF_BIT);
	vup_mem_table(sock, 0, &mem);
	describe(0);
	offer(0, "early");
	vup_fd(sock, VUP_SET_VRING_KICK, 0, 0, kick[0]);
	cr_assert(pump());
	cr_assert_not(echoed(0, "early"));
	vup_state(sock, VUP_SET_VRING_ENABLE, 0, 0, 1);
	cr_assert(pump());
	cr_assert(echoed(0, "early"), "what was rung for before is processed once enabled");
	vup_state(sock, VUP_SET_VRING_ENABLE, 0, 0, 0);
	offer(0, "off");
	cr_assert(pump());
	cr_assert_not(echoed(0, "off"));
}

Test(vu_backend, without_protocol_features_a_started_ring_is_enabled)
{
	vup_empty(sock, VUP_SET_OWNER, 0);
	vup_u64(sock, VUP_SET_FEATURES, 0, 0);
	vup_mem_table(sock, 0, &mem);
	describe(0);
	offer(0, "early");
	count(kick[0]); /* rung, and heard by someone else */
	vup_fd(sock, VUP_SET_VRING_KICK, 0, 0, kick[0]);
	cr_assert(pump());
	cr_assert(echoed(0, "early"));
}

Test(vu_backend, stops_where_it_is_and_goes_on_from_there)
{
	struct vup_msg r;
	uint32_t state[2];

	run_ring();
	offer(0, "one");
	cr_assert(pump());
	vup_state(sock, VUP_GET_VRING_BASE, 0, 0, 0);
	cr_assert(pump() && vup_recv(sock, &r));
	memcpy(state, r.payload, sizeof(state));
	cr_assert(r.bytes == 8 && state[0] == 0 && state[1] == 1);
	cr_assert_eq(echo.resets, 1);
	cr_assert(echoed(0, "one"));
	offer(0, "two");
	cr_assert(pump());
	cr_assert_not(echoed(0, "two"), "a stopped ring was touched");
	vup_state(sock, VUP_SET_VRING_BASE, 0, 0, state[1]);
	vup_fd(sock, VUP_SET_VRING_KICK, 0, 0, kick[0]);
	cr_assert(pump());
	cr_assert(echoed(0, "two"));
	cr_assert_eq(echo.starts, 2);
}

Test(vu_backend, one_ring_of_two_can_stop)
{
	run_ring();
	describe(1);
	vup_fd(sock, VUP_SET_VRING_KICK, 0, 1, kick[1]);
	vup_state(sock, VUP_SET_VRING_ENABLE, 0, 1, 1);
	vup_state(sock, VUP_GET_VRING_BASE, 0, 0, 0);
	cr_assert(pump());
	offer(1, "still here");
	cr_assert(pump());
	cr_assert(echoed(1, "still here"));
	cr_assert(echo.starts == 1 && echo.resets == 0, "the device goes on");
}

Test(vu_backend, a_running_ring_is_frozen)
{
	run_ring();
	vup_state(sock, VUP_SET_VRING_NUM, VUP_NEED_REPLY, 0, 8);
	cr_assert_neq(ack(VUP_SET_VRING_NUM), 0);
	vup_state(sock, VUP_SET_VRING_BASE, VUP_NEED_REPLY, 0, 8);
	cr_assert_neq(ack(VUP_SET_VRING_BASE), 0);
	vup_addr(sock, VUP_NEED_REPLY, 0, &ring[0]);
	cr_assert_neq(ack(VUP_SET_VRING_ADDR), 0);
	vup_u64(sock, VUP_SET_FEATURES, VUP_NEED_REPLY, PF_BIT);
	cr_assert_neq(ack(VUP_SET_FEATURES), 0);
	offer(0, "alive");
	cr_assert(pump());
	cr_assert(echoed(0, "alive"));
}

Test(vu_backend, new_memory_while_running)
{
	static const struct vqd_piece small[] = {{0x100000, 0x10000}};
	struct vqd_mem other;

	run_ring();
	offer(0, "before");
	cr_assert(pump());
	cr_assert(echoed(0, "before"));
	vup_mem_table(sock, VUP_NEED_REPLY, &mem);
	cr_assert_eq(ack(VUP_SET_MEM_TABLE), 0);
	offer(0, "after");
	cr_assert(pump());
	cr_assert(echoed(0, "after"));
	cr_assert_eq(echo.starts, 1);
	vqd_mem_init(&other, small, 1);
	vup_mem_table(sock, VUP_NEED_REPLY, &other);
	cr_assert_neq(ack(VUP_SET_MEM_TABLE), 0, "the ring is not in the new memory");
	offer(0, "lost");
	cr_assert(pump());
	cr_assert_not(echoed(0, "lost"));
	cr_assert_eq(echo.resets, 1);
}

Test(vu_backend, memory_that_cannot_be_mapped_changes_nothing)
{
	uint64_t t[5] = {1, 0, 0x1000, VUP_USER_BASE, 0};

	run_ring();
	vup_send(sock, VUP_SET_MEM_TABLE, VUP_NEED_REPLY, t, sizeof(t), kick, 1);
	cr_assert_neq(ack(VUP_SET_MEM_TABLE), 0, "an eventfd is no memory");
	t[2] = mem.bytes + 0x1000;
	vup_send(sock, VUP_SET_MEM_TABLE, VUP_NEED_REPLY, t, sizeof(t), &mem.fd, 1);
	cr_assert_neq(ack(VUP_SET_MEM_TABLE), 0, "past the end of the file");
	t[0] = 2;
	vup_send(sock, VUP_SET_MEM_TABLE, VUP_NEED_REPLY, t, sizeof(t), &mem.fd, 1);
	cr_assert_neq(ack(VUP_SET_MEM_TABLE), 0, "one region is missing");
	offer(0, "alive");
	cr_assert(pump());
	cr_assert(echoed(0, "alive"));
}

Test(vu_backend, a_ring_that_makes_no_sense_does_not_start)
{
	agree(PF_BIT);
	vup_mem_table(sock, 0, &mem);
	vup_fd(sock, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, kick[0]);
	cr_assert_neq(ack(VUP_SET_VRING_KICK), 0, "no size");
	describe(0);
	vup_fd(sock, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, -1);
	cr_assert_neq(ack(VUP_SET_VRING_KICK), 0, "no doorbell");
	vup_fd(sock, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, mem.fd);
	cr_assert_neq(ack(VUP_SET_VRING_KICK), 0, "a file for a doorbell");
	vup_fd(sock, VUP_SET_VRING_KICK, VUP_NEED_REPLY, ECHO_QUEUES, kick[0]);
	cr_assert_neq(ack(VUP_SET_VRING_KICK), 0, "no such ring");
	ring[0].used_gpa = 0x10000 - 4;
	vup_addr(sock, 0, 0, &ring[0]);
	vup_fd(sock, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, kick[0]);
	cr_assert_neq(ack(VUP_SET_VRING_KICK), 0, "a ring that leaves memory");
	for (uint32_t num = 0; num < 300; num++) {
		bool good = num && num <= 64 && !(num & (num - 1));

		vup_state(sock, VUP_SET_VRING_NUM, VUP_NEED_REPLY, 0, num);
		cr_assert_eq(ack(VUP_SET_VRING_NUM) == 0, good, "ring of %u", num);
	}
	cr_assert_eq(echo.resets, echo.starts);
	describe(0);
	echo.refuse_start = true;
	vup_fd(sock, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, kick[0]);
	cr_assert_neq(ack(VUP_SET_VRING_KICK), 0, "the device says no");
	echo.refuse_start = false;
	vup_fd(sock, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, kick[0]);
	cr_assert_eq(ack(VUP_SET_VRING_KICK), 0);
}

Test(vu_backend, features_that_were_not_offered_are_refused)
{
	agree(PF_BIT);
	vup_u64(sock, VUP_SET_FEATURES, VUP_NEED_REPLY, 1ULL << 40);
	cr_assert_neq(ack(VUP_SET_FEATURES), 0);
	vup_u64(sock, VUP_SET_PROTOCOL_FEATURES, VUP_NEED_REPLY, 1ULL << 40);
	cr_assert_neq(ack(VUP_SET_PROTOCOL_FEATURES), 0);
}

Test(vu_backend, configuration_space)
{
	struct vup_msg r;

	agree(PF_BIT);
	memcpy(echo.config, "\1\2\3\4\5\6\7\10", 8);
	vup_config(sock, VUP_GET_CONFIG, 0, 6, 20, NULL);
	cr_assert(pump() && vup_recv(sock, &r));
	cr_assert_eq(r.bytes, 12 + 20);
	cr_assert(!memcmp(r.payload + 12, "\7\10\0\0\0\0\0\0", 8), "zeros past the end");
	vup_config(sock, VUP_GET_CONFIG, 0, 250, 20, NULL);
	cr_assert(pump() && vup_recv(sock, &r));
	cr_assert_eq(r.bytes, 0, "a range that does not fit is answered with nothing");
	vup_config(sock, VUP_SET_CONFIG, VUP_NEED_REPLY, 4, 2, "ab");
	cr_assert_eq(ack(VUP_SET_CONFIG), 0);
	cr_assert(!memcmp(echo.config, "\1\2\3\4ab\7\10", 8));
	vup_config(sock, VUP_SET_CONFIG, VUP_NEED_REPLY, 6, 3, "abc");
	cr_assert_neq(ack(VUP_SET_CONFIG), 0);
	vup_config(sock, VUP_SET_CONFIG, 0, 0, 2, "ab");
	cr_assert(pump(), "a guest's write to a read-only field ends nothing");
}

Test(vu_backend, a_broken_queue_is_told_and_the_other_lives)
{
	run_ring();
	describe(1);
	vup_fd(sock, VUP_SET_VRING_KICK, 0, 1, kick[1]);
	vup_state(sock, VUP_SET_VRING_ENABLE, 0, 1, 1);
	vqd_offer(&ring[0], 99);
	eventfd_write(kick[0], 1);
	cr_assert(pump());
	cr_assert_eq(count(error[0]), 1);
	eventfd_write(kick[0], 1);
	vup_mem_table(sock, 0, &mem);
	cr_assert(pump());
	eventfd_write(kick[0], 1);
	cr_assert(pump());
	cr_assert_eq(count(error[0]), 0, "said once, until it is reset");
	offer(1, "alive");
	cr_assert(pump());
	cr_assert(echoed(1, "alive"));
	vup_empty(sock, VUP_RESET_DEVICE, VUP_NEED_REPLY);
	cr_assert_eq(ack(VUP_RESET_DEVICE), 0);
	cr_assert_eq(echo.resets, 1);
	vup_u64(sock, VUP_SET_FEATURES, 0, PF_BIT);
	describe(0);
	vup_fd(sock, VUP_SET_VRING_KICK, 0, 0, kick[0]);
	vup_state(sock, VUP_SET_VRING_ENABLE, 0, 0, 1);
	offer(0, "healed");
	cr_assert(pump());
	cr_assert(echoed(0, "healed"), "memory is kept over a reset");
}

Test(vu_backend, a_device_may_come_back_to_a_busy_queue)
{
	echo.budget = 2;
	run_ring();
	for (int i = 0; i < 7; i++)
		offer(0, "busy");
	cr_assert(pump());
	for (int i = 0; i < 7; i++)
		cr_assert(echoed(0, "busy"), "request %d", i);
}

Test(vu_backend, a_doorbell_that_is_no_eventfd_is_heard_once)
{
	int pipe_fd[2];
	unsigned int heard;

	cr_assert_eq(pipe(pipe_fd), 0);
	run_ring();
	vup_fd(sock, VUP_SET_VRING_KICK, 0, 0, pipe_fd[0]);
	cr_assert(pump());
	close(pipe_fd[1]);
	cr_assert(pump());
	heard = echo.calls;
	cr_assert(pump());
	cr_assert(pump());
	cr_assert_eq(echo.calls, heard, "a hang-up that lasts keeps the process busy");
	close(pipe_fd[0]);
}

struct bad_request {
	uint32_t request;
	uint32_t bytes;
	unsigned int nr_fds;
};

Test(vu_backend, a_message_that_breaks_its_rule_ends_the_connection)
{
	static const struct bad_request bad[] = {
		{0, 0, 0},
		{6, 16, 1}, /* SET_LOG_BASE */
		{44, 0, 0},
		{63, 0, 0},
		{64, 0, 0},
		{0xffffffff, 0, 0},
		{VUP_SET_OWNER, 0, 0}, /* twice */
		{VUP_GET_FEATURES, 8, 0},
		{VUP_SET_MEM_TABLE, 40, 0},
		{VUP_SET_MEM_TABLE, 40, 9},
		{VUP_SET_VRING_CALL, 8, 2},
		{VUP_GET_CONFIG, 4, 0},
		{VUP_GET_CONFIG, 300, 0},
		{VUP_SET_VRING_NUM, 8, 0}, /* obeys its rule, fails, and no answer is asked for */
	};
	static const uint8_t zeros[VUP_BYTES_MAX];
	int fds[9], before = -1;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		int probe;

		for (unsigned int f = 0; f < ARRAY_SIZE(fds); f++)
			fds[f] = kick[0];
		run_ring();
		vup_send(sock, bad[i].request, 0, zeros, bad[i].bytes, fds, bad[i].nr_fds);
		cr_assert_not(pump(), "request %u", bad[i].request);
		cr_assert(backend.broke_rules);
		cr_assert(dev.mem.nr == 0 && dev.call_fd[0] == -1 && dev.kick_fd[0] == -1);
		cr_assert_eq(echo.resets, i + 1);
		close(sock);
		close(back_sock);
		probe = dup(0);
		cr_assert(before < 0 || probe == before, "request %u leaked an fd", bad[i].request);
		before = probe;
		close(probe);
		connect_peer();
	}
}

Test(vu_backend, a_front_end_may_leave_and_another_come)
{
	for (int i = 0; i < 3; i++) {
		run_ring();
		offer(0, "again");
		cr_assert(pump());
		cr_assert(echoed(0, "again"));
		close(sock);
		cr_assert_not(pump());
		cr_assert_not(backend.broke_rules);
		close(back_sock);
		connect_peer();
	}
	cr_assert(echo.starts == 3 && echo.resets == 3);
}
