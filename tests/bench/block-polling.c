/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Requests per second of a disk under a guest that polls, and what a request costs, beside bare loops
 *
 * usage: block-polling CACHED DIRECT ORDERS supervisor=PID vmm=PID NAME=PID...
 *
 * The guest is tests/guests/blockbench.c, which says what is in ORDERS, the file of its last disk. CACHED and DIRECT are
 * the files of its other disks, the latter with O_DIRECT. A slice is one order to the guest; or the same requests of the same
 * file by this process, one pread or pwrite after the other; or with an io_uring that has as many in flight as the guest.
 *
 * While a loop runs the VMM is stopped. The ways take turns, so other load on the machine hits all; each figure is the median of ROUNDS slices. CPU time of the
 * guest is that of the processes named: supervisor, VMM with the vCPU, which polls, and the disk's; that of a loop is its
 * own, the kernel's workers for io_uring included.
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/bench/uring.h"

#define ROUNDS	   5U
#define SLOTS	   32U
#define DATA_BYTES (4U << 20)
#define PROCS_MAX  4
#define PATIENCE_S 30
#define SECTOR	   512

enum { CACHED, DIRECT, FILES };
enum { GUEST, LOOP, URING, WAYS };
enum { VMM = 1 }; /* of the processes */

struct order {
	uint64_t number, span;
	uint32_t disk, write, in_order, depth, bytes, count;
};

struct answer {
	uint64_t number;
	uint32_t rung, failed;
};

/**
 * struct bench - What all slices share
 * @orders:	ORDERS
 * @number:	Of the last order
 * @proc, @pid:	CPU clocks of the guest's processes; the second is the VMM
 */
struct bench {
	int fd[FILES], orders;
	uint64_t span[FILES], number;
	clockid_t proc[PROCS_MAX];
	pid_t pid[PROCS_MAX];
	const char *name[PROCS_MAX];
	unsigned int nr_procs;
	struct uring ring;
	uint8_t *mem;
};

/* One slice, per request */
struct sample {
	double ops_s, cpu_us, proc_us[PROCS_MAX], rung;
};

/* One line of the table, as orders have it */
static const struct kind {
	const char *name;
	struct order order;
} kinds[] = {
	{"cached, 4 KiB random read", {.disk = CACHED, .depth = 1, .bytes = 4096, .count = 5000}},
	{"cached, 4 KiB random read", {.disk = CACHED, .depth = 32, .bytes = 4096, .count = 40000}},
	{"cached, 4 KiB random write",
	 {.disk = CACHED, .write = 1, .depth = 1, .bytes = 4096, .count = 5000}},
	{"cached, 4 KiB random write",
	 {.disk = CACHED, .write = 1, .depth = 32, .bytes = 4096, .count = 40000}},
	{"cached, 1 MiB in order",
	 {.disk = CACHED, .in_order = 1, .depth = 4, .bytes = 1 << 20, .count = 400}},
	{"O_DIRECT, 4 KiB random read", {.disk = DIRECT, .depth = 1, .bytes = 4096, .count = 2000}},
	{"O_DIRECT, 4 KiB random read",
	 {.disk = DIRECT, .depth = 32, .bytes = 4096, .count = 8000}},
	{"O_DIRECT, 4 KiB random write",
	 {.disk = DIRECT, .write = 1, .depth = 32, .bytes = 4096, .count = 6000}},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) < 0)
		err(1, "a process is gone");
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

/* ---- the ways ------------------------------------------------------------------------------- */

static void by_guest(struct bench *b, const struct order *o, struct sample *s)
{
	const struct timespec a_moment = {.tv_nsec = 100000};
	const uint64_t end = now_ns(CLOCK_MONOTONIC) + PATIENCE_S * 1000000000ULL;
	uint8_t sector[SECTOR] = {0};
	struct answer a;

	memcpy(sector, o, sizeof(*o));
	if (pwrite(b->orders, sector, SECTOR, 0) != SECTOR)
		err(1, "ordering");
	do {
		nanosleep(&a_moment, NULL);
		if (pread(b->orders, &a, sizeof(a), SECTOR) != sizeof(a))
			err(1, "answer");
		if (now_ns(CLOCK_MONOTONIC) > end)
			errx(1, "the guest does not answer");
	} while (a.number != o->number);
	if (a.failed)
		errx(1, "%u requests of the guest failed", a.failed);
	s->rung = a.rung * 1.0 / o->count;
}

/* Where request @i goes; *@x is the state of the guest's random numbers */
static uint64_t place(const struct order *o, uint64_t i, uint64_t *x)
{
	const uint64_t at = o->in_order ? i : *x >> 20;

	*x = *x * 6364136223846793005ULL + 1;
	return at % (o->span / o->bytes) * o->bytes;
}

static void by_loop(struct bench *b, const struct order *o)
{
	uint64_t x = 1;

	for (uint32_t i = 0; i < o->count; i++) {
		const off_t off = (off_t)place(o, i, &x);
		const int fd = b->fd[o->disk];
		const ssize_t n = o->write ? pwrite(fd, b->mem, o->bytes, off)
					   : pread(fd, b->mem, o->bytes, off);

		if (n != (ssize_t)o->bytes)
			err(1, "the loop's request");
	}
}

static void by_uring(struct bench *b, const struct order *o)
{
	uint32_t asked = 0, done = 0;
	struct iovec iov[SLOTS];
	uint64_t x = 1;

	for (uint32_t i = 0; i < o->depth; i++)
		iov[i] = (struct iovec){b->mem + (size_t)i * o->bytes, o->bytes};
	while (done < o->count) {
		uint64_t slot = asked;

		if (asked >= o->depth) {
			uring_wait(&b->ring, 1);
			slot = uring_take(&b->ring, o->bytes);
			done++;
		}
		if (asked < o->count)
			uring_put(&b->ring, o->write, (int)o->disk, &iov[slot], place(o, asked, &x),
				  slot);
		asked++;
	}
}

/* ---- measuring ------------------------------------------------------------------------------ */

/* A loop has the machine for itself: the guest would poll for orders meanwhile. */
static struct sample slice(struct bench *b, const struct kind *k, unsigned int way)
{
	struct order o = k->order;
	uint64_t cpu[PROCS_MAX], own, begin, spent;
	struct sample s = {.ops_s = 0};

	o.number = ++b->number;
	o.span = b->span[o.disk];
	if (kill(b->pid[VMM], way == GUEST ? SIGCONT : SIGSTOP) < 0)
		err(1, "the VMM is gone");
	for (unsigned int i = 0; i < b->nr_procs; i++)
		cpu[i] = now_ns(b->proc[i]);
	own = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	begin = now_ns(CLOCK_MONOTONIC);
	if (way == GUEST)
		by_guest(b, &o, &s);
	else if (way == LOOP)
		by_loop(b, &o);
	else if (!b->ring.why)
		by_uring(b, &o);
	spent = now_ns(CLOCK_MONOTONIC) - begin;
	s.ops_s = o.count * 1e9 / (double)spent;
	s.cpu_us = (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - own) / 1e3 / o.count;
	if (way != GUEST)
		return s;
	s.cpu_us = 0;
	for (unsigned int i = 0; i < b->nr_procs; i++) {
		s.proc_us[i] = (double)(now_ns(b->proc[i]) - cpu[i]) / 1e3 / o.count;
		s.cpu_us += s.proc_us[i];
	}
	return s;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of the figure @off into each sample */
static double figure(const struct sample s[ROUNDS], size_t off)
{
	double v[ROUNDS];

	for (unsigned int i = 0; i < ROUNDS; i++)
		memcpy(&v[i], (const char *)&s[i] + off, sizeof(v[i]));
	qsort(v, ROUNDS, sizeof(v[0]), compare);
	return v[ROUNDS / 2];
}

static void row(struct bench *b, const struct kind *k)
{
	static struct sample s[WAYS][ROUNDS];
	double ops[WAYS], cpu[WAYS];

	for (unsigned int i = 0; i < ROUNDS; i++)
		for (unsigned int w = 0; w < WAYS; w++)
			s[w][i] = slice(b, k, w);
	for (unsigned int w = 0; w < WAYS; w++) {
		ops[w] = figure(s[w], offsetof(struct sample, ops_s));
		cpu[w] = figure(s[w], offsetof(struct sample, cpu_us));
	}
	printf("  %-29s %3u %8.0f %7.2f (", k->name, k->order.depth, ops[GUEST], cpu[GUEST]);
	for (unsigned int i = 0; i < b->nr_procs; i++)
		printf("%s%s %.2f", i ? ", " : "", b->name[i],
		       figure(s[GUEST], offsetof(struct sample, proc_us) + i * sizeof(double)));
	printf("; rung %.2f)\n  %-29s %3s", figure(s[GUEST], offsetof(struct sample, rung)), "",
	       "");
	for (unsigned int w = LOOP; w < WAYS; w++) {
		if (w == URING && b->ring.why)
			printf("   io_uring: %s", b->ring.why);
		else
			printf("   %s %8.0f %7.2f, ratio %.2f", w == LOOP ? "loop" : "io_uring",
			       ops[w], cpu[w], ops[GUEST] / ops[w]);
	}
	printf("\n");
	b->ring.why = b->ring.fd < 0 ? b->ring.why : NULL;
}

static void bench_init(struct bench *b, int argc, char **argv)
{
	struct stat st;

	for (int i = 0; i < FILES; i++) {
		b->fd[i] = open(argv[1 + i], O_RDWR | O_CLOEXEC | (i == DIRECT ? O_DIRECT : 0));
		if (b->fd[i] < 0 || fstat(b->fd[i], &st) < 0)
			err(1, "%s", argv[1 + i]);
		b->span[i] = (uint64_t)st.st_size;
	}
	b->orders = open(argv[1 + FILES], O_RDWR | O_CLOEXEC);
	b->mem = mmap(NULL, DATA_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (b->orders < 0 || b->mem == MAP_FAILED)
		err(1, "%s", argv[1 + FILES]);
	for (int i = 2 + FILES; i < argc; i++, b->nr_procs++) {
		char *is = strchr(argv[i], '=');

		b->pid[b->nr_procs] = is ? (pid_t)atoi(is + 1) : 0;
		if (!is || clock_getcpuclockid(b->pid[b->nr_procs], &b->proc[b->nr_procs]) != 0)
			errx(2, "%s: not NAME=PID of a process", argv[i]);
		*is = 0;
		b->name[b->nr_procs] = argv[i];
	}
	uring_init(&b->ring, SLOTS, b->fd);
}

int main(int argc, char **argv)
{
	static struct bench b;

	if (argc < 4 + FILES || argc > 2 + FILES + PROCS_MAX)
		errx(2, "usage: block-polling CACHED DIRECT ORDERS supervisor=PID vmm=PID "
			"NAME=PID...");
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench_init(&b, argc, argv);
	printf("  %-29s %3s %8s %7s\n", "", "", "op/s", "us CPU");
	for (unsigned int i = 0; i < KINDS; i++)
		row(&b, &kinds[i]);
	return 0;
}
