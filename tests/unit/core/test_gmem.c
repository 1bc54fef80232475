/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/gmem.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096ULL
#define HIGH (1ULL << 32)

/*
 * Guest RAM of the tests: [PAGE, 3 PAGE), right behind it [3 PAGE, 4 PAGE), then a hole, then
 * [HIGH, HIGH + 2 PAGE). The front-end has the first two the other way round.
 */
#define USER_A 0x7f0000002000ULL
#define USER_B 0x7f0000000000ULL

static struct gmem mem;
static int file;

static void start(void)
{
	mem = (struct gmem){0};
	file = memfd_create("ram", MFD_CLOEXEC);
	cr_assert_eq(ftruncate(file, 16 * PAGE), 0);
	/* Not in order of address: the module sorts. */
	cr_assert_eq(gmem_map(&mem, file, 4 * PAGE, HIGH, 2 * PAGE, 0, &(struct err){0}), 0);
	cr_assert_eq(gmem_map(&mem, file, 0, PAGE, 2 * PAGE, USER_A, &(struct err){0}), 0);
	cr_assert_eq(gmem_map(&mem, file, 2 * PAGE, 3 * PAGE, PAGE, USER_B, &(struct err){0}), 0);
}

static void stop(void)
{
	gmem_done(&mem);
	close(file);
}

TestSuite(gmem, .init = start, .fini = stop);

Test(gmem, regions_are_sorted_and_summed)
{
	cr_assert_eq(mem.nr, 3);
	cr_assert_eq(mem.region[0].gpa, PAGE);
	cr_assert_eq(mem.region[1].gpa, 3 * PAGE);
	cr_assert_eq(mem.region[2].gpa, HIGH);
	cr_assert_eq(gmem_bytes(&mem), 5 * PAGE);
}

Test(gmem, map_refuses_bad_regions)
{
	static const struct {
		const char *what;
		uint64_t offset, gpa, bytes, user_addr;
	} bad[] = {
		{"empty", 0, 8 * PAGE, 0, 0},
		{"unaligned size", 0, 8 * PAGE, PAGE + 1, 0},
		{"unaligned address", 0, 8 * PAGE + 16, PAGE, 0},
		{"unaligned offset", 512, 8 * PAGE, PAGE, 0},
		{"past the end of the file", 15 * PAGE, 8 * PAGE, 2 * PAGE, 0},
		{"larger than the file", 0, 8 * PAGE, 17 * PAGE, 0},
		{"offset past the end", 17 * PAGE, 8 * PAGE, PAGE, 0},
		{"offset that wraps", -PAGE, 8 * PAGE, 2 * PAGE, 0},
		{"address that wraps", 0, -PAGE, 2 * PAGE, 0},
		{"front-end address that wraps", 0, 8 * PAGE, 2 * PAGE, -PAGE},
		{"same as another", 0, PAGE, 2 * PAGE, 0},
		{"over the start of another", 0, 0, 2 * PAGE, 0},
		{"over the end of another", 0, HIGH + PAGE, 2 * PAGE, 0},
		{"inside another", 0, 2 * PAGE, PAGE, 0},
		{"around another", 0, HIGH - PAGE, 4 * PAGE, 0},
		{"over another's front-end address", 0, 8 * PAGE, PAGE, USER_A + PAGE},
	};
	struct gmem before = mem;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};

		cr_assert_eq(gmem_map(&mem, file, bad[i].offset, bad[i].gpa, bad[i].bytes,
				      bad[i].user_addr, &err),
			     -EINVAL, "%s", bad[i].what);
		cr_assert_eq(err.code, EINVAL, "%s", bad[i].what);
		cr_assert_null(strstr(err.msg, "mmap"), "%s: the kernel refused", bad[i].what);
		cr_assert_arr_eq(&mem, &before, sizeof(mem), "%s", bad[i].what);
	}
}

Test(gmem, map_takes_the_last_page_there_is)
{
	cr_assert_eq(gmem_map(&mem, file, 15 * PAGE, -PAGE, PAGE, 0, &(struct err){0}), 0);
	cr_assert_not_null(gmem_ptr(&mem, UINT64_MAX, 1));
	cr_assert_null(gmem_ptr(&mem, UINT64_MAX, 2));
	/* A range that would go on at address 0 does not, not even when that is RAM. */
	cr_assert_eq(gmem_map(&mem, file, 14 * PAGE, 0, PAGE, 0, &(struct err){0}), 0);
	cr_assert_eq(gmem_iov(&mem, UINT64_MAX, 2, &(struct iovec){0}, 1), 0);
	cr_assert_eq(gmem_iov(&mem, UINT64_MAX, 2, (struct iovec[4]){0}, 4), 0);
}

Test(gmem, map_refuses_what_is_no_file_and_too_many)
{
	int pipes[2];
	uint64_t gpa = 2 * HIGH;

	cr_assert_eq(pipe(pipes), 0);
	cr_assert_eq(gmem_map(&mem, pipes[0], 0, 8 * PAGE, PAGE, 0, &(struct err){0}), -EINVAL);
	cr_assert_eq(gmem_map(&mem, -1, 0, 8 * PAGE, PAGE, 0, &(struct err){0}), -EBADF);
	for (; mem.nr < GMEM_REGIONS_MAX; gpa += PAGE)
		cr_assert_eq(gmem_map(&mem, file, 0, gpa, PAGE, 0, &(struct err){0}), 0);
	cr_assert_eq(gmem_map(&mem, file, 0, gpa, PAGE, 0, &(struct err){0}), -ENOSPC);
}

Test(gmem, ptr_stays_in_one_region)
{
	static const struct {
		uint64_t gpa, len;
		bool ok;
	} cases[] = {
		{PAGE, 1, true},
		{PAGE, 2 * PAGE, true},
		{PAGE, 2 * PAGE + 1, false}, /* RAM, but of the next region */
		{3 * PAGE - 1, 1, true},
		{3 * PAGE - 1, 2, false},
		{3 * PAGE, PAGE, true},
		{3 * PAGE, PAGE + 1, false},
		{PAGE - 1, 1, false},
		{PAGE - 1, 2, false},
		{4 * PAGE, 1, false},
		{0, 1, false},
		{PAGE, 0, false},
		{PAGE, UINT64_MAX, false},
		{PAGE + 1, UINT64_MAX - PAGE, false}, /* the sum wraps to 0 */
		{2 * PAGE, -PAGE, false},	      /* the sum wraps into RAM */
		{UINT64_MAX, 1, false},
		{UINT64_MAX, UINT64_MAX, false},
		{HIGH + 2 * PAGE - 1, 1, true},
		{HIGH + 2 * PAGE, 1, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert_eq(gmem_ptr(&mem, cases[i].gpa, cases[i].len) != NULL, cases[i].ok,
			     "case %zu", i);
}

Test(gmem, ptr_points_at_the_file)
{
	uint8_t *p = gmem_ptr(&mem, HIGH + 5, 1);
	uint8_t v = 0;

	*p = 0x5a;
	cr_assert_eq(pread(file, &v, 1, 4 * PAGE + 5), 1);
	cr_assert_eq(v, 0x5a);
}

Test(gmem, user_addresses_are_translated)
{
	uint64_t gpa = 77;

	cr_assert(gmem_user_to_gpa(&mem, USER_A, 2 * PAGE, &gpa));
	cr_assert_eq(gpa, PAGE);
	cr_assert(gmem_user_to_gpa(&mem, USER_A + 2 * PAGE - 1, 1, &gpa));
	cr_assert_eq(gpa, 3 * PAGE - 1);
	cr_assert(gmem_user_to_gpa(&mem, USER_B + 8, 8, &gpa));
	cr_assert_eq(gpa, 3 * PAGE + 8);
	gpa = 77;
	cr_assert_not(gmem_user_to_gpa(&mem, USER_A, 2 * PAGE + 1, &gpa));
	cr_assert_not(gmem_user_to_gpa(&mem, USER_A, 0, &gpa));
	cr_assert_not(gmem_user_to_gpa(&mem, USER_A, UINT64_MAX, &gpa));
	cr_assert_not(gmem_user_to_gpa(&mem, USER_A - 1, 1, &gpa));
	cr_assert_not(gmem_user_to_gpa(&mem, USER_A + 2 * PAGE, 1, &gpa));
	cr_assert_not(gmem_user_to_gpa(&mem, 0, 1, &gpa), "0 means there is no such address");
	cr_assert_not(gmem_user_to_gpa(&mem, UINT64_MAX, 1, &gpa));
	cr_assert_eq(gpa, 77, "untouched on failure");
}

Test(gmem, iov_crosses_from_region_to_region)
{
	struct iovec iov[3];

	cr_assert_eq(gmem_iov(&mem, PAGE + 16, 2 * PAGE, iov, 3), 2);
	cr_assert_eq(iov[0].iov_base, gmem_ptr(&mem, PAGE + 16, 1));
	cr_assert_eq(iov[0].iov_len, 2 * PAGE - 16);
	cr_assert_eq(iov[1].iov_base, gmem_ptr(&mem, 3 * PAGE, 1));
	cr_assert_eq(iov[1].iov_len, 16);
	cr_assert_eq(gmem_iov(&mem, PAGE, 3 * PAGE, iov, 2), 2, "to the last byte");
	cr_assert_eq(gmem_iov(&mem, PAGE, 2 * PAGE, iov, 1), 1);
}

Test(gmem, iov_refuses_holes_and_want_of_room)
{
	struct iovec iov[3];

	cr_assert_eq(gmem_iov(&mem, PAGE, 3 * PAGE + 1, iov, 3), 0, "into the hole");
	cr_assert_eq(gmem_iov(&mem, 0, PAGE + 1, iov, 3), 0, "out of the hole");
	cr_assert_eq(gmem_iov(&mem, PAGE, HIGH, iov, 3), 0, "over the hole");
	cr_assert_eq(gmem_iov(&mem, PAGE, 3 * PAGE, iov, 1), 0, "no room");
	cr_assert_eq(gmem_iov(&mem, PAGE, 1, iov, 0), 0, "no room at all");
	cr_assert_eq(gmem_iov(&mem, PAGE, 0, iov, 3), 0, "no length");
	cr_assert_eq(gmem_iov(&mem, PAGE, UINT64_MAX, iov, 3), 0);
	cr_assert_eq(gmem_iov(&mem, UINT64_MAX, UINT64_MAX, iov, 3), 0);
}

Test(gmem, copies_cross_regions_or_do_nothing)
{
	char out[8] = "abcdefgh", in[8] = {0};

	cr_assert(gmem_write(&mem, 3 * PAGE - 3, out, 8));
	cr_assert_arr_eq((char *)gmem_ptr(&mem, 3 * PAGE - 3, 3), "abc", 3);
	cr_assert_arr_eq((char *)gmem_ptr(&mem, 3 * PAGE, 5), "defgh", 5);
	cr_assert(gmem_read(&mem, 3 * PAGE - 3, in, 8));
	cr_assert_arr_eq(in, out, 8);

	memset(in, 'x', sizeof(in));
	cr_assert_not(gmem_read(&mem, 4 * PAGE - 3, in, 8));
	cr_assert_arr_eq(in, "xxxxxxxx", 8, "untouched on failure");
	cr_assert_not(gmem_write(&mem, 4 * PAGE - 3, out, 8));
	cr_assert_arr_eq((char *)gmem_ptr(&mem, 4 * PAGE - 3, 3), "\0\0\0", 3, "nothing written");
	cr_assert_not(gmem_read(&mem, PAGE, in, 0));
	cr_assert_not(gmem_write(&mem, PAGE, out, 0));
}

Test(gmem, done_forgets_everything)
{
	struct gmem zeroed = {0};

	gmem_done(&mem);
	cr_assert_eq(gmem_bytes(&mem), 0);
	cr_assert_null(gmem_ptr(&mem, PAGE, 1));
	gmem_done(&mem);
	gmem_done(&zeroed);
}
