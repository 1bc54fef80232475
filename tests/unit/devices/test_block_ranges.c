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

Test(block_ranges, writes_zeroes)
{
	check_zeroing();
}

Test(block_ranges, writes_zeroes_on_a_disk_of_the_hosts)
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

static void start_with_units(uint32_t unit)
{
	teardown();
	settings.unit_bytes = unit;
	settings.physical_exp = 4;
	settings.offset = 1;
	settings.io_min = 64;
	settings.io_opt = 128;
	settings.discard = 32;
	start(0);
}

/* The disk of a host that drops and zeroes by 4 KiB; the guest may ask for any sector. */
Test(block_ranges, what_is_no_whole_unit_is_zeroed_all_the_same)
{
	static const struct {
		uint64_t sector;
		uint32_t count;
	} r[] = {{8, 8}, {17, 1}, {25, 10}, {33, 30}, {47, 1}, {55, 2}, {63, 1}, {64, 9}};

	start_with_units(4096);
	for (unsigned int flag = 0; flag < 2; flag++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(r); i++) {
			struct virtio_blk_discard_write_zeroes z = {
				.sector = r[i].sector, .num_sectors = r[i].count, .flags = flag};

			fill_image(0, 100, 1);
			cr_assert_eq(ranges(VIRTIO_BLK_T_WRITE_ZEROES, &z, 1).status,
				     VIRTIO_BLK_S_OK);
			cr_assert(image_is(0, z.sector, 1) && image_is(z.sector, r[i].count, 0) &&
					  image_is(z.sector + r[i].count,
						   100 - z.sector - r[i].count, 1),
				  "range %u, flag %u", i, flag);
		}
	}
}

Test(block_ranges, only_whole_units_are_dropped)
{
	const struct virtio_blk_discard_write_zeroes none[] = {
		{.sector = 9, .num_sectors = 7}, {.sector = 1, .num_sectors = 14}, {.sector = 20}};
	const struct virtio_blk_discard_write_zeroes some = {.sector = 25, .num_sectors = 22};

	start_with_units(4096);
	fill_image(0, 100, 1);
	cr_assert_eq(ranges(VIRTIO_BLK_T_DISCARD, none, 3).status, VIRTIO_BLK_S_OK);
	cr_assert(image_is(0, 100, 1));
	cr_assert_eq(ranges(VIRTIO_BLK_T_DISCARD, &some, 1).status, VIRTIO_BLK_S_OK);
	cr_assert(image_is(0, 32, 1) && image_is(32, 8, 0) && image_is(40, 60, 1));
}

Test(block_ranges, the_driver_learns_what_suits_the_disk)
{
	struct virtio_blk_config c;
	struct vup_msg m;

	start_with_units(4096);
	cr_assert(features & 1ULL << VIRTIO_BLK_F_TOPOLOGY);
	vup_config(child.vmm, VUP_GET_CONFIG, 0, 0, sizeof(c), NULL);
	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m));
	memcpy(&c, m.payload + 12, sizeof(c));
	cr_assert(c.blk_size == 512 && c.physical_block_exp == 4 && c.alignment_offset == 1);
	cr_assert(c.min_io_size == 64 && c.opt_io_size == 128 && c.discard_sector_alignment == 32);
}

/* What says that a host cannot do it is no error: a discard is a hint, and zeros can be written. */
Test(block_ranges, a_host_that_has_no_holes)
{
	const struct virtio_blk_discard_write_zeroes r = {
		.sector = 3, .num_sectors = 20, .flags = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP};
	struct virtio_blk_discard_write_zeroes d = r;

	teardown();
	rec.flags = BOOT_DEV_RAW_BLK; /* a file, to which the calls for devices mean nothing */
	start(0);
	fill_image(0, 30, 1);
	cr_assert_eq(ranges(VIRTIO_BLK_T_WRITE_ZEROES, &r, 1).status, VIRTIO_BLK_S_OK);
	cr_assert(image_is(0, 3, 1) && image_is(3, 20, 0) && image_is(23, 7, 1));
	d.flags = 0;
	d.sector = 23;
	d.num_sectors = 7;
	cr_assert_eq(ranges(VIRTIO_BLK_T_DISCARD, &d, 1).status, VIRTIO_BLK_S_OK);
	cr_assert(image_is(23, 7, 1));
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
