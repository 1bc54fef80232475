/* SPDX-License-Identifier: BSD-3-Clause */
#include <poll.h>

#include "tests/support/vu_frontend_rig.h"

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

/* As a transport does it that waits for the end of it */
static int stop(void)
{
	int rc;

	for (int waited = 0; (rc = f.be.ops->stop(&f.be, (unsigned int)waited, &err)) == 1;) {
		struct pollfd p = {.fd = f.be.peer_fd, .events = POLLIN};

		waited = poll(&p, 1, 2) > 0 ? 0 : 2;
	}
	return rc;
}

Test(vu_frontend, every_message_obeys_its_rule)
{
	uint32_t state = 0;
	uint64_t seen = 0;

	cr_assert_eq(connect_block(0), 0);
	cr_assert_eq(f.be.ops->start(&f.be, V1, queues, &err), 0, "%s", err.msg);
	cr_assert_eq(f.be.ops->config(&f.be, true, 4, (uint8_t[]){1}, 1, &err), 0);
	cr_assert_eq(stop(), 0);
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
	cr_assert_eq(stop(), 0, "%s", err.msg);
	cr_assert_eq(f.be.ops->stop(&f.be, 0, &err), 0, "nothing runs, nothing is said");
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
		{V1 | PROTOCOL, 1, 4, "the device accepts no ring of 8 to 256 entries"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (i > 0)
			setup();
		peer.features = rows[i].features;
		peer.queues = rows[i].queues;
		peer.size_max = rows[i].size_max;
		cr_expect_lt(connect_block(0), 0);
		cr_expect_str_eq(err.msg, rows[i].want);
		cr_expect_eq(f.conn.sock, -1);
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
			cr_expect_eq(f.conn.sock, -1);
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
		cr_assert_eq(connect_block(rows[i].trick == SILENT ? 500 : 10000), 0, "%s",
			     err.msg);
		cr_expect_eq(f.be.ops->start(&f.be, V1, queues, &err) == 0, rows[i].stop, "row %zu",
			     i);
		cr_expect_lt(stop(), 0, "row %zu", i);
		cr_expect_lt(f.be.ops->start(&f.be, V1, queues, &err), 0, "dead is dead");
		cr_expect_str_eq(err.msg, "the device has failed before");
		cr_expect_lt(f.be.ops->config(&f.be, false, 0, &(uint8_t){0}, 1, &err), 0);
		join();
	}
}

/* A disk that stands still: nothing is held meanwhile, and each waiting caller is asked for patience. */
Test(vu_frontend, a_ring_may_be_let_go_of_late)
{
	uint8_t byte = 1;

	peer.trick_at = VU_GET_VRING_BASE;
	peer.trick = WAIT;
	late.patience = 1000000;
	cr_assert_eq(connect_block(4), 0, "%s", err.msg);
	cr_assert_eq(f.be.ops->start(&f.be, V1, queues, &err), 0);
	late.times = 0; /* a slow host may have been late before */
	for (unsigned int i = 0; i < 20; i++)
		cr_expect_eq(f.be.ops->stop(&f.be, 2, &err), 1);
	cr_expect_geq(late.times, 5);
	cr_expect_eq(late.last_ms, 4 * late.times);
	eventfd_write(peer.go, 1);
	cr_expect_eq(f.be.ops->config(&f.be, false, 32, &byte, 1, &err), 0,
		     "what is known is said");
	eventfd_write(peer.go, 1);
	cr_expect_eq(stop(), 0);
	/* What has to be asked is asked after it. */
	cr_expect_eq(f.be.ops->config(&f.be, true, 32, &byte, 1, &err), 0, "%s", err.msg);
	cr_expect_eq(stop(), 0);
	cr_assert_eq(f.be.ops->start(&f.be, V1, queues, &err), 0);
	eventfd_write(peer.go, 2);
	cr_expect_eq(stop(), 0);
	join();
}

Test(vu_frontend, patience_has_an_end)
{
	peer.trick_at = VU_SET_VRING_KICK;
	peer.trick = SILENT;
	late.patience = 3;
	cr_assert_eq(connect_block(10), 0, "%s", err.msg);
	cr_expect_eq(f.be.ops->start(&f.be, V1, queues, &err), -ETIMEDOUT);
	cr_expect_eq(late.times, 4);
	cr_expect_str_eq(err.msg, "no answer in 40 ms");
	join();
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
	cr_expect_lt(vu_frontend_reread(&f, &err), 0, "no back-end is there");
	cr_expect_lt(vu_frontend_reread(&f, &err), 0);
	cr_expect_str_eq(err.msg, "the device has failed before");
}

Test(vu_frontend, config_answer_about_something_else)
{
	peer.trick_at = VU_GET_CONFIG;
	peer.trick = BAD_BODY;
	cr_expect_eq(connect_block(0), -EPROTO);
	join();
}
