/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/virtio_balloon.h>
#include <sys/stat.h>

#include "devices/core/settings.h"
#include "tests/support/dev_rig.h"

extern const struct device_ops balloon_device;

#define F(f)	 (1ULL << VIRTIO_BALLOON_F_##f)
#define PAGE	 4096ULL
#define LIST_GPA DEV_RIG_DATA_GPA /* page numbers */
#define DATA_GPA 0x100000ULL	  /* pages to give up; 256 of them */
#define PAGES	 256U
#define FIRST	 ((uint32_t)(DATA_GPA / PAGE))
#define NUM_OFF	 0
#define ACTUAL	 4
#define POISON	 12

enum { INFLATE, DEFLATE, STATS, REPORTS };

static struct dev_rig rig;

static void start_asking(uint64_t want, uint64_t bytes)
{
	const struct balloon_settings s = {.size_bytes = bytes, .deflate_on_oom = 1};

	rig.rec = (struct boot_dev){.name = "balloon0", .type = "balloon"};
	boot_set_settings(&rig.rec, &s, sizeof(s));
	dev_rig_start(&rig, &balloon_device, want);
	dev_rig_ring(&rig, INFLATE, 128);
	dev_rig_ring(&rig, DEFLATE, 128);
	memset(vqd_at(&rig.mem, DATA_GPA, PAGES * PAGE), 0x5a, PAGES * PAGE);
}

static void start(uint64_t want)
{
	start_asking(want, 0);
}

static uint64_t host_bytes(void)
{
	struct stat st;

	cr_assert_eq(fstat(rig.mem.fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

/* Whether page @i of the guest's data has been given up: it reads as zeros */
static bool gone(unsigned int i)
{
	static const uint8_t zeros[PAGE];
	const uint8_t *at = vqd_at(&rig.mem, DATA_GPA + i * PAGE, PAGE);

	cr_assert(memcmp(at, zeros, PAGE) == 0 || (at[0] == 0x5a && at[PAGE - 1] == 0x5a));
	return at[0] == 0;
}

static unsigned int count_gone(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < PAGES; i++)
		n += gone(i);
	return n;
}

/* Writes page numbers where a request finds them */
static struct vqd_buf numbers(const uint32_t *page, uint32_t nr)
{
	memcpy(vqd_at(&rig.mem, LIST_GPA, 4 * nr), page, 4 * nr);
	return (struct vqd_buf){LIST_GPA, 4 * nr, false};
}

static uint32_t inflate(const uint32_t *page, uint32_t nr)
{
	const struct vqd_buf buf = numbers(page, nr);

	return dev_rig_submit(&rig, INFLATE, &buf, 1);
}

/* ---- inflate and deflate ---- */

Test(balloon, what_it_takes_leaves_the_host)
{
	uint32_t page[PAGES];
	uint64_t before;

	start(0);
	for (uint32_t i = 0; i < PAGES; i++)
		page[i] = FIRST + i;
	(void)numbers(page, PAGES);
	before = host_bytes();
	cr_assert_eq(inflate(page, PAGES), 0);
	cr_assert_eq(before - host_bytes(), PAGES * PAGE, "%lu of %lu bytes left",
		     before - host_bytes(), before);
	cr_assert_eq(count_gone(), PAGES);
	memset(vqd_at(&rig.mem, DATA_GPA, PAGE), 0x5a, PAGE);
	cr_assert_not(gone(0), "the guest may use it again at once");
	dev_rig_end(&rig);
}

Test(balloon, takes_the_pages_named_and_no_other)
{
	/* up, down, one alone, a pair the wrong way round, one twice */
	static const uint32_t page[] = {FIRST + 10, FIRST + 11, FIRST + 12, FIRST + 31,
					FIRST + 30, FIRST + 29, FIRST + 50, FIRST + 71,
					FIRST + 70, FIRST + 50, FIRST + 255};
	static const bool named[PAGES] = {[10] = 1, [11] = 1, [12] = 1, [29] = 1, [30] = 1,
					  [31] = 1, [50] = 1, [70] = 1, [71] = 1, [255] = 1};

	start(0);
	cr_assert_eq(inflate(page, ARRAY_SIZE(page)), 0);
	for (unsigned int i = 0; i < PAGES; i++)
		cr_assert_eq(gone(i), named[i], "page %u", i);
	dev_rig_end(&rig);
}

Test(balloon, takes_long_lists_in_pieces)
{
	static uint32_t page[3000];
	const struct vqd_buf buf[] = {{LIST_GPA, 4099, false}, {LIST_GPA + 4099, 7901, false}};

	start(0);
	for (uint32_t i = 0; i < ARRAY_SIZE(page); i++)
		page[i] = FIRST + i % 100;
	page[ARRAY_SIZE(page) - 1] = FIRST + 200;
	(void)numbers(page, ARRAY_SIZE(page));
	cr_assert_eq(dev_rig_submit(&rig, INFLATE, buf, 2), 0);
	cr_assert_eq(count_gone(), 101);
	dev_rig_end(&rig);
}

/* A list of any length must not keep the device from its other queues */
Test(balloon, looks_at_so_many_numbers_of_a_request)
{
	const uint32_t bytes = 4 * 65537;
	const struct vqd_buf buf = {LIST_GPA, bytes, false};
	uint32_t *list;

	start(0);
	list = vqd_at(&rig.mem, LIST_GPA, bytes);
	for (uint32_t i = 0; i < 65536; i++)
		list[i] = FIRST;
	list[65536] = UINT32_MAX;
	cr_assert_eq(dev_rig_submit(&rig, INFLATE, &buf, 1), 0, "the last is not looked at");
	cr_assert_eq(count_gone(), 1);
	dev_rig_end(&rig);
}

Test(balloon, a_page_outside_ram_breaks_the_queue)
{
	static const uint64_t outside[] = {DEV_RIG_PIECE, DEV_RIG_SECOND - PAGE,
					   DEV_RIG_SECOND + DEV_RIG_PIECE, UINT32_MAX * PAGE};

	start(0);
	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		const uint32_t page[] = {(uint32_t)(outside[i] / PAGE), FIRST + 1};
		const struct vqd_buf buf = numbers(page, 2);

		vqd_add(&rig.ring[INFLATE], &buf, 1);
		dev_rig_kick(&rig, INFLATE);
		dev_rig_expect_broken(&rig, INFLATE);
		dev_rig_stop_ring(&rig, INFLATE);
		dev_rig_ring(&rig, INFLATE, 128);
	}
	cr_assert_eq(count_gone(), 0, "pages behind a bad number");
	dev_rig_end(&rig);
}

Test(balloon, a_run_ends_where_ram_ends)
{
	static const uint32_t page[] = {DEV_RIG_PIECE / PAGE - 1, DEV_RIG_SECOND / PAGE,
					DEV_RIG_SECOND / PAGE + 1};
	uint64_t before;

	start(0);
	for (unsigned int i = 0; i < 3; i++)
		memset(vqd_at(&rig.mem, page[i] * PAGE, PAGE), 1, PAGE);
	(void)numbers(page, 3);
	before = host_bytes();
	cr_assert_eq(inflate(page, 3), 0);
	cr_assert_eq(before - host_bytes(), 3 * PAGE);
	dev_rig_end(&rig);
}

/* The guest's own rings among the pages: it loses its queue, the device nothing */
Test(balloon, a_driver_may_give_up_its_own_rings)
{
	static const uint32_t page[] = {DEV_RIG_GPA(INFLATE) / PAGE, DEV_RIG_GPA(DEFLATE) / PAGE,
					LIST_GPA / PAGE};
	const struct vqd_buf buf = {LIST_GPA, sizeof(page), false};

	start(0);
	(void)numbers(page, 3);
	for (unsigned int i = 0; i < 20; i++)
		vqd_add(&rig.ring[INFLATE], &buf, 1);
	dev_rig_kick(&rig, INFLATE);
	dev_rig_expect_broken(&rig, INFLATE);
	dev_rig_stop_ring(&rig, INFLATE);
	dev_rig_ring(&rig, INFLATE, 128);
	cr_assert_eq(inflate((uint32_t[]){FIRST}, 1), 0);
	cr_assert(gone(0));
	dev_rig_end(&rig);
}

Test(balloon, answers_what_is_deflated)
{
	static const uint32_t page[] = {FIRST, UINT32_MAX};
	const struct vqd_buf buf[] = {{LIST_GPA, sizeof(page), false}};

	start(0);
	(void)numbers(page, 2);
	cr_assert_eq(dev_rig_submit(&rig, DEFLATE, buf, 1), 0);
	cr_assert_eq(count_gone(), 0);
	dev_rig_end(&rig);
}

/* ---- reports ---- */

static void expect_reports_on(unsigned int q)
{
	const struct vqd_buf buf[] = {{DATA_GPA + PAGE, 7 * PAGE, true},
				      {DATA_GPA + 100 * PAGE, PAGE, true}};

	dev_rig_ring(&rig, q, 32);
	cr_assert_eq(dev_rig_submit(&rig, q, buf, 2), 0);
	cr_assert_eq(count_gone(), 8);
	cr_assert(!gone(0) && gone(1) && gone(7) && !gone(8) && gone(100));
	dev_rig_end(&rig);
}

Test(balloon, reports_come_on_the_queue_that_linux_uses)
{
	start(F(STATS_VQ) | F(REPORTING));
	expect_reports_on(REPORTS);
}

Test(balloon, reports_come_on_the_queue_that_linux_uses_without_statistics)
{
	start(F(REPORTING));
	expect_reports_on(STATS);
}

Test(balloon, reports_come_on_the_queue_of_the_specification)
{
	start(F(STATS_VQ) | F(REPORTING));
	expect_reports_on(4);
}

Test(balloon, a_report_gives_up_whole_pages_only)
{
	const struct vqd_buf buf[] = {{DATA_GPA + 1, 3 * PAGE, true},
				      {DATA_GPA + 10 * PAGE + 1, PAGE - 1, true},
				      {DATA_GPA + 20 * PAGE, PAGE - 1, true},
				      {DATA_GPA + 30 * PAGE, 1, true}};

	start(F(REPORTING));
	dev_rig_ring(&rig, STATS, 32);
	cr_assert_eq(dev_rig_submit(&rig, STATS, buf, 4), 0);
	cr_assert_eq(count_gone(), 2);
	cr_assert(!gone(0) && gone(1) && gone(2) && !gone(3));
	dev_rig_end(&rig);
}

Test(balloon, a_report_on_a_queue_that_was_not_negotiated_breaks_it)
{
	const struct vqd_buf buf = {DATA_GPA, PAGE, true};

	start(0);
	for (unsigned int q = STATS; q < 5; q++) {
		dev_rig_ring(&rig, q, 32);
		vqd_add(&rig.ring[q], &buf, 1);
		dev_rig_kick(&rig, q);
		dev_rig_expect_broken(&rig, q);
	}
	cr_assert_eq(count_gone(), 0);
	dev_rig_end(&rig);
}

Test(balloon, a_report_may_name_the_ring_it_lies_in)
{
	const struct vqd_buf buf = {0, DEV_RIG_PIECE, true};

	start(F(REPORTING));
	dev_rig_ring(&rig, STATS, 32);
	for (unsigned int i = 0; i < 20; i++)
		vqd_add(&rig.ring[STATS], &buf, 1);
	dev_rig_kick(&rig, STATS);
	dev_rig_expect_broken(&rig, STATS);
	cr_assert_eq(count_gone(), PAGES);
	dev_rig_end(&rig);
}

/* A guest that fills its free pages with a pattern must find it again */
Test(balloon, what_is_poisoned_stays)
{
	const uint32_t pattern = 0xaaaaaaaa, zero = 0;
	const struct vqd_buf buf = {DATA_GPA, PAGE, true};

	start(F(REPORTING) | F(PAGE_POISON));
	dev_rig_ring(&rig, STATS, 32);
	dev_rig_submit(&rig, STATS, &buf, 1);
	cr_assert_not(gone(0), "the driver has not said what its pages hold");
	cr_assert(dev_rig_set_config(&rig, POISON, &pattern, 4));
	dev_rig_submit(&rig, STATS, &buf, 1);
	cr_assert_not(gone(0));
	cr_assert(dev_rig_set_config(&rig, POISON, &zero, 4));
	dev_rig_submit(&rig, STATS, &buf, 1);
	cr_assert(gone(0));
	dev_rig_end(&rig);
}

/* ---- configuration space ---- */

Test(balloon, the_driver_reads_what_is_wanted_and_says_what_it_has)
{
	const uint32_t v = 0x01020304, deep[2] = {1, 2};

	start_asking(0, 100 * PAGE);
	cr_assert_eq(dev_rig_config(&rig, NUM_OFF), 100);
	cr_assert_eq(dev_rig_config(&rig, ACTUAL), 0);
	cr_assert(dev_rig_set_config(&rig, ACTUAL, &v, 4));
	cr_assert_eq(dev_rig_config(&rig, ACTUAL), v);
	cr_assert(dev_rig_set_config(&rig, ACTUAL + 3, &v, 1), "a byte at a time");
	cr_assert_eq(dev_rig_config(&rig, ACTUAL), 0x04020304);
	cr_assert_not(dev_rig_set_config(&rig, NUM_OFF, &v, 4), "what is wanted is the host's");
	cr_assert_not(dev_rig_set_config(&rig, NUM_OFF + 2, &v, 4));
	cr_assert_not(dev_rig_set_config(&rig, ACTUAL, deep, 8));
	cr_assert_not(dev_rig_set_config(&rig, 8, &v, 4), "for a feature that is not offered");
	cr_assert_eq(dev_rig_config(&rig, NUM_OFF), 100);
	dev_rig_end(&rig);
}

Test(balloon, no_more_is_wanted_than_there_is)
{
	start_asking(0, 1ULL << 40);
	cr_assert_eq(dev_rig_config(&rig, NUM_OFF), DEV_RIG_RAM_BYTES / PAGE);
	dev_rig_end(&rig);
}

/* ---- requests of the supervisor ---- */

static struct ctl_msg ask_size(uint32_t code, uint64_t bytes)
{
	struct ctl_msg m = {.type = CTL_BALLOON, .code = code, .arg = bytes};

	dev_rig_ask(&rig, &m);
	return m;
}

static bool hears_change(int channel)
{
	struct vup_msg m;

	return vup_recv(channel, &m) && m.request == VUP_BACKEND_CONFIG_CHANGE;
}

Test(balloon, its_size_is_told_and_set)
{
	const uint32_t actual = 7;
	struct ctl_msg m;
	int channel;

	start(0);
	channel = dev_rig_channel(&rig);
	m = ask_size(CTL_BALLOON_SET, 10 * PAGE);
	cr_assert_eq(m.code, 0);
	cr_assert_eq(m.value[CTL_BALLOON_TARGET], 10 * PAGE);
	cr_assert(hears_change(channel), "the driver hears of it");
	cr_assert_eq(dev_rig_config(&rig, NUM_OFF), 10);
	cr_assert(dev_rig_set_config(&rig, ACTUAL, &actual, 4));
	m = ask_size(0, 99 * PAGE);
	cr_assert_eq(m.value[CTL_BALLOON_TARGET], 10 * PAGE, "only asked");
	cr_assert_eq(m.value[CTL_BALLOON_ACTUAL], 7 * PAGE);
	ask_size(CTL_BALLOON_SET, 10 * PAGE);
	cr_assert_not(hears_change(channel), "nothing has changed");
	m = ask_size(CTL_BALLOON_SET, DEV_RIG_RAM_BYTES);
	cr_assert(m.code == 0 && hears_change(channel));
	m = ask_size(CTL_BALLOON_SET, 0);
	cr_assert(m.code == 0 && hears_change(channel));
	dev_rig_end(&rig);
}

Test(balloon, a_size_that_cannot_be_changes_nothing)
{
	struct ctl_msg m;

	start_asking(0, PAGE);
	m = ask_size(CTL_BALLOON_SET, DEV_RIG_RAM_BYTES + PAGE);
	cr_assert_eq(m.code, EINVAL);
	cr_assert_str_eq(m.text, "the balloon must be at most the guest's 16777216 bytes of RAM, "
				 "not 16781312");
	m = ask_size(CTL_BALLOON_SET, PAGE + 1);
	cr_assert_eq(m.code, EINVAL);
	m = ask_size(CTL_BALLOON_SET, UINT64_MAX);
	cr_assert_eq(m.code, EINVAL);
	cr_assert_eq(dev_rig_config(&rig, NUM_OFF), 1);
	dev_rig_end(&rig);
}

static struct ctl_msg ask_stats(bool fresh)
{
	struct ctl_msg m = {.type = CTL_BALLOON_STATS, .code = fresh};

	dev_rig_ask(&rig, &m);
	cr_assert_eq(m.code, 0);
	return m;
}

/* The driver sends statistics: one number, and one of a tag that the device does not know */
static void send_stats(uint16_t tag, uint64_t value)
{
	const struct virtio_balloon_stat s[] = {{tag, value}, {1000, 1}};
	const struct vqd_buf buf = {LIST_GPA, sizeof(s), false};

	memcpy(vqd_at(&rig.mem, LIST_GPA, sizeof(s)), s, sizeof(s));
	vqd_add(&rig.ring[STATS], &buf, 1);
	dev_rig_kick(&rig, STATS);
}

/* Asks until the device has heard of @updates */
static struct ctl_msg stats_after(uint64_t updates)
{
	struct ctl_msg m;

	do
		m = ask_stats(false);
	while (m.value[CTL_BALLOON_UPDATES] < updates);
	cr_assert_eq(m.value[CTL_BALLOON_UPDATES], updates);
	return m;
}

Test(balloon, statistics_come_when_they_are_asked_for)
{
	struct ctl_msg m;

	start(F(STATS_VQ));
	m = ask_stats(true);
	cr_assert_eq(m.value[CTL_BALLOON_KNOWN], 0, "no driver that could answer");
	dev_rig_ring(&rig, STATS, 16);
	send_stats(VIRTIO_BALLOON_S_MEMFREE, 1ULL << 40);
	m = stats_after(1);
	cr_assert_eq(m.value[CTL_BALLOON_KNOWN],
		     CTL_BALLOON_ANSWERS | 1 << VIRTIO_BALLOON_S_MEMFREE);
	cr_assert_eq(m.value[CTL_BALLOON_STAT + VIRTIO_BALLOON_S_MEMFREE], 1ULL << 40);
	for (unsigned int i = 2; i < 5; i++) {
		m = ask_stats(true);
		cr_assert_eq(m.value[CTL_BALLOON_UPDATES], i - 1, "the last ones, until then");
		cr_assert_eq(dev_rig_take(&rig, STATS), 0, "the driver gets its buffer");
		(void)ask_stats(true);
		send_stats(VIRTIO_BALLOON_S_SWAP_IN, i);
		m = stats_after(i);
		cr_assert_eq(m.value[CTL_BALLOON_STAT + VIRTIO_BALLOON_S_SWAP_IN], i);
		cr_assert_eq(m.value[CTL_BALLOON_STAT + VIRTIO_BALLOON_S_MEMFREE], 0);
	}
	dev_rig_end(&rig);
}

Test(balloon, a_ring_that_stops_gets_its_statistics_back)
{
	start(F(STATS_VQ));
	dev_rig_ring(&rig, STATS, 16);
	send_stats(VIRTIO_BALLOON_S_MEMFREE, 1);
	(void)stats_after(1);
	cr_assert_eq(dev_rig_stop_ring(&rig, STATS), 0, "the chain counts as not taken");
	cr_assert_eq(ask_stats(true).value[CTL_BALLOON_KNOWN], 1 << VIRTIO_BALLOON_S_MEMFREE);
	vup_fd(rig.child.vmm, VUP_SET_VRING_KICK, VUP_NEED_REPLY, STATS, rig.kick[STATS]);
	cr_assert_eq(dev_rig_answer(&rig, VUP_SET_VRING_KICK), 0);
	(void)stats_after(2);
	(void)ask_stats(true);
	(void)dev_rig_take(&rig, STATS);
	dev_rig_end(&rig);
}

/* More buffers than one, of any size: all but the last come back */
Test(balloon, statistics_of_a_driver_that_knows_no_measure)
{
	static const uint32_t bytes[] = {1, 9, 11, 4096, 0x10000};

	start(F(STATS_VQ));
	dev_rig_ring(&rig, STATS, 16);
	for (unsigned int i = 0; i < ARRAY_SIZE(bytes); i++) {
		const struct vqd_buf buf = {LIST_GPA, bytes[i], i == 1};

		vqd_add(&rig.ring[STATS], &buf, 1);
	}
	dev_rig_kick(&rig, STATS);
	for (unsigned int i = 1; i < ARRAY_SIZE(bytes); i++)
		(void)dev_rig_take(&rig, STATS);
	(void)stats_after(ARRAY_SIZE(bytes));
	(void)ask_stats(true);
	(void)dev_rig_take(&rig, STATS);
	dev_rig_end(&rig);
}

/* ---- setting up ---- */

static int init_with(const struct balloon_settings *s, unsigned int nr_res, uint64_t *ret_features)
{
	struct boot_dev rec = {.name = "balloon0", .nr_res = (uint16_t)nr_res};
	static struct device d;
	struct err err;
	int rc;

	boot_set_settings(&rec, s, sizeof(*s));
	cr_assert_eq(device_init(&d, &balloon_device, NULL, &err), 0);
	rc = balloon_device.init(&d, &rec, &err);
	*ret_features = d.features;
	device_done(&d);
	return rc;
}

Test(balloon_init, offers_what_its_settings_say)
{
	struct balloon_settings s = {.deflate_on_oom = 1};
	uint64_t f;

	cr_assert_eq(init_with(&s, 0, &f), 0);
	cr_assert_eq(f, F(STATS_VQ) | F(DEFLATE_ON_OOM) | F(PAGE_POISON) | F(REPORTING));
	s.deflate_on_oom = 0;
	cr_assert_eq(init_with(&s, 0, &f), 0);
	cr_assert_eq(f, F(STATS_VQ) | F(PAGE_POISON) | F(REPORTING));
}

Test(balloon_init, refuses_what_cannot_be)
{
	struct balloon_settings s = {.deflate_on_oom = 1};
	uint64_t f;

	cr_assert_lt(init_with(&s, 1, &f), 0);
	s.deflate_on_oom = 2;
	cr_assert_lt(init_with(&s, 0, &f), 0);
	s = (struct balloon_settings){.size_bytes = 1ULL << 44};
	cr_assert_lt(init_with(&s, 0, &f), 0);
}

Test(balloon_init, takes_requests_of_its_own_only)
{
	static struct device d;
	struct ctl_msg m = {.type = CTL_NET};
	struct err err;
	int fd = -1;

	cr_assert_eq(device_init(&d, &balloon_device, NULL, &err), 0);
	cr_expect_eq(balloon_device.control(&d, &m, &fd, &err), -EPROTO);
	m.type = CTL_BALLOON;
	cr_expect_eq(balloon_device.control(&d, &m, &fd, &err), 0);
	device_done(&d);
}
