/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: fsx FILE SEED STEPS: does things at random to one file, and to a copy of it in memory
 *
 * Reads, writes, shared mappings, holes, room made in advance, copies within the file, cuts, syncs and openings. What
 * is read must be what the copy in memory has, and so must the size after each step. A difference ends the program
 * with status 1 and a line that has the seed and the step: the same seed does the same again. In the end the file is
 * written once more through a mapping, and the copy goes to FILE.model: the host compares both.
 *
 * What a file system does not offer (EOPNOTSUPP, and shared mappings without a page cache) is left out and named.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FSX_MAX	  (256U << 10) /* bytes of the file */
#define FSX_PIECE (64U << 10)  /* bytes of one step */

static const char *path;
static int fd = -1;
static unsigned char model[FSX_MAX], buf[FSX_PIECE];
static size_t size;	     /* of the file */
static size_t at, len, from; /* of this step */
static unsigned long seed, step;
static unsigned long long state;
static const char *what;

static void fail(const char *fmt, ...)
{
	va_list ap;

	printf("fsx: seed %lu, step %lu: %s of %zu bytes at %zu (from %zu), size %zu: ", seed, step,
	       what, len, at, from, size);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	exit(1);
}

/* xorshift64*: the same on every machine */
static size_t random_below(size_t n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (size_t)(state * 0x2545f4914f6cdd1dULL >> 33) % n;
}

static void fill(unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(step + i * (1 + step % 7));
}

static void compare(const unsigned char *got, size_t off, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (got[i] != model[off + i])
			fail("byte %zu is %02x, wanted %02x", off + i, got[i], model[off + i]);
	}
}

static void reopen(void)
{
	if (fd >= 0 && close(fd) < 0)
		fail("close: %s", strerror(errno));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		fail("open: %s", strerror(errno));
}

/* ---- steps: each has the range @at, @len, below FSX_MAX; false: the file system does not offer it ---- */

/* The part of the range that is in the file */
static bool inside(void)
{
	if (at >= size)
		return false;
	len = len < size - at ? len : size - at;
	return len > 0;
}

static void grown(size_t end)
{
	size = end > size ? end : size;
}

static bool do_read(void)
{
	const size_t want = at >= size ? 0 : len < size - at ? len : size - at;
	const ssize_t n = pread(fd, buf, len, (off_t)at);

	if (n != (ssize_t)want)
		fail("%zd: %s, wanted %zu", n, n < 0 ? strerror(errno) : "short", want);
	compare(buf, at, want);
	return true;
}

static bool do_write(void)
{
	fill(model + at, len);
	if (pwrite(fd, model + at, len, (off_t)at) != (ssize_t)len)
		fail("%s", strerror(errno));
	grown(at + len);
	return true;
}

static bool do_append(void)
{
	const int end = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	at = size;
	len = len < FSX_MAX - size ? len : FSX_MAX - size;
	fill(model + at, len);
	if (end < 0 || write(end, model + at, len) != (ssize_t)len || close(end) < 0)
		fail("%s", strerror(errno));
	grown(at + len);
	return true;
}

static bool do_truncate(void)
{
	if (at < size)
		memset(model + at, 0, size - at);
	if ((step & 1 ? ftruncate(fd, (off_t)at) : truncate(path, (off_t)at)) < 0)
		fail("%s", strerror(errno));
	size = at;
	return true;
}

static bool map(bool write)
{
	const size_t page = at & ~(size_t)4095;
	unsigned char *p;

	if (!inside())
		return true;
	p = mmap(NULL, at - page + len, write ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd,
		 (off_t)page);
	if (p == MAP_FAILED && errno == ENODEV)
		return false;
	if (p == MAP_FAILED)
		fail("%s", strerror(errno));
	compare(p + (at - page), at, len);
	if (write) {
		fill(model + at, len);
		memcpy(p + (at - page), model + at, len);
		if (step % 3 == 0 && msync(p, at - page + len, MS_SYNC) < 0)
			fail("msync: %s", strerror(errno));
	}
	munmap(p, at - page + len);
	return true;
}

static bool do_map_read(void)
{
	return map(false);
}

static bool do_map_write(void)
{
	return map(true);
}

/* Whether fallocate() has done it */
static bool allocated(int mode)
{
	if (fallocate(fd, mode, (off_t)at, (off_t)len) == 0)
		return true;
	if (errno != EOPNOTSUPP)
		fail("%s", strerror(errno));
	return false;
}

static bool do_allocate(void)
{
	const bool keep = step & 1;

	if (!allocated(keep ? FALLOC_FL_KEEP_SIZE : 0))
		return false;
	if (!keep)
		grown(at + len);
	return true;
}

static void zeroed(void)
{
	if (at < size)
		memset(model + at, 0, len < size - at ? len : size - at);
}

static bool do_punch(void)
{
	if (!allocated(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		return false;
	zeroed();
	return true;
}

static bool do_zero(void)
{
	if (!allocated(FALLOC_FL_ZERO_RANGE))
		return false;
	zeroed();
	grown(at + len);
	return true;
}

static bool do_copy(void)
{
	off_t in, out;

	from = random_below(FSX_MAX);
	if (from >= size || (from < at + len && at < from + len))
		return true;
	len = len < size - from ? len : size - from;
	in = (off_t)from;
	out = (off_t)at;
	for (size_t done = 0; done < len;) {
		const ssize_t n = copy_file_range(fd, &in, fd, &out, len - done, 0);

		if (n < 0 && done == 0 && (errno == EOPNOTSUPP || errno == EXDEV))
			return false;
		if (n <= 0)
			fail("%zd after %zu: %s", n, done, strerror(errno));
		done += (size_t)n;
	}
	memcpy(model + at, model + from, len);
	grown(at + len);
	return true;
}

/* What lies between data and data is zeros. */
static bool do_hole(void)
{
	off_t hole, data;

	if (at >= size)
		return true;
	hole = lseek(fd, (off_t)at, SEEK_HOLE);
	if (hole < (off_t)at || hole > (off_t)size)
		fail("hole at %lld: %s", (long long)hole, strerror(errno));
	data = lseek(fd, hole, SEEK_DATA);
	if (data < 0 && errno != ENXIO)
		fail("data: %s", strerror(errno));
	for (size_t i = (size_t)hole; i < (data < 0 ? size : (size_t)data); i++) {
		if (model[i] != 0)
			fail("byte %zu is in a hole, wanted %02x", i, model[i]);
	}
	return true;
}

static bool do_sync(void)
{
	if ((step & 1 ? fsync(fd) : fdatasync(fd)) < 0)
		fail("%s", strerror(errno));
	return true;
}

static bool do_reopen(void)
{
	reopen();
	return true;
}

/* @share: how many of a hundred steps */
static struct kind {
	const char *name;
	unsigned int share;
	bool (*run)(void);
	unsigned long ran, refused;
} kinds[] = {
	{"read", 20, do_read, 0, 0},
	{"write", 20, do_write, 0, 0},
	{"append", 4, do_append, 0, 0},
	{"truncate", 8, do_truncate, 0, 0},
	{"mapped read", 8, do_map_read, 0, 0},
	{"mapped write", 10, do_map_write, 0, 0},
	{"allocate", 6, do_allocate, 0, 0},
	{"hole", 6, do_punch, 0, 0},
	{"zero range", 4, do_zero, 0, 0},
	{"copy", 6, do_copy, 0, 0},
	{"seek", 4, do_hole, 0, 0},
	{"sync", 2, do_sync, 0, 0},
	{"open", 2, do_reopen, 0, 0},
};
#define FSX_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void one_step(void)
{
	size_t n = random_below(100);
	struct kind *k = kinds;
	struct stat st;

	for (; n >= k->share; k++)
		n -= k->share;
	what = k->name;
	len = 1 + random_below(FSX_PIECE);
	at = random_below(FSX_MAX - len);
	from = 0;
	k->ran++;
	if (!k->run())
		k->refused++;
	if (fstat(fd, &st) < 0 || (size_t)st.st_size != size)
		fail("the file has %lld bytes", (long long)st.st_size);
}

/* The last word: all of the file, then a mapping written and synced, so that the host has it while it is still open. */
static void end(void)
{
	char name[4096];
	int copy;

	what = "end";
	step = 999999; /* a multiple of 3: it is synced */
	for (at = 0; at < size; at += FSX_PIECE) {
		len = FSX_PIECE;
		do_read();
	}
	at = 0;
	len = FSX_PIECE;
	if (!map(true) && !do_write())
		fail("not written");
	snprintf(name, sizeof(name), "%s.model", path);
	copy = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (copy < 0 || write(copy, model, size) != (ssize_t)size || close(copy) < 0)
		fail("%s: %s", name, strerror(errno));
}

int main(int argc, char **argv)
{
	unsigned long steps;

	if (argc != 4) {
		fprintf(stderr, "usage: fsx FILE SEED STEPS\n");
		return 2;
	}
	path = argv[1];
	seed = strtoul(argv[2], NULL, 10);
	steps = strtoul(argv[3], NULL, 10);
	state = seed * 0x9e3779b97f4a7c15ULL + 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	unlink(path);
	what = "open";
	reopen();
	for (step = 1; step <= steps; step++)
		one_step();
	end();
	printf("%lu steps", steps);
	for (size_t i = 0; i < FSX_KINDS; i++) {
		if (kinds[i].refused > 0)
			printf(", without %s", kinds[i].name);
	}
	printf("\n");
	return 0;
}
