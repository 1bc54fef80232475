/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/vu_msg.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/vu_peer.h"

#define ALL_STATES (VU_STATE_OWNED | VU_STATE_PROTOCOL | VU_STATE_FEATURES | VU_STATE_MEMORY)

static int pair[2];

static void setup(void)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

/* The lowest free fd: the same before and after when nothing leaks */
static int next_fd(void)
{
	int fd = dup(pair[0]);

	close(fd);
	return fd;
}

TestSuite(vu_msg, .init = setup);

Test(vu_msg, receives_what_a_peer_sends)
{
	const int fds[2] = {pair[0], pair[1]};
	struct vu_msg m;
	struct err err;

	vup_send(pair[1], VU_SET_VRING_NUM, VU_FLAG_NEED_REPLY, "\2\0\0\0\0\1\0\0", 8, fds, 2);
	vup_empty(pair[1], VU_SET_OWNER, 0);
	cr_assert_eq(vu_recv(pair[0], &m, &err), 1);
	cr_assert_eq(m.hdr.request, VU_SET_VRING_NUM);
	cr_assert_eq(m.hdr.flags, VU_VERSION | VU_FLAG_NEED_REPLY);
	cr_assert_eq(m.hdr.bytes, 8);
	cr_assert_eq(m.state.index, 2);
	cr_assert_eq(m.state.num, 256);
	cr_assert_eq(m.nr_fds, 2);
	cr_assert_eq(m.bytes[8], 0);
	vu_msg_close(&m);
	cr_assert_eq(m.nr_fds, 0);
	cr_assert_eq(vu_recv(pair[0], &m, &err), 1);
	cr_assert_eq(m.hdr.request, VU_SET_OWNER);
	cr_assert_eq(m.nr_fds, 0);
	close(pair[1]);
	cr_assert_eq(vu_recv(pair[0], &m, &err), 0);
}

Test(vu_msg, sends_what_a_peer_receives)
{
	struct vu_msg m = {.hdr = {VU_GET_FEATURES, VU_VERSION | VU_FLAG_REPLY, 8},
			   .u64 = 0x1122334455667788};
	struct vup_msg r;
	struct err err;

	cr_assert_eq(vu_send(pair[0], &m, &err), 0);
	cr_assert(vup_recv(pair[1], &r));
	cr_assert_eq(r.request, VU_GET_FEATURES);
	cr_assert_eq(r.flags, 5);
	cr_assert_eq(r.bytes, 8);
	cr_assert(!memcmp(r.payload, &m.u64, 8));
	cr_assert_not(vup_recv(pair[1], &r), "something came after the message");
}

Test(vu_msg, refuses_a_payload_or_fds_beyond_the_limits)
{
	static const uint8_t zeros[VUP_BYTES_MAX];
	int fds[VU_FDS_MAX + 1];
	int before = next_fd();
	struct vu_msg m;
	struct err err;

	for (unsigned int i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = pair[0];
	vup_send(pair[1], VU_SET_MEM_TABLE, 0, zeros, VU_PAYLOAD_MAX + 1, fds, 1);
	cr_assert_eq(vu_recv(pair[0], &m, &err), -EPROTO);
	close(pair[0]);
	close(pair[1]);
	setup();
	vup_send(pair[1], VU_SET_MEM_TABLE, 0, zeros, 8, fds, VU_FDS_MAX + 1);
	cr_assert_eq(vu_recv(pair[0], &m, &err), -EPROTO);
	cr_assert_eq(next_fd(), before, "fds leaked");
}

Test(vu_msg, a_peer_that_dies_inside_a_message_is_an_error)
{
	static const uint32_t hdr[3] = {VU_SET_FEATURES, VU_VERSION, 8};
	struct vu_msg m;
	struct err err;

	for (size_t cut = 1; cut < sizeof(hdr) + 8; cut++) {
		uint8_t wire[sizeof(hdr) + 8] = {0};

		memcpy(wire, hdr, sizeof(hdr));
		cr_assert_eq(send(pair[1], wire, cut, 0), (ssize_t)cut);
		close(pair[1]);
		cr_assert_eq(vu_recv(pair[0], &m, &err), -EPROTO, "cut at byte %zu", cut);
		close(pair[0]);
		setup();
	}
}

Test(vu_msg, each_request_obeys_its_size_and_fds)
{
	for (uint32_t req = 0; req < VU_REQUESTS + 3; req++) {
		const struct vu_rule *r = vu_rule(req);
		struct vu_msg m = {.hdr = {.request = req, .flags = VU_VERSION}};
		struct err err;

		if (!r) {
			cr_assert_eq(vu_rule_check(&m, ALL_STATES, 0, &err), -EPROTO);
			continue;
		}
		m.hdr.bytes = r->bytes_min;
		m.nr_fds = r->fds_max;
		cr_assert_eq(vu_rule_check(&m, ALL_STATES, 0, &err), 0, "%s", r->name);
		m.hdr.bytes = r->bytes_max + 1U;
		cr_assert_eq(vu_rule_check(&m, ALL_STATES, 0, &err), -EPROTO, "%s", r->name);
		cr_assert(strstr(err.msg, r->name), "\"%s\" does not name %s", err.msg, r->name);
		m.hdr.bytes = r->bytes_min - 1U;
		cr_assert_eq(vu_rule_check(&m, ALL_STATES, 0, &err), -EPROTO, "%s", r->name);
		m.hdr.bytes = r->bytes_max;
		m.nr_fds = r->fds_max + 1U;
		cr_assert_eq(vu_rule_check(&m, ALL_STATES, 0, &err), -EPROTO, "%s", r->name);
		m.nr_fds = r->fds_min;
		for (uint32_t bit = 1; bit <= VU_STATE_MEMORY; bit <<= 1) {
			int want = r->needs & bit ? -EPROTO : 0;

			cr_assert_eq(vu_rule_check(&m, ALL_STATES & ~bit, 0, &err), want,
				     "%s without state %u", r->name, bit);
		}
		cr_assert_eq(vu_rule_check(&m, ALL_STATES, 1ULL << req, &err),
			     r->once ? -EPROTO : 0, "%s twice", r->name);
	}
	cr_assert(vu_rule(VU_SET_OWNER)->once);
}

Test(vu_msg, only_flags_of_a_request_are_taken)
{
	static const uint32_t bad[] = {
		0, 2, 3, VU_VERSION | VU_FLAG_REPLY, VU_VERSION | 0x10, VU_VERSION | 0x80000000};
	struct vu_msg m = {.hdr = {.request = VU_GET_FEATURES}};
	struct err err;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		m.hdr.flags = bad[i];
		cr_assert_eq(vu_rule_check(&m, ALL_STATES, 0, &err), -EPROTO, "flags 0x%x", bad[i]);
	}
	m.hdr.flags = VU_VERSION | VU_FLAG_NEED_REPLY;
	cr_assert_eq(vu_rule_check(&m, ALL_STATES, 0, &err), 0);
}

#define CHANNEL_AGREED (1ULL << VU_PF_BACKEND_REQ | 1ULL << VU_PF_CONFIG)

Test(vu_msg, a_back_end_may_say_one_thing)
{
	for (uint32_t req = 0; req < 64; req++)
		cr_expect_eq(vu_backend_rule(req) != NULL, req == 2, "request %u", req);
	cr_expect_null(vu_backend_rule(UINT32_MAX));
	cr_expect_eq(vu_backend_rule(2)->needs, CHANNEL_AGREED);
}

Test(vu_msg, each_request_of_a_back_end_obeys_its_rule)
{
	static const struct {
		struct vu_hdr hdr;
		unsigned int nr_fds;
		uint64_t agreed;
		int want;
	} rows[] = {
		{{2, 1, 0}, 0, CHANNEL_AGREED, 0},
		{{2, 1, 0}, 0, UINT64_MAX, 0},
		{{2, 9, 0}, 0, CHANNEL_AGREED, 0}, /* wants an answer */
		{{2, 5, 0}, 0, CHANNEL_AGREED, -EPROTO},
		{{2, 0, 0}, 0, CHANNEL_AGREED, -EPROTO},
		{{2, 2, 0}, 0, CHANNEL_AGREED, -EPROTO},
		{{2, 0x11, 0}, 0, CHANNEL_AGREED, -EPROTO},
		{{2, 1, 1}, 0, CHANNEL_AGREED, -EPROTO},
		{{2, 1, UINT32_MAX}, 0, CHANNEL_AGREED, -EPROTO},
		{{2, 1, 0}, 1, CHANNEL_AGREED, -EPROTO},
		{{2, 1, 0}, 0, 1ULL << VU_PF_BACKEND_REQ, -EPROTO},
		{{2, 1, 0}, 0, 1ULL << VU_PF_CONFIG, -EPROTO},
		{{2, 1, 0}, 0, 0, -EPROTO},
		{{1, 1, 0}, 0, UINT64_MAX, -EPROTO},
		{{3, 1, 0}, 0, UINT64_MAX, -EPROTO},
		{{UINT32_MAX, 1, 0}, 0, UINT64_MAX, -EPROTO},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct vu_msg m = {.hdr = rows[i].hdr, .nr_fds = rows[i].nr_fds};
		struct err err = {0};

		cr_expect_eq(vu_backend_rule_check(&m, rows[i].agreed, &err), rows[i].want,
			     "row %zu", i);
		cr_expect_eq(err.msg[0] != 0, rows[i].want < 0, "row %zu", i);
	}
}
