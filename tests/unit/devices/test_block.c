/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/support/block_rig.h"

TestSuite(block, .init = setup, .fini = teardown);

Test(block, writes_and_reads_back)
{
	struct answered a;

	memset(data(0, 0x10000), 1, 0x10000);
	memset(data(0x10000, 0x10000), 2, 0x10000);
	a = request(VIRTIO_BLK_T_OUT, 7, DATA_BYTES);
	cr_assert(a.status == VIRTIO_BLK_S_OK && a.len == 1);
	cr_assert(image_is(7, 128, 1) && image_is(135, 128, 2));
	cr_assert(image_is(6, 1, 0) && image_is(263, 1, 0));
	memset(data(0, 0x10000), FILL, 0x10000);
	a = request(VIRTIO_BLK_T_IN, 134, 1024);
	cr_assert(a.status == VIRTIO_BLK_S_OK && a.len == 1025);
	cr_assert(data(0, 1)[0] == 1 && data(511, 1)[0] == 1 && data(512, 1)[0] == 2 &&
		  data(1023, 1)[0] == 2);
	cr_assert_eq(data(1024, 1)[0], FILL, "written past the buffer");
	a = request(VIRTIO_BLK_T_FLUSH, 0, 0);
	cr_assert(a.status == VIRTIO_BLK_S_OK && a.len == 1);
}

Test(block, more_buffers_than_one_call_takes)
{
	struct vqd_buf buf[126] = {{HEAD_GPA, 16, false}};
	struct answered a;

	put_head(VIRTIO_BLK_T_OUT, 100);
	for (unsigned int i = 1; i < 125; i++) {
		buf[i] = (struct vqd_buf){DATA_GPA + 512 * (124ULL - i), 512, false};
		memset(vqd_at(&mem, buf[i].gpa, 512), (int)i, 512);
	}
	buf[125] = (struct vqd_buf){STATUS_GPA, 1, true};
	vqd_add_indirect(&ring, buf, 126, TABLE_GPA);
	a = submit(&ring);
	cr_assert_eq(a.status, VIRTIO_BLK_S_OK);
	for (unsigned int i = 1; i < 125; i++)
		cr_assert(image_is(99 + i, 1, (uint8_t)i), "buffer %u", i);
	put_head(VIRTIO_BLK_T_IN, 100);
	memset(data(0, 0x10000), 0, 0x10000);
	for (unsigned int i = 1; i < 125; i++)
		buf[i].writable = true;
	vqd_add_indirect(&ring, buf, 126, TABLE_GPA);
	a = submit(&ring);
	cr_assert(a.status == VIRTIO_BLK_S_OK && a.len == 124 * 512 + 1);
	for (unsigned int i = 1; i < 125; i++)
		cr_assert_eq(*(uint8_t *)vqd_at(&mem, buf[i].gpa, 1), i);
}

/* A ring as QEMU's virtio-mmio has it, and one with fewer entries than seg_max and 2 */
Test(block_rings, of_every_size_take_what_seg_max_allows)
{
	for (ring_size = 2; ring_size <= 1024; ring_size *= 2) {
		struct vqd_buf buf[128] = {{HEAD_GPA, 16, false}, [127] = {STATUS_GPA, 1, true}};
		struct answered a;

		setup();
		put_head(VIRTIO_BLK_T_OUT, 0);
		for (unsigned int i = 1; i < 127; i++)
			buf[i] = (struct vqd_buf){DATA_GPA, 512, false};
		for (unsigned int i = 0; i < 2U * ring_size; i += 16) {
			vqd_add_indirect(&ring, buf, 128, TABLE_GPA);
			a = submit(&ring);
			cr_assert_eq(a.status, VIRTIO_BLK_S_OK, "ring of %u", ring_size);
		}
		teardown();
	}
}

Test(block, pieces_of_odd_sizes_make_whole_sectors)
{
	const struct vqd_buf buf[] = {{HEAD_GPA, 3, false},	   {HEAD_GPA + 3, 13, false},
				      {DATA_GPA, 1, true},	   {DATA_GPA + 1, 300, true},
				      {DATA_GPA + 301, 211, true}, {STATUS_GPA, 1, true}};
	struct answered a;

	fill_image(3, 1, 0x77);
	put_head(VIRTIO_BLK_T_IN, 3);
	vqd_add(&ring, buf, ARRAY_SIZE(buf));
	a = submit(&ring);
	cr_assert(a.status == VIRTIO_BLK_S_OK && a.len == 513);
	cr_assert(data(0, 1)[0] == 0x77 && data(511, 1)[0] == 0x77);
}

struct bad_range {
	uint64_t sector;
	uint32_t bytes;
};

Test(block, what_is_not_on_the_disk_is_an_error)
{
	static const struct bad_range bad[] = {
		{SECTORS, 512},	    {SECTORS - 1, 1024},     {UINT64_MAX, 512}, {1ULL << 55, 512},
		{1ULL << 63, 512},  {(1ULL << 55) - 1, 512}, {0, 511},		{0, 513},
		{SECTORS + 1, 512}, {UINT64_MAX, 1024},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct answered a;

		memset(data(0, 1024), FILL, 1024);
		a = request(VIRTIO_BLK_T_OUT, bad[i].sector, bad[i].bytes);
		cr_assert(a.status == VIRTIO_BLK_S_IOERR && a.len == 1, "write %u", i);
		a = request(VIRTIO_BLK_T_IN, bad[i].sector, bad[i].bytes);
		cr_assert(a.status == VIRTIO_BLK_S_IOERR && a.len == bad[i].bytes + 1, "read %u",
			  i);
		cr_assert_eq(data(0, 1)[0], 0, "what used.len claims was not written");
	}
	cr_assert(image_is(0, SECTORS, 0));
	cr_assert_eq(request(VIRTIO_BLK_T_IN, SECTORS - 1, 512).status, VIRTIO_BLK_S_OK);
}

Test(block, an_image_that_shrank_is_an_error)
{
	struct answered a;

	fill_image(0, 2, 1);
	cr_assert_eq(ftruncate(image, 512), 0);
	memset(data(0, 1024), FILL, 1024);
	a = request(VIRTIO_BLK_T_IN, 0, 1024);
	cr_assert(a.status == VIRTIO_BLK_S_IOERR && a.len == 1025);
	cr_assert(data(0, 1)[0] == 0 && data(1023, 1)[0] == 0, "half of what was read is shown");
	cr_assert_eq(ftruncate(image, SECTORS * 512), 0);
	a = request(VIRTIO_BLK_T_IN, 0, 1024);
	cr_assert(a.status == VIRTIO_BLK_S_OK && data(0, 1)[0] == 1, "it does not recover");
}

Test(block, says_who_it_is)
{
	struct answered a = request(VIRTIO_BLK_T_GET_ID, 0, 20);

	cr_assert(a.status == VIRTIO_BLK_S_OK && a.len == 21);
	cr_assert(!memcmp(data(0, 20), "0123456789abcdefghij", 20));
	a = request(VIRTIO_BLK_T_GET_ID, 0, 30);
	cr_assert(a.status == VIRTIO_BLK_S_OK && a.len == 31 && data(20, 1)[0] == 0);
	memset(data(0, 20), FILL, 20);
	a = request(VIRTIO_BLK_T_GET_ID, 0, 4);
	cr_assert(a.status == VIRTIO_BLK_S_OK && a.len == 5 && data(4, 1)[0] == FILL);
}

Test(block, unknown_requests_are_unsupported)
{
	static const uint32_t types[] = {2, 3, 5, 6, 7, 9, 10, 12, 14, 0x80000000, UINT32_MAX};

	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++)
		cr_assert_eq(request(types[i], 0, 512).status, VIRTIO_BLK_S_UNSUPP, "type %u",
			     types[i]);
}

Test(block, more_than_one_queue)
{
	static struct vqd second;

	cr_assert_not(features & 1ULL << VIRTIO_BLK_F_MQ);
	rec.nr_queues = 3;
	teardown();
	start(0);
	cr_assert(features & 1ULL << VIRTIO_BLK_F_MQ);
	start_ring(2, &second, RING_GPA + 0x1000);
	fill_image(5, 1, 5);
	put_head(VIRTIO_BLK_T_IN, 5);
	vqd_add(&second,
		(const struct vqd_buf[]){
			{HEAD_GPA, 16, false}, {DATA_GPA, 512, true}, {STATUS_GPA, 1, true}},
		3);
	cr_assert_eq(submit(&second).status, VIRTIO_BLK_S_OK);
	cr_assert_eq(data(511, 1)[0], 5);
	vup_empty(child.vmm, VUP_GET_QUEUE_NUM, 0);
	cr_assert_eq(answer(VUP_GET_QUEUE_NUM), 3);
}

Test(block, a_batch_larger_than_a_wake_up)
{
	const struct vqd_buf buf[] = {{HEAD_GPA, 16, false}, {STATUS_GPA, 1, true}};
	unsigned int taken = 0;
	uint32_t head, len;

	for (int round = 0; round < 4; round++) {
		put_head(VIRTIO_BLK_T_FLUSH, 0);
		for (int i = 0; i < 64; i++)
			vqd_add(&ring, buf, 2);
		for (submit(&ring), taken = 1; taken < 64;)
			taken += vqd_take(&ring, &head, &len);
	}
}

static void check_broken(const struct vqd_buf *buf, unsigned int nr)
{
	uint32_t head, len;

	put_head(VIRTIO_BLK_T_IN, 0);
	vqd_add(&ring, buf, nr);
	eventfd_write(kick, 1);
	cr_assert(dev_child_wait(error), "the queue is not broken");
	cr_assert_not(vqd_take(&ring, &head, &len));
}

static void hold_child(void)
{
	cr_assert_eq(kill(child.pid, SIGSTOP), 0);
	cr_assert_eq(waitpid(child.pid, NULL, WUNTRACED), child.pid);
}

static void ask_for_ring(void)
{
	vup_state(child.vmm, VUP_GET_VRING_BASE, 0, 0, 0);
}

/* Where it stopped */
static uint32_t get_ring(void)
{
	uint32_t state[2];
	struct vup_msg m;

	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m));
	memcpy(state, m.payload, sizeof(state));
	return state[1];
}

/* The front-end is waiting in the socket when the doorbell rings for requests that can take long. */
Test(block, a_stop_does_not_wait_for_all_requests)
{
	enum { REQUESTS = 120 };
	const struct vqd_buf bufs[] = {{HEAD_GPA, 16, false}, {STATUS_GPA, 1, true}};
	uint32_t stopped_at, head, len;

	put_head(VIRTIO_BLK_T_FLUSH, 0);
	for (unsigned int i = 0; i < REQUESTS; i++)
		vqd_add_indirect(&ring, bufs, 2, TABLE_GPA + 32 * i);
	hold_child();
	eventfd_write(kick, 1);
	ask_for_ring();
	cr_assert_eq(kill(child.pid, SIGCONT), 0);
	stopped_at = get_ring();
	cr_assert_lt(stopped_at, REQUESTS, "the stop came after all of them");
	for (; stopped_at > 0; stopped_at--)
		cr_assert(vqd_take(&ring, &head, &len), "one was begun and not answered");
	cr_assert_not(vqd_take(&ring, &head, &len));
}

/* Writes all guest memory to the disk @times over, in one request */
static void add_long_write(unsigned int times, uint64_t sector)
{
	struct vqd_buf buf[128] = {{HEAD_GPA, 16, false}};

	put_head(VIRTIO_BLK_T_OUT, sector);
	for (unsigned int i = 1; i <= times; i++)
		buf[i] = (struct vqd_buf){0, MEM_BYTES, false};
	buf[times + 1] = (struct vqd_buf){STATUS_GPA, 1, true};
	vqd_add_indirect(&ring, buf, times + 2, TABLE_GPA);
}

static void start_on_large_disk(uint64_t bytes)
{
	teardown();
	cr_assert_eq(ftruncate(image, (off_t)bytes), 0);
	settings.capacity_bytes = bytes;
	start(0);
}

/*
 * A request is left half done when the ring is stopped, and nothing of it was said. It is done whole when
 * the ring goes on, which a front-end that only pauses its guest relies on.
 */
Test(block, a_stop_does_not_wait_for_a_long_request)
{
	enum { TIMES = 120 };
	const uint64_t sectors = TIMES * MEM_BYTES / 512;
	uint32_t head, len;

	start_on_large_disk(TIMES * MEM_BYTES);
	ask_for_ring();
	cr_assert_eq(get_ring(), 0);
	memset(data(0, 512), 7, 512);
	add_long_write(TIMES, 0);
	/* A ring that starts is looked at at once, and the next message was there before the next kick. */
	hold_child();
	vup_fd(child.vmm, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, kick);
	ask_for_ring();
	cr_assert_eq(kill(child.pid, SIGCONT), 0);
	cr_assert_eq(answer(VUP_SET_VRING_KICK), 0);
	cr_assert_eq(get_ring(), 0, "the ring has moved on");
	cr_assert_not(vqd_take(&ring, &head, &len));
	cr_assert_eq(*(uint8_t *)vqd_at(&mem, STATUS_GPA, 1), FILL);
	cr_assert(image_is(DATA_GPA / 512, 1, 7), "the beginning was written");
	cr_assert(image_is(sectors - MEM_BYTES / 512, MEM_BYTES / 512, 0), "the end was not");
	vup_fd(child.vmm, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, kick);
	cr_assert_eq(answer(VUP_SET_VRING_KICK), 0);
	cr_assert_eq(submit(&ring).status, VIRTIO_BLK_S_OK);
	cr_assert(image_is(sectors - (MEM_BYTES - DATA_GPA) / 512, 1, 7));
}

Test(block, long_requests_of_two_queues_do_not_mix)
{
	enum { TIMES = 80 };
	static struct vqd second;
	uint32_t head, len;

	rec.nr_queues = 2;
	start_on_large_disk(2 * TIMES * MEM_BYTES);
	start_ring(1, &second, RING_GPA + 0x1000);
	memset(data(0, 512), 8, 512);
	add_long_write(TIMES, 0);
	eventfd_write(kick, 1);
	/* The header is read when the first piece is: the other queue has one of its own. */
	memcpy(vqd_at(&mem, HEAD_GPA + 0x80, 16),
	       &(struct virtio_blk_outhdr){.type = VIRTIO_BLK_T_OUT,
					   .sector = TIMES * MEM_BYTES / 512},
	       16);
	vqd_add(&second,
		(const struct vqd_buf[]){{HEAD_GPA + 0x80, 16, false},
					 {DATA_GPA, 512, false},
					 {STATUS_GPA + 0x80, 1, true}},
		3);
	cr_assert_eq(submit(&second).len, 1);
	while (!vqd_take(&ring, &head, &len))
		cr_assert(dev_child_wait(call), "no interrupt");
	cr_assert_eq(*(uint8_t *)vqd_at(&mem, STATUS_GPA, 1), VIRTIO_BLK_S_OK);
	cr_assert(image_is(TIMES * MEM_BYTES / 512, 1, 8));
	cr_assert(image_is(((TIMES - 1) * MEM_BYTES + DATA_GPA) / 512, 1, 8));
}

Test(block, no_room_for_a_status_breaks_the_queue)
{
	check_broken((const struct vqd_buf[]){{HEAD_GPA, 16, false}}, 1);
}

Test(block, a_short_header_breaks_the_queue)
{
	check_broken((const struct vqd_buf[]){{HEAD_GPA, 15, false}, {STATUS_GPA, 1, true}}, 2);
}

Test(block, configuration_space)
{
	struct virtio_blk_config c;
	struct vup_msg m;

	vup_config(child.vmm, VUP_GET_CONFIG, 0, 0, sizeof(c), NULL);
	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m));
	memcpy(&c, m.payload + 12, sizeof(c));
	cr_assert(c.capacity == SECTORS && c.blk_size == 512 && c.seg_max == 126);
	cr_assert(c.num_queues == 1 && c.max_discard_seg == 16);
	cr_assert(c.discard_sector_alignment == 1 && c.physical_block_exp == 0);
	vup_config(child.vmm, VUP_SET_CONFIG, VUP_NEED_REPLY, 0, 8, NULL);
	cr_assert_neq(answer(VUP_SET_CONFIG), 0);
}

Test(block_init, refuses_what_is_no_disk)
{
	static const uint64_t bytes[] = {SECTORS * 512, 0, 513, 1ULL << 63, 512, SECTORS * 512,
					 SECTORS * 512};
	static struct device d;
	struct loop loop;

	for (unsigned int i = 0; i < ARRAY_SIZE(bytes); i++) {
		struct err err = {0};

		record(0);
		settings.capacity_bytes = bytes[i];
		rec.nr_res = i == 4 ? 2 : 1;
		settings.unit_bytes = i == 5 ? 256 : i == 6 ? 1536 : 512;
		cr_assert_eq(loop_init(&loop, &err), 0);
		cr_assert_eq(device_init(&d, &block_device, &loop, &err), 0);
		boot_set_settings(&rec, &settings, sizeof(settings));
		cr_assert_eq(block_device.init(&d, &rec, &err) == 0, i == 0, "record %u", i);
		cr_assert_eq(err.code != 0, i != 0);
		device_done(&d);
	}
}

Test(block_init, refuses_what_is_no_image)
{
	static const struct {
		uint32_t direct_mem, nr_res, qcow2;
		const char *why;
	} rows[] = {
		{512, 1, 1, "O_DIRECT"},
		{0, 0, 1, "are not the images"},
		{0, 1, 3, "are not the images"},
	};
	static struct device d;
	struct loop loop;

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err = {0};

		record(0);
		settings.direct_mem = rows[i].direct_mem;
		settings.qcow2 = rows[i].qcow2;
		rec.nr_res = rows[i].nr_res;
		cr_assert_eq(loop_init(&loop, &err), 0);
		cr_assert_eq(device_init(&d, &block_device, &loop, &err), 0);
		boot_set_settings(&rec, &settings, sizeof(settings));
		cr_expect_eq(block_device.init(&d, &rec, &err), -EINVAL, "row %u", i);
		cr_expect(strstr(err.msg, rows[i].why), "row %u: %s", i, err.msg);
		device_done(&d);
	}
}
