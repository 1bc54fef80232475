/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/vu_frontend.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "devices/core/vu_msg.h"

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
};

/* A back-end in a thread; fields are set before it runs and read after it was joined */
static struct peer {
	int sock;
	uint64_t features, protocol, queues;
	uint32_t size_max;
	uint32_t trick_at;
	enum trick trick;
	uint8_t config; /* each byte of it */
	pthread_t thread;
	unsigned int nr;
	struct vu_msg log[LOG_MAX];
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
	uint8_t wire[sizeof(m->hdr) + VU_PAYLOAD_MAX + 8] = {0};
	size_t len;

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
	return fd_send(peer.sock, wire, len, &mem_fd, trick == WITH_FD) == 0 && trick != HALF_GONE;
}

static void *peer_run(void *arg UNUSED)
{
	struct vu_msg m;

	while (vu_recv(peer.sock, &m, NULL) > 0) {
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

static void setup(void)
{
	int sv[2];

	gmem_done(&mem); /* of the row before, in tests that call this for each */
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
	};
	mem_fd = memfd_create("ram", MFD_CLOEXEC);
	cr_assert_eq(ftruncate(mem_fd, RAM_BYTES), 0);
	cr_assert_eq(gmem_map(&mem, mem_fd, 0, 0, RAM_BYTES / 2, 0, &err), 0);
	cr_assert_eq(gmem_map(&mem, mem_fd, RAM_BYTES / 2, 1ULL << 32, RAM_BYTES / 2, 0, &err), 0);
}

static int connect_block(int timeout_ms)
{
	struct vu_frontend_args args = {.name = "block0",
					.sock = front,
					.virtio_id = VIRTIO_ID_BLOCK,
					.mem = &mem,
					.mem_fd = mem_fd,
					.timeout_ms = timeout_ms};

	cr_assert_eq(pthread_create(&peer.thread, NULL, peer_run, NULL), 0);
	return vu_frontend_init(&f, &args, &err);
}

/* Hangs up and waits for the peer: afterwards its log can be read. */
static void join(void)
{
	vu_frontend_done(&f);
	pthread_join(peer.thread, NULL);
}

static const struct backend_queue queues[2] = {
	{true, 64, 0x1000, 0x2000, 0x3000},
	{true, 128, (1ULL << 32) + 0x1000, 0x5000, 0x6000},
};

static void check_log(const uint32_t *want, size_t nr)
{
	for (size_t i = 0; i < nr && i < peer.nr; i++)
		cr_expect_eq(peer.log[i].hdr.request, want[i], "message %zu is %u, not %u", i,
			     peer.log[i].hdr.request, want[i]);
	cr_expect_eq(peer.nr, nr, "%u messages", peer.nr);
}

TestSuite(vu_frontend, .init = setup, .timeout = 60);

Test(vu_frontend, init_order)
{
	static const uint32_t want[] = {
		VU_GET_FEATURES,  VU_SET_OWNER,	 VU_GET_PROTOCOL_FEATURES, VU_SET_PROTOCOL_FEATURES,
		VU_GET_QUEUE_NUM, VU_GET_CONFIG, VU_SET_MEM_TABLE,	   VU_SET_VRING_NUM,
	};
	uint8_t config[60];

	cr_assert_eq(connect_block(0), 0, "%s", err.msg);
	cr_expect_eq(f.be.nr_queues, 2);
	cr_expect_eq(f.be.queue_max, 256);
	cr_expect_eq(f.be.features, V1 | 1ULL << 29 | 1ULL << 9, "what the transport can carry");
	cr_expect_eq(f.be.config_bytes, 60);
	cr_expect_eq(f.be.ops->config(&f.be, false, 0, config, 60, &err), 0);
	cr_expect(config[0] == 0x5a && config[59] == 0x5a);
	for (unsigned int i = 0; i < BACKEND_QUEUES_MAX; i++)
		cr_expect_eq(f.be.kick_fd[i] >= 0 && f.be.call_fd[i] >= 0 && f.be.err_fd[i] >= 0,
			     i < 2);
	join();
	check_log(want, ARRAY_SIZE(want));
	cr_expect_eq(peer.log[3].u64, PF_ALL);
	cr_expect_eq(peer.log[6].nr_fds, 2);
	cr_expect_eq(peer.log[6].mem.nr, 2);
	cr_expect_eq(peer.log[6].mem.region[1].gpa, 1ULL << 32);
	cr_expect_eq(peer.log[6].mem.region[1].offset, RAM_BYTES / 2);
	cr_expect_neq(peer.log[6].mem.region[1].user_addr, (uintptr_t)mem.region[1].base,
		      "our own addresses are not told");
}

Test(vu_frontend, every_message_obeys_its_rule)
{
	uint32_t state = 0;
	uint64_t seen = 0;

	cr_assert_eq(connect_block(0), 0);
	cr_assert_eq(f.be.ops->start(&f.be, V1, queues, &err), 0, "%s", err.msg);
	cr_assert_eq(f.be.ops->config(&f.be, true, 4, (uint8_t[]){1}, 1, &err), 0);
	cr_assert_eq(f.be.ops->stop(&f.be, &err), 0);
	cr_assert_eq(f.be.ops->start(&f.be, V1, queues, &err), 0);
	join();
	for (unsigned int i = 0; i < peer.nr; i++) {
		const struct vu_msg *m = &peer.log[i];

		cr_expect_eq(vu_rule_check(m, state, seen, &err), 0, "%u: %s", i, err.msg);
		seen |= 1ULL << m->hdr.request;
		state |= m->hdr.request == VU_SET_OWNER ? VU_STATE_OWNED : 0;
		state |= m->hdr.request == VU_SET_PROTOCOL_FEATURES ? VU_STATE_PROTOCOL : 0;
		state |= m->hdr.request == VU_SET_FEATURES ? VU_STATE_FEATURES : 0;
		state |= m->hdr.request == VU_SET_MEM_TABLE ? VU_STATE_MEMORY : 0;
	}
}

Test(vu_frontend, start_and_stop)
{
	static const uint32_t want[] = {
		VU_SET_FEATURES,   VU_SET_VRING_NUM,	VU_SET_VRING_BASE,
		VU_SET_VRING_ADDR, VU_SET_VRING_ERR,	VU_SET_VRING_CALL,
		VU_SET_VRING_KICK, VU_SET_VRING_ENABLE, VU_GET_VRING_BASE,
	};
	struct backend_queue q[2] = {{0}, queues[1]};
	uint64_t base;

	cr_assert_eq(connect_block(0), 0);
	cr_assert_eq(f.be.ops->start(&f.be, V1 | 1ULL << 29, q, &err), 0, "%s", err.msg);
	cr_assert_eq(f.be.ops->stop(&f.be, &err), 0, "%s", err.msg);
	cr_assert_eq(f.be.ops->stop(&f.be, &err), 0, "nothing runs, nothing is said");
	join();
	memmove(peer.log, peer.log + 8, sizeof(peer.log) - 8 * sizeof(peer.log[0]));
	peer.nr -= 8;
	check_log(want, ARRAY_SIZE(want));
	base = peer.log[3].addr.avail_user_addr - 0x5000;
	cr_expect_eq(peer.log[0].u64, V1 | 1ULL << 29 | PROTOCOL);
	cr_expect_eq(peer.log[1].state.num, 128);
	cr_expect_eq(peer.log[2].state.num, 0);
	cr_expect_eq(peer.log[3].addr.desc_user_addr, base + (1ULL << 32) + 0x1000);
	cr_expect_eq(peer.log[3].addr.used_user_addr, base + 0x6000);
	for (unsigned int i = 1; i < 9; i++)
		cr_expect_eq(peer.log[i].state.index, 1, "all about queue 1: %u", i);
	for (unsigned int i = 4; i < 7; i++)
		cr_expect_eq(peer.log[i].nr_fds, 1);
}

Test(vu_frontend, without_protocol_features)
{
	peer.features = V1;
	cr_assert_eq(connect_block(0), 0, "%s", err.msg);
	cr_expect_eq(f.be.nr_queues, 1);
	cr_expect_eq(f.be.config_bytes, 0);
	cr_expect_eq(f.be.queue_max, 256);
	cr_assert_eq(f.be.ops->start(&f.be, V1, queues, &err), 0);
	join();
	for (unsigned int i = 0; i < peer.nr; i++) {
		cr_expect_neq(peer.log[i].hdr.request, VU_SET_VRING_ENABLE);
		cr_expect_eq(peer.log[i].hdr.flags, VU_VERSION);
	}
}

Test(vu_frontend, learns_the_largest_ring)
{
	peer.size_max = 64;
	cr_assert_eq(connect_block(0), 0);
	cr_expect_eq(f.be.queue_max, 64);
	join();
}

Test(vu_frontend, takes_no_more_queues_than_it_has_room_for)
{
	peer.queues = UINT64_MAX;
	cr_assert_eq(connect_block(0), 0);
	cr_expect_eq(f.be.nr_queues, BACKEND_QUEUES_MAX);
	join();
}

Test(vu_frontend, back_ends_that_will_not_do)
{
	static const struct {
		uint64_t features, queues;
		uint32_t size_max;
		const char *want;
	} rows[] = {
		{PROTOCOL, 1, 256, "the device does not offer VIRTIO_F_VERSION_1"},
		{V1 | PROTOCOL, 0, 256, "the device has no queues"},
		{V1 | PROTOCOL, 1, 4, "the device takes no ring of 8 to 256 entries"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (i > 0)
			setup();
		peer.features = rows[i].features;
		peer.queues = rows[i].queues;
		peer.size_max = rows[i].size_max;
		cr_expect_lt(connect_block(0), 0);
		cr_expect_str_eq(err.msg, rows[i].want);
		cr_expect_eq(f.sock, -1);
		join();
	}
}

Test(vu_frontend, hostile_answers_at_init)
{
	static const enum trick tricks[] = {GONE,	SILENT,	 HALF,	HALF_GONE, OTHER, NO_FLAG,
					    NEED_REPLY, VERSION, SHORT, LONG,	   HUGE,  WITH_FD};
	static const uint32_t at[] = {
		VU_GET_FEATURES,  VU_GET_PROTOCOL_FEATURES, VU_GET_QUEUE_NUM,	  VU_GET_CONFIG,
		VU_SET_MEM_TABLE, VU_SET_VRING_NUM,	    VU_SET_BACKEND_REQ_FD};

	for (size_t a = 0; a < ARRAY_SIZE(at); a++) {
		for (size_t t = 0; t < ARRAY_SIZE(tricks); t++) {
			if (a + t > 0)
				setup();
			peer.trick_at = at[a];
			peer.trick = tricks[t];
			peer.protocol |= 1ULL << VU_PF_BACKEND_REQ;
			err = (struct err){0};
			cr_expect_lt(connect_block(20), 0, "request %u, trick %zu", at[a], t);
			cr_expect_neq(err.msg[0], 0);
			cr_expect_eq(f.sock, -1);
			join();
		}
	}
}

Test(vu_frontend, refusals_at_init)
{
	static const uint32_t at[] = {VU_GET_CONFIG, VU_SET_MEM_TABLE, VU_SET_BACKEND_REQ_FD};

	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		if (i > 0)
			setup();
		peer.trick_at = at[i];
		peer.trick = REFUSE;
		peer.protocol |= 1ULL << VU_PF_BACKEND_REQ;
		cr_expect_lt(connect_block(0), 0, "request %u", at[i]);
		join();
	}
}

Test(vu_frontend, failures_while_running)
{
	static const struct {
		uint32_t at;
		enum trick trick;
		bool stop; /* it is stop that fails, not start */
	} rows[] = {
		{VU_SET_VRING_KICK, REFUSE, false},  {VU_SET_VRING_KICK, SILENT, false},
		{VU_SET_VRING_KICK, GONE, false},    {VU_SET_VRING_ENABLE, REFUSE, false},
		{VU_SET_VRING_ENABLE, OTHER, false}, {VU_GET_VRING_BASE, SILENT, true},
		{VU_GET_VRING_BASE, GONE, true},     {VU_GET_VRING_BASE, BAD_BODY, true},
		{VU_GET_VRING_BASE, LONG, true},     {VU_GET_VRING_BASE, WITH_FD, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (i > 0)
			setup();
		peer.trick_at = rows[i].at;
		peer.trick = rows[i].trick;
		cr_assert_eq(connect_block(50), 0, "%s", err.msg);
		cr_expect_eq(f.be.ops->start(&f.be, V1, queues, &err) == 0, rows[i].stop, "row %zu",
			     i);
		cr_expect_lt(f.be.ops->stop(&f.be, &err), 0, "row %zu", i);
		cr_expect_lt(f.be.ops->start(&f.be, V1, queues, &err), 0, "dead is dead");
		cr_expect_str_eq(err.msg, "the device failed before");
		cr_expect_lt(f.be.ops->config(&f.be, false, 0, &(uint8_t){0}, 1, &err), 0);
		join();
	}
}

Test(vu_frontend, config_writes)
{
	uint8_t byte = 1;

	peer.trick_at = VU_SET_CONFIG;
	peer.trick = REFUSE;
	cr_assert_eq(connect_block(0), 0);
	cr_expect_eq(f.be.ops->config(&f.be, true, 32, &byte, 1, &err), 0,
		     "that a guest may not is no failure");
	cr_expect_eq(f.be.ops->config(&f.be, false, 32, &byte, 1, &err), 0);
	cr_expect_eq(byte, 0x5a, "what the device says it holds");
	join();
}

Test(vu_frontend, config_is_read_again_when_asked_to)
{
	uint8_t byte = 0;

	cr_assert_eq(connect_block(0), 0);
	__atomic_store_n(&peer.config, 0x77, __ATOMIC_SEQ_CST);
	cr_expect_eq(f.be.ops->config(&f.be, false, 59, &byte, 1, &err), 0);
	cr_expect_eq(byte, 0x5a, "as last heard");
	cr_expect_eq(vu_frontend_reread(&f, &err), 0);
	cr_expect_eq(f.be.ops->config(&f.be, false, 59, &byte, 1, &err), 0);
	cr_expect_eq(byte, 0x77);
	join();
	cr_expect_eq(peer.log[peer.nr - 1].hdr.request, VU_GET_CONFIG);
	cr_expect_lt(vu_frontend_reread(&f, &err), 0, "nobody is there");
	cr_expect_lt(vu_frontend_reread(&f, &err), 0);
	cr_expect_str_eq(err.msg, "the device failed before");
}

Test(vu_frontend, config_answer_about_something_else)
{
	peer.trick_at = VU_GET_CONFIG;
	peer.trick = BAD_BODY;
	cr_expect_eq(connect_block(0), -EPROTO);
	join();
}

/* ---- the back-end's own channel ---- */

static void connect_with_channel(void)
{
	peer.protocol |= 1ULL << VU_PF_BACKEND_REQ;
	cr_assert_eq(connect_block(0), 0, "%s", err.msg);
	cr_assert_geq(peer.channel, 0);
	cr_assert_geq(f.be.change_fd, 0);
}

static int hear(bool *ret_changed)
{
	err = (struct err){0};
	return f.be.ops->hear(&f.be, ret_changed, &err);
}

static const struct vu_hdr changed_hdr = {VU_CONFIG_CHANGE, VU_VERSION, 0};

Test(vu_frontend, hands_over_a_channel_before_it_first_looks)
{
	static const uint32_t want[] = {
		VU_GET_FEATURES,
		VU_SET_OWNER,
		VU_GET_PROTOCOL_FEATURES,
		VU_SET_PROTOCOL_FEATURES,
		VU_GET_QUEUE_NUM,
		VU_SET_BACKEND_REQ_FD,
		VU_GET_CONFIG,
		VU_SET_MEM_TABLE,
		VU_SET_VRING_NUM,
	};

	connect_with_channel();
	cr_expect(fcntl(f.be.change_fd, F_GETFL) & O_NONBLOCK);
	cr_expect(!(fcntl(peer.channel, F_GETFL) & O_NONBLOCK), "theirs is theirs");
	join();
	cr_expect_eq(f.be.change_fd, -1);
	check_log(want, ARRAY_SIZE(want));
	cr_expect_eq(peer.log[3].u64, PF_ALL | 1ULL << VU_PF_BACKEND_REQ);
	cr_expect_eq(recv(peer.channel, &(char){0}, 1, 0), 0, "nobody else holds our end");
}

Test(vu_frontend, no_channel_without_a_use_for_it)
{
	static const uint64_t protocol[] = {
		PF_ALL,
		(PF_ALL & ~(1ULL << VU_PF_CONFIG)) | 1ULL << VU_PF_BACKEND_REQ,
	};

	for (size_t i = 0; i < ARRAY_SIZE(protocol); i++) {
		if (i > 0)
			setup();
		peer.protocol = protocol[i];
		cr_assert_eq(connect_block(0), 0);
		cr_expect_eq(f.be.change_fd, -1);
		join();
		cr_expect_eq(peer.channel, -1);
	}
}

Test(vu_frontend, hears_that_the_config_changed)
{
	bool changed = true;
	uint8_t byte = 0;
	unsigned int asked;

	connect_with_channel();
	cr_expect_eq(hear(&changed), 1);
	cr_expect_not(changed, "nothing was said");
	__atomic_store_n(&peer.config, 0x77, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_eq(fd_write_full(peer.channel, &changed_hdr, sizeof(changed_hdr)), 0);
	cr_expect_eq(hear(&changed), 1);
	cr_expect(changed);
	cr_expect_eq(recv(peer.channel, &byte, 1, MSG_DONTWAIT), -1, "nothing is answered");
	cr_expect_eq(hear(&changed), 1);
	cr_expect_not(changed, "all three were heard at once");
	cr_expect_eq(f.be.ops->config(&f.be, false, 59, &byte, 1, &err), 0);
	cr_expect_eq(byte, 0x5a, "that is the transport's to say");
	f.be.config_stale = true;
	cr_expect_eq(f.be.ops->config(&f.be, false, 59, &byte, 1, &err), 0);
	cr_expect_eq(byte, 0x77);
	asked = __atomic_load_n(&peer.nr, __ATOMIC_SEQ_CST);
	cr_expect_not(f.be.config_stale);
	cr_expect_eq(f.be.ops->config(&f.be, false, 0, &byte, 1, &err), 0);
	cr_expect_eq(__atomic_load_n(&peer.nr, __ATOMIC_SEQ_CST), asked, "asked once");
	close(peer.channel);
	cr_expect_eq(hear(&changed), 0, "there will be no more");
	join();
}

Test(vu_frontend, answers_where_an_answer_is_asked_for)
{
	const struct vu_hdr hdr = {VU_CONFIG_CHANGE, VU_VERSION | VU_FLAG_NEED_REPLY, 0};
	struct vu_msg m;
	bool changed;

	connect_with_channel();
	cr_assert_eq(fd_write_full(peer.channel, &hdr, sizeof(hdr)), 0);
	cr_expect_eq(hear(&changed), 1);
	cr_expect(changed);
	cr_assert_eq(vu_recv(peer.channel, &m, &err), 1);
	cr_expect(m.hdr.request == VU_CONFIG_CHANGE && m.hdr.bytes == 8 && m.u64 == 0);
	cr_expect_eq(m.hdr.flags, VU_VERSION | VU_FLAG_REPLY);
	f.protocol_features &= ~(1ULL << VU_PF_REPLY_ACK);
	cr_assert_eq(fd_write_full(peer.channel, &hdr, sizeof(hdr)), 0);
	cr_expect_eq(hear(&changed), 1);
	cr_expect_eq(recv(peer.channel, &m, 1, MSG_DONTWAIT), -1, "answers were not agreed on");
	join();
}

Test(vu_frontend, hears_a_bounded_number_of_messages_at_once)
{
	unsigned int said = 0, heard = 0;
	bool changed;

	connect_with_channel();
	while (fd_try_send(peer.channel, &changed_hdr, sizeof(changed_hdr)) == 0)
		said++;
	do {
		cr_assert_eq(hear(&changed), 1);
		heard += changed;
	} while (changed);
	cr_expect(heard > 1 && heard < said, "%u messages in %u calls", said, heard);
	cr_expect_leq(said, heard * 16);
	join();
}

Test(vu_frontend, does_not_wait_for_a_device_that_reads_no_answers)
{
	const struct vu_hdr hdr = {VU_CONFIG_CHANGE, VU_VERSION | VU_FLAG_NEED_REPLY, 0};
	unsigned int said = 0;
	bool changed;
	int rc = 1;

	connect_with_channel();
	while (rc == 1 && said++ < 1000000) {
		cr_assert_eq(fd_write_full(peer.channel, &hdr, sizeof(hdr)), 0);
		rc = hear(&changed);
	}
	cr_expect_eq(rc, -EAGAIN, "%d", rc);
	cr_expect(strstr(err.msg, "answer to the device's own request"), "%s", err.msg);
	join();
}

Test(vu_frontend, hostile_requests_of_the_device)
{
	static const struct {
		struct vu_hdr hdr;
		size_t len;
		unsigned int nr_fds;
	} rows[] = {
		{{0, 1, 0}, 12, 0},	     {{1, 1, 0}, 12, 0}, {{3, 1, 0}, 12, 0},
		{{24, 1, 0}, 12, 0},	     {{2, 5, 0}, 12, 0}, {{2, 0, 0}, 12, 0},
		{{2, 0xf1, 0}, 12, 0},	     {{2, 1, 8}, 12, 0}, {{2, 1, UINT32_MAX}, 12, 0},
		{{2, 1, 0}, 12, 1},	     {{2, 1, 0}, 12, 8}, {{2, 1, 0}, 12, FDIO_FDS_MAX},
		{{2, 1, 0}, 11, 0},	     {{2, 1, 0}, 1, 0},	 {{2, 1, 0}, 1, 3},
		{{UINT32_MAX, 1, 0}, 12, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int fds[FDIO_FDS_MAX], before;
		bool changed = false;

		if (i > 0)
			setup();
		connect_with_channel();
		for (unsigned int n = 0; n < FDIO_FDS_MAX; n++)
			fds[n] = mem_fd;
		before = dup(0);
		close(before);
		cr_assert_eq(fd_send(peer.channel, &rows[i].hdr, rows[i].len, fds, rows[i].nr_fds),
			     0);
		cr_expect_lt(hear(&changed), 0, "row %zu", i);
		cr_expect_neq(err.msg[0], 0, "row %zu", i);
		cr_expect_eq(fcntl(before, F_GETFD), -1, "row %zu: an fd leaked", i);
		close(peer.channel);
		join();
	}
}
