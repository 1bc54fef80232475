/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <sched.h>

#include "tests/support/virtio_pci_rig.h"

TestSuite(common_cfg, .init = setup);

Test(common_cfg, registers_after_reset)
{
	cr_expect_eq(rd(STATUS, 1), 0);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_NUMQ, 2), STUB_QUEUES);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_MSIX, 2), 0xffff);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_SIZE, 2), STUB_QUEUE_MAX);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_MSIX, 2), 0xffff);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	wr(VIRTIO_PCI_COMMON_Q_SELECT, 2, 2);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_NOFF, 2), 2);
	wr(VIRTIO_PCI_COMMON_Q_SELECT, 2, STUB_QUEUES);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_SIZE, 2), 0, "a queue that does not exist");
	wr(VIRTIO_PCI_COMMON_Q_SELECT, 2, 0xffff);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_MSIX, 2), 0xffff);
}

Test(common_cfg, feature_words)
{
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_DF, 4), (uint32_t)STUB_FEATURES);
	wr(VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_DF, 4), STUB_FEATURES >> 32);
	wr(VIRTIO_PCI_COMMON_DFSELECT, 4, 2);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_DF, 4), 0);
	wr(VIRTIO_PCI_COMMON_DFSELECT, 4, 0xffffffff);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_DF, 4), 0);
}

Test(common_cfg, there_is_no_feature_above_63)
{
	wr(STATUS, 1, 3);
	driver_features(STUB_FEATURES);
	wr(VIRTIO_PCI_COMMON_GFSELECT, 4, 2);
	wr(VIRTIO_PCI_COMMON_GF, 4, 0);
	cr_expect_eq(rd(STATUS, 1), 3, "a word of zeros asks for nothing");
	wr(VIRTIO_PCI_COMMON_GF, 4, 1);
	cr_expect_eq(rd(STATUS, 1), 3 | NEEDS);
	wr(VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_GF, 4), (uint32_t)STUB_FEATURES, "the first word stays");
}

Test(common_cfg, features_ok_sticks_only_for_an_offer)
{
	static const struct {
		uint64_t features;
		bool sticks;
	} rows[] = {
		{STUB_FEATURES, true},
		{1ULL << 32, true},
		{0, false},
		{STUB_FEATURES & ~(1ULL << 32), false},
		{STUB_FEATURES | 1ULL << 28, false},
		{STUB_FEATURES | 1ULL << 34, false},
		{~0ULL, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wr(STATUS, 1, 0);
		wr(STATUS, 1, 3);
		driver_features(rows[i].features);
		wr(STATUS, 1, READY);
		cr_expect_eq(rd(STATUS, 1), rows[i].sticks ? READY : 3, "row %zu", i);
	}
}

Test(common_cfg, features_are_frozen)
{
	negotiate();
	driver_features(~0ULL);
	wr(STATUS, 1, RUNS);
	cr_expect_eq(stub.features, STUB_FEATURES);
}

Test(common_cfg, status_order)
{
	/* Writes one after the other from reset, and what is read at the end */
	static const struct {
		uint8_t writes[5];
		uint8_t want;
	} rows[] = {
		{{1}, 1},
		{{1, 3}, 3},
		{{3}, 3},
		{{1, 1}, 1},
		{{2}, NEEDS | 2},
		{{8}, NEEDS},
		{{1, 9}, NEEDS | 1},
		{{4}, NEEDS},
		{{3, 7}, NEEDS | 3},
		{{3, 1}, NEEDS | 3},
		{{3, 0x80}, NEEDS | 3},
		{{3, 0x83}, 0x83},
		{{0x80}, 0x80},
		{{0x83, 3}, 0x80},
		{{3, 0x83, 0x8b}, 0x83},
		{{3, 0x30}, NEEDS | 3},
		{{3, 0x33}, 3},
		{{3, 0x43}, 3},
		{{2, 3}, NEEDS | 2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wr(STATUS, 1, 0);
		for (size_t n = 0; n < ARRAY_SIZE(rows[i].writes) && rows[i].writes[n]; n++)
			wr(STATUS, 1, rows[i].writes[n]);
		cr_expect_eq(rd(STATUS, 1), rows[i].want, "row %zu: 0x%lx", i, rd(STATUS, 1));
	}
	cr_expect_eq(stub.starts, 0);
}

Test(common_cfg, start_hands_over_the_queues)
{
	start();
	cr_expect_eq(stub.features, STUB_FEATURES);
	cr_expect(stub.q[0].enabled && !stub.q[1].enabled && stub.q[2].enabled);
	cr_expect_eq(stub.q[0].size, 64);
	cr_expect_eq(stub.q[0].desc_gpa, 0x10000);
	cr_expect_eq(stub.q[0].avail_gpa, 0x11000);
	cr_expect_eq(stub.q[0].used_gpa, 0x12000);
	cr_expect_eq(stub.q[2].size, 16);
	wr(STATUS, 1, RUNS);
	cr_expect_eq(stub.starts, 1, "once");
}

Test(common_cfg, queue_registers_are_closed_outside_their_time)
{
	wr(STATUS, 1, 3);
	set_queue(0, 64, 0x10000);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_SIZE, 2), STUB_QUEUE_MAX, "before FEATURES_OK");
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_DESCLO, 8), 0);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	start();
	set_queue(0, 8, 0x30000);
	set_queue(1, 8, 0x30000);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0, "after DRIVER_OK");
	wr(VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_SIZE, 2), 64);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_DESCLO, 8), 0x10000);
	negotiate();
	wr(STATUS, 1, READY | 0x80);
	set_queue(0, 8, 0x30000);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0, "after FAILED");
	negotiate();
	set_queue(0, 64, 0x10000);
	wr(VIRTIO_PCI_COMMON_Q_SIZE, 2, 8);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_SIZE, 2), 64, "after it was enabled");
}

Test(common_cfg, queues_that_are_refused)
{
	static const struct {
		uint16_t size;
		uint64_t desc, avail, used;
	} rows[] = {
		{0, 0x1000, 0x2000, 0x3000},
		{3, 0x1000, 0x2000, 0x3000},
		{256, 0x1000, 0x2000, 0x3000},
		{0x8000, 0x1000, 0x2000, 0x3000},
		{64, 0x1008, 0x2000, 0x3000},
		{64, 0x1000, 0x2001, 0x3000},
		{64, 0x1000, 0x2000, 0x3002},
		{64, RAM_BYTES, 0x2000, 0x3000},
		{64, RAM_BYTES - 1008, 0x2000, 0x3000},
		{64, 0x1000, RAM_BYTES - 132, 0x3000},
		{64, 0x1000, 0x2000, RAM_BYTES - 516},
		{64, 0xfffffffffffffff0, 0x2000, 0x3000},
		{64, 0x1000, 0xfffffffffffffffe, 0x3000},
		{64, 0xd0000000, 0x2000, 0x3000},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		negotiate();
		wr(VIRTIO_PCI_COMMON_Q_SELECT, 2, 1);
		wr(VIRTIO_PCI_COMMON_Q_SIZE, 2, rows[i].size);
		wr(VIRTIO_PCI_COMMON_Q_DESCLO, 8, rows[i].desc);
		wr(VIRTIO_PCI_COMMON_Q_AVAILLO, 8, rows[i].avail);
		wr(VIRTIO_PCI_COMMON_Q_USEDLO, 8, rows[i].used);
		wr(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
		cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0, "row %zu", i);
		cr_expect_eq(rd(STATUS, 1), READY | NEEDS, "row %zu", i);
		wr(STATUS, 1, RUNS);
		cr_expect_eq(stub.starts, 0, "row %zu", i);
	}
	negotiate();
	cr_expect_eq(rd(STATUS, 1), READY, "reset makes up for it");
}

Test(common_cfg, queue_select_past_the_end_writes_nothing)
{
	negotiate();
	for (unsigned int q = STUB_QUEUES; q < 0x10000; q = q * 2 + 1) {
		set_queue((uint16_t)q, 64, 0x10000);
		wr(VIRTIO_PCI_COMMON_Q_MSIX, 2, 0);
	}
	for (unsigned int q = 0; q < STUB_QUEUES; q++) {
		wr(VIRTIO_PCI_COMMON_Q_SELECT, 2, q);
		cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
		cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_MSIX, 2), 0xffff);
	}
}

/* A device whose disk stands still: the driver asks until it is over, and its vCPU is not held. */
Test(common_cfg, a_reset_that_takes_long_is_waited_for)
{
	start();
	stub.slow = 8; /* it is looked at twice each time */
	wr(STATUS, 1, 0);
	cr_expect_eq(fake_doorbell_of(stub.be.kick_fd[0]), 0);
	cr_expect_eq(rd(STATUS, 1), 0xf);
	wr(STATUS, 1, 0);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_NUMQ, 2), STUB_QUEUES);
	cr_expect_eq(stub.stops, 0);
	cr_expect_eq(rd(STATUS, 1), 0);
	cr_expect_eq(stub.stops, 1);
	start();
	cr_expect_eq(stub.starts, 2);
}

Test(common_cfg, a_driver_that_does_not_wait_for_its_reset_is_held)
{
	start();
	stub.slow = 1000;
	wr(STATUS, 1, 0);
	wr(STATUS, 1, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	cr_expect_eq(stub.stops, 1);
	cr_expect_eq(rd(STATUS, 1), VIRTIO_CONFIG_S_ACKNOWLEDGE);
}

#define SLOW 100000000U

/* Another vCPU, or the main thread with a power button: gets the bus in the middle of the wait, and ends it */
static void *other_vcpu(void *arg)
{
	unsigned int *seen = arg;

	do {
		sched_yield();
		pthread_mutex_lock(&bus.lock);
		*seen = stub.slow;
		if (*seen < SLOW - 2)
			stub.slow = 0;
		pthread_mutex_unlock(&bus.lock);
	} while (*seen >= SLOW - 2);
	return NULL;
}

Test(common_cfg, a_driver_that_is_held_holds_no_other)
{
	unsigned int seen;
	pthread_t thread;

	start();
	stub.slow = SLOW;
	wr(STATUS, 1, 0);
	cr_assert_eq(pthread_create(&thread, NULL, other_vcpu, &seen), 0);
	wr(STATUS, 1, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	pthread_join(thread, NULL);
	cr_expect_gt(seen, 0, "the bus was not free before the reset was over");
	cr_expect_eq(stub.stops, 1);
	cr_expect_eq(rd(STATUS, 1), VIRTIO_CONFIG_S_ACKNOWLEDGE);
}

/* What is known can be read, what is to be asked waits its turn */
Test(common_cfg, configuration_space_in_a_reset)
{
	start();
	stub.slow = 3;
	wr(STATUS, 1, 0);
	cr_expect_eq(rd(VIRTIO_PCI_DEVCFG_OFF, 1), 0xa0);
	cr_expect_eq(stub.stops, 0);
	stub.be.config_stale = true;
	cr_expect_eq(rd(VIRTIO_PCI_DEVCFG_OFF, 1), 0xa0);
	cr_expect_eq(stub.stops, 1);
	start();
	stub.slow = 3;
	wr(STATUS, 1, 0);
	wr(VIRTIO_PCI_DEVCFG_OFF, 1, 1);
	cr_expect_eq(stub.stops, 2);
	cr_expect_eq(stub.config[0], 1);
}

Test(common_cfg, a_device_that_dies_in_a_reset_ends_it)
{
	start();
	stub.slow = 2;
	wr(STATUS, 1, 0);
	stub.fail = -EPIPE;
	cr_expect_eq(rd(STATUS, 1), 0);
	cr_expect_eq(stub.stops, 1);
}

Test(common_cfg, reset_stops_the_device)
{
	start();
	cr_expect_neq(fake_doorbell_of(stub.be.kick_fd[0]), 0);
	wr(VIRTIO_PCI_COMMON_MSIX, 2, 0);
	eventfd_write(stub.be.kick_fd[0], 1);
	eventfd_write(stub.be.call_fd[0], 1);
	eventfd_write(stub.be.err_fd[0], 1);
	wr(STATUS, 1, 0);
	cr_expect_eq(stub.stops, 1);
	cr_expect_eq(rd(STATUS, 1), 0);
	for (unsigned int q = 0; q < STUB_QUEUES; q++) {
		wr(VIRTIO_PCI_COMMON_Q_SELECT, 2, q);
		cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
		cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_SIZE, 2), STUB_QUEUE_MAX);
		cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_DESCLO, 8), 0);
		cr_expect_eq(fake_doorbell_of(stub.be.kick_fd[q]), 0);
	}
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_MSIX, 2), 0xffff);
	cr_expect_not(signalled(stub.be.kick_fd[0]) || signalled(stub.be.call_fd[0]) ||
			      signalled(stub.be.err_fd[0]),
		      "what was pending is the old driver's");
	wr(STATUS, 1, 0);
	cr_expect_eq(stub.stops, 1, "nothing to stop");
	start();
	cr_expect_eq(stub.starts, 2);
}
