/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Zeroes and discards, and disks or drivers that know no such thing
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/block_rig.h"

TestSuite(block_ranges, .init = setup, .fini = teardown);

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

Test(block_ranges, writes_zeroes_where_the_file_system_cannot)
{
	check_zeroing(); /* a memfd has no FALLOC_FL_ZERO_RANGE */
}

Test(block_ranges, writes_zeroes_where_the_file_system_can)
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

Test(block_ranges, discards)
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

Test(block_ranges, ranges_are_checked)
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

Test(block_ranges, a_read_only_disk_is_never_written)
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

Test(block_ranges, a_driver_without_flush_is_served)
{
	teardown();
	start(F_FLUSH);
	memset(data(0, 512), 9, 512);
	cr_assert_eq(request(VIRTIO_BLK_T_OUT, 1, 512).status, VIRTIO_BLK_S_OK);
	cr_assert(image_is(1, 1, 9));
	check_zeroing();
}
