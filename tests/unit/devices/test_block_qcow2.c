/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The device with a chain of images: requests of a driver, under the policy
 */
#include "tests/support/block_rig.h"
#include "tests/support/qcow2_rig.h"

static uint8_t disk[DISK_BYTES], found[DISK_BYTES];

/* An overlay of 64 KiB clusters above another one above a raw file */
static void start_chain(uint32_t flags)
{
	const char *const *name = chain_files[CHAIN_THREE];

	temp_dir_make();
	make_chain(CHAIN_THREE, "cluster_size=65536");
	load("model", disk);
	record(flags);
	for (rec.nr_res = 0; name[rec.nr_res]; rec.nr_res++)
		chain[rec.nr_res] = file(name[rec.nr_res], rec.nr_res == 0 ? O_RDWR : O_RDONLY);
	settings.capacity_bytes = DISK_BYTES;
	settings.qcow2 = 3;
	start(0);
}

static void start_writable(void)
{
	start_chain(0);
}

static void end(void)
{
	teardown();
	temp_dir_remove();
}

TestSuite(block_qcow2, .init = start_writable, .fini = end);

static void compare_with_model(void)
{
	cr_assert_eq(sh("qemu-img check a.qcow2 && qemu-img convert -O raw a.qcow2 found"), 0,
		     "%s/out", temp_dir);
	load("found", found);
	cr_assert(memcmp(found, disk, DISK_BYTES) == 0);
}

Test(block_qcow2, reads_the_chain_and_writes_to_its_top)
{
	struct answered a;

	for (unsigned int sector = 0; sector < DISK_BYTES / 512; sector += 128) {
		a = request(VIRTIO_BLK_T_IN, sector, 65536);
		cr_assert(a.status == VIRTIO_BLK_S_OK && a.len == 65537);
		cr_assert(memcmp(data(0, 65536), disk + sector * 512, 65536) == 0);
	}
	for (unsigned int i = 0; i < 20; i++) {
		memset(data(0, 0x10000), (int)i + 1, 0x10000);
		a = request(VIRTIO_BLK_T_OUT, i * 397 + 1, 20480);
		cr_assert(a.status == VIRTIO_BLK_S_OK && a.len == 1);
		memset(disk + (i * 397 + 1) * 512, (int)i + 1, 20480);
	}
	cr_assert_eq(request(VIRTIO_BLK_T_FLUSH, 0, 0).status, VIRTIO_BLK_S_OK);
	compare_with_model();
}

Test(block_qcow2, zeroes_and_discards)
{
	const struct virtio_blk_discard_write_zeroes ranges[] = {
		{.sector = 2049, .num_sectors = 700, .flags = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP},
		{.sector = 4100, .num_sectors = 300},
	};

	memcpy(data(0, sizeof(ranges)), ranges, sizeof(ranges));
	cr_assert_eq(request(VIRTIO_BLK_T_WRITE_ZEROES, 0, sizeof(ranges)).status, VIRTIO_BLK_S_OK);
	memset(disk + 2049 * 512, 0, 700 * 512);
	memset(disk + 4100 * 512, 0, 300 * 512);
	compare_with_model();
	memcpy(data(0, sizeof(ranges[0])),
	       &(struct virtio_blk_discard_write_zeroes){.num_sectors = 8192}, sizeof(ranges[0]));
	cr_assert_eq(request(VIRTIO_BLK_T_DISCARD, 0, sizeof(ranges[0])).status, VIRTIO_BLK_S_OK);
	cr_assert_eq(sh("qemu-img check a.qcow2"), 0);
}

/* What the guest writes must never become a table, or the head, which names files of the host */
Test(block_qcow2, an_entry_that_leads_to_a_table_is_an_error)
{
	const uint64_t sector = 128 * 3;
	uint8_t before[512], after[512];
	uint64_t l1, l2, entry;

	memset(data(0, 512), 1, 512);
	cr_assert_eq(request(VIRTIO_BLK_T_OUT, 0, 512).status, VIRTIO_BLK_S_OK);
	cr_assert_eq(pread(chain[0], &l1, 8, 40), 8);
	cr_assert_eq(pread(chain[0], &l2, 8, (off_t)__builtin_bswap64(l1)), 8);
	l2 = __builtin_bswap64(l2) & ~(1ULL << 63);
	cr_assert_eq(dev_child_stop(&child), 0);
	entry = __builtin_bswap64(__builtin_bswap64(l1) | 1ULL << 63);
	cr_assert_eq(pwrite(chain[0], &entry, 8, (off_t)(l2 + 3 * 8)), 8);
	start(0);
	cr_assert_eq(pread(chain[0], before, 512, (off_t)__builtin_bswap64(l1)), 512);
	cr_assert_eq(request(VIRTIO_BLK_T_OUT, sector, 512).status, VIRTIO_BLK_S_IOERR);
	cr_assert_eq(request(VIRTIO_BLK_T_OUT, 0, 512).status, VIRTIO_BLK_S_OK);
	cr_assert_eq(pread(chain[0], after, 512, (off_t)__builtin_bswap64(l1)), 512);
	cr_assert(memcmp(before, after, 512) == 0);
}

static void start_readonly(void)
{
	start_chain(BOOT_DEV_READONLY);
}

TestSuite(block_qcow2_readonly, .init = start_readonly, .fini = end);

Test(block_qcow2_readonly, is_not_written_to)
{
	memset(data(0, 512), 1, 512);
	cr_assert_eq(request(VIRTIO_BLK_T_OUT, 0, 512).status, VIRTIO_BLK_S_IOERR);
	cr_assert_eq(request(VIRTIO_BLK_T_IN, 0, 512).status, VIRTIO_BLK_S_OK);
	cr_assert(memcmp(data(0, 512), disk, 512) == 0);
	cr_assert_eq(request(VIRTIO_BLK_T_FLUSH, 0, 0).status, VIRTIO_BLK_S_OK);
	compare_with_model();
}

/* What the runtime would not send: the device refuses it all the same */
Test(block_qcow2_record, is_checked)
{
	static const struct {
		uint32_t qcow2;
		uint64_t capacity;
		uint16_t nr_res;
	} bad[] = {{3, DISK_BYTES, 2},
		   {1, DISK_BYTES, 3},
		   {15, DISK_BYTES, 3},
		   {3, 512, 3},
		   {3, DISK_BYTES, 0}};
	const char *const *name = chain_files[CHAIN_THREE];

	temp_dir_make();
	make_chain(CHAIN_THREE, "cluster_size=65536");
	for (unsigned int i = 0; i < 3; i++)
		chain[i] = file(name[i], i == 0 ? O_RDWR : O_RDONLY);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		record(0);
		rec.nr_res = bad[i].nr_res;
		settings.capacity_bytes = bad[i].capacity;
		settings.qcow2 = bad[i].qcow2;
		boot_set_settings(&rec, &settings, sizeof(settings));
		cr_expect(!dev_child_start(&child, &block_device, &rec, chain, "block_device"),
			  "record %u", i);
	}
	temp_dir_remove();
}
