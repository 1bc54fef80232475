/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/qcow2_rig.h"

#include <sys/resource.h>

TestSuite(qcow2, .init = temp_dir_make, .fini = temp_dir_remove, .timeout = 120);

static uint8_t disk[DISK_BYTES], other[DISK_BYTES];

/* qemu-img agrees with the model, and finds neither damage nor a lost cluster */
static void judge(const char *when)
{
	close_chain();
	save("model", disk);
	cr_assert_eq(sh("qemu-img check a.qcow2"), 0, "%s: qemu-img check; %s/out", when, temp_dir);
	cr_assert_eq(sh("qemu-img compare -f qcow2 -F raw a.qcow2 model"), 0, "%s: compare", when);
}

static void open_again(enum chain chain)
{
	struct err err = {0};

	cr_assert_eq(open_chain(chain, true, &err), 0, "%s", err.msg);
}

/* Random acts, with writes of QEMU's between them, in one kind of image */
static void go_through(enum chain chain, const char *options, unsigned int acts, uint64_t seed)
{
	uint64_t state = 0x9e3779b97f4a7c15ULL + seed * 977;

	make_chain(chain, options);
	load("model", disk);
	for (unsigned int round = 0; round < 2; round++) {
		open_again(chain);
		cr_assert_eq(get(0, other, DISK_BYTES), 0);
		cr_assert(memcmp(other, disk, DISK_BYTES) == 0, "%s: not what QEMU wrote", options);
		for (unsigned int i = 0; i < acts; i++) {
			struct act a = random_act(&state);

			act_on_model(&a, disk);
			cr_assert_eq(act_on_disk(&a, disk), 0, "%s: act %u", options, i);
		}
		judge(options);
		cr_assert_eq(
			sh("for i in 3 300 1111 2600; do qemu-io -f qcow2 -c \"write -P $i ${i}k "
			   "70k\" -c \"discard $((i + 200))k 128k\" -c \"write -z $((i + 400))k "
			   "90k\" a.qcow2; done; qemu-img convert -O raw a.qcow2 model"),
			0);
		load("model", disk);
	}
}

static const char *const layouts[] = {
	"cluster_size=512,refcount_bits=64",
	"cluster_size=512",
	"cluster_size=1024,refcount_bits=2",
	"cluster_size=2048,refcount_bits=8",
	"cluster_size=4096,refcount_bits=1",
	"cluster_size=4096,compat=0.10",
	"cluster_size=8192,refcount_bits=32",
	"cluster_size=65536,refcount_bits=4",
	"cluster_size=65536",
	"cluster_size=2M",
};

static void all_layouts(enum chain chain)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(layouts); i++)
		go_through(chain, layouts[i], 120, chain * 100 + i);
}

Test(qcow2, agrees_with_qemu_about_plain_images)
{
	all_layouts(CHAIN_NONE);
}

Test(qcow2, agrees_with_qemu_about_compressed_images)
{
	all_layouts(CHAIN_PACKED);
}

Test(qcow2, agrees_with_qemu_about_a_raw_file_below)
{
	all_layouts(CHAIN_RAW);
}

Test(qcow2, agrees_with_qemu_about_a_chain_of_three)
{
	all_layouts(CHAIN_THREE);
}

Test(qcow2, agrees_with_qemu_about_a_longer_file_below)
{
	go_through(CHAIN_LONGER, "cluster_size=65536", 120, 7);
	go_through(CHAIN_LONGER, "compat=0.10", 120, 8);
}

Test(qcow2, the_last_cluster_of_the_disk_may_be_cut_off)
{
	struct err err = {0};

	cr_assert_eq(sh("head -c 100000 /dev/urandom >b.raw; qemu-img create -q -f qcow2 -b b.raw "
			"-F raw a.qcow2 99840"),
		     0);
	cr_assert_eq(open_chain(CHAIN_RAW, true, &err), 0, "%s", err.msg);
	cr_assert_eq(q.image[0].bytes, 99840);
	memset(disk, 5, 512);
	cr_assert_eq(put(99840 - 512, disk, 512), 0);
	cr_assert_eq(get(65536, other, 99840 - 65536), 0);
	cr_assert(memcmp(other + 99840 - 65536 - 512, disk, 512) == 0);
	cr_assert_eq(qcow2_drop(&q, 65536, 99840 - 65536, QCOW2_ZERO_FREE), 0);
	cr_assert_eq(get(65536, other, 99840 - 65536), 0);
	cr_assert(other[0] == 0 && other[99840 - 65536 - 1] == 0);
	close_chain();
	cr_assert_eq(sh("qemu-img check a.qcow2"), 0);
}

Test(qcow2, a_discard_gives_the_space_back_and_writes_use_it_again)
{
	uint64_t full;

	make_chain(CHAIN_NONE, "cluster_size=65536");
	load("model", disk);
	open_again(CHAIN_NONE);
	memset(disk, 9, 2 << 20);
	cr_assert_eq(put(0, disk, 2 << 20), 0);
	full = q.image[0].file_bytes;
	cr_assert_eq(qcow2_drop(&q, 0, 2 << 20, QCOW2_DISCARD), 0);
	cr_assert_eq(sh("test $(du -k a.qcow2 | cut -f1) -lt 600"), 0, "the file kept its space");
	memset(disk, 0, 2 << 20);
	memset(disk + (2 << 20), 9, 2 << 20);
	cr_assert_eq(put(2 << 20, disk + (2 << 20), 2 << 20), 0);
	cr_assert_eq(q.image[0].file_bytes, full, "free clusters were not used");
	judge("used again");
}

/* A full disk: each write that fails leaves an image that is whole, and goes well when there is room */
Test(qcow2, a_file_that_cannot_grow_is_an_error_of_one_write)
{
	const struct rlimit no_limit = {RLIM_INFINITY, RLIM_INFINITY};
	unsigned int failed = 0;

	signal(SIGXFSZ, SIG_IGN);
	make_chain(CHAIN_RAW, "cluster_size=512,refcount_bits=64");
	load("model", disk);
	open_again(CHAIN_RAW);
	for (unsigned int i = 0; i < 40; i++) {
		const uint64_t off = i * 90112ULL;
		const struct rlimit limit = {q.image[0].file_bytes + i * 700, RLIM_INFINITY};

		memset(other, 0x80 + (int)i, 6000 * 2);
		cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
		for (unsigned int k = 0; k < 12; k++)
			failed += put(off + k * 1024, other + k * 1024, 1024) < 0;
		cr_assert_eq(setrlimit(RLIMIT_FSIZE, &no_limit), 0);
		if (i % 8 == 0) {
			close_chain();
			cr_assert_eq(sh("qemu-img check a.qcow2"), 0, "after %u: %s/out", i,
				     temp_dir);
			open_again(CHAIN_RAW);
		}
		memset(disk + off, 0x80 + (int)i, 12288);
		cr_assert_eq(put(off, disk + off, 12288), 0);
	}
	cr_assert_gt(failed, 100);
	judge("at the end");
}
