// SPDX-License-Identifier: BSD-3-Clause
#include "vmm/virtio_pci.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/virtio_pci.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "tests/support/fake_vm.h"
#include "tests/support/stub_backend.h"

#define WINDOW	  0xd0000000U
#define RAM_BYTES 0x100000U
#define BAR	  (WINDOW)
#define STATUS	  VIRTIO_PCI_COMMON_STATUS
#define READY	  0x0b /* ACKNOWLEDGE, DRIVER, FEATURES_OK */
#define RUNS	  0x0f
#define NEEDS	  0x40

static struct bus bus;
static struct pci pci;
static struct vm vm;
static struct gmem mem;
static struct stub_backend stub;
static struct virtio_pci v;
static unsigned int hook_calls;
static char hook_text[ERR_MSG_BYTES];

static void on_failed(void *arg UNUSED, const char *device, const struct err *why)
{
	cr_assert_str_eq(device, "stub0");
	hook_calls++;
	strcpy(hook_text, why->msg);
}

static uint64_t rd(uint64_t off, unsigned int len)
{
	uint64_t value = 0;

	bus_access(&bus, BUS_MMIO, false, BAR + off, &value, len);
	return value;
}

static void wr(uint64_t off, unsigned int len, uint64_t value)
{
	bus_access(&bus, BUS_MMIO, true, BAR + off, &value, len);
}

static uint32_t conf(bool write, unsigned int off, unsigned int len, uint32_t value)
{
	uint32_t address = 0x80000000U | v.fn.slot << 11 | (off & 0xfc);

	bus_access(&bus, BUS_PIO, true, 0xcf8, &address, 4);
	bus_access(&bus, BUS_PIO, write, 0xcfc + (off & 3), &value, len);
	return value;
}

static void setup(void)
{
	static const struct virtio_pci_args args = {&stub.be, &pci, &vm, &mem};
	struct err err = {0};
	int fd = memfd_create("ram", MFD_CLOEXEC);

	cr_assert_eq(ftruncate(fd, RAM_BYTES), 0);
	cr_assert_eq(gmem_map(&mem, fd, 0, 0, RAM_BYTES, 0, &err), 0, "%s", err.msg);
	bus_init(&bus);
	cr_assert_eq(pci_init(&pci, &bus, WINDOW, 0x100000, &err), 0);
	stub_init(&stub, &mem);
	cr_assert_eq(virtio_pci_init(&v, &args, &err), 0, "%s", err.msg);
	v.hook = (struct device_hook){on_failed, NULL};
	conf(true, 4, 2, 6);
}

static void driver_features(uint64_t features)
{
	for (unsigned int i = 0; i < 2; i++) {
		wr(VIRTIO_PCI_COMMON_GFSELECT, 4, i);
		wr(VIRTIO_PCI_COMMON_GF, 4, (uint32_t)(features >> 32 * i));
	}
}

static void set_queue(uint16_t q, uint16_t size, uint64_t at)
{
	wr(VIRTIO_PCI_COMMON_Q_SELECT, 2, q);
	wr(VIRTIO_PCI_COMMON_Q_SIZE, 2, size);
	wr(VIRTIO_PCI_COMMON_Q_DESCLO, 4, at);
	wr(VIRTIO_PCI_COMMON_Q_DESCHI, 4, at >> 32);
	wr(VIRTIO_PCI_COMMON_Q_AVAILLO, 8, at + 0x1000);
	wr(VIRTIO_PCI_COMMON_Q_USEDLO, 8, at + 0x2000);
	wr(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
}

/* As a driver does it, up to before DRIVER_OK. */
static void negotiate(void)
{
	wr(STATUS, 1, 0);
	wr(STATUS, 1, 1);
	wr(STATUS, 1, 3);
	driver_features(STUB_FEATURES);
	wr(STATUS, 1, READY);
	cr_assert_eq(rd(STATUS, 1), READY);
}

static void start(void)
{
	negotiate();
	set_queue(0, 64, 0x10000);
	set_queue(2, 16, 0x20000);
	wr(STATUS, 1, RUNS);
	cr_assert_eq(rd(STATUS, 1), RUNS);
	cr_assert(stub.running);
}

static bool signalled(int fd)
{
	uint64_t count;

	return read(fd, &count, sizeof(count)) == sizeof(count);
}

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

Test(virtio_pci, registers_after_reset)
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

Test(virtio_pci, feature_words)
{
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_DF, 4), (uint32_t)STUB_FEATURES);
	wr(VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_DF, 4), STUB_FEATURES >> 32);
	wr(VIRTIO_PCI_COMMON_DFSELECT, 4, 2);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_DF, 4), 0);
	wr(VIRTIO_PCI_COMMON_DFSELECT, 4, 0xffffffff);
	cr_expect_eq(rd(VIRTIO_PCI_COMMON_DF, 4), 0);
}

Test(virtio_pci, features_ok_sticks_only_for_an_offer)
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

Test(virtio_pci, features_are_frozen)
{
	negotiate();
	driver_features(~0ULL);
	wr(STATUS, 1, RUNS);
	cr_expect_eq(stub.features, STUB_FEATURES);
}

Test(virtio_pci, status_order)
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

Test(virtio_pci, start_hands_over_the_queues)
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

Test(virtio_pci, queue_registers_are_closed_outside_their_time)
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

Test(virtio_pci, queues_that_are_refused)
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

Test(virtio_pci, queue_select_past_the_end_writes_nothing)
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

Test(virtio_pci, reset_stops_the_device)
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
	cr_expect_eq(fake_gsi_of(stub.be.call_fd[2]), 0);
	conf(true, cap + 2, 2, 0x8000);
	cr_expect_neq(fake_gsi_of(stub.be.call_fd[2]), 0);
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
	cr_expect_eq(hook_calls, 0, "what it says is read by whoever asked");
	close(sv[1]);
	cr_assert_eq(loop_once(&loop, 0, &err), 0);
	cr_expect_eq(rd(STATUS, 1), RUNS | NEEDS);
	cr_expect_eq(hook_calls, 1);
	cr_expect_str_eq(hook_text, "the device's process is gone");
	wr(STATUS, 1, 0);
	cr_expect_eq(rd(STATUS, 1), 0, "a driver that waits for its reset is not left waiting");
	cr_expect_eq(stub.stops, 0, "nobody is there to be stopped");
	wr(STATUS, 1, 1);
	cr_expect_eq(rd(STATUS, 1), NEEDS);
	cr_assert_eq(loop_once(&loop, 0, &err), 0);
	cr_expect_eq(hook_calls, 1);
	loop_done(&loop);
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
