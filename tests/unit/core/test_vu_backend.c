/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/vu_backend.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/eventfd.h>

#include "tests/support/vu_backend_rig.h"

TestSuite(vu_backend, .init = setup);

Test(vu_backend, says_what_it_can)
{
	const uint64_t core = 1ULL << 28 | 1ULL << 29 | PF_BIT | 1ULL << 32;

	cr_assert_eq(ask(VUP_GET_FEATURES), core | ECHO_FEATURE);
	cr_assert_eq(ask(VUP_GET_PROTOCOL_FEATURES),
		     1 << 0 | 1 << 3 | 1 << 5 | 1 << 9 | 1 << 12 | 1 << 13);
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
	count(kick[0]); /* rung, and read by another process */
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
