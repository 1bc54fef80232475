/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Three ways to have requests of a disk overlap, the way the block device would use them, in its jail
 *
 * usage: block-io DIR
 *
 * The file lies in DIR and has its name for an instant only. A round is what one wake-up of the
 * device brings: a batch of requests, each with a buffer of its own as in guest memory; all of them
 * carried out; one write to an eventfd, the driver's interrupt; then the next batch. The ways are
 *
 *   one:       one request after the other; what the others are compared with
 *   announced: the same after a posix_fadvise(WILLNEED) for each request of the batch
 *   threads:   devices/core/pool.c, 16 of them. As in the device, reads that the page cache has and a
 *              request that is alone are carried out at once
 *   io_uring:  one io_uring_enter() that submits them all and waits for all
 *
 * All are under the block device's filter, with what the measurement itself needs added, under an ordinary
 * user and RLIMIT_NPROC 0. io_uring is restricted to reads and writes of two registered files
 * (IORING_REGISTER_RESTRICTIONS), and completions do not interrupt the thread (DEFER_TASKRUN) where the
 * kernel can do that. It gets no polling thread and no registered buffers, which would pin guest memory.
 *
 * They take turns of SLICE_NS, so other load on the machine hits all; each figure is the median of the
 * rounds. CPU time is the process's, the kernel's worker threads for io_uring included. What interrupts and
 * writeback cost is not in it.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "devices/block/block_fd.h"
#include "devices/core/lockdown.h"
#include "devices/core/pool.h"
#include "policies/policy.h"
#include "tests/bench/uring.h"

#define FILE_BYTES  (256ULL << 20)
#define BATCH_MAX   32U
#define BYTES_MAX   (64U << 10)
#define ROUNDS	    3U
#define SLICE_NS    65000000ULL	   /* 65 ms */
#define DEADLINE_NS 40000000000ULL /* no row begins after it */
#define USER	    65534	   /* for whom RLIMIT_NPROC holds */

enum { CACHED, DIRECT, NR_FDS };

/* What a kind of request is beside its size */
enum {
	RANDOM = 1 << 0,
	WRITE = 1 << 1,
	COLD = 1 << 2, /* the page cache holds nothing of the file when a slice begins */
};

/**
 * struct bench - What all rows share
 * @fd:		The file, by way of the page cache and around it; DIRECT is -1 where refused
 * @irq:	Stands for the driver's interrupt
 * @mem:	BATCH_MAX buffers
 * @seed:	Of the random offsets
 * @next:	Where sequential reading goes on
 * @kind, @request: What the threads carry out
 */
struct bench {
	int fd[NR_FDS];
	int irq;
	uint8_t *mem;
	uint64_t seed;
	uint64_t next;
	struct uring ring;
	struct pool pool;
	const struct sort *kind;
	struct request *request;
};

/* One kind of request */
struct sort {
	const char *name;
	int fd;
	unsigned int how;
	uint32_t bytes;
};

/* A request of a batch */
struct request {
	struct iovec iov;
	off_t off;
};

/* One slice, per request */
struct sample {
	double ops_s;
	double cpu_us;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

/* ---- the ways ------------------------------------------------------------------------- */

static void carry_out(struct bench *b, const struct sort *k, struct request *r)
{
	struct iovec iov = r->iov;

	if (block_fd_move(b->fd[k->fd], k->how & WRITE, &iov, 1, (uint64_t)r->off) < 0)
		errx(1, "%s fails", k->name);
}

static void by_one(struct bench *b, const struct sort *k, struct request *r, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		carry_out(b, k, &r[i]);
}

static void by_announced(struct bench *b, const struct sort *k, struct request *r, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		posix_fadvise(b->fd[k->fd], r[i].off, k->bytes, POSIX_FADV_WILLNEED);
	by_one(b, k, r, n);
}

/* In a thread */
static void run(void *arg, unsigned int slot)
{
	struct bench *b = arg;

	carry_out(b, b->kind, &b->request[slot]);
}

static bool by_loop(struct bench *b, const struct sort *k, struct request *r, unsigned int n)
{
	if (!(k->how & WRITE) && k->fd == CACHED &&
	    block_fd_read_cached(b->fd[k->fd], &r->iov, 1, (uint64_t)r->off, k->bytes))
		return true;
	if (n == 1)
		carry_out(b, k, r);
	return n == 1;
}

static void by_threads(struct bench *b, const struct sort *k, struct request *r, unsigned int n)
{
	unsigned int given = 0;
	uint8_t slots[BATCH_MAX];

	b->kind = k;
	b->request = r;
	for (unsigned int i = 0; i < n; i++) {
		if (by_loop(b, k, &r[i], n))
			continue;
		pool_give(&b->pool, (uint8_t)i);
		given++;
	}
	while (given > 0)
		given -= pool_take(&b->pool, slots, BATCH_MAX);
}

static void by_io_uring(struct bench *b, const struct sort *k, struct request *r, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		uring_put(&b->ring, k->how & WRITE, k->fd, &r[i].iov, (uint64_t)r[i].off, i);
	uring_wait(&b->ring, n);
	for (unsigned int i = 0; i < n; i++)
		(void)uring_take(&b->ring, k->bytes);
}

/* ---- setting up --------------------------------------------------------------------------- */

/* The whole file once through the page cache */
static void file_pass(struct bench *b, bool write)
{
	size_t chunk = (size_t)BATCH_MAX * BYTES_MAX;

	for (uint64_t off = 0; off < FILE_BYTES; off += chunk) {
		struct iovec iov = {b->mem, chunk};

		if (block_fd_move(b->fd[CACHED], write, &iov, 1, off) < 0)
			errx(1, "%s the file fails", write ? "writing" : "reading");
	}
}

/* Where the policy has the disk, and the next */
static void bench_slot(struct bench *b, unsigned int i)
{
	const int slot = BOOT_FD_RES + (int)i;

	if (b->fd[i] < 0)
		return;
	if (dup3(b->fd[i], slot, O_CLOEXEC) < 0)
		err(1, "fd %d", slot);
	close(b->fd[i]);
	b->fd[i] = slot;
}

static void bench_init(struct bench *b, const char *dir)
{
	char path[4096];

	*b = (struct bench){.fd = {-1, -1}, .seed = 88172645463325252ULL};
	snprintf(path, sizeof(path), "%s/block-io.%d", dir, (int)getpid());
	b->fd[CACHED] = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (b->fd[CACHED] < 0)
		err(1, "%s", path);
	b->fd[DIRECT] = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	unlink(path);
	bench_slot(b, CACHED);
	bench_slot(b, DIRECT);
	b->irq = eventfd(0, EFD_CLOEXEC);
	b->mem = mmap(NULL, (size_t)BATCH_MAX * BYTES_MAX, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (b->irq < 0 || b->mem == MAP_FAILED)
		err(1, "setting up");
	for (size_t i = 0; i < (size_t)BATCH_MAX * BYTES_MAX; i++)
		b->mem[i] = (uint8_t)(i * 31 + 1); /* no file system can leave these out */
	file_pass(b, true);
	if (fsync(b->fd[CACHED]) < 0)
		err(1, "fsync");
}

/* What the device's process has lost when it sees the first request */
static void bench_lock(struct bench *b)
{
	static struct boot_filter filter;
	const struct policy *p = policy_find("block_io_device");
	struct err e = {0};
	int rc;

	if (setresgid(USER, USER, USER) < 0 || setresuid(USER, USER, USER) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		err(1, "user %d", USER);
	filter.count = p->count;
	memcpy(filter.insn, p->insn, p->count * sizeof(p->insn[0]));
	uring_init(&b->ring, BATCH_MAX, b->fd);
	rc = lockdown_files(&filter, -1, &e);
	if (rc == 0)
		rc = pool_init(&b->pool, KIND_THREADS_MAX, run, b, &e);
	if (rc == 0)
		rc = lockdown(&filter, &e);
	if (rc < 0)
		errx(1, "%s", e.msg);
}

/* ---- measuring ---------------------------------------------------------------------------- */

static void batch_make(struct bench *b, const struct sort *k, struct request *r, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		uint64_t at = b->next++;

		if (k->how & RANDOM) {
			b->seed ^= b->seed << 13;
			b->seed ^= b->seed >> 7;
			b->seed ^= b->seed << 17;
			at = b->seed;
		}
		r[i].iov.iov_base = b->mem + (size_t)i * BYTES_MAX;
		r[i].iov.iov_len = k->bytes;
		r[i].off = (off_t)(at % (FILE_BYTES / k->bytes) * k->bytes);
	}
}

static struct sample slice(struct bench *b, const struct sort *k, unsigned int batch,
			   void (*carry_out)(struct bench *, const struct sort *, struct request *,
					     unsigned int))
{
	struct request r[BATCH_MAX];
	uint64_t one = 1, ops = 0, begin, process, spent;

	if (k->how & COLD)
		posix_fadvise(b->fd[CACHED], 0, 0, POSIX_FADV_DONTNEED);
	begin = now_ns(CLOCK_MONOTONIC);
	process = now_ns(CLOCK_PROCESS_CPUTIME_ID);

	do {
		batch_make(b, k, r, batch);
		carry_out(b, k, r, batch);
		if (write(b->irq, &one, sizeof(one)) != sizeof(one))
			err(1, "eventfd");
		ops += batch;
		spent = now_ns(CLOCK_MONOTONIC) - begin;
	} while (spent < SLICE_NS);
	process = now_ns(CLOCK_PROCESS_CPUTIME_ID) - process;
	return (struct sample){
		.ops_s = (double)ops * 1e9 / (double)spent,
		.cpu_us = (double)process / 1e3 / (double)ops,
	};
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The middle one of ROUNDS values, which get sorted */
static double median(double v[ROUNDS])
{
	qsort(v, ROUNDS, sizeof(*v), compare);
	return v[ROUNDS / 2];
}

static const struct way {
	const char *name;
	void (*carry_out)(struct bench *, const struct sort *, struct request *, unsigned int);
} ways[] = {{"one", by_one},
	    {"announced", by_announced},
	    {"threads", by_threads},
	    {"io_uring", by_io_uring}};

#define WAYS  (sizeof(ways) / sizeof(ways[0]))
#define URING (WAYS - 1)

/* Measures one line of the table and prints it */
static void row(struct bench *b, const struct sort *k, unsigned int batch)
{
	double ops[WAYS][ROUNDS], cpu[WAYS][ROUNDS], first;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		for (unsigned int w = 0; w < WAYS; w++) {
			struct sample s = slice(b, k, batch, ways[w].carry_out);

			ops[w][i] = s.ops_s;
			cpu[w][i] = s.cpu_us;
		}
	}
	first = median(ops[0]);
	printf("  %-29s %3u %8.0f %7.2f", k->name, batch, first, median(cpu[0]));
	for (unsigned int w = 1; w < WAYS; w++) {
		if (w == URING && b->ring.why)
			printf("   %16s", b->ring.why);
		else
			printf("   %6.2f x %7.2f", median(ops[w]) / first, median(cpu[w]));
	}
	printf("\n");
	b->ring.why = NULL;
}

/* Cached writing last: the others need a file with nothing left to write back */
static const struct sort sorts[] = {
	{"O_DIRECT, 4 KiB random read", DIRECT, RANDOM, 4 << 10},
	{"O_DIRECT, 64 KiB sequential", DIRECT, 0, 64 << 10},
	{"O_DIRECT, 4 KiB random write", DIRECT, RANDOM | WRITE, 4 << 10},
	{"not cached, 4 KiB random read", CACHED, RANDOM | COLD, 4 << 10},
	{"cached, 4 KiB random read", CACHED, RANDOM, 4 << 10},
	{"cached, 64 KiB sequential", CACHED, 0, 64 << 10},
	{"cached, 4 KiB random write", CACHED, RANDOM | WRITE, 4 << 10},
};
static const unsigned int batches[] = {1, 8, BATCH_MAX};

int main(int argc, char **argv)
{
	uint64_t begin = now_ns(CLOCK_MONOTONIC);
	struct bench b;

	if (argc != 2)
		errx(2, "usage: block-io DIR");
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench_init(&b, argv[1]);
	printf("  %-33s %16s", "op/s and us of CPU for each", ways[0].name);
	for (unsigned int w = 1; w < WAYS; w++)
		printf("   %16s", ways[w].name);
	printf("\n");
	bench_lock(&b); /* after libc's first output, which asks about the file */
	for (unsigned int i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		const struct sort *k = &sorts[i];

		if (b.fd[k->fd] < 0) {
			printf("  %-29s not measured: the file system has no O_DIRECT\n", k->name);
			continue;
		}
		/* What gets written is dirty before, or each slice would find more so than the last. */
		if (k->fd == CACHED && !(k->how & COLD))
			file_pass(&b, k->how & WRITE);
		for (unsigned int j = 0; j < sizeof(batches) / sizeof(batches[0]); j++) {
			if (now_ns(CLOCK_MONOTONIC) - begin < DEADLINE_NS)
				row(&b, k, batches[j]);
			else
				printf("  %-29s %3u not measured: out of time\n", k->name,
				       batches[j]);
		}
	}
	return 0;
}
