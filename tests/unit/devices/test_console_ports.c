/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The console with named ports: the control messages of multiport, honest and hostile
 */
#include "tests/support/console_rig.h"

static void start_ports(void)
{
	record(3);
	connect_device(-1);
	start_rings(RINGS);
}

TestSuite(console_ports, .init = start_ports, .fini = teardown, .timeout = 120);

static void become_ready(void)
{
	tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1, 8);
	for (uint32_t i = 0; i < 3; i++)
		tell(i, VIRTIO_CONSOLE_PORT_READY, 1, 8);
}

Test(console_ports, introduces_itself)
{
	static const uint16_t size[] = {80, 25};

	cr_assert(features & BIT(MULTIPORT));
	cr_assert_eq(config().max_nr_ports, 3);
	offer_control(16, 64);
	tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1, 8);
	for (uint32_t i = 0; i < 3; i++)
		told(i, i, VIRTIO_CONSOLE_PORT_ADD, NULL, 0);
	for (uint32_t i = 0; i < 3; i++)
		tell(i, VIRTIO_CONSOLE_PORT_READY, 1, 8);
	told(3, 0, VIRTIO_CONSOLE_CONSOLE_PORT, NULL, 0);
	told(4, 0, VIRTIO_CONSOLE_RESIZE, size, 4);
	told(5, 0, VIRTIO_CONSOLE_PORT_OPEN, NULL, 0);
	told(6, 1, VIRTIO_CONSOLE_PORT_NAME, "org.example.agent", 17);
	told(7, 1, VIRTIO_CONSOLE_PORT_OPEN, NULL, 0);
	told(8, 2, VIRTIO_CONSOLE_PORT_NAME, "log", 3);
	told(9, 2, VIRTIO_CONSOLE_PORT_OPEN, NULL, 0);
	cr_assert(nothing_used(TO_GUEST));
}

Test(console_ports, messages_wait_for_buffers)
{
	become_ready();
	offer_control(2, 64);
	told(0, 0, VIRTIO_CONSOLE_CONSOLE_PORT, NULL, 0);
	told(1, 0, VIRTIO_CONSOLE_RESIZE, (uint16_t[]){80, 25}, 4);
	cr_assert(nothing_used(TO_GUEST));
}

Test(console_ports, a_new_size_is_a_message)
{
	cr_assert_eq(request(CTL_CONSOLE_SIZE, 100 << 16 | 40, "", -1), 0);
	offer_control(16, 64);
	cr_assert(nothing_used(TO_GUEST), "the guest does not know the port yet");
	tell(0, VIRTIO_CONSOLE_PORT_READY, 1, 8);
	told(0, 0, VIRTIO_CONSOLE_CONSOLE_PORT, NULL, 0);
	told(1, 0, VIRTIO_CONSOLE_RESIZE, (uint16_t[]){100, 40}, 4);
	told(2, 0, VIRTIO_CONSOLE_PORT_OPEN, NULL, 0);
	cr_assert_eq(request(CTL_CONSOLE_SIZE, 101 << 16 | 41, "", -1), 0);
	told(3, 0, VIRTIO_CONSOLE_RESIZE, (uint16_t[]){101, 41}, 4);
}

Test(console_ports, ports_are_apart)
{
	int user = attach("org.example.agent"), other = attach("log");

	become_ready();
	print(TX1, "for the agent");
	print(TX, "for hvc0");
	expect_text(user, "for the agent");
	expect_text(out, "for hvc0");
	cr_assert(silent(other) && silent(user) && silent(out));
	close(user);
	user = attach("org.example.agent");
	expect_text(user, "for the agent");
}

Test(console_ports, input_waits_until_the_guest_has_opened_the_port)
{
	int user = attach("org.example.agent");

	become_ready();
	cr_assert_eq(write(user, "hello", 5), 5);
	offer(RX1, 2, 64);
	cr_assert(nothing_used(RX1));
	tell(1, VIRTIO_CONSOLE_PORT_OPEN, 1, 8);
	cr_assert_eq(take(RX1), 5);
	tell(1, VIRTIO_CONSOLE_PORT_OPEN, 0, 8);
	cr_assert_eq(write(user, "again", 5), 5);
	cr_assert(nothing_used(RX1));
}

/* Another reader of one port, or none, is nothing to another port */
Test(console_ports, a_full_port_stops_no_other)
{
	int deaf = attach("log"), user = attach("org.example.agent");

	become_ready();
	for (unsigned int i = 0; i < 60; i++)
		add_pattern(7, 0, 65536, 0);
	ring_bell(7);
	settle();
	for (uint64_t at = 0; at < 4 * KEEPS; at += 4096) {
		print_pattern(TX1, at, at + 4096);
		expect_pattern(user, at, at + 4096);
	}
	for (unsigned int i = 0; i < 60; i++)
		cr_assert_eq(take(7), 0);
	close(deaf);
}

/* What the VMM does for a pause: all rings stop, and go on where they were */
static void stop_and_go_on(void)
{
	uint32_t base[RINGS];

	for (unsigned int q = 0; q < RINGS; q++) {
		vup_state(child.vmm, VUP_GET_VRING_BASE, 0, q, 0);
		base[q] = (uint32_t)(answer(VUP_GET_VRING_BASE) >> 32);
	}
	for (unsigned int q = 0; q < RINGS; q++) {
		vup_state(child.vmm, VUP_SET_VRING_NUM, 0, q, RING_SIZE);
		vup_state(child.vmm, VUP_SET_VRING_BASE, 0, q, base[q]);
		vup_addr(child.vmm, 0, q, &ring[q]);
		vup_fd(child.vmm, VUP_SET_VRING_KICK, VUP_NEED_REPLY, q, kick[q]);
		cr_assert_eq(answer(VUP_SET_VRING_KICK), 0);
	}
}

Test(console_ports, a_pause_closes_no_port)
{
	int user = attach("org.example.agent");

	become_ready();
	tell(0, VIRTIO_CONSOLE_PORT_OPEN, 1, 8);
	tell(1, VIRTIO_CONSOLE_PORT_OPEN, 1, 8);
	stop_and_go_on();
	offer(RX, 1, 64);
	cr_assert_eq(write(in, "typed", 5), 5);
	cr_assert_eq(take(RX), 5);
	offer(RX1, 1, 64);
	cr_assert_eq(write(user, "hello", 5), 5);
	cr_assert_eq(take(RX1), 5);
	print(TX1, "for the agent");
	expect_text(user, "for the agent");
	offer_control(16, 64);
	told(0, 0, VIRTIO_CONSOLE_CONSOLE_PORT, NULL, 0);
}

/* ---- hostile guests ---- */

Test(console_ports, a_storm_of_opening_and_closing_loses_no_input)
{
	int user = attach("org.example.agent");

	become_ready();
	offer(RX1, 4, 3);
	cr_assert_eq(write(user, "hello", 5), 5);
	for (unsigned int i = 0; i < 2000; i++)
		tell(1, VIRTIO_CONSOLE_PORT_OPEN, i % 2 == 0, 8);
	tell(1, VIRTIO_CONSOLE_PORT_OPEN, 1, 8);
	cr_assert_eq(take(RX1), 3);
	cr_assert_eq(take(RX1), 2);
	cr_assert(nothing_used(RX1));
	cr_assert(!memcmp(at(RX_GPA, 3), "hel", 3) && !memcmp(at(RX_GPA + 3, 2), "lo", 2));
}

Test(console_ports, nonsense_has_no_effect)
{
	static const uint32_t ids[] = {3, 4, 0x7fffffff, 0x80000000, 0xffffffff};

	offer_control(16, 64);
	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++)
		for (uint16_t event = 0; event < 10; event++)
			if (event != VIRTIO_CONSOLE_DEVICE_READY)
				tell(ids[i], event, 1, 8);
	for (uint16_t event = 8; event != 0; event <<= 1)
		tell(0, event, 1, 8);
	tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1, 7); /* too short */
	tell(0, VIRTIO_CONSOLE_DEVICE_READY, 0, 8);
	cr_assert(nothing_used(TO_GUEST));
	tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1, 4096); /* longer than any */
	told(0, 0, VIRTIO_CONSOLE_PORT_ADD, NULL, 0);
}

Test(console_ports, asking_often_is_answered_once)
{
	for (unsigned int i = 0; i < 1000; i++)
		tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1, 8);
	offer_control(16, 64);
	for (uint32_t i = 0; i < 3; i++)
		told(i, i, VIRTIO_CONSOLE_PORT_ADD, NULL, 0);
	cr_assert(nothing_used(TO_GUEST));
}

Test(console_ports, a_control_buffer_that_is_too_small_breaks_its_queue)
{
	eventfd_t v;

	tell(1, VIRTIO_CONSOLE_PORT_READY, 1, 8);
	offer_control(4, 8);
	cr_assert(dev_child_wait(error[TO_GUEST]));
	eventfd_read(error[TO_GUEST], &v);
	print(TX, "the others go on");
	expect_text(out, "the others go on");
}

Test(console_ports, buffers_the_wrong_way_round_do_no_harm)
{
	const struct vqd_buf writable = {TX_GPA, 64, true}, readable = {RX_GPA, 64, false};

	become_ready();
	tell(0, VIRTIO_CONSOLE_PORT_OPEN, 1, 8);
	vqd_add(&ring[TX], &writable, 1);
	ring_bell(TX);
	cr_assert_eq(take(TX), 0);
	vqd_add(&ring[BY_GUEST], &writable, 1);
	ring_bell(BY_GUEST);
	cr_assert_eq(take(BY_GUEST), 0);
	vqd_add(&ring[RX], &readable, 1);
	offer(RX, 1, 64);
	cr_assert_eq(write(in, "x", 1), 1);
	cr_assert_eq(take(RX), 0);
	cr_assert_eq(take(RX), 1);
}

/* A driver that does not take multiport has hvc0 on the first two queues */
Test(console_simple, a_driver_without_multiport_has_hvc0)
{
	record(2);
	connect_device(-1);
	vup_u64(child.vmm, VUP_SET_FEATURES, 0, features & ~BIT(MULTIPORT));
	start_rings(2);
	print(TX, "simple");
	expect_text(out, "simple");
	offer(RX, 1, 64);
	cr_assert_eq(write(in, "x", 1), 1);
	cr_assert_eq(take(RX), 1);
	cr_assert_eq(dev_child_stop(&child), 0);
}
