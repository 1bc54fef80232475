/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/virtio_pci_rig.h"

TestSuite(virtio_pci, .init = setup);

Test(virtio_pci, capabilities)
{
	static const struct {
		uint8_t type;
		uint32_t off, bytes;
	} want[] = {
		{VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_PCI_COMMON_OFF, VIRTIO_PCI_COMMON_BYTES},
		{VIRTIO_PCI_CAP_ISR_CFG, VIRTIO_PCI_ISR_OFF, 1},
		{VIRTIO_PCI_CAP_DEVICE_CFG, VIRTIO_PCI_DEVCFG_OFF, STUB_CONFIG_BYTES},
		{VIRTIO_PCI_CAP_NOTIFY_CFG, VIRTIO_PCI_NOTIFY_OFF, 4 * STUB_QUEUES},
		{VIRTIO_PCI_CAP_PCI_CFG, 0, 0},
	};
	unsigned int at = conf(false, 0x34, 1, 0), n = 0;

	cr_expect_eq(conf(false, 0, 4, 0), 0x10421af4);
	cr_expect_eq(conf(false, 8, 4, 0), 0x01800001);
	cr_expect_eq(conf(false, 0x2c, 4, 0), 0x10421af4);
	cr_expect_eq(conf(false, at, 1, 0), 0x11, "MSI-X first");
	cr_expect_eq(conf(false, at + 2, 2, 0), STUB_QUEUES, "a vector a queue and one more");
	while ((at = conf(false, at + 1, 1, 0)) != 0) {
		cr_assert_lt(n, ARRAY_SIZE(want));
		cr_expect_eq(conf(false, at, 1, 0), 0x09);
		cr_expect_eq(conf(false, at + 3, 1, 0), want[n].type, "capability %u", n);
		cr_expect_eq(conf(false, at + 8, 4, 0), want[n].off, "capability %u", n);
		cr_expect_eq(conf(false, at + 12, 4, 0), want[n].bytes, "capability %u", n);
		n++;
	}
	cr_expect_eq(n, ARRAY_SIZE(want));
}

Test(virtio_pci, without_config_there_is_no_capability_of_it)
{
	struct virtio_pci rng;
	struct err err = {0};

	stub.be.config_bytes = 0;
	stub.be.virtio_id = 4;
	cr_assert_eq(
		virtio_pci_init(&rng, &(struct virtio_pci_args){&stub.be, &pci, &vm, &mem}, &err),
		0);
	cr_expect_eq(pci_get(&rng.fn, 8, 4), 0x00ff0001);
	for (unsigned int at = pci_get(&rng.fn, 0x34, 1); at; at = pci_get(&rng.fn, at + 1, 1))
		cr_expect(pci_get(&rng.fn, at, 1) != 9 ||
			  pci_get(&rng.fn, at + 3, 1) != VIRTIO_PCI_CAP_DEVICE_CFG);
	virtio_pci_done(&rng);
}

Test(virtio_pci, doorbells)
{
	uint64_t at = BAR + VIRTIO_PCI_NOTIFY_OFF;

	start();
	cr_expect_eq(fake_doorbell_of(stub.be.kick_fd[0]), at);
	cr_expect_eq(fake_doorbell_of(stub.be.kick_fd[1]), 0, "not enabled");
	cr_expect_eq(fake_doorbell_of(stub.be.kick_fd[2]), at + 8);
	conf(true, 0x10, 4, WINDOW + 0x40000);
	cr_expect_eq(fake_doorbell_of(stub.be.kick_fd[2]), at + 0x40008);
	conf(true, 4, 2, 4);
	cr_expect_eq(fake_doorbell_of(stub.be.kick_fd[0]), 0, "decode is off");
	conf(true, 0x10, 4, WINDOW);
	conf(true, 4, 2, 6);
	cr_expect_eq(fake_doorbell_of(stub.be.kick_fd[0]), at);
}

Test(virtio_pci, doorbell_without_ioeventfd)
{
	fake_vm.fail = -ENOSPC;
	start();
	wr(VIRTIO_PCI_NOTIFY_OFF, 2, 0);
	cr_expect(signalled(stub.be.kick_fd[0]));
	wr(VIRTIO_PCI_NOTIFY_OFF + 8, 4, 2);
	cr_expect(signalled(stub.be.kick_fd[2]));
	wr(VIRTIO_PCI_NOTIFY_OFF + 4, 2, 1);
	cr_expect_not(signalled(stub.be.kick_fd[1]), "not enabled");
	wr(VIRTIO_PCI_NOTIFY_OFF + 2, 2, 0);
	cr_expect_not(signalled(stub.be.kick_fd[0]), "between two doorbells");
	for (uint64_t off = 4 * STUB_QUEUES; off < 0x1000; off += 4)
		wr(VIRTIO_PCI_NOTIFY_OFF + off, 4, 0);
	wr(STATUS, 1, 0);
	wr(VIRTIO_PCI_NOTIFY_OFF, 2, 0);
	cr_expect_not(signalled(stub.be.kick_fd[0]), "not running");
}

Test(virtio_pci, config_space)
{
	uint64_t generation = rd(VIRTIO_PCI_COMMON_CFGGENERATION, 1);

	cr_expect_eq(rd(VIRTIO_PCI_DEVCFG_OFF, 8), 0xa7a6a5a4a3a2a1a0);
	cr_expect_eq(rd(VIRTIO_PCI_DEVCFG_OFF + 11, 1), 0xab);
	cr_expect_eq(rd(VIRTIO_PCI_DEVCFG_OFF + 8, 8), 0, "across its end");
	cr_expect_eq(rd(VIRTIO_PCI_DEVCFG_OFF + 12, 4), 0, "past its end");
	wr(VIRTIO_PCI_DEVCFG_OFF + 2, 2, 0x1234);
	cr_expect_eq(rd(VIRTIO_PCI_DEVCFG_OFF, 4), 0x1234a1a0);
	cr_expect_neq(rd(VIRTIO_PCI_COMMON_CFGGENERATION, 1), generation);
	wr(VIRTIO_PCI_DEVCFG_OFF + 10, 4, 0);
	cr_expect_eq(stub.config[10], 0xaa);
}

Test(virtio_pci, odd_accesses)
{
	/* Every width at every offset of the BAR's used parts: nothing runs, nothing crashes. */
	static const unsigned int widths[] = {1, 2, 4, 8};

	for (size_t w = 0; w < ARRAY_SIZE(widths); w++) {
		for (uint64_t off = 0; off + widths[w] <= VIRTIO_PCI_BAR_BYTES; off++) {
			rd(off, widths[w]);
			wr(off, widths[w], 0xffffffffffffffffULL);
		}
	}
	cr_expect_eq(stub.starts, 0);
	wr(STATUS, 1, 0);
	cr_expect_eq(rd(STATUS, 4), 0xffffffff, "fields answer to their own width");
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_NUMQ, 1), 0xff);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_DESCLO + 2, 4), 0xffffffff);
	wr(VIRTIO_PCI_COMMON_MSIX, 4, 0x00030000);
	cr_expect_eq(rd(STATUS, 1), 0);
	start();
}

Test(virtio_pci, isr_tells_what_polling_drivers_ask)
{
	start();
	cr_expect_eq(rd(VIRTIO_PCI_ISR_OFF, 1), 0);
	eventfd_write(stub.be.call_fd[2], 1);
	cr_expect_eq(rd(VIRTIO_PCI_ISR_OFF, 1), 1);
	cr_expect_eq(rd(VIRTIO_PCI_ISR_OFF, 1), 0, "reading clears");
	eventfd_write(stub.be.call_fd[2], 1);
	wr(VIRTIO_PCI_ISR_OFF, 1, 0xff);
	cr_expect_eq(rd(VIRTIO_PCI_ISR_OFF + 1, 1), 0, "there is one byte of it");
	cr_expect_eq(rd(VIRTIO_PCI_ISR_OFF, 1), 1, "nothing else clears");
	wr(STATUS, 1, 1);
	cr_expect_eq(rd(STATUS, 1), RUNS | NEEDS);
	cr_expect_eq(rd(VIRTIO_PCI_ISR_OFF, 1), 2);
	cr_expect_eq(rd(VIRTIO_PCI_ISR_OFF, 1), 0);
}

Test(virtio_pci, interrupts_by_msix)
{
	unsigned int cap = conf(false, 0x34, 1, 0);

	start();
	wr(VIRTIO_PCI_MSIX_OFF + 16, 8, 0xfee00000);
	wr(VIRTIO_PCI_MSIX_OFF + 24, 8, 0x41);
	wr(VIRTIO_PCI_COMMON_Q_SELECT, 2, 2);
	wr(VIRTIO_PCI_COMMON_Q_MSIX, 2, 1);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_MSIX, 2), 1);
	wr(VIRTIO_PCI_COMMON_Q_MSIX, 2, 9);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_Q_MSIX, 2), 0xffff);
	wr(VIRTIO_PCI_COMMON_Q_MSIX, 2, 1);
	cr_expect_eq(fake_irq_of(stub.be.call_fd[2]), 0);
	conf(true, cap + 2, 2, 0x8000);
	cr_expect_neq(fake_irq_of(stub.be.call_fd[2]), 0);
	wr(VIRTIO_PCI_MSIX_OFF + 28, 4, 1);
	eventfd_write(stub.be.call_fd[2], 1);
	cr_expect_eq(rd(VIRTIO_PCI_PBA_OFF, 8), 2);
	cr_expect_eq(rd(VIRTIO_PCI_ISR_OFF, 1), 0, "with MSI-X the ISR is not the queues'");
	wr(VIRTIO_PCI_COMMON_MSIX, 2, 1);
	wr(STATUS, 1, 1);
	wr(VIRTIO_PCI_COMMON_Q_MSIX, 2, 0xffff);
	cr_expect_eq(rd(VIRTIO_PCI_PBA_OFF, 8), 2, "the configuration interrupt of NEEDS_RESET");
}

Test(virtio_pci, window_in_config_space)
{
	unsigned int at = v.cfg_cap;

	conf(true, 4, 2, 0);
	conf(true, at + 8, 4, STATUS);
	conf(true, at + 12, 4, 1);
	conf(true, at + 16, 1, 3);
	cr_expect_eq(conf(false, at + 16, 1, 0), 3);
	cr_expect_eq(v.status, 3);
	conf(true, at + 8, 4, VIRTIO_PCI_DEVCFG_OFF);
	conf(true, at + 12, 4, 4);
	cr_expect_eq(conf(false, at + 16, 4, 0), 0xa3a2a1a0);
	/* What is no access: lengths, unaligned or outside offsets, another BAR. */
	conf(true, at + 12, 4, 3);
	conf(true, at + 16, 4, 0x11111111);
	conf(true, at + 12, 4, 8);
	conf(true, at + 16, 4, 0x11111111);
	conf(true, at + 12, 4, 0xffffffff);
	conf(true, at + 16, 4, 0x11111111);
	conf(true, at + 12, 4, 4);
	conf(true, at + 8, 4, VIRTIO_PCI_DEVCFG_OFF + 2);
	conf(true, at + 16, 4, 0x11111111);
	conf(true, at + 8, 4, VIRTIO_PCI_BAR_BYTES);
	conf(true, at + 16, 4, 0x11111111);
	conf(true, at + 8, 4, 0xfffffffc);
	conf(true, at + 16, 4, 0x11111111);
	conf(true, at + 8, 4, VIRTIO_PCI_DEVCFG_OFF);
	conf(true, at + 4, 1, 1);
	conf(true, at + 16, 4, 0x11111111);
	cr_expect_eq(stub.config[0], 0xa0);
	conf(true, at + 4, 1, 0);
	conf(true, at + 16, 4, 0x11111111);
	cr_expect_eq(stub.config[0], 0x11);
}

Test(virtio_pci, broken_queue)
{
	struct loop loop;
	struct err err = {0};

	cr_assert_eq(loop_init(&loop, &err), 0);
	cr_assert_eq(virtio_pci_watch(&v, &loop, &err), 0, "%s", err.msg);
	eventfd_write(stub.be.err_fd[0], 1);
	cr_assert_eq(loop_once(&loop, 0, &err), 0);
	cr_expect_eq(rd(STATUS, 1), 0, "nothing runs");
	start();
	eventfd_write(stub.be.err_fd[2], 1);
	cr_assert_eq(loop_once(&loop, 0, &err), 0);
	cr_expect_eq(rd(STATUS, 1), RUNS | NEEDS);
	cr_expect_eq(rd(VIRTIO_PCI_ISR_OFF, 1), 2);
	cr_expect(signalled(v.config_fd));
	cr_expect_eq(hook_calls, 0, "a guest's fault is no device's failure");
	start();
	loop_done(&loop);
}

Test(virtio_pci, process_that_dies)
{
	struct loop loop;
	struct err err = {0};
	int sv[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	stub.be.peer_fd = sv[0];
	cr_assert_eq(loop_init(&loop, &err), 0);
	cr_assert_eq(virtio_pci_watch(&v, &loop, &err), 0);
	start();
	cr_assert_eq(write(sv[1], "x", 1), 1);
	cr_assert_eq(loop_once(&loop, 0, &err), 0);
	cr_expect_eq(hook_calls, 0, "the caller who asked reads what it says");
	close(sv[1]);
	cr_assert_eq(loop_once(&loop, 0, &err), 0);
	cr_expect_eq(rd(STATUS, 1), RUNS | NEEDS);
	cr_expect_eq(hook_calls, 1);
	cr_expect_str_eq(hook_text, "the device's process is gone");
	wr(STATUS, 1, 0);
	cr_expect_eq(rd(STATUS, 1), 0, "a driver that waits for its reset is not left waiting");
	cr_expect_eq(stub.stops, 0, "no device is left to stop");
	wr(STATUS, 1, 1);
	cr_expect_eq(rd(STATUS, 1), NEEDS);
	cr_assert_eq(loop_once(&loop, 0, &err), 0);
	cr_expect_eq(hook_calls, 1);
	loop_done(&loop);
}

static struct loop change_loop;

/* A device with a channel, on which it says something */
static int say_something(void)
{
	struct err err = {0};
	int sv[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	stub.be.change_fd = sv[0];
	stub.hear_rc = 1;
	cr_assert_eq(loop_init(&change_loop, &err), 0);
	cr_assert_eq(virtio_pci_watch(&v, &change_loop, &err), 0);
	cr_assert_eq(loop_once(&change_loop, 0, &err), 0);
	cr_assert_eq(stub.hears, 0);
	cr_assert_eq(write(sv[1], "x", 1), 1);
	return sv[1];
}

static void hear(bool changed)
{
	struct err err = {0};
	unsigned int before = stub.hears;

	stub.hear_changed = changed;
	cr_assert_eq(loop_once(&change_loop, 0, &err), 0);
	cr_assert_eq(stub.hears, before + 1, "once a wake-up");
}

Test(virtio_pci, config_that_changes_by_itself)
{
	uint64_t generation = rd(VIRTIO_PCI_COMMON_CFGGENERATION, 1);

	say_something();
	start();
	hear(false);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_CFGGENERATION, 1), generation);
	cr_expect(!signalled(v.config_fd) && !stub.be.config_stale);
	hear(true);
	cr_expect_neq(rd(VIRTIO_PCI_COMMON_CFGGENERATION, 1), generation);
	cr_expect(stub.be.config_stale, "what was heard of it before is not shown any more");
	cr_expect(signalled(v.config_fd));
	cr_expect_eq(rd(VIRTIO_PCI_ISR_OFF, 1), 2);
	cr_expect_eq(rd(VIRTIO_PCI_ISR_OFF, 1), 0);
	cr_expect_eq(rd(STATUS, 1), RUNS);
	cr_expect_eq(hook_calls, 0);
}

Test(virtio_pci, config_that_changes_before_the_driver_runs)
{
	uint64_t generation = rd(VIRTIO_PCI_COMMON_CFGGENERATION, 1);

	say_something();
	negotiate();
	set_queue(0, 64, 0x10000);
	hear(true);
	cr_expect_neq(rd(VIRTIO_PCI_COMMON_CFGGENERATION, 1), generation);
	cr_expect(!signalled(v.config_fd), "not before DRIVER_OK");
	cr_expect_eq(rd(VIRTIO_PCI_ISR_OFF, 1), 0);
	wr(STATUS, 1, RUNS);
	cr_expect(signalled(v.config_fd), "but then");
	cr_expect_eq(rd(VIRTIO_PCI_ISR_OFF, 1), 2);
	wr(STATUS, 1, 0);
	hear(true);
	start();
	cr_expect(!signalled(v.config_fd), "a driver that has not looked yet is not told");
}

Test(virtio_pci, config_interrupt_goes_the_way_of_its_vector)
{
	say_something();
	start();
	conf(true, conf(false, 0x34, 1, 0) + 2, 2, 0x8000);
	wr(VIRTIO_PCI_MSIX_OFF + 16, 8, 0xfee00000);
	wr(VIRTIO_PCI_MSIX_OFF + 24, 8, 0x100000041);
	wr(VIRTIO_PCI_COMMON_MSIX, 2, 1);
	hear(true);
	cr_expect_eq(rd(VIRTIO_PCI_PBA_OFF, 8), 2, "pending while it is masked");
}

Test(virtio_pci, a_device_that_says_what_it_must_not)
{
	struct err err = {0};

	say_something();
	start();
	stub.hear_rc = -EPROTO;
	hear(true);
	cr_expect_eq(hook_calls, 1);
	cr_expect_str_eq(hook_text, "stub: said something wrong");
	cr_expect_eq(rd(STATUS, 1), RUNS | NEEDS);
	cr_assert_eq(loop_once(&change_loop, 0, &err), 0);
	cr_expect_eq(stub.hears, 1, "the loop listens no more");
}

Test(virtio_pci, a_device_that_will_say_no_more)
{
	struct err err = {0};

	say_something();
	start();
	stub.hear_rc = 0;
	hear(true);
	cr_expect(signalled(v.config_fd), "its last word counts");
	cr_assert_eq(loop_once(&change_loop, 0, &err), 0);
	cr_expect_eq(stub.hears, 1);
	cr_expect_eq(hook_calls, 0, "that is no failure");
	cr_expect_eq(rd(STATUS, 1), RUNS);
}

Test(virtio_pci, backend_that_fails)
{
	stub.fail = -ETIMEDOUT;
	negotiate();
	set_queue(0, 64, 0x10000);
	wr(STATUS, 1, RUNS);
	cr_expect_eq(rd(STATUS, 1), RUNS | NEEDS);
	cr_expect_eq(fake_doorbell_of(stub.be.kick_fd[0]), 0);
	cr_expect_eq(hook_calls, 1);
	cr_expect_str_eq(hook_text, "stub: told to fail");
	cr_expect_eq(rd(VIRTIO_PCI_DEVCFG_OFF, 4), 0, "a dead device is not asked");
	wr(STATUS, 1, 0);
	cr_expect_eq(hook_calls, 1);
}

Test(virtio_pci, backend_that_fails_to_stop)
{
	start();
	stub.fail = -EPIPE;
	wr(STATUS, 1, 0);
	cr_expect_eq(rd(STATUS, 1), 0);
	cr_expect_eq(hook_calls, 1);
	wr(STATUS, 1, 3);
	cr_expect_eq(rd(STATUS, 1), NEEDS);
}

static void on_away(void *arg UNUSED, const char *device, const struct err *why UNUSED)
{
	cr_assert_str_eq(device, "stub0");
	hook_calls += 100;
}

Test(virtio_pci, a_device_that_may_come_back)
{
	struct err err = {0};
	struct loop loop;
	int sv[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	cr_assert_eq(loop_init(&loop, &err), 0);
	stub.returns = true;
	stub.be.peer_fd = sv[0];
	v.away = (struct device_hook){on_away, NULL};
	cr_assert_eq(virtio_pci_watch(&v, &loop, &err), 0);
	start();
	close(sv[1]);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(loop_once(&loop, 0, &err), 0);
	cr_expect_eq(hook_calls, 100, "it is away, once, and has not failed");
	cr_expect_eq(rd(STATUS, 1), RUNS);
	stub.away = 3;
	wr(VIRTIO_PCI_DEVCFG_OFF, 1, 0x11);
	cr_expect(stub.config[0] == 0x11 && stub.away == 0, "a write waits for it");
	virtio_pci_returned(&v, false);
	cr_expect(signalled(stub.be.call_fd[0]) && !signalled(stub.be.call_fd[1]) &&
			  signalled(stub.be.call_fd[2]),
		  "each queue that is enabled");
	cr_expect_not(signalled(v.config_fd));
	virtio_pci_returned(&v, true);
	cr_expect(signalled(v.config_fd) && stub.be.config_stale);
	loop_done(&loop);
}
