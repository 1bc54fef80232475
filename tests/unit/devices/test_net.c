/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The network device: what it says, receiving, the end
 */
#include "tests/support/net_rig.h"

TestSuite(net, .init = setup, .fini = teardown);

Test(net, says_what_it_is)
{
	settings.mtu = 9000;
	settings.tun_flags = CSUM_TSO4;
	connect_device(0);
	cr_assert(features & BIT(MAC) && features & BIT(MTU) && features & BIT(STATUS));
	cr_assert(features & BIT(MRG_RXBUF) && features & BIT(CTRL_VQ) && features & BIT(CTRL_RX));
	cr_assert(features & BIT(CSUM) && features & BIT(GUEST_CSUM));
	cr_assert(features & BIT(HOST_TSO4) && features & BIT(GUEST_TSO4));
	cr_assert(!(features & BIT(HOST_TSO6)) && !(features & BIT(GUEST_TSO6)));
	cr_assert(!(features & BIT(MQ)) && !(features & 7ULL << 54));
	cr_assert_arr_eq(config().mac, settings.mac, 6);
	cr_assert_eq(config().mtu, 9000);
	cr_assert_eq(config().status, VIRTIO_NET_S_LINK_UP);
	cr_assert_eq(config().max_virtqueue_pairs, 1);
}

Test(net, without_a_tap_the_link_is_down_and_what_is_sent_goes_nowhere)
{
	static const struct virtio_net_hdr_v1 h;

	record(0);
	start(0);
	cr_assert_eq(config().status, 0);
	cr_assert(!(features & BIT(CSUM)));
	for (unsigned int i = 0; i < 100; i++)
		transmit(&h, 60);
	offer(0, 4, 2048);
	cr_assert(nothing_used(0));
}

static int no_file = -1;

/* In this process: dev_child has no supervisor that would ask */
Test(net_update, mac_and_mtu_change_together_or_not_at_all)
{
	static const struct {
		uint64_t mac;
		uint32_t mtu;
		int rc;
	} cases[] = {
		{0, 0, 0},
		{0x021122334466, 0, 0},
		{0, 1400, 0},
		{0x021122334477, 9000, 0},
		{0x031122334488, 1300, -EINVAL}, /* multicast */
		{1ULL << 48, 1300, -EINVAL},
		{0x021122334488, 67, -EINVAL},
		{0x021122334488, 65536, -EINVAL},
	};
	static struct device d;
	static struct loop loop;
	struct virtio_net_config c;

	record(0);
	cr_assert_eq(loop_init(&loop, &(struct err){0}), 0);
	boot_set_settings(&rec, &settings, sizeof(settings));
	cr_assert_eq(device_init(&d, &net_device, &loop, &(struct err){0}), 0);
	cr_assert_eq(net_device.init(&d, &rec, &(struct err){0}), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ctl_msg m = {.type = CTL_NET, .arg = cases[i].mac, .code = cases[i].mtu};

		cr_assert_eq(net_device.control(&d, &m, &no_file, &(struct err){0}), cases[i].rc,
			     "case %u", i);
		cr_assert_eq(net_device.config(&d, false, 0, &c, 12), 0);
		cr_assert_eq(ctl_mac(c.mac), i < 1   ? 0x021122334455
					     : i < 3 ? 0x021122334466
						     : 0x021122334477);
		cr_assert_eq(c.mtu, i < 2 ? 1500 : i < 3 ? 1400 : 9000, "case %u", i);
	}
	cr_assert_eq(net_device.config(&d, true, 0, &c, 6), -EPERM);
}

Test(net_update, nothing_is_at_the_other_end)
{
	struct ctl_msg m = {.type = CTL_NET, .arg = 0x021122334466, .code = 1400 | CTL_NET_DOWN};
	static struct device d;
	static struct loop loop;
	struct virtio_net_config c;

	record(1);
	cr_assert_eq(loop_init(&loop, &(struct err){0}), 0);
	boot_set_settings(&rec, &settings, sizeof(settings));
	cr_assert_eq(device_init(&d, &net_device, &loop, &(struct err){0}), 0);
	cr_assert_eq(net_device.init(&d, &rec, &(struct err){0}), 0);
	cr_assert_eq(net_device.config(&d, false, 0, &c, 12), 0);
	cr_expect_eq(c.status, VIRTIO_NET_S_LINK_UP);
	cr_assert_eq(net_device.control(&d, &m, &no_file, &(struct err){0}), 0);
	cr_assert_eq(net_device.config(&d, false, 0, &c, 12), 0);
	cr_expect_eq(c.status, 0);
	cr_expect_eq(c.mtu, 1400);
	m.code = CTL_NET_DOWN | 67;
	cr_expect_eq(net_device.control(&d, &m, &no_file, &(struct err){0}), -EINVAL);
	/* a start tried again */
	m.code = 1400;
	cr_assert_eq(net_device.control(&d, &m, &no_file, &(struct err){0}), 0);
	cr_assert_eq(net_device.config(&d, false, 0, &c, 12), 0);
	cr_expect_eq(c.status, VIRTIO_NET_S_LINK_UP);
}

/* ---- receive ---- */

Test(net, receives_in_order_and_in_place)
{
	start(0);
	offer(0, 4, 2048);
	for (unsigned int i = 0; i < 4; i++) {
		arrive(0, 60 + 400 * i);
		cr_assert_eq(take(0), HDR + 60 + 400 * i);
		cr_assert(arrived_at(RX_GPA + 2048 * i, 60 + 400 * i, 1), "frame %u", i);
	}
}

Test(net, a_large_frame_takes_as_many_buffers_as_it_needs)
{
	static const uint32_t sizes[] = {1489, 9000, 3000, 60, 60, 20000};
	uint64_t gpa = RX_GPA;

	start(0);
	offer(0, 40, 1500);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint32_t left = HDR + sizes[i], nr = (left + 1499) / 1500;

		arrive(0, sizes[i]);
		for (unsigned int k = 0; k < nr; k++, left -= 1500)
			cr_assert_eq(take(0), left < 1500 ? left : 1500, "frame %u", i);
		cr_assert(arrived_at(gpa, sizes[i], (uint16_t)nr), "frame %u", i);
		gpa += 1500 * nr;
	}
}

Test(net, the_largest_frame_fits_into_many_small_buffers)
{
	connect_device(VQD_F_EVENT_IDX);
	for (unsigned int q = 0; q < 3; q++)
		start_ring(q, 256);
	offer(0, 256, 257);
	arrive(0, 65000);
	for (unsigned int i = 0; i < 253; i++)
		cr_assert_eq(take(0), i < 252 ? 257 : 65012 - 252 * 257);
	cr_assert(arrived_at(RX_GPA, 65000, 253));
	cr_assert(nothing_used(0));
}

Test(net, without_mergeable_buffers_a_frame_has_one_or_is_lost)
{
	start(BIT(MRG_RXBUF));
	offer(0, 4, 2048);
	arrive(0, 2037); /* a byte too long */
	arrive(0, 2036);
	cr_assert_eq(take(0), 2048);
	cr_assert(arrived_at(RX_GPA, 2036, 1));
}

Test(net, waits_for_buffers_and_goes_on)
{
	start(0);
	for (unsigned int i = 0; i < 20; i++)
		arrive(0, 100 + i);
	settle();
	for (unsigned int i = 0; i < 20; i += 4) {
		offer(0, 4, 2048);
		for (unsigned int k = 0; k < 4; k++)
			cr_assert_eq(take(0), HDR + 100 + i + k);
		cr_assert(nothing_used(0));
	}
}

Test(net, interrupts_once_a_batch_of_sixteen)
{
	eventfd_t interrupts;

	start(0);
	for (unsigned int i = 0; i < 40; i++)
		arrive(0, 60);
	settle();
	offer(0, 48, 256); /* and room for a large one */
	for (unsigned int i = 0; i < 40; i++)
		cr_assert_eq(take_now(0), HDR + 60, "frame %u", i);
	cr_assert_eq(eventfd_read(call[0], &interrupts), 0);
	cr_assert_eq(interrupts, 3);
}

Test(net, waits_for_buffers_with_event_index)
{
	connect_device(0);
	for (unsigned int q = 0; q < 3; q++)
		start_ring(q, 8);
	for (unsigned int i = 0; i < 200; i++) {
		struct vqd_buf buf = {RX_GPA, 2048, true};
		uint32_t head, len;

		arrive(0, 100 + i);
		vqd_add(&ring[0], &buf, 1);
		/* Only where the device asks for it: one that is lost stops everything. */
		if (vqd_must_kick(&ring[0]))
			eventfd_write(kick[0], 1);
		vqd_set_used_event(&ring[0], ring[0].used_idx);
		while (!vqd_take(&ring[0], &head, &len)) {
			eventfd_t v;

			cr_assert(dev_child_wait(call[0]), "frame %u", i);
			eventfd_read(call[0], &v);
		}
		cr_assert_eq(len, HDR + 100 + i);
	}
}

/* And so do those behind it: nothing is lost, however long the driver takes */
Test(net, a_frame_without_room_waits_for_its_buffers)
{
	start(0);
	offer(0, 4, 1500);
	arrive(0, 70);
	cr_assert_eq(take(0), HDR + 70);
	arrive(0, 9000);
	cr_assert(nothing_used(0));
	/* Further ones are not even read: the TAP's queue holds them. */
	for (unsigned int i = 0; i < 8; i++)
		cr_assert_gt(send(tap[0][1], frame, HDR + 9000, 0), 0);
	for (unsigned int i = 0; i < 9; i++) {
		cr_assert(nothing_used(0), "frame %u", i);
		offer(0, 4, 1500);
		for (unsigned int k = 0; k < 7; k++)
			cr_assert_eq(take(0), k < 6 ? 1500 : HDR + 9000 - 6 * 1500, "frame %u", i);
		offer(0, 3, 1500);
	}
}

Test(net, a_frame_in_hand_goes_with_its_ring)
{
	struct vup_msg m;

	start(0);
	offer(0, 2, 1500);
	arrive(0, 9000);
	cr_assert(nothing_used(0));
	vup_state(child.vmm, VUP_GET_VRING_BASE, 0, 0, 0);
	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m));
	vup_state(child.vmm, VUP_SET_VRING_BASE, 0, 0, 0);
	vup_fd(child.vmm, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, kick[0]);
	cr_assert_eq(answer(VUP_SET_VRING_KICK), 0);
	offer(0, 10, 1500);
	cr_assert(nothing_used(0));
	arrive(0, 60);
	cr_assert_eq(take(0), HDR + 60);
}

/* A ring that is too small as a whole, and a driver that does not fill it: after a second */
Test(net, a_driver_that_never_has_room_loses_large_frames_only)
{
	start(0);
	offer(0, 2, 1600);
	arrive(0, 9000);
	arrive(0, 70);
	cr_assert_eq(take(0), HDR + 70);
	cr_assert(arrived_at(RX_GPA, 70, 1));
}

Test(net, a_buffer_smaller_than_a_header_breaks_the_ring)
{
	start(0);
	offer(0, 1, 11);
	arrive(0, 60);
	cr_assert(dev_child_wait(error[0]));
	cr_assert(nothing_used(0));
}

Test(net, flags_of_a_driver_without_checksums_are_zero)
{
	start(0);
	offer(0, 1, 2048);
	memset(frame, 0xff, HDR + 60);
	cr_assert_eq(send(tap[0][1], frame, HDR + 60, 0), HDR + 60);
	cr_assert_eq(take(0), HDR + 60);
	cr_assert_eq(*at(RX_GPA, 1), 0);
}

/* ---- buffers that are held while nothing arrives ---- */

/* A large frame, after which as much is held as another one takes */
static void hold(void)
{
	start(0);
	offer(0, 40, 1500);
	arrive(0, 20000);
	for (unsigned int i = 0; i < 14; i++)
		take(0);
	settle();
}

Test(net, are_put_back_when_the_ring_stops)
{
	struct vup_msg m;
	uint32_t state[2];

	hold();
	vup_state(child.vmm, VUP_GET_VRING_BASE, 0, 0, 0);
	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m));
	memcpy(state, m.payload, sizeof(state));
	cr_assert(state[0] == 0 && state[1] == 14, "stopped at %u", state[1]);
	arrive(0, 60);
	cr_assert(nothing_used(0));
	vup_state(child.vmm, VUP_SET_VRING_BASE, 0, 0, state[1]);
	vup_fd(child.vmm, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, kick[0]);
	cr_assert_eq(answer(VUP_SET_VRING_KICK), 0);
	cr_assert_eq(take(0), HDR + 60);
	cr_assert(arrived_at(RX_GPA + 14 * 1500, 60, 1));
}

Test(net, are_put_back_when_the_ring_is_disabled)
{
	hold();
	vup_state(child.vmm, VUP_SET_VRING_ENABLE, 0, 0, 0);
	arrive(0, 60);
	cr_assert(nothing_used(0));
	vup_state(child.vmm, VUP_SET_VRING_ENABLE, 0, 0, 1);
	cr_assert_eq(take(0), HDR + 60);
	cr_assert(arrived_at(RX_GPA + 14 * 1500, 60, 1));
}

Test(net, are_found_again_in_new_memory)
{
	hold();
	vup_mem_table(child.vmm, VUP_NEED_REPLY, &mem);
	cr_assert_eq(answer(VUP_SET_MEM_TABLE), 0);
	arrive(0, 3000);
	cr_assert_eq(take(0), 1500);
	cr_assert_eq(take(0), 1500);
	cr_assert_eq(take(0), 12);
	cr_assert(arrived_at(RX_GPA + 14 * 1500, 3000, 3));
}

Test(net, do_not_keep_a_new_interrupt_from_being_used)
{
	int fresh = eventfd(0, EFD_NONBLOCK);

	hold();
	vup_fd(child.vmm, VUP_SET_VRING_CALL, 0, 0, fresh);
	settle();
	call[0] = fresh;
	arrive(0, 60);
	cr_assert_eq(take(0), HDR + 60);
	cr_assert(arrived_at(RX_GPA + 14 * 1500, 60, 1));
}

Test(net, a_ring_that_breaks_while_they_are_held_stays_broken)
{
	hold();
	vqd_offer(&ring[0], 64); /* no head of a ring of 64 */
	arrive(0, 60000);
	arrive(0, 60);
	cr_assert(dev_child_wait(error[0]));
	cr_assert(nothing_used(0));
	vup_mem_table(child.vmm, VUP_NEED_REPLY, &mem);
	cr_assert_eq(answer(VUP_SET_MEM_TABLE), 0);
	cr_assert(nothing_used(0));
}

/* ---- the end ---- */

Test(net, a_tap_that_goes_takes_the_link_down)
{
	static const struct virtio_net_hdr_v1 h;

	start(0);
	offer(0, 4, 2048);
	close(tap[0][1]);
	for (unsigned int i = 0; i < 100; i++)
		transmit(&h, 60);
	cr_assert_eq(config().status, 0);
	cr_assert(nothing_used(0));
}

Test(net, and_the_front_end_is_told_at_once)
{
	struct vup_msg m;
	int sv[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	start(0);
	vup_send(child.vmm, VUP_SET_BACKEND_REQ_FD, 0, NULL, 0, &sv[1], 1);
	close(sv[1]);
	offer(0, 4, 2048);
	settle();
	cr_assert_not(vup_recv(sv[0], &m), "without a reason");
	close(tap[0][1]);
	cr_assert(dev_child_wait(sv[0]) && vup_recv(sv[0], &m));
	cr_assert(m.request == VUP_BACKEND_CONFIG_CHANGE && m.flags == 1 && m.bytes == 0);
	cr_assert_eq(config().status, 0);
	settle();
	cr_assert_not(vup_recv(sv[0], &m), "more than once");
}

Test(net, a_reset_device_starts_anew)
{
	start(0);
	offer(0, 4, 2048);
	vup_empty(child.vmm, VUP_RESET_DEVICE, 0);
	arrive(0, 60);
	vup_u64(child.vmm, VUP_SET_FEATURES, 0, features);
	for (unsigned int q = 0; q < 3; q++)
		start_ring(q, 32);
	offer(0, 4, 2048);
	cr_assert_eq(take(0), HDR + 60);
}
