/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/dev_rig.h"
#include "tests/support/lock_up.h"

extern const struct device_ops rng_device;

#define DATA_GPA   DEV_RIG_DATA_GPA
#define LAST_BYTES 1000U /* of the first piece of RAM */

static struct dev_rig rig;

static void setup(void)
{
	rig.rec = (struct boot_dev){.name = "rng0", .type = "rng"};
	dev_rig_start(&rig, &rng_device, 0);
	dev_rig_ring(&rig, 0, 512);
}

static void teardown(void)
{
	dev_rig_end(&rig);
}

TestSuite(rng, .init = setup, .fini = teardown);

static unsigned int zeros(uint64_t gpa, uint64_t bytes)
{
	const uint8_t *at = vqd_at(&rig.mem, gpa, bytes);
	unsigned int n = 0;

	for (uint64_t i = 0; i < bytes; i++)
		n += at[i] == 0;
	return n;
}

Test(rng, fills_every_buffer)
{
	const uint64_t end = DEV_RIG_PIECE - LAST_BYTES;
	const struct vqd_buf buf[] = {{DATA_GPA, 1000, true}, {end, LAST_BYTES, true}};

	cr_assert_eq(dev_rig_submit(&rig, 0, buf, 2), 2000);
	cr_assert_lt(zeros(DATA_GPA, 1000), 100, "not random at all");
	cr_assert_lt(zeros(end, LAST_BYTES), 100);
	cr_assert_eq(zeros(DATA_GPA + 1000, 1000), 1000, "written behind a buffer");
	cr_assert_eq(zeros(end - 1000, 1000), 1000, "written before a buffer");
	cr_assert(memcmp(vqd_at(&rig.mem, DATA_GPA, 1000), vqd_at(&rig.mem, end, 1000), 1000));
}

Test(rng, a_request_gets_64_kib_at_most)
{
	const struct vqd_buf buf = {DATA_GPA, 0x30000, true};

	cr_assert_eq(dev_rig_submit(&rig, 0, &buf, 1), 65536);
	cr_assert_eq(zeros(DATA_GPA + 65536, 4096), 4096);
}

/* The VMM gives it memory once: what maps any is given up then. */
Test(rng, settles_with_its_memory)
{
	const struct vqd_buf buf = {DATA_GPA, 100, true};
	char path[64], line[128];
	int filters = 0;
	FILE *status;

	vup_mem_table(rig.child.vmm, VUP_NEED_REPLY, &rig.mem);
	cr_assert_neq(dev_rig_answer(&rig, VUP_SET_MEM_TABLE), 0, "other memory");
	cr_assert_eq(dev_rig_submit(&rig, 0, &buf, 1), 100);
	if (SANITIZED)
		cr_skip_test("sanitized");
	snprintf(path, sizeof(path), "/proc/%d/status", rig.child.pid);
	status = fopen(path, "r");
	cr_assert(status);
	while (fgets(line, sizeof(line), status))
		(void)sscanf(line, "Seccomp_filters: %d", &filters);
	fclose(status);
	cr_expect_eq(filters, 2);
}

Test(rng, what_the_driver_sends_is_not_touched)
{
	const struct vqd_buf mixed[] = {{DATA_GPA, 100, false}, {DATA_GPA + 100, 100, true}};
	const struct vqd_buf nothing = {DATA_GPA, 100, false};

	cr_assert_eq(dev_rig_submit(&rig, 0, mixed, 2), 100);
	cr_assert_eq(dev_rig_submit(&rig, 0, &nothing, 1), 0);
	cr_assert_eq(zeros(DATA_GPA, 100), 100);
}

Test(rng, comes_back_for_more_than_a_batch)
{
	const struct vqd_buf buf = {DATA_GPA, 8, true};

	for (int i = 0; i < DEVICE_BATCH + 1; i++)
		vqd_add(&rig.ring[0], &buf, 1);
	dev_rig_kick(&rig, 0);
	for (int i = 0; i < DEVICE_BATCH + 1; i++)
		cr_assert_eq(dev_rig_take(&rig, 0), 8);
}

Test(rng, a_bad_chain_breaks_the_queue)
{
	const struct vqd_buf bad = {DEV_RIG_PIECE, 8, true}, good = {DATA_GPA, 8, true};

	vqd_add(&rig.ring[0], &bad, 1);
	dev_rig_kick(&rig, 0);
	dev_rig_expect_broken(&rig, 0);
	dev_rig_stop_ring(&rig, 0);
	dev_rig_ring(&rig, 0, 512);
	cr_assert_eq(dev_rig_submit(&rig, 0, &good, 1), 8, "it works again");
}

Test(rng_init, refuses_resources_and_queues)
{
	struct boot_dev rec = {.name = "rng0", .nr_res = 1};
	static struct device d;
	struct err err;

	cr_assert_eq(device_init(&d, &rng_device, NULL, &err), 0);
	cr_assert_lt(rng_device.init(&d, &rec, &err), 0);
	rec.nr_res = 0;
	rec.nr_queues = 2;
	cr_assert_lt(rng_device.init(&d, &rec, &err), 0);
	device_done(&d);
}
