/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A disk around the page cache, and requests that do not fit its units
 *
 * The kernel itself refuses what is not aligned to the host's units; larger units are seen in the device's calls.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "tests/support/block_rig.h"
#include "tests/support/temp_dir.h"

/* The device has it with O_DIRECT, the test has the same file by way of the page cache. */
static void setup_units(uint32_t unit)
{
	char path[256];

	record(0);
	temp_dir_make();
	snprintf(path, sizeof(path), "%s/disk", temp_dir);
	image = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert(image >= 0 && ftruncate(image, SECTORS * 512) == 0);
	chain[0] = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	cr_assert_geq(chain[0], 0, "%s: no O_DIRECT, which this test needs", path);
	settings.unit_bytes = settings.direct_mem = settings.direct_off = unit;
	start(0);
}

static void setup_512(void)
{
	setup_units(512);
}

static void setup_4096(void)
{
	setup_units(4096);
}

static void setup_watched(void)
{
	static const int watched[] = {SYS_preadv, SYS_preadv2, SYS_pwritev, SYS_fdatasync};

	memcpy(child.watched, watched, sizeof(watched));
	setup_units(4096);
}

static void teardown_direct(void)
{
	if (child.watched[0])
		close(child.watch);
	teardown();
	temp_dir_remove();
}

TestSuite(block_direct, .init = setup_512, .fini = teardown_direct);
TestSuite(block_direct_4096, .init = setup_4096, .fini = teardown_direct);
TestSuite(block_direct_watched, .init = setup_watched, .fini = teardown_direct);

/* Byte @i of the disk before a test */
static uint8_t old_byte(uint64_t i)
{
	return (uint8_t)(i % 251);
}

static uint8_t new_byte(uint64_t i)
{
	return (uint8_t)(i % 241 + 7);
}

static void fill_old(void)
{
	static uint8_t all[SECTORS * 512];

	for (uint64_t i = 0; i < sizeof(all); i++)
		all[i] = old_byte(i);
	cr_assert_eq(pwrite(image, all, sizeof(all), 0), (ssize_t)sizeof(all));
}

/* Whether bytes [@from, @to) of the disk are those of @is and all others are old */
static bool disk_is(uint64_t from, uint64_t to, uint8_t (*is)(uint64_t))
{
	static uint8_t all[SECTORS * 512];

	if (pread(image, all, sizeof(all), 0) != (ssize_t)sizeof(all))
		return false;
	for (uint64_t i = 0; i < sizeof(all); i++)
		if (all[i] != (i >= from && i < to ? is(i) : old_byte(i)))
			return false;
	return true;
}

/* @bytes from or to sector @sector, at @gpa, in buffers of @each bytes at most */
static struct answered move(bool write, uint64_t sector, uint64_t gpa, uint32_t bytes,
			    uint32_t each)
{
	struct vqd_buf buf[128] = {{HEAD_GPA, 16, false}};
	unsigned int nr = 1;

	put_head(write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN, sector);
	for (uint32_t at = 0; at < bytes; at += each) {
		const uint32_t n = bytes - at < each ? bytes - at : each;

		buf[nr++] = (struct vqd_buf){gpa + at, n, !write};
	}
	buf[nr++] = (struct vqd_buf){STATUS_GPA, 1, true};
	vqd_add_indirect(&ring, buf, nr, TABLE_GPA);
	return submit(&ring);
}

/* Sector, sectors, where in memory, buffers of up to so many bytes */
static const struct {
	uint64_t sector, sectors, gpa;
	uint32_t each;
} shapes[] = {
	{8, 8, DATA_GPA, 4096},		 {0, 16, DATA_GPA, 512},
	{3, 1, DATA_GPA, 512},		 {7, 2, DATA_GPA, 1024},
	{9, 30, DATA_GPA, 65536},	 {16, 8, DATA_GPA + 8, 4096},
	{16, 8, DATA_GPA + 1, 4096},	 {5, 21, DATA_GPA + 100, 1000},
	{SECTORS - 1, 1, DATA_GPA, 512}, {SECTORS - 8, 8, DATA_GPA + 4, 4096},
	{100, 120, DATA_GPA + 3, 70000}, {1024, 8, DATA_GPA, 24},
};

static void check_shapes(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(shapes); i++) {
		const uint64_t from = shapes[i].sector * 512, bytes = shapes[i].sectors * 512;
		uint32_t each = shapes[i].each;

		if (bytes / each > 120)
			each = (uint32_t)bytes / 120 + 1;
		fill_old();
		for (uint64_t k = 0; k < bytes; k++)
			*(uint8_t *)vqd_at(&mem, shapes[i].gpa + k, 1) = new_byte(from + k);
		cr_assert_eq(
			move(true, shapes[i].sector, shapes[i].gpa, (uint32_t)bytes, each).status,
			VIRTIO_BLK_S_OK, "write %u", i);
		cr_assert(disk_is(from, from + bytes, new_byte), "write %u", i);
		memset(vqd_at(&mem, DATA_GPA, 0x10000), FILL, 0x10000);
		cr_assert_eq(
			move(false, shapes[i].sector, shapes[i].gpa, (uint32_t)bytes, each).status,
			VIRTIO_BLK_S_OK, "read %u", i);
		for (uint64_t k = 0; k < bytes; k++)
			cr_assert_eq(*(uint8_t *)vqd_at(&mem, shapes[i].gpa + k, 1),
				     new_byte(from + k), "read %u, byte %lu", i, k);
	}
}

Test(block_direct, moves_requests_of_every_shape)
{
	check_shapes();
}

Test(block_direct_4096, moves_requests_of_every_shape)
{
	check_shapes();
}

static uint8_t zero(uint64_t i UNUSED)
{
	return 0;
}

static void check_zeroes(void)
{
	static const struct virtio_blk_discard_write_zeroes ranges[] = {
		{.sector = 8, .num_sectors = 8},
		{.sector = 9, .num_sectors = 1},
		{.sector = 13, .num_sectors = 1000},
		{.sector = 13, .num_sectors = 50, .flags = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP},
		{.sector = SECTORS - 3, .num_sectors = 3},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++) {
		const uint64_t from = ranges[i].sector * 512;

		fill_old();
		memcpy(data(0, sizeof(ranges[i])), &ranges[i], sizeof(ranges[i]));
		cr_assert_eq(request(VIRTIO_BLK_T_WRITE_ZEROES, 0, sizeof(ranges[i])).status,
			     VIRTIO_BLK_S_OK);
		cr_assert(disk_is(from, from + ranges[i].num_sectors * 512ULL, zero), "range %u",
			  i);
	}
}

Test(block_direct, writes_zeroes)
{
	check_zeroes();
}

Test(block_direct_4096, writes_zeroes)
{
	check_zeroes();
}

Test(block_direct_4096, the_driver_learns_the_unit)
{
	struct virtio_blk_config c;
	struct vup_msg m;

	vup_config(child.vmm, VUP_GET_CONFIG, 0, 0, sizeof(c), NULL);
	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m));
	memcpy(&c, m.payload + 12, sizeof(c));
	cr_assert_eq(c.blk_size, 4096);
}

Test(block_direct, a_disk_that_shrank_is_an_error)
{
	fill_old();
	cr_assert_eq(ftruncate(image, 4096), 0);
	cr_assert_eq(move(false, 0, DATA_GPA, 8192, 8192).status, VIRTIO_BLK_S_IOERR);
	cr_assert_eq(move(false, 0, DATA_GPA + 1, 8192, 8192).status, VIRTIO_BLK_S_IOERR);
	cr_assert_eq(move(false, 0, DATA_GPA, 4096, 4096).status, VIRTIO_BLK_S_OK);
	cr_assert_eq(ftruncate(image, SECTORS * 512), 0);
	cr_assert_eq(move(false, 0, DATA_GPA, 8192, 8192).status, VIRTIO_BLK_S_OK);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static struct call_watch next_call(int nr)
{
	struct call_watch w;

	cr_assert(call_watch_next(child.watch, &w), "call %d does not come", nr);
	cr_assert_eq(w.call.nr, nr, "call %d, not %d", w.call.nr, nr);
	if (nr != SYS_fdatasync)
		cr_assert_eq(w.call.args[3] % 4096, 0, "an offset that does not fit");
	return w;
}

static void pass(int nr)
{
	struct call_watch w = next_call(nr);

	call_watch_go(child.watch, &w);
}

/* Read, change, write: of two writes in one unit the second reads when the first has written. */
Test(block_direct_watched, writes_that_share_a_unit_take_turns)
{
	enum { WRITES = 8 };
	const struct virtio_blk_outhdr h = {.type = VIRTIO_BLK_T_OUT};
	uint32_t head, len;
	eventfd_t v;

	for (unsigned int i = 0; i < WRITES; i++) {
		const uint64_t at = HEAD_GPA + 0x200 + 0x20ULL * i;
		const struct vqd_buf buf[] = {
			{at, 16, false}, {DATA_GPA + 512ULL * i, 512, false}, {at + 16, 1, true}};

		memcpy(vqd_at(&mem, at, 16), &h, 16);
		((struct virtio_blk_outhdr *)vqd_at(&mem, at, 16))->sector = 16 + i;
		memset(data(512ULL * i, 512), (int)i + 1, 512);
		vqd_add(&ring, buf, 3);
	}
	eventfd_write(kick, 1);
	for (unsigned int i = 0; i < WRITES; i++) {
		pass(SYS_preadv);
		pass(SYS_pwritev);
	}
	for (unsigned int n = 0; n < WRITES;) {
		if (vqd_take(&ring, &head, &len)) {
			n++;
			continue;
		}
		cr_assert(dev_child_wait(call), "no interrupt");
		eventfd_read(call, &v);
	}
	for (unsigned int i = 0; i < WRITES; i++)
		cr_assert(image_is(16 + i, 1, (uint8_t)(i + 1)), "sector %u", i);
}

/* Nothing is read before a write of whole units, and nothing asks the page cache. */
Test(block_direct_watched, what_fits_is_one_call)
{
	static const bool writes[] = {true, false};

	for (unsigned int i = 0; i < ARRAY_SIZE(writes); i++) {
		const struct vqd_buf buf[] = {
			{HEAD_GPA, 16, false}, {DATA_GPA, 8192, !writes[i]}, {STATUS_GPA, 1, true}};
		uint32_t head, len;
		eventfd_t v;

		put_head(writes[i] ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN, 8);
		vqd_add(&ring, buf, 3);
		eventfd_write(kick, 1);
		pass(writes[i] ? SYS_pwritev : SYS_preadv);
		while (!vqd_take(&ring, &head, &len)) {
			cr_assert(dev_child_wait(call), "no interrupt or another call");
			eventfd_read(call, &v);
		}
		cr_assert_eq(*(uint8_t *)vqd_at(&mem, STATUS_GPA, 1), VIRTIO_BLK_S_OK);
	}
}

/* What goes around the page cache may still be in the disk's own. */
Test(block_direct_watched, a_flush_reaches_the_disk)
{
	const struct vqd_buf buf[] = {{HEAD_GPA, 16, false}, {STATUS_GPA, 1, true}};
	uint32_t head, len;
	eventfd_t v;

	put_head(VIRTIO_BLK_T_FLUSH, 0);
	vqd_add(&ring, buf, 2);
	eventfd_write(kick, 1);
	pass(SYS_fdatasync);
	while (!vqd_take(&ring, &head, &len)) {
		cr_assert(dev_child_wait(call), "no interrupt or another call");
		eventfd_read(call, &v);
	}
	cr_assert_eq(*(uint8_t *)vqd_at(&mem, STATUS_GPA, 1), VIRTIO_BLK_S_OK);
}

Test(block_direct_init, refuses_units_that_are_none)
{
	static const struct {
		uint32_t mem, off, unit;
		uint64_t bytes;
		bool ok;
	} cases[] = {
		{512, 512, 512, SECTORS * 512, true},  {4, 4096, 4096, SECTORS * 512, true},
		{0, 512, 512, SECTORS * 512, false},   {512, 0, 512, SECTORS * 512, false},
		{512, 513, 512, SECTORS * 512, false}, {512, 1 << 17, 1 << 17, 1 << 20, false},
		{3, 512, 512, SECTORS * 512, false},   {512, 4096, 512, SECTORS * 512, false},
		{512, 4096, 4096, 4096 + 512, false},
	};
	static struct device d;
	struct loop loop;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = {0};

		record(0);
		settings.direct_mem = cases[i].mem;
		settings.direct_off = cases[i].off;
		settings.unit_bytes = cases[i].unit;
		settings.capacity_bytes = cases[i].bytes;
		cr_assert_eq(loop_init(&loop, &err), 0);
		cr_assert_eq(device_init(&d, &block_device, &loop, &err), 0);
		boot_set_settings(&rec, &settings, sizeof(settings));
		cr_expect_eq(block_device.init(&d, &rec, &err) == 0, cases[i].ok, "case %u", i);
		cr_expect_eq(err.code == 0, cases[i].ok);
		device_done(&d);
	}
}
