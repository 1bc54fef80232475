/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/support/dev_child.h"
#include "tests/support/vu_peer.h"

extern const struct device_ops block_device;

#define SECTORS	   2048ULL
#define F_FLUSH	   (1ULL << VIRTIO_BLK_F_FLUSH)
#define RING_GPA   0x1000
#define HEAD_GPA   0x4000
#define STATUS_GPA 0x4100
#define TABLE_GPA  0x5000
#define DATA_GPA   0x10000
#define DATA_BYTES 0x20000 /* crosses from one piece of memory into the next */
#define FILL	   0xa5

static struct dev_child child;
static struct vqd_mem mem;
static struct vqd ring;
static int image, kick, call, error;
static uint64_t features;

/* ---- a front-end and a driver ---- */

static struct boot_dev rec;

static void record(uint32_t flags)
{
	rec = (struct boot_dev){.name = "block0", .type = "block", .nr_res = 1, .flags = flags};
	rec.block.capacity_bytes = SECTORS * 512;
	memcpy(rec.block.serial, "0123456789abcdefghij", 20);
}

static uint64_t answer(uint32_t request)
{
	struct vup_msg m;
	uint64_t v;

	cr_assert(dev_child_wait(child.bus) && vup_recv(child.bus, &m), "request %u", request);
	cr_assert(m.request == request && m.bytes == 8);
	memcpy(&v, m.payload, sizeof(v));
	return v;
}

static void start_ring(unsigned int q, struct vqd *r, uint64_t gpa)
{
	vqd_init(r, &mem, 128, gpa, 0);
	vup_state(child.bus, VUP_SET_VRING_NUM, 0, q, r->size);
	vup_state(child.bus, VUP_SET_VRING_BASE, 0, q, 0);
	vup_addr(child.bus, 0, q, r);
	vup_fd(child.bus, VUP_SET_VRING_CALL, 0, q, call);
	vup_fd(child.bus, VUP_SET_VRING_ERR, 0, q, error);
	vup_fd(child.bus, VUP_SET_VRING_KICK, VUP_NEED_REPLY, q, kick);
	cr_assert_eq(answer(VUP_SET_VRING_KICK), 0);
	vup_state(child.bus, VUP_SET_VRING_ENABLE, 0, q, 1);
}

/* Starts the device on @image; @leave are features the driver does not take */
static void start(uint64_t leave)
{
	static const struct vqd_piece pieces[] = {{0, 0x20000}, {0x20000, 0x20000}};

	cr_assert(dev_child_start(&child, &block_device, &rec, &image, "block_device"));
	vqd_mem_init(&mem, pieces, ARRAY_SIZE(pieces));
	kick = eventfd(0, EFD_NONBLOCK);
	call = eventfd(0, EFD_NONBLOCK);
	error = eventfd(0, EFD_NONBLOCK);
	vup_empty(child.bus, VUP_GET_FEATURES, 0);
	features = answer(VUP_GET_FEATURES);
	vup_empty(child.bus, VUP_GET_PROTOCOL_FEATURES, 0);
	vup_u64(child.bus, VUP_SET_PROTOCOL_FEATURES, 0, answer(VUP_GET_PROTOCOL_FEATURES));
	vup_empty(child.bus, VUP_SET_OWNER, 0);
	vup_u64(child.bus, VUP_SET_FEATURES, 0, features & ~leave & ~VQD_F_EVENT_IDX);
	vup_mem_table(child.bus, 0, &mem);
	start_ring(0, &ring, RING_GPA);
}

static void setup(void)
{
	record(0);
	image = memfd_create("image", MFD_CLOEXEC);
	cr_assert_eq(ftruncate(image, SECTORS * 512), 0);
	start(0);
}

static void teardown(void)
{
	cr_assert_eq(dev_child_stop(&child), 0, "the device did not end well");
}

TestSuite(block, .init = setup, .fini = teardown);

struct answered {
	int status;
	uint32_t len;
};

/* Rings, waits for the next used entry */
static struct answered submit(struct vqd *r)
{
	struct answered a = {.status = -1};
	uint32_t head;

	eventfd_write(kick, 1);
	/* The interrupt of the answer before may come late: it is not this one's. */
	while (!vqd_take(r, &head, &a.len)) {
		eventfd_t v;

		cr_assert(dev_child_wait(call), "no interrupt");
		eventfd_read(call, &v);
	}
	a.status = *(uint8_t *)vqd_at(&mem, STATUS_GPA, 1);
	return a;
}

static void put_head(uint32_t type, uint64_t sector)
{
	struct virtio_blk_outhdr h = {.type = type, .sector = sector};

	memcpy(vqd_at(&mem, HEAD_GPA, sizeof(h)), &h, sizeof(h));
	memset(vqd_at(&mem, STATUS_GPA, 1), FILL, 1);
}

/* One request with up to one data buffer at DATA_GPA */
static struct answered request(uint32_t type, uint64_t sector, uint32_t bytes)
{
	bool in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
	const struct vqd_buf with[] = {
		{HEAD_GPA, 16, false}, {DATA_GPA, bytes, in}, {STATUS_GPA, 1, true}};
	const struct vqd_buf without[] = {{HEAD_GPA, 16, false}, {STATUS_GPA, 1, true}};

	put_head(type, sector);
	vqd_add(&ring, bytes ? with : without, bytes ? 3 : 2);
	return submit(&ring);
}

/* The guest's data buffer; within one piece of memory */
static uint8_t *data(uint64_t off, uint64_t bytes)
{
	return vqd_at(&mem, DATA_GPA + off, bytes);
}

static void fill_image(uint64_t sector, uint64_t count, uint8_t v)
{
	uint8_t buf[512];

	memset(buf, v, sizeof(buf));
	for (uint64_t i = 0; i < count; i++)
		cr_assert_eq(pwrite(image, buf, 512, (off_t)((sector + i) * 512)), 512);
}

/* Whether sectors [@sector, @sector + @count) of the image hold @v only */
static bool image_is(uint64_t sector, uint64_t count, uint8_t v)
{
	uint8_t buf[512];

	for (uint64_t i = 0; i < count; i++) {
		if (pread(image, buf, 512, (off_t)((sector + i) * 512)) != 512)
			return false;
		for (unsigned int k = 0; k < sizeof(buf); k++) {
			if (buf[k] != v)
				return false;
		}
	}
	return true;
}

/* ---- tests ---- */

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
	cr_assert(data(0, 1)[0] == 1 && data(512, 1)[0] == 0);
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

static struct answered ranges(uint32_t type, const struct virtio_blk_discard_write_zeroes *r,
			      unsigned int nr)
{
	memcpy(data(0, nr * sizeof(*r)), r, nr * sizeof(*r));
	return request(type, 0, (uint32_t)(nr * sizeof(*r)));
}

static void check_zeroing(void)
{
	const struct virtio_blk_discard_write_zeroes two[] = {{.sector = 8, .num_sectors = 9},
							      {.sector = 64, .num_sectors = 1000}};
	const struct virtio_blk_discard_write_zeroes unmap[] = {
		{.sector = 8, .num_sectors = 8, .flags = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP}};

	fill_image(0, SECTORS, 1);
	cr_assert_eq(ranges(VIRTIO_BLK_T_WRITE_ZEROES, two, 2).status, VIRTIO_BLK_S_OK);
	cr_assert(image_is(0, 8, 1) && image_is(8, 9, 0) && image_is(17, 47, 1) &&
		  image_is(64, 1000, 0) && image_is(1064, SECTORS - 1064, 1));
	fill_image(0, SECTORS, 1);
	cr_assert_eq(ranges(VIRTIO_BLK_T_WRITE_ZEROES, unmap, 1).status, VIRTIO_BLK_S_OK);
	cr_assert(image_is(0, 8, 1) && image_is(8, 8, 0) && image_is(16, 1, 1));
}

Test(block, writes_zeroes_where_the_file_system_cannot)
{
	check_zeroing(); /* a memfd has no FALLOC_FL_ZERO_RANGE */
}

Test(block, writes_zeroes_where_the_file_system_can)
{
	char path[] = "/var/tmp/vmrun-test-block-XXXXXX";

	teardown();
	image = mkostemp(path, O_CLOEXEC);
	cr_assert_geq(image, 0);
	unlink(path);
	cr_assert_eq(ftruncate(image, SECTORS * 512), 0);
	start(0);
	check_zeroing();
}

Test(block, discards)
{
	const struct virtio_blk_discard_write_zeroes r[] = {{.sector = 8, .num_sectors = 1024}};
	struct stat before, after;

	fill_image(0, SECTORS, 1);
	fstat(image, &before);
	cr_assert_eq(ranges(VIRTIO_BLK_T_DISCARD, r, 1).status, VIRTIO_BLK_S_OK);
	fstat(image, &after);
	cr_assert_lt(after.st_blocks, before.st_blocks, "no space was given back");
	cr_assert_eq(after.st_size, before.st_size);
	cr_assert(image_is(0, 8, 1) && image_is(1032, 8, 1));
}

Test(block, ranges_are_checked)
{
	static const struct virtio_blk_discard_write_zeroes bad[] = {
		{.sector = SECTORS, .num_sectors = 1},
		{.sector = SECTORS - 1, .num_sectors = 2},
		{.sector = UINT64_MAX, .num_sectors = 2},
		{.sector = 0, .num_sectors = UINT32_MAX},
	};
	struct virtio_blk_discard_write_zeroes many[17] = {{.num_sectors = 1}},
					       flags = {.flags = 2};

	fill_image(0, SECTORS, 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_assert_eq(ranges(VIRTIO_BLK_T_DISCARD, &bad[i], 1).status, VIRTIO_BLK_S_IOERR);
		cr_assert_eq(ranges(VIRTIO_BLK_T_WRITE_ZEROES, &bad[i], 1).status,
			     VIRTIO_BLK_S_IOERR);
	}
	cr_assert_eq(ranges(VIRTIO_BLK_T_DISCARD, many, 17).status, VIRTIO_BLK_S_IOERR);
	cr_assert_eq(request(VIRTIO_BLK_T_DISCARD, 0, 0).status, VIRTIO_BLK_S_IOERR);
	cr_assert_eq(request(VIRTIO_BLK_T_DISCARD, 0, 15).status, VIRTIO_BLK_S_IOERR);
	cr_assert_eq(ranges(VIRTIO_BLK_T_WRITE_ZEROES, &flags, 1).status, VIRTIO_BLK_S_UNSUPP);
	flags.flags = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	cr_assert_eq(ranges(VIRTIO_BLK_T_DISCARD, &flags, 1).status, VIRTIO_BLK_S_UNSUPP);
	cr_assert(image_is(0, SECTORS, 1));
}

Test(block, a_read_only_disk_is_never_written)
{
	const struct virtio_blk_discard_write_zeroes r = {.num_sectors = 1};

	cr_assert_not(features & 1ULL << VIRTIO_BLK_F_RO);
	teardown();
	record(BOOT_DEV_READONLY);
	fill_image(0, 1, 1);
	start(0);
	cr_assert(features & 1ULL << VIRTIO_BLK_F_RO);
	cr_assert_not(features & 1ULL << VIRTIO_BLK_F_DISCARD);
	cr_assert_eq(request(VIRTIO_BLK_T_OUT, 0, 512).status, VIRTIO_BLK_S_IOERR);
	cr_assert_eq(ranges(VIRTIO_BLK_T_DISCARD, &r, 1).status, VIRTIO_BLK_S_IOERR);
	cr_assert_eq(ranges(VIRTIO_BLK_T_WRITE_ZEROES, &r, 1).status, VIRTIO_BLK_S_IOERR);
	cr_assert_eq(request(VIRTIO_BLK_T_FLUSH, 0, 0).status, VIRTIO_BLK_S_OK);
	cr_assert_eq(request(VIRTIO_BLK_T_IN, 0, 512).status, VIRTIO_BLK_S_OK);
	cr_assert(data(0, 1)[0] == 1 && image_is(0, 1, 1));
}

Test(block, a_driver_without_flush_is_served)
{
	teardown();
	start(F_FLUSH);
	memset(data(0, 512), 9, 512);
	cr_assert_eq(request(VIRTIO_BLK_T_OUT, 1, 512).status, VIRTIO_BLK_S_OK);
	cr_assert(image_is(1, 1, 9));
	check_zeroing();
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
	vup_empty(child.bus, VUP_GET_QUEUE_NUM, 0);
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

/* The front-end is waiting in the socket when the doorbell rings for requests that can take long. */
Test(block, a_stop_does_not_wait_for_all_requests)
{
	enum { REQUESTS = 40 };
	const struct vqd_buf bufs[] = {{HEAD_GPA, 16, false}, {STATUS_GPA, 1, true}};
	uint32_t state[2];
	struct vup_msg m;

	put_head(VIRTIO_BLK_T_FLUSH, 0);
	for (unsigned int i = 0; i < REQUESTS; i++)
		vqd_add(&ring, bufs, 2);
	cr_assert_eq(kill(child.pid, SIGSTOP), 0);
	cr_assert_eq(waitpid(child.pid, NULL, WUNTRACED), child.pid);
	eventfd_write(kick, 1);
	vup_state(child.bus, VUP_GET_VRING_BASE, 0, 0, 0);
	cr_assert_eq(kill(child.pid, SIGCONT), 0);
	cr_assert(dev_child_wait(child.bus) && vup_recv(child.bus, &m));
	memcpy(state, m.payload, sizeof(state));
	cr_assert_lt(state[1], REQUESTS, "the stop came after all of them");
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

	vup_config(child.bus, VUP_GET_CONFIG, 0, 0, sizeof(c), NULL);
	cr_assert(dev_child_wait(child.bus) && vup_recv(child.bus, &m));
	memcpy(&c, m.payload + 12, sizeof(c));
	cr_assert(c.capacity == SECTORS && c.blk_size == 512 && c.seg_max == 126);
	cr_assert(c.num_queues == 1 && c.max_discard_seg == 16);
	vup_config(child.bus, VUP_SET_CONFIG, VUP_NEED_REPLY, 0, 8, NULL);
	cr_assert_neq(answer(VUP_SET_CONFIG), 0);
}

Test(block_init, refuses_what_is_no_disk)
{
	static const uint64_t bytes[] = {SECTORS * 512, 0, 513, 1ULL << 63, 512};
	static struct device d;
	struct loop loop;

	for (unsigned int i = 0; i < ARRAY_SIZE(bytes); i++) {
		struct err err = {0};

		record(0);
		rec.block.capacity_bytes = bytes[i];
		rec.nr_res = i == 4 ? 2 : 1;
		cr_assert_eq(device_init(&d, &block_device, &loop, &err), 0);
		cr_assert_eq(block_device.init(&d, &rec, &err) == 0, i == 0, "record %u", i);
		cr_assert_eq(err.code != 0, i != 0);
		device_done(&d);
	}
}
