/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections of the vsock device: how they begin, pass bytes and end */
#include <fcntl.h>
#include <stdio.h>

#include "tests/support/vsock_rig.h"

TestSuite(vsock, .init = setup, .fini = teardown);

/* What our end received so far, up to @bytes; waits for the first */
static ssize_t received(int fd, void *buf, size_t bytes)
{
	cr_assert(dev_child_wait(fd), "nothing came");
	return recv(fd, buf, bytes, 0);
}

Test(vsock, config_has_the_cid)
{
	struct vup_msg m;
	uint64_t cid;

	vup_config(child.vmm, VUP_GET_CONFIG, 0, 0, 8, NULL);
	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m));
	memcpy(&cid, m.payload + 12, 8);
	cr_assert_eq(cid, CID);
	vup_config(child.vmm, VUP_SET_CONFIG, VUP_NEED_REPLY, 0, 8, NULL);
	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m));
	memcpy(&cid, m.payload, 8);
	cr_assert_neq(cid, 0, "a driver cannot write it");
}

Test(vsock, a_guest_connects_and_bytes_go_both_ways)
{
	int end = connected(1000, 80, STREAM);
	struct virtio_vsock_hdr h;
	char buf[16];

	say_data(1000, 80, "hello", 5);
	cr_assert_eq(received(end, buf, sizeof(buf)), 5);
	cr_assert(memcmp(buf, "hello", 5) == 0);
	cr_assert_eq(send(end, "world!", 6, 0), 6);
	h = expect(OP(RW), 1000, 80);
	cr_assert(h.len == 6 && memcmp(data, "world!", 6) == 0);
	cr_assert_eq(h.fwd_cnt, 5, "what the socket took has left our buffer");
	cr_assert(silent());
}

Test(vsock, a_port_without_a_listener_is_refused)
{
	struct ctl_msg m;

	say(OP(REQUEST), 1000, 81);
	m = hear(CTL_VSOCK_ASK);
	cr_assert_eq(order(CTL_VSOCK_FOUND, 0, m.arg, -1).code, 0);
	expect(OP(RST), 1000, 81);
	say_data(1000, 81, "x", 1);
	expect(OP(RST), 1000, 81);
	cr_assert(silent());
}

Test(vsock, a_guest_that_gives_up_is_not_answered)
{
	struct ctl_msg m;
	int end[2];
	char c;

	say(OP(REQUEST), 1000, 81);
	m = hear(CTL_VSOCK_ASK);
	say(OP(RST), 1000, 81);
	pair_of(SOCK_STREAM, end);
	cr_assert_eq(order(CTL_VSOCK_FOUND, 0, m.arg, end[0]).code, 0);
	cr_assert(silent());
	cr_assert_eq(received(end[1], &c, 1), 0, "the host's end is closed");
	connected(1000, 81, STREAM);
}

Test(vsock, an_answer_that_no_one_asked_for_ends_the_device)
{
	const struct ctl_msg m = {.type = CTL_VSOCK_FOUND};

	cr_assert_eq(ctl_send_whole(child.control, &m, -1), 0);
	cr_assert(dev_child_wait(child.vmm) && vup_gone(child.vmm));
}

Test(vsock, few_questions_are_open_and_all_are_asked)
{
	uint64_t ticket[100];
	unsigned int asked = 0;
	struct ctl_msg m;

	for (uint32_t i = 0; i < 100; i++)
		say(OP(REQUEST), 2000 + i, 80);
	while (recv(child.control, &m, sizeof(m), MSG_DONTWAIT) == sizeof(m))
		ticket[asked++] = m.arg;
	cr_assert_eq(asked, 16);
	for (unsigned int i = 0; i < 100; i++) {
		const struct ctl_msg none = {.type = CTL_VSOCK_FOUND, .arg = ticket[i]};

		cr_assert_eq(ctl_send_whole(child.control, &none, -1), 0);
		while (asked < 100 || i == 99) {
			cr_assert(dev_child_wait(child.control));
			cr_assert_eq(ctl_recv(child.control, &m), 1);
			if (m.type == CTL_DONE)
				break;
			ticket[asked++] = m.arg;
		}
	}
	for (unsigned int i = 0; i < 100; i++)
		expect(OP(RST), 2000 + i, 80);
}

/* ---- the host connects ---- */

static int offered(uint32_t guest, uint32_t flags, uint32_t *ret_host)
{
	struct ctl_msg m;
	int end[2];

	pair_of(SOCK_STREAM, end);
	m = order(CTL_VSOCK_CONNECT, CTL_VSOCK_IN | CTL_VSOCK_OUT | flags, guest, end[0]);
	cr_assert_eq(m.code, 0, "%s", m.text);
	*ret_host = (uint32_t)m.value[0];
	expect(OP(REQUEST), guest, *ret_host);
	return end[1];
}

Test(vsock, the_host_connects_and_hears_when_the_guest_accepts)
{
	uint32_t host;
	int end = offered(22, CTL_VSOCK_GREET, &host);
	char buf[32], line[32];

	cr_assert_eq(send(end, "early", 5, 0), 5);
	cr_assert(silent(), "data before the guest accepts");
	say(OP(RESPONSE), 22, host);
	snprintf(line, sizeof(line), "OK %u\n", host);
	cr_assert_eq(received(end, buf, sizeof(buf)), (ssize_t)strlen(line));
	cr_assert(memcmp(buf, line, strlen(line)) == 0);
	cr_assert_eq(expect(OP(RW), 22, host).len, 5);
	say_data(22, host, "hi", 2);
	cr_assert_eq(received(end, buf, sizeof(buf)), 2);
}

Test(vsock, a_guest_that_does_not_listen_closes_the_hosts_end)
{
	uint32_t host;
	int end = offered(22, CTL_VSOCK_GREET, &host);
	char c;

	say(OP(RST), 22, host);
	cr_assert_eq(received(end, &c, 1), 0);
}

Test(vsock, a_client_that_gives_up_before_the_guest_answers_resets)
{
	uint32_t host;
	int end = offered(22, 0, &host);

	close(end);
	expect(OP(RST), 22, host);
	say(OP(RESPONSE), 22, host);
	expect(OP(RST), 22, host);
}

Test(vsock, what_the_supervisor_may_not_hand_in)
{
	int end[2];

	pair_of(SOCK_STREAM, end);
	cr_assert_eq(order(CTL_VSOCK_CONNECT, 0, 22, dup(end[0])).code, EINVAL);
	cr_assert_eq(order(CTL_VSOCK_CONNECT, 1U << 9, 22, dup(end[0])).code, EINVAL);
	cr_assert_eq(order(CTL_VSOCK_CONNECT, CTL_VSOCK_IN, 1ULL << 32, dup(end[0])).code, EINVAL);
	close(end[0]);
	cr_assert_eq(received(end[1], &(char){0}, 1), 0, "it keeps none of them");
	cr_assert(silent());
}

Test(vsock, two_pipes_are_one_connection)
{
	int to[2], from[2];
	struct ctl_msg m;
	uint32_t host;
	char buf[8];

	cr_assert_eq(pipe2(to, O_NONBLOCK), 0);
	cr_assert_eq(pipe2(from, O_NONBLOCK), 0);
	cr_assert_eq(order(CTL_VSOCK_CONNECT, CTL_VSOCK_HALF, 0, to[0]).code, 0);
	m = order(CTL_VSOCK_CONNECT, CTL_VSOCK_OUT, 23, from[1]);
	host = (uint32_t)m.value[0];
	expect(OP(REQUEST), 23, host);
	say(OP(RESPONSE), 23, host);
	cr_assert_eq(write(to[1], "in", 2), 2);
	cr_assert_eq(expect(OP(RW), 23, host).len, 2);
	say_data(23, host, "out", 3);
	cr_assert_eq(read(from[0], buf, sizeof(buf)), 3);
	close(to[1]);
	cr_assert_eq(expect(OP(SHUTDOWN), 23, host).flags, VIRTIO_VSOCK_SHUTDOWN_SEND);
	say_data(23, host, "more", 4);
	cr_assert_eq(read(from[0], buf, sizeof(buf)), 4, "the other pipe lives on");
	close(from[0]);
	cr_assert_eq(expect(OP(SHUTDOWN), 23, host).flags, 3);
}

/* A read or write that waited would be the end of all connections: the rig waits a second for an answer. */
Test(vsock, a_socket_that_is_lent_may_block)
{
	static char bulk[2048];
	struct ctl_msg m;
	uint32_t host, sent = 0;
	char buf[8];
	int end[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, end), 0);
	cr_assert_eq(setsockopt(end[0], SOL_SOCKET, SO_SNDBUF, &(int){8192}, sizeof(int)), 0);
	m = order(CTL_VSOCK_CONNECT, CTL_VSOCK_IN | CTL_VSOCK_OUT | CTL_VSOCK_LENT, 24,
		  dup(end[0]));
	host = (uint32_t)m.value[0];
	expect(OP(REQUEST), 24, host);
	say(OP(RESPONSE), 24, host);
	cr_assert_eq(write(end[1], "in", 2), 2);
	cr_assert_eq(expect(OP(RW), 24, host).len, 2);
	say_data(24, host, "out", 3);
	cr_assert_eq(read(end[1], buf, sizeof(buf)), 3);
	/* More than the socket holds, of the credit that there is */
	for (; sent < 100 << 10; sent += (uint32_t)sizeof(bulk))
		say_data(24, host, bulk, sizeof(bulk));
	order(CTL_VSOCK_CONNECT, 0, 25, dup(end[0])); /* refused, by a device that lives */
	for (ssize_t n; sent > 0; sent -= (uint32_t)n) {
		n = read(end[1], bulk, sizeof(bulk));
		cr_assert_gt(n, 0);
	}
	cr_assert_eq(fcntl(end[0], F_GETFL) & O_NONBLOCK, 0, "its mode is as it was");
}

Test(vsock, one_pipe_is_one_direction)
{
	struct ctl_msg m;
	uint32_t host;
	int to[2];

	cr_assert_eq(pipe2(to, O_NONBLOCK), 0);
	m = order(CTL_VSOCK_CONNECT, CTL_VSOCK_IN, 23, to[0]);
	host = (uint32_t)m.value[0];
	expect(OP(REQUEST), 23, host);
	say(OP(RESPONSE), 23, host);
	cr_assert_eq(write(to[1], "in", 2), 2);
	cr_assert_eq(expect(OP(RW), 23, host).len, 2);
	say_data(23, host, "nowhere", 7);
	close(to[1]);
	cr_assert_eq(expect(OP(SHUTDOWN), 23, host).fwd_cnt, 7);
}

/* ---- the host ends it ---- */

static void end_connections(uint64_t guest, uint64_t first, uint64_t second)
{
	const struct ctl_msg m = {.type = CTL_VSOCK_END, .arg = guest, .value = {first, 0, second}};

	cr_assert_eq(ctl_send_whole(child.control, &m, -1), 0);
	cr_assert_eq(hear(CTL_DONE).code, 0);
}

Test(vsock, a_guest_that_does_not_close_loses_its_connections)
{
	uint32_t open, not_answered, other;
	int end[] = {offered(23, 0, &open), offered(23, 0, &not_answered), offered(23, 0, &other)};
	char buf[8];

	say(OP(RESPONSE), 23, open);
	say(OP(RESPONSE), 23, other);
	say_data(23, open, "last", 4);
	end_connections(23, open, not_answered);
	cr_expect_eq(received(end[0], buf, sizeof(buf)), 4);
	cr_expect_eq(received(end[0], buf, sizeof(buf)), 0);
	cr_expect_eq(received(end[1], buf, sizeof(buf)), 0);
	expect(OP(RST), 23, open);
	expect(OP(RST), 23, not_answered);
	say_data(23, other, "on", 2);
	cr_expect_eq(received(end[2], buf, sizeof(buf)), 2);
	/* Again, and what never was */
	end_connections(23, open, not_answered);
	end_connections(1ULL << 40, other, 1ULL << 40);
	cr_assert(silent());
}

Test(vsock, what_the_guest_sent_before_the_host_ended_it_arrives)
{
	static char bytes[RX_BYTES], more[4096];
	size_t sent = 0, got = 0;
	uint32_t host;
	int end = offered(23, 0, &host);
	ssize_t n;

	say(OP(RESPONSE), 23, host);
	for (unsigned int i = 0; i < 62; i++, sent += sizeof(bytes)) /* more than a socket holds */
		say_data(23, host, bytes, sizeof(bytes));
	end_connections(23, host, 0);
	while ((n = received(end, more, sizeof(more))) > 0)
		got += (size_t)n;
	cr_expect_eq(got, sent);
}

/* ---- the end ---- */

Test(vsock, the_guest_closes_one_direction)
{
	int end = connected(1000, 80, STREAM);
	char buf[8];

	say_data(1000, 80, "last", 4);
	say_shutdown(1000, 80, VIRTIO_VSOCK_SHUTDOWN_SEND);
	cr_assert_eq(received(end, buf, sizeof(buf)), 4);
	cr_assert_eq(received(end, buf, sizeof(buf)), 0);
	cr_assert_eq(send(end, "still", 5, 0), 5);
	cr_assert_eq(expect(OP(RW), 1000, 80).len, 5);
	say_data(1000, 80, "x", 1);
	expect(OP(RST), 1000, 80);
	cr_assert_lt(send(end, "x", 1, MSG_NOSIGNAL), 0);
}

Test(vsock, the_guest_receives_no_more)
{
	int end = connected(1000, 80, STREAM);
	char buf[8];

	say_shutdown(1000, 80, VIRTIO_VSOCK_SHUTDOWN_RCV);
	cr_assert(send(end, "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
	say_data(1000, 80, "more", 4);
	cr_assert_eq(received(end, buf, sizeof(buf)), 4);
	cr_assert(silent());
}

Test(vsock, the_guest_closes_and_the_host_gets_all)
{
	int end = connected(1000, 80, STREAM);
	char buf[8];

	say_data(1000, 80, "last", 4);
	say_shutdown(1000, 80, 3);
	expect(OP(RST), 1000, 80);
	cr_assert_eq(received(end, buf, sizeof(buf)), 4);
	cr_assert_eq(received(end, buf, sizeof(buf)), 0);
	connected(1000, 80, STREAM);
}

Test(vsock, the_host_closes_one_direction_then_the_other)
{
	int end = connected(1000, 80, STREAM);
	char buf[8];

	cr_assert_eq(send(end, "last", 4, 0), 4);
	shutdown(end, SHUT_WR);
	cr_assert_eq(expect(OP(RW), 1000, 80).len, 4);
	cr_assert_eq(expect(OP(SHUTDOWN), 1000, 80).flags, VIRTIO_VSOCK_SHUTDOWN_SEND);
	say_data(1000, 80, "still", 5);
	cr_assert_eq(received(end, buf, sizeof(buf)), 5);
	close(end);
	cr_assert_eq(expect(OP(SHUTDOWN), 1000, 80).flags, 3);
	say(OP(RST), 1000, 80);
	cr_assert(silent());
	connected(1000, 80, STREAM);
}

Test(vsock, the_host_closes_with_bytes_on_the_way)
{
	int end = connected(1000, 80, STREAM);
	struct virtio_vsock_hdr h;

	say_data(1000, 80, "unread", 6);
	cr_assert_eq(send(end, "last", 4, 0), 4);
	close(end);
	cr_assert_eq(expect(OP(RW), 1000, 80).len, 4);
	h = expect(OP(SHUTDOWN), 1000, 80);
	/* A device that reads while the socket is being closed sees the end of what comes before the event. */
	if (h.flags == VIRTIO_VSOCK_SHUTDOWN_SEND)
		h = expect(OP(SHUTDOWN), 1000, 80);
	cr_assert_eq(h.flags, 3);
	cr_assert(silent());
}

/* ---- the table ---- */

Test(vsock, a_full_table_refuses_and_a_free_place_takes)
{
	int end[200];

	for (uint32_t i = 0; i < 200; i++)
		end[i] = connected(3000 + i, 80, STREAM);
	say(OP(REQUEST), 4000, 80);
	expect(OP(RST), 4000, 80);
	cr_assert_eq(order(CTL_VSOCK_CONNECT, CTL_VSOCK_IN, 1, dup(end[0])).code, ENOSPC);
	say(OP(RST), 3007, 80);
	say_data(3008, 80, "x", 1);
	cr_assert_eq(received(end[8], &(char){0}, 1), 1);
	connected(4000, 80, STREAM);
}

Test(vsock, a_reset_of_the_driver_ends_all_connections)
{
	int end[2] = {connected(1000, 80, STREAM), connected(1001, 80, STREAM)};

	vup_empty(child.vmm, VUP_RESET_DEVICE, VUP_NEED_REPLY);
	cr_assert_eq(answer(VUP_RESET_DEVICE), 0);
	vup_u64(child.vmm, VUP_SET_FEATURES, 0, features);
	for (unsigned int i = 0; i < 2; i++)
		cr_assert_eq(received(end[i], &(char){0}, 1), 0);
	for (unsigned int q = 0; q < 3; q++)
		start_ring(q);
	offer_all();
	cr_assert(silent(), "a fresh driver hears nothing");
	connected(1000, 80, STREAM);
}

/* A pause stops the rings, too, and they go on where they were */
Test(vsock, a_pause_keeps_connections)
{
	static const char text[] = "while it is paused";
	int end = connected(1000, 80, STREAM);
	uint16_t at[3];
	char got[2];

	for (unsigned int q = 0; q < 3; q++)
		at[q] = stop_ring(q);
	cr_assert_eq(write(end, text, sizeof(text)), sizeof(text));
	for (unsigned int q = 0; q < 3; q++)
		run_ring(q, at[q]);
	cr_assert_eq(expect(OP(RW), 1000, 80).len, sizeof(text));
	cr_assert_str_eq((char *)data, text);
	say_data(1000, 80, "on", 2);
	cr_assert_eq(received(end, got, 2), 2);
}

/* What its supervisor asks for just then may arrive between two rings that stop, or behind the last */
Test(vsock, a_connection_begins_after_the_pause)
{
	uint16_t at[3];
	int pair[2];

	for (unsigned int q = 0; q < 3; q++) {
		const unsigned int guest = 1000 + q;

		at[q] = stop_ring(q);
		pair_of(SOCK_STREAM, pair);
		cr_expect_eq(
			order(CTL_VSOCK_CONNECT, CTL_VSOCK_IN | CTL_VSOCK_OUT, guest, pair[1]).code,
			0);
	}
	for (unsigned int q = 0; q < 3; q++)
		run_ring(q, at[q]);
	for (unsigned int q = 0; q < 3; q++)
		cr_expect_eq(next_packet().op, OP(REQUEST));
}

/* Another driver, without a word about a reset: its rings begin anew */
Test(vsock, rings_that_begin_anew_have_no_connections)
{
	int end = connected(1000, 80, STREAM);

	for (unsigned int q = 0; q < 3; q++)
		(void)stop_ring(q);
	for (unsigned int q = 0; q < 3; q++)
		start_ring(q);
	offer_all();
	cr_assert_eq(received(end, &(char){0}, 1), 0);
	connected(1000, 80, STREAM);
}

static void start_in_the_middle(void)
{
	setup_bare();
	start();
	ring_base = 77;
}

Test(vsock_again, a_guest_with_connections_to_an_earlier_process_hears_that_they_are_gone,
     .init = start_in_the_middle, .fini = teardown)
{
	const struct vqd_buf buf = {TX_GPA, 4, true};
	uint32_t head, len, id = 7;
	eventfd_t v;

	for (unsigned int q = 0; q < 3; q++)
		start_ring(q);
	memcpy(vqd_at(&mem, TX_GPA, 4), &id, 4);
	vqd_add(&ring[EVENT], &buf, 1);
	vqd_add(&ring[EVENT], &buf, 1);
	eventfd_write(kick[EVENT], 1);
	cr_assert(dev_child_wait(call[EVENT]));
	eventfd_read(call[EVENT], &v);
	cr_assert(vqd_take(&ring[EVENT], &head, &len) && len == 4);
	memcpy(&id, vqd_at(&mem, TX_GPA, 4), 4);
	cr_assert_eq(id, VIRTIO_VSOCK_EVENT_TRANSPORT_RESET);
	settle();
	cr_assert(!vqd_take(&ring[EVENT], &head, &len), "once");
}
