/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a back-end says of its own accord, as its front-end hears it
 */
#include "vmm/virtio/vu_channel.h"

#include <fcntl.h>

#include "tests/support/vu_frontend_rig.h"

TestSuite(vu_channel, .init = setup, .timeout = 60);

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

Test(vu_channel, hands_over_a_channel_before_it_first_looks)
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
	cr_expect_eq(recv(peer.channel, &(char){0}, 1, 0), 0, "no other process holds our end");
}

Test(vu_channel, no_channel_without_a_use_for_it)
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

Test(vu_channel, hears_that_the_config_changed)
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

Test(vu_channel, answers_where_an_answer_is_asked_for)
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
	f.conn.protocol_features &= ~(1ULL << VU_PF_REPLY_ACK);
	cr_assert_eq(fd_write_full(peer.channel, &hdr, sizeof(hdr)), 0);
	cr_expect_eq(hear(&changed), 1);
	cr_expect_eq(recv(peer.channel, &m, 1, MSG_DONTWAIT), -1, "answers were not agreed on");
	join();
}

Test(vu_channel, hears_a_bounded_number_of_messages_at_once)
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

Test(vu_channel, does_not_wait_for_a_device_that_reads_no_answers)
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

Test(vu_channel, hostile_requests_of_the_device)
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
