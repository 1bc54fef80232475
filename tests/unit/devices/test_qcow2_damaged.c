/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Images that are damaged, hostile, or have what vmrun does not support
 */
#include "devices/block/inflate.h"
#include "devices/block/qcow2_recount.h"
#include "tests/support/qcow2_rig.h"

TestSuite(qcow2_damaged, .init = temp_dir_make, .fini = temp_dir_remove);

static uint8_t disk[DISK_BYTES];

/* Changes some bytes of a.qcow2, big-endian */
static void patch(uint64_t off, unsigned int bytes, uint64_t value)
{
	int fd = file("a.qcow2", O_RDWR);

	value = __builtin_bswap64(value);
	cr_assert_eq(pwrite(fd, (uint8_t *)&value + 8 - bytes, bytes, (off_t)off), (ssize_t)bytes);
	close(fd);
}

static uint64_t peek(uint64_t off)
{
	int fd = file("a.qcow2", O_RDONLY);
	uint64_t value;

	cr_assert_eq(pread(fd, &value, 8, (off_t)off), 8);
	close(fd);
	return __builtin_bswap64(value);
}

/* A number in the head of a plain image, and why it is refused; NULL: it is not */
static const struct {
	unsigned int off, bytes;
	uint64_t value;
	const char *why;
} heads[] = {
	{0, 4, 0x514649fa, "is not a qcow2 image"},
	{4, 4, 1, "qcow2 of version 1: only 2 and 3"},
	{4, 4, 4, "qcow2 of version 4: only 2 and 3"},
	{8, 8, 0xff00, "name of its backing file is not in the header"},
	{20, 4, 8, "clusters of 2^8 bytes"},
	{20, 4, 22, "clusters of 2^22 bytes"},
	{20, 4, UINT32_MAX, "clusters of 2^4294967295 bytes"},
	{24, 8, 0, "a disk cannot have 0 bytes"},
	{24, 8, UINT64_MAX, "a disk cannot have 18446744073709551615 bytes"},
	{24, 8, (4 << 20) + 1, "is not a multiple of 512"},
	{24, 8, 1ULL << 62, "too few for a disk of 4611686018427387904 bytes"},
	{24, 8, 1ULL << 30, "its L1 table has 1 entries, too few"},
	{32, 4, 1, "encrypted images are not supported"},
	{32, 4, 2, "encrypted images are not supported"},
	{36, 4, 0, "its L1 table has 0 entries"},
	{36, 4, (32 << 20) / 8 + 1, "its L1 table has more than 33554432 bytes"},
	{36, 4, UINT32_MAX, "its L1 table has more than 33554432 bytes"},
	{40, 8, 0, "the L1 table is at 0x0, where none can be"},
	{40, 8, 0x30200, "the L1 table is at 0x30200, where none can be"},
	{40, 8, 0x40000000, "the L1 table is not inside the file"},
	{40, 8, 0xffffffffffff0000, "the L1 table is not inside the file"},
	{40, 8, 0x10000, "the L1 table and the refcount table overlap"},
	{48, 8, 0, "the refcount table is at 0x0, where none can be"},
	{48, 8, 0x7fffffffffff0000, "the refcount table is not inside the file"},
	{56, 4, 0, "the refcount table is not inside the file"},
	{56, 4, UINT32_MAX, "its refcount table has more than 8388608 bytes"},
	{60, 4, 1, "has internal snapshots"},
	{72, 8, 2, "is marked as corrupt"},
	{72, 8, 4, "images with an external data file are not supported"},
	{72, 8, 8, "compression other than zlib is not supported"},
	{72, 8, 16, "images with extended L2 entries are not supported"},
	{72, 8, 32, "unknown incompatible features 0x20"},
	{72, 8, 1ULL << 63, "unknown incompatible features 0x8000000000000000"},
	{80, 8, UINT64_MAX, NULL}, /* compatible features are hints */
	{88, 8, 1, "has persistent bitmaps"},
	{96, 4, 7, "refcounts of 2^7 bits"},
	{96, 4, UINT32_MAX, "refcounts of 2^4294967295 bits"},
	{100, 4, 103, "a qcow2 header cannot have 103 bytes"},
	{100, 4, 0xfffffff8, "a qcow2 header cannot have 4294967288 bytes"},
	{112, 8, 0x12345678fffffff0, "a header extension ends behind the header"},
	{112, 8, 0x2385287500000180, "has persistent bitmaps"},
	{112, 8, 0xe2792aca00000010, "the format of its backing file has no valid name"},
};

Test(qcow2_damaged, heads_are_refused_by_what_is_wrong)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(heads); i++) {
		struct err err = {0};
		int rc;

		make_chain(CHAIN_NONE, "cluster_size=65536");
		patch(heads[i].off, heads[i].bytes, heads[i].value);
		rc = open_chain(CHAIN_NONE, true, &err);
		close_chain();
		cr_expect_eq(rc, heads[i].why ? -EINVAL : 0, "%u: %s", i, err.msg);
		cr_expect(!heads[i].why || strstr(err.msg, heads[i].why), "%u: \"%s\", not \"%s\"",
			  i, err.msg, heads[i].why);
	}
}

Test(qcow2_damaged, a_zero_byte_ends_no_name_of_a_backing_file)
{
	struct err err = {0};

	make_chain(CHAIN_RAW, "cluster_size=65536");
	patch(peek(8) + 1, 1, 0);
	cr_expect_eq(open_chain(CHAIN_RAW, false, &err), -EINVAL);
	cr_expect(strstr(err.msg, "the name of its backing file has a zero byte"), "%s", err.msg);
	close_chain();
}

Test(qcow2_damaged, a_head_is_as_long_as_its_version_says)
{
	struct qcow2_head head;
	uint8_t buf[104];
	int fd;

	make_chain(CHAIN_NONE, "cluster_size=65536");
	fd = file("a.qcow2", O_RDONLY);
	cr_assert_eq(pread(fd, buf, sizeof(buf), 0), sizeof(buf));
	close(fd);
	for (size_t bytes = 0; bytes < sizeof(buf); bytes++) {
		struct err err = {0};

		cr_expect_eq(qcow2_head_parse(buf, bytes, 1 << 20, &head, &err), -EINVAL);
		cr_expect(strstr(err.msg, bytes < 72 ? "is not a qcow2 image" : "is too short"),
			  "%zu bytes: %s", bytes, err.msg);
	}
}

/* What only forbids writing */
Test(qcow2_damaged, some_images_can_be_read)
{
	static const struct {
		unsigned int off, bytes;
		uint64_t value;
	} fields[] = {{60, 4, 1}, {72, 8, 2}, {88, 8, 1}};

	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
		struct err err = {0};

		make_chain(CHAIN_PACKED, "cluster_size=65536");
		load("model", disk);
		patch(fields[i].off, fields[i].bytes, fields[i].value);
		cr_expect(open_chain(CHAIN_PACKED, true, &err) < 0);
		close_chain();
		cr_expect_eq(open_chain(CHAIN_PACKED, false, &err), 0, "%s", err.msg);
		cr_expect_eq(get(70000, disk, 4096), 0);
		close_chain();
	}
}

Test(qcow2_damaged, a_file_cut_off_anywhere_is_refused)
{
	struct err err = {0};

	for (unsigned int bytes = 0; bytes < 0x30000; bytes += bytes < 600 ? 7 : 9973) {
		make_chain(CHAIN_NONE, "cluster_size=65536");
		cr_assert_eq(sh("truncate -s %u a.qcow2", bytes), 0);
		cr_expect(open_chain(CHAIN_NONE, true, &err) < 0, "%u bytes", bytes);
		close_chain();
	}
}

/* QEMU's own refcounts may be anything, if it was to write them late. */
Test(qcow2_damaged, an_image_that_was_not_closed_is_counted_but_for_lazy_refcounts)
{
	struct err err = {0};
	uint64_t refs;

	make_chain(CHAIN_NONE, "cluster_size=65536");
	cr_assert_eq(sh("qemu-io -f qcow2 -c 'write -P 1 0 256k' a.qcow2"), 0);
	refs = peek(peek(48));
	patch(72, 8, 1);
	patch(80, 8, 1);
	cr_expect_eq(open_chain(CHAIN_NONE, true, &err), -EINVAL);
	cr_expect_not_null(strstr(err.msg, "was not closed after its last use"), "%s", err.msg);
	patch(80, 8, 0);
	patch(refs + 10, 4, 0);
	cr_assert_eq(sh("qemu-img check a.qcow2"), 2, "two clusters without a refcount");
	cr_assert_eq(open_chain(CHAIN_NONE, true, &err), 0, "%s", err.msg);
	cr_expect_eq(get(0, disk, 4096), 0);
	qcow2_close(&q);
	close_chain();
	cr_expect_eq(peek(72), 0, "the image is closed");
	cr_expect_eq(sh("qemu-img check a.qcow2"), 0);
}

/* Its mark stays, and what is whole can be used. */
Test(qcow2_damaged, a_broken_entry_of_an_image_that_was_not_closed)
{
	struct err err = {0};
	uint64_t table;

	make_chain(CHAIN_NONE, "cluster_size=65536");
	cr_assert_eq(sh("qemu-io -f qcow2 -c 'write -P 1 0 256k' a.qcow2"), 0);
	table = peek(peek(40)) & ~(1ULL << 63);
	patch(72, 8, 1);
	patch(table, 8, 1ULL << 63 | 1ULL << 55);
	patch(table + 8, 8, 1ULL << 63 | 0x10000);
	cr_assert_eq(open_chain(CHAIN_NONE, true, &err), 0, "%s", err.msg);
	cr_expect_eq(put(0, disk, 512), -EIO, "at the end of the world");
	cr_expect_eq(put(65536, disk, 512), -EIO, "a table");
	cr_expect_eq(put(131072, disk, 512), 0);
	qcow2_close(&q);
	close_chain();
	cr_expect_eq(peek(72), 1, "it can be mended by others");
}

/* Entries of tables: of the L1 table, the L2 table, and the refcount table of an image with 64 KiB clusters */
static const struct {
	enum { IN_L1, IN_L2, IN_REFS } table;
	uint64_t value;
} entries[] = {
	{IN_L1, 0x8000000000000000 | 0x50200}, /* not a cluster's beginning */
	{IN_L1, 0x8000000000000000 | 0x50001}, /* reserved bits */
	{IN_L1, 0x7f00000000050000},
	{IN_L1, 0x8000000000000000 | 0x40000000}, /* behind the file */
	{IN_L1, 0x80ffffffffff0000},
	{IN_L1, 0x8000000000000000 | 0x10000}, /* the refcount table */
	{IN_L1, 0x8000000000000000 | 0x30000}, /* the L1 table itself */
	{IN_L1, 0x50000},		       /* another entry's too */
	{IN_L2, 0x8000000000000000 | 0x50200},
	{IN_L2, 0x8000000000000000 | 0x50002},
	{IN_L2, 0xbf00000000050000},
	{IN_L2, 0x8000000000000000 | 0x40000000},
	{IN_L2, 0x80ffffffffff0000},
	{IN_L2, 0x8000000000000000 | 0x10000},
	{IN_L2,
	 0x8000000000000000 | 0x30001}, /* zeros, and the L1 table for when they are written */
	{IN_L2, 0x50000},
	{IN_L2, 0x4000000040000000}, /* compressed, behind the file */
	{IN_L2, 0x403fffffffffffff},
	{IN_L2, 0x4000000000000000}, /* compressed, and its bytes are not */
	{IN_REFS, 0x20200},
	{IN_REFS, 0x40000000},
	{IN_REFS, 0xffffffffffff0000},
	{IN_REFS, 0x10000}, /* the refcount table itself */
	{IN_REFS, 0x30000}, /* the L1 table */
};

/* No write gets through, and the file is as it was, but for space that a new cluster was given */
Test(qcow2_damaged, entries_end_in_errors)
{
	static uint8_t before[0x40000], after[0x40000];
	int zero = open("/dev/null", O_WRONLY);

	for (unsigned int i = 0; i < ARRAY_SIZE(entries); i++) {
		struct err err = {0};
		uint64_t l1, at;
		int fd;

		make_chain(CHAIN_NONE, "cluster_size=65536");
		cr_assert_eq(sh("qemu-io -f qcow2 -c 'write -P 1 0 64k' a.qcow2"), 0);
		l1 = peek(40);
		at = entries[i].table == IN_L1	 ? l1
		     : entries[i].table == IN_L2 ? peek(l1) & ~(1ULL << 63)
						 : peek(48);
		patch(at, 8, entries[i].value);
		fd = file("a.qcow2", O_RDONLY);
		cr_assert(pread(fd, before, sizeof(before), 0) > 0);
		cr_assert_eq(open_chain(CHAIN_NONE, true, &err), 0, "%s", err.msg);
		log_init(zero, LOG_LEVEL_ERROR);
		cr_expect_eq(put(4096, disk, 4096) | put(65536, disk, 512), -EIO, "entry %u", i);
		/* A cluster can lose its contents, whatever they are. */
		if (entries[i].table != IN_REFS && entries[i].value != 1ULL << 62)
			cr_expect_eq(qcow2_drop(&q, 0, 65536, QCOW2_ZERO_FREE), -EIO, "entry %u",
				     i);
		close_chain();
		cr_assert(pread(fd, after, sizeof(after), 0) > 0);
		/* The head but for its mark, and both tables; the refcounts between them may be others. */
		after[79] = before[79];
		cr_expect(memcmp(before, after, 0x20000) == 0, "entry %u", i);
		cr_expect(memcmp(before + 0x30000, after + 0x30000, 0x10000) == 0, "entry %u", i);
		close(fd);
	}
}

/* A table of refcounts that says that tables are free */
Test(qcow2_damaged, tables_are_never_taken_for_free_clusters)
{
	uint8_t zeros[16] = {0};
	struct err err = {0};
	uint64_t head;
	int fd;

	make_chain(CHAIN_NONE, "cluster_size=65536");
	fd = file("a.qcow2", O_RDWR);
	cr_assert_eq(pwrite(fd, zeros, sizeof(zeros), (off_t)peek(peek(48))), 16);
	close(fd);
	cr_assert_eq(open_chain(CHAIN_NONE, true, &err), 0, "%s", err.msg);
	cr_expect_eq(put(0, disk, 4096), -EIO);
	close_chain();
	/* Neither for one of guest data, whose table exists: that would go over the head of the file. */
	make_chain(CHAIN_NONE, "cluster_size=65536");
	cr_assert_eq(sh("qemu-io -f qcow2 -c 'write -P 1 0 64k' a.qcow2"), 0);
	head = peek(0);
	fd = file("a.qcow2", O_RDWR);
	cr_assert_eq(pwrite(fd, zeros, 8, (off_t)peek(peek(48))), 8);
	close(fd);
	cr_assert_eq(open_chain(CHAIN_NONE, true, &err), 0, "%s", err.msg);
	cr_expect_eq(put(2 << 20, disk, 4096), -EIO);
	close_chain();
	cr_expect_eq(peek(0), head);
}

/* Entries one after the other, of which the first alone points to what may be written */
Test(qcow2_damaged, a_run_of_clusters_does_not_reach_a_table)
{
	struct err err = {0};
	uint64_t l1, l2, entry;

	make_chain(CHAIN_NONE, "cluster_size=65536");
	cr_assert_eq(sh("qemu-io -f qcow2 -c 'write -P 1 0 128k' a.qcow2"), 0);
	l1 = peek(40);
	entry = peek(l1);
	l2 = entry & ~(1ULL << 63);
	patch(l2, 8, 1ULL << 63 | (l1 - 65536));
	patch(l2 + 8, 8, 1ULL << 63 | l1);
	cr_assert_eq(open_chain(CHAIN_NONE, true, &err), 0, "%s", err.msg);
	cr_expect_eq(put(0, disk, 131072), -EIO);
	close_chain();
	cr_expect_eq(peek(l1), entry);
}

Test(qcow2_damaged, a_file_that_shrinks_is_an_error)
{
	struct err err = {0};

	make_chain(CHAIN_NONE, "cluster_size=65536");
	cr_assert_eq(sh("qemu-io -f qcow2 -c 'write -P 1 0 1M' a.qcow2"), 0);
	cr_assert_eq(open_chain(CHAIN_NONE, true, &err), 0, "%s", err.msg);
	cr_assert_eq(get(0, disk, 512), 0);
	cr_assert_eq(sh("truncate -s 400000 a.qcow2"), 0);
	cr_expect_eq(get(0, disk, 512), 0);
	cr_expect_eq(get(900000, disk, 512), -EIO);
	close_chain();
}

/* ---- deflate ---- */

static const struct {
	const char *what;
	uint8_t in[24];
	size_t in_bytes;
	ssize_t out;
} streams[] = {
	{"a stored block", {1, 3, 0, 0xfc, 0xff, 'a', 'b', 'c'}, 8, 3},
	{"an empty stored block", {1, 0, 0, 0xff, 0xff}, 5, 0},
	{"a stored block whose lengths differ", {1, 3, 0, 0xfd, 0xff, 'a', 'b', 'c'}, 8, -EINVAL},
	{"a stored block that is cut off", {1, 3, 0, 0xfc, 0xff, 'a', 'b'}, 7, -EINVAL},
	{"fixed codes: \"a\" and its end", {0x4b, 0x04, 0x00}, 3, 1},
	{"fixed codes without an end", {0x4b}, 1, -EINVAL},
	{"nothing", {0}, 0, -EINVAL},
	{"a block of type 3", {7, 0, 0}, 3, -EINVAL},
	{"a copy from before the beginning", {0x03, 0x02, 0x00}, 3, -EINVAL},
	{"zeros: dynamic codes without any",
	 {5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	 16,
	 -EINVAL},
	{"ones: too many codes",
	 {0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	 11,
	 -EINVAL},
};

Test(qcow2_damaged, deflate_streams)
{
	uint8_t out[8];

	for (unsigned int i = 0; i < ARRAY_SIZE(streams); i++)
		cr_expect_eq(inflate_all(streams[i].in, streams[i].in_bytes, out, sizeof(out)),
			     streams[i].out, "%s", streams[i].what);
	cr_expect_eq(inflate_all(streams[0].in, 8, out, 3), 3);
	cr_expect_eq(inflate_all(streams[0].in, 8, out, 2), -EINVAL, "more than fits");
}
