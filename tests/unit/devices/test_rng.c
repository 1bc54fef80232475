/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/eventfd.h>

#include "devices/core/device.h"
#include "tests/support/vq_driver.h"

extern const struct device_ops rng_device;

#define DATA_GPA 0x10000
#define DATA_MAX 0x30000

static struct device dev;
static struct vqd_mem mem;
static struct vqd ring;

/* The device on a ring without a front-end: queue() is called as its doorbell would */
static void setup(void)
{
	static const struct vqd_piece pieces[] = {{0, 0x18000}, {0x18000, 0x28000}};
	static struct boot_dev rec = {.name = "rng0"};
	struct vq_layout layout;
	struct err err;

	vqd_mem_init(&mem, pieces, ARRAY_SIZE(pieces));
	vqd_init(&ring, &mem, 512, 0x1000, 0);
	layout = vqd_layout(&ring);
	cr_assert_eq(device_init(&dev, &rng_device, NULL, &err), 0);
	cr_assert_eq(rng_device.init(&dev, &rec, &err), 0);
	vqd_mem_map(&mem, &dev.mem);
	cr_assert_eq(vq_setup(&dev.vq[0], &dev.mem, &layout, &err), 0);
	dev.call_fd[0] = eventfd(0, EFD_NONBLOCK);
	dev.err_fd[0] = eventfd(0, EFD_NONBLOCK);
}

static void teardown(void)
{
	device_done(&dev);
}

TestSuite(rng, .init = setup, .fini = teardown);

static uint64_t count(int fd)
{
	eventfd_t v = 0;

	return eventfd_read(fd, &v) == 0 ? v : 0;
}

static uint32_t take(void)
{
	uint32_t head, len;

	cr_assert(vqd_take(&ring, &head, &len), "no answer");
	return len;
}

static unsigned int zeros(uint64_t gpa, uint64_t bytes)
{
	unsigned int n = 0;

	for (uint64_t i = 0; i < bytes; i++)
		n += *(uint8_t *)vqd_at(&mem, gpa + i, 1) == 0;
	return n;
}

Test(rng, fills_every_buffer)
{
	const struct vqd_buf buf[] = {{DATA_GPA, 1000, true}, {DATA_GPA + 2000, 1000, true}};

	vqd_add(&ring, buf, 2);
	rng_device.queue(&dev, 0);
	cr_assert_eq(take(), 2000);
	cr_assert_eq(count(dev.call_fd[0]), 1);
	cr_assert_lt(zeros(DATA_GPA, 1000), 100, "not random at all");
	cr_assert_lt(zeros(DATA_GPA + 2000, 1000), 100);
	cr_assert_eq(zeros(DATA_GPA + 1000, 1000), 1000, "written between the buffers");
	cr_assert_eq(zeros(DATA_GPA + 3000, 1000), 1000, "written behind the buffers");
	cr_assert(memcmp(vqd_at(&mem, DATA_GPA, 1000), vqd_at(&mem, DATA_GPA + 2000, 1000), 1000));
}

Test(rng, a_request_gets_64_kib_at_most)
{
	const struct vqd_buf buf = {DATA_GPA, DATA_MAX, true};

	vqd_add(&ring, &buf, 1);
	rng_device.queue(&dev, 0);
	cr_assert_eq(take(), 65536);
	cr_assert_eq(zeros(DATA_GPA + 65536, 4096), 4096);
}

Test(rng, what_the_driver_sends_is_not_touched)
{
	const struct vqd_buf mixed[] = {{DATA_GPA, 100, false}, {DATA_GPA + 100, 100, true}};
	const struct vqd_buf nothing = {DATA_GPA, 100, false};

	vqd_add(&ring, mixed, 2);
	vqd_add(&ring, &nothing, 1);
	rng_device.queue(&dev, 0);
	cr_assert_eq(take(), 100);
	cr_assert_eq(take(), 0);
	cr_assert_eq(zeros(DATA_GPA, 100), 100);
}

Test(rng, comes_back_for_more_than_a_batch)
{
	const struct vqd_buf buf = {DATA_GPA, 8, true};

	dev.kick_fd[0] = eventfd(0, EFD_NONBLOCK);
	for (int i = 0; i < DEVICE_BATCH; i++)
		vqd_add(&ring, &buf, 1);
	rng_device.queue(&dev, 0);
	cr_assert_eq(count(dev.kick_fd[0]), 1, "the budget is spent: ask again");
	for (int i = 0; i < DEVICE_BATCH; i++)
		cr_assert_eq(take(), 8);
	rng_device.queue(&dev, 0);
	cr_assert_eq(count(dev.kick_fd[0]), 0, "nothing left");
}

Test(rng, a_bad_chain_breaks_the_queue)
{
	const struct vqd_buf bad = {0x100000, 8, true};

	vqd_add(&ring, &bad, 1);
	rng_device.queue(&dev, 0);
	cr_assert_eq(count(dev.err_fd[0]), 1);
	cr_assert_str_eq(dev.vq[0].why, "buffer outside guest memory");
}

Test(rng, init_refuses_resources_and_queues)
{
	static struct boot_dev rec = {.name = "rng0", .nr_res = 1};
	struct err err;

	cr_assert_lt(rng_device.init(&dev, &rec, &err), 0);
	rec.nr_res = 0;
	rec.nr_queues = 2;
	cr_assert_lt(rng_device.init(&dev, &rec, &err), 0);
}
