/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a vhost-user back-end does not do, or ends a connection for
 */
#include <criterion/criterion.h>
#include <linux/vhost_types.h>
#include <string.h>
#include <sys/eventfd.h>

#include "tests/support/vu_backend_rig.h"

TestSuite(vu_refusals, .init = setup);

Test(vu_refusals, memory_that_cannot_be_mapped_changes_nothing)
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

Test(vu_refusals, a_ring_that_makes_no_sense_does_not_start)
{
	agree(PF_BIT);
	vup_mem_table(sock, 0, &mem);
	vup_fd(sock, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, kick[0]);
	cr_assert_neq(ack(VUP_SET_VRING_KICK), 0, "no size");
	describe(0);
	vup_fd(sock, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, -1);
	cr_assert_neq(ack(VUP_SET_VRING_KICK), 0, "no doorbell");
	cr_assert_eq(echo.starts, 0);
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

Test(vu_refusals, an_eventfd_comes_as_its_message_says)
{
	static const struct {
		uint64_t value;
		unsigned int nr_fds;
	} bad[] = {{0, 0}, {1 << 8, 1}, {1 << 9, 1}, {1ULL << 63, 1}};

	agree(PF_BIT);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		vup_send(sock, VUP_SET_VRING_CALL, VUP_NEED_REPLY, &bad[i].value, 8, call,
			 bad[i].nr_fds);
		cr_expect_neq(ack(VUP_SET_VRING_CALL), 0, "row %u", i);
		cr_expect_eq(dev.call_fd[0], -1, "row %u", i);
	}
	vup_fd(sock, VUP_SET_VRING_CALL, VUP_NEED_REPLY, 0, call[0]);
	cr_expect_eq(ack(VUP_SET_VRING_CALL), 0);
}

Test(vu_refusals, a_ring_that_was_never_placed)
{
	/* So address 0 of the front-end is guest memory. */
	const uint64_t t[5] = {1, 0, 0x10000, 0, 0};

	agree(PF_BIT);
	vup_send(sock, VUP_SET_MEM_TABLE, VUP_NEED_REPLY, t, sizeof(t), &mem.fd, 1);
	cr_assert_eq(ack(VUP_SET_MEM_TABLE), 0);
	vup_state(sock, VUP_SET_VRING_NUM, 0, 0, 16);
	vup_fd(sock, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, kick[0]);
	cr_assert_neq(ack(VUP_SET_VRING_KICK), 0);
}

Test(vu_refusals, numbers_of_a_ring_that_mean_nothing)
{
	struct vhost_vring_addr addr = {.flags = 1};

	agree(PF_BIT);
	vup_mem_table(sock, 0, &mem);
	describe(0);
	vup_state(sock, VUP_SET_VRING_BASE, VUP_NEED_REPLY, 0, UINT16_MAX + 1);
	cr_assert_neq(ack(VUP_SET_VRING_BASE), 0, "an index of 17 bits");
	vup_send(sock, VUP_SET_VRING_ADDR, VUP_NEED_REPLY, &addr, sizeof(addr), NULL, 0);
	cr_assert_neq(ack(VUP_SET_VRING_ADDR), 0, "no log of dirty pages");
	vup_fd(sock, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, kick[0]);
	cr_assert_eq(ack(VUP_SET_VRING_KICK), 0, "what was refused has changed nothing");
	vup_state(sock, VUP_SET_VRING_ENABLE, VUP_NEED_REPLY, 0, 2);
	cr_assert_neq(ack(VUP_SET_VRING_ENABLE), 0, "neither on nor off");
	vup_state(sock, VUP_SET_VRING_ENABLE, VUP_NEED_REPLY, 0, 1);
	cr_assert_eq(ack(VUP_SET_VRING_ENABLE), 0);
	offer(0, "alive");
	cr_assert(pump());
	cr_assert(echoed(0, "alive"));
}

Test(vu_refusals, features_that_were_not_offered_are_refused)
{
	agree(PF_BIT);
	vup_u64(sock, VUP_SET_FEATURES, VUP_NEED_REPLY, 1ULL << 40);
	cr_assert_neq(ack(VUP_SET_FEATURES), 0);
	vup_u64(sock, VUP_SET_PROTOCOL_FEATURES, VUP_NEED_REPLY, 1ULL << 40);
	cr_assert_neq(ack(VUP_SET_PROTOCOL_FEATURES), 0);
}

Test(vu_refusals, a_broken_queue_is_told_and_the_other_lives)
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

Test(vu_refusals, a_broken_queue_that_cannot_be_told_ends_the_connection)
{
	run_ring();
	vup_fd(sock, VUP_SET_VRING_ERR, VUP_NEED_REPLY, 0, -1);
	cr_assert_eq(ack(VUP_SET_VRING_ERR), 0);
	vqd_offer(&ring[0], 99);
	eventfd_write(kick[0], 1);
	cr_assert_not(pump(), "the driver waits for ever");
	cr_assert_not(backend.broke_rules);
}

Test(vu_refusals, a_doorbell_that_is_no_eventfd_is_heard_once)
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

Test(vu_refusals, a_message_that_breaks_its_rule_ends_the_connection)
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
