/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "runtime/host/hostfacts.h"
#include "runtime/host/ram.h"

#define BYTES (3ULL << 20)

static int lines_of(const char *path)
{
	FILE *f = fopen(path, "r");
	int c, n = 0;

	while ((c = fgetc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	cr_assert_eq(syscall(SYS_capset, &head, none), 0);
}

static bool is_sealed(int fd)
{
	const int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 &&
	       (seals & (F_SEAL_SHRINK | F_SEAL_GROW)) == (F_SEAL_SHRINK | F_SEAL_GROW);
}

Test(ram, is_a_file_of_that_size_to_be_shared)
{
	const int mounts = lines_of("/proc/self/mountinfo");
	struct err err;
	int fd = ram_open(BYTES, &err);
	struct stat st;
	char *a, *b;

	cr_assert_geq(fd, 0, "%s", err.msg);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq((uint64_t)st.st_size, BYTES);
	cr_expect_eq(st.st_nlink, 0, "it has a name somewhere");
	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_expect_eq(lines_of("/proc/self/mountinfo"), mounts, "something is mounted");
	a = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	b = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert(a != MAP_FAILED && b != MAP_FAILED);
	a[BYTES - 1] = 'x';
	cr_expect_eq(b[BYTES - 1], 'x');
	cr_expect_eq(b[0], 0);
	/* There is room for all of it, with huge pages where they fit */
	(void)madvise(a, BYTES, MADV_HUGEPAGE);
	memset(a, 'y', BYTES);
	cr_expect_eq(b[0], 'y');
}

Test(ram, is_sealed_unless_only_a_tmpfs_has_huge_pages)
{
	struct err err;
	int fd = ram_open(BYTES, &err);

	cr_assert_geq(fd, 0, "%s", err.msg);
	if (hostfacts_huge("/") != HOSTFACTS_HUGE_TMPFS)
		cr_expect(is_sealed(fd));
	else if (geteuid() == 0)
		cr_expect_not(is_sealed(fd), "a memfd, although a tmpfs could be had");
}

/* What a balloon does: memory leaves all mappings at once, whatever the seals */
static void expect_holes(int fd)
{
	const size_t hole = 2 * 4096, at = (1U << 20) + 4096;
	char *a = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *b = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	struct stat before, after;

	cr_assert(a != MAP_FAILED && b != MAP_FAILED);
	(void)madvise(a, BYTES, MADV_HUGEPAGE);
	memset(a, 'x', BYTES);
	cr_assert_eq(b[at], 'x');
	cr_assert_eq(fstat(fd, &before), 0);
	cr_assert_eq(madvise(b + at, hole, MADV_REMOVE), 0, "%s", strerror(errno));
	cr_assert_eq(fstat(fd, &after), 0);
	cr_expect_eq((before.st_blocks - after.st_blocks) * 512, (blkcnt_t)hole);
	cr_expect(a[at] == 0 && a[at + hole - 1] == 0);
	cr_expect(a[at - 1] == 'x' && a[at + hole] == 'x');
	a[at] = 'y';
	cr_expect_eq(b[at], 'y');
	/* These would forbid it, and no process can add them to a sealed file. */
	cr_expect_lt(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
	cr_expect(fcntl(fd, F_GET_SEALS) < 0 ||
		  !(fcntl(fd, F_GET_SEALS) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)));
	munmap(a, BYTES);
	munmap(b, BYTES);
}

Test(ram, may_have_holes)
{
	struct err err;
	int fd = ram_open(BYTES, &err);

	cr_assert_geq(fd, 0, "%s", err.msg);
	expect_holes(fd);
	drop_capabilities();
	fd = ram_open(BYTES, &err);
	cr_assert_geq(fd, 0, "%s", err.msg);
	expect_holes(fd);
}

/* A device has the fd, and may write to files. */
Test(ram, takes_no_more_of_the_host_than_it_has_bytes)
{
	static char piece[65536];
	struct err err;
	int fd = ram_open(BYTES, &err);
	off_t off = 0;
	struct stat st;

	cr_assert_geq(fd, 0, "%s", err.msg);
	while (off < (off_t)(4 * BYTES)) {
		ssize_t n = pwrite(fd, piece, sizeof(piece), off);

		if (n <= 0)
			break;
		off += n;
	}
	cr_expect_eq((uint64_t)off, BYTES);
	cr_expect_lt(pwrite(fd, piece, sizeof(piece), 1LL << 40), 0);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_leq((uint64_t)st.st_blocks * 512, BYTES);
}

Test(ram, is_a_sealed_memfd_where_mounting_is_not_allowed)
{
	struct err err;
	int fd;

	drop_capabilities();
	fd = ram_open(BYTES, &err);
	cr_assert_geq(fd, 0, "%s", err.msg);
	cr_expect(is_sealed(fd));
}

Test(ram, too_much_is_an_error_that_says_how_much)
{
	struct err err;

	cr_expect_lt(ram_open(1ULL << 63, &err), 0);
	cr_expect(strstr(err.msg, "9223372036854775808 bytes"), "%s", err.msg);
}
