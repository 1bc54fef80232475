/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: preadv2 against io_uring, the way the block device would use them
 *
 * usage: block-io DIR
 *
 * The file lies in DIR and has its name for an instant only. A round is what one wake-up of the
 * device brings: a batch of requests, each with a buffer of its own as in guest memory; all of them
 * carried out; one write to an eventfd, the driver's interrupt; then the next batch. Either way has
 * one thread. It carries the batch out
 *
 *   preadv2:   one request after the other, as devices/block/block.c does
 *   io_uring:  by one io_uring_enter() that submits them all and waits for all
 *
 * io_uring is given what a device could give it: a registered fd, and completions that are not
 * delivered by interrupting the thread (DEFER_TASKRUN) where the kernel can. It gets no polling
 * thread and no registered buffers, which would pin the guest's memory.
 *
 * "Announced" is a third way: preadv2 again, after a posix_fadvise(WILLNEED) for each request of the
 * batch. io_uring stays as it is in that row.
 *
 * The two take turns of SLICE_NS, so other load on the machine hits both; each figure is the
 * median of the rounds, each ratio the median of the ratios within a round, with the least and the
 * greatest beside it. CPU time is the process's, the kernel's worker threads for io_uring included:
 * the last column is their share of it. What interrupts and writeback cost is not in it.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FILE_BYTES  (256ULL << 20)
#define BATCH_MAX   32U
#define BYTES_MAX   (64U << 10)
#define ROUNDS	    5U
#define SLICE_NS    65000000ULL	   /* 65 ms */
#define DEADLINE_NS 22000000000ULL /* no row begins after it */

enum { CACHED, DIRECT, NR_FDS };

/* What a kind of request is beside its size */
enum {
	RANDOM = 1 << 0,
	WRITE = 1 << 1,
	COLD = 1 << 2,	    /* the page cache holds nothing of the file when a slice begins */
	ANNOUNCED = 1 << 3, /* preadv2 tells the kernel all of a batch before it reads the first */
};

/**
 * struct ring - An io_uring mapped by hand
 * @why:	Why there is none; NULL when there is one
 */
struct ring {
	int fd;
	const char *why;
	uint32_t *sq_tail, *sq_mask, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
};

/**
 * struct bench - What all rows share
 * @fd:		The file, by way of the page cache and around it; DIRECT is -1 where refused
 * @irq:	Stands for the driver's interrupt
 * @mem:	BATCH_MAX buffers
 * @seed:	Of the random offsets
 * @next:	Where sequential reading goes on
 */
struct bench {
	int fd[NR_FDS];
	int irq;
	uint8_t *mem;
	uint64_t seed;
	uint64_t next;
	struct ring ring;
};

/* One kind of request */
struct kind {
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
	double worker_us;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

/* ---- the two ways ------------------------------------------------------------------------- */

static void by_preadv2(struct bench *b, const struct kind *k, struct request *r, unsigned int n)
{
	int fd = b->fd[k->fd];

	for (unsigned int i = 0; i < n && (k->how & ANNOUNCED); i++)
		posix_fadvise(fd, r[i].off, k->bytes, POSIX_FADV_WILLNEED);
	for (unsigned int i = 0; i < n; i++) {
		ssize_t got = k->how & WRITE ? pwritev2(fd, &r[i].iov, 1, r[i].off, 0)
					     : preadv2(fd, &r[i].iov, 1, r[i].off, 0);

		if (got != (ssize_t)k->bytes)
			err(1, "%s: moved %zd bytes", k->name, got);
	}
}

/* Submits what is in the ring and waits until @n answers are there */
static void ring_enter(struct ring *u, unsigned int n)
{
	unsigned int todo = n;

	while (__atomic_load_n(u->cq_tail, __ATOMIC_ACQUIRE) - *u->cq_head < n) {
		long rc = syscall(SYS_io_uring_enter, u->fd, todo, n, IORING_ENTER_GETEVENTS, NULL,
				  0);

		if (rc < 0 && errno != EINTR)
			err(1, "io_uring_enter");
		if (rc > 0)
			todo -= (unsigned int)rc;
	}
}

static void by_io_uring(struct bench *b, const struct kind *k, struct request *r, unsigned int n)
{
	struct ring *u = &b->ring;
	uint32_t tail = *u->sq_tail;
	uint32_t head = *u->cq_head;

	for (unsigned int i = 0; i < n; i++)
		u->sqe[tail++ & *u->sq_mask] = (struct io_uring_sqe){
			.opcode = k->how & WRITE ? IORING_OP_WRITEV : IORING_OP_READV,
			.flags = IOSQE_FIXED_FILE,
			.fd = k->fd,
			.addr = (uint64_t)(uintptr_t)&r[i].iov,
			.len = 1,
			.off = (uint64_t)r[i].off,
		};
	__atomic_store_n(u->sq_tail, tail, __ATOMIC_RELEASE);
	ring_enter(u, n);
	for (unsigned int i = 0; i < n; i++) {
		int32_t res = u->cqe[head++ & *u->cq_mask].res;

		if (res != (int32_t)k->bytes)
			errx(1, "%s: io_uring answers %d", k->name, res);
	}
	__atomic_store_n(u->cq_head, head, __ATOMIC_RELEASE);
}

/* ---- setting up --------------------------------------------------------------------------- */

/* Maps the rings of u->fd */
static void ring_map(struct ring *u, const struct io_uring_params *p)
{
	size_t cq = p->cq_off.cqes + p->cq_entries * sizeof(*u->cqe);
	size_t sq = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
	uint8_t *m = mmap(NULL, cq > sq ? cq : sq, PROT_READ | PROT_WRITE, MAP_SHARED, u->fd,
			  IORING_OFF_SQ_RING);
	uint32_t *array = (uint32_t *)(m + p->sq_off.array);

	u->sqe = mmap(NULL, p->sq_entries * sizeof(*u->sqe), PROT_READ | PROT_WRITE, MAP_SHARED,
		      u->fd, IORING_OFF_SQES);
	if (m == MAP_FAILED || u->sqe == MAP_FAILED)
		err(1, "mmap of the rings");
	u->sq_tail = (uint32_t *)(m + p->sq_off.tail);
	u->sq_mask = (uint32_t *)(m + p->sq_off.ring_mask);
	u->cq_head = (uint32_t *)(m + p->cq_off.head);
	u->cq_tail = (uint32_t *)(m + p->cq_off.tail);
	u->cq_mask = (uint32_t *)(m + p->cq_off.ring_mask);
	u->cqe = (struct io_uring_cqe *)(m + p->cq_off.cqes);
	for (uint32_t i = 0; i < p->sq_entries; i++)
		array[i] = i;
}

static void ring_init(struct ring *u, const int fd[NR_FDS])
{
	struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER |
					     IORING_SETUP_DEFER_TASKRUN};

	u->fd = (int)syscall(SYS_io_uring_setup, BATCH_MAX, &p);
	if (u->fd < 0 && errno == EINVAL) {
		p = (struct io_uring_params){.flags = 0};
		u->fd = (int)syscall(SYS_io_uring_setup, BATCH_MAX, &p);
	}
	if (u->fd < 0) {
		u->why = strerror(errno);
		return;
	}
	if (!(p.features & IORING_FEAT_SINGLE_MMAP)) {
		u->why = "kernel before 5.4";
		return;
	}
	ring_map(u, &p);
	if (syscall(SYS_io_uring_register, u->fd, IORING_REGISTER_FILES, fd, NR_FDS) < 0)
		err(1, "io_uring_register");
}

/* The whole file once through the page cache */
static void file_pass(struct bench *b, bool write)
{
	size_t chunk = (size_t)BATCH_MAX * BYTES_MAX;

	for (uint64_t off = 0; off < FILE_BYTES; off += chunk) {
		ssize_t n = write ? pwrite(b->fd[CACHED], b->mem, chunk, (off_t)off)
				  : pread(b->fd[CACHED], b->mem, chunk, (off_t)off);

		if (n != (ssize_t)chunk)
			err(1, "%s the file", write ? "writing" : "reading");
	}
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
	ring_init(&b->ring, b->fd);
}

/* ---- measuring ---------------------------------------------------------------------------- */

static void batch_make(struct bench *b, const struct kind *k, struct request *r, unsigned int n)
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

static struct sample slice(struct bench *b, const struct kind *k, unsigned int batch,
			   void (*carry_out)(struct bench *, const struct kind *, struct request *,
					     unsigned int))
{
	struct request r[BATCH_MAX];
	uint64_t one = 1, ops = 0, begin, process, thread, spent;

	if (k->how & COLD)
		posix_fadvise(b->fd[CACHED], 0, 0, POSIX_FADV_DONTNEED);
	begin = now_ns(CLOCK_MONOTONIC);
	process = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	thread = now_ns(CLOCK_THREAD_CPUTIME_ID);

	do {
		batch_make(b, k, r, batch);
		carry_out(b, k, r, batch);
		if (write(b->irq, &one, sizeof(one)) != sizeof(one))
			err(1, "eventfd");
		ops += batch;
		spent = now_ns(CLOCK_MONOTONIC) - begin;
	} while (spent < SLICE_NS);
	thread = now_ns(CLOCK_THREAD_CPUTIME_ID) - thread;
	process = now_ns(CLOCK_PROCESS_CPUTIME_ID) - process;
	return (struct sample){
		.ops_s = (double)ops * 1e9 / (double)spent,
		.cpu_us = (double)process / 1e3 / (double)ops,
		.worker_us = process > thread ? (double)(process - thread) / 1e3 / (double)ops : 0,
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

/* Measures one line of the table and prints it */
static void row(struct bench *b, const struct kind *k, unsigned int batch)
{
	double ops[2][ROUNDS], cpu[2][ROUNDS], ops_ratio[ROUNDS], cpu_ratio[ROUNDS];
	double workers[ROUNDS];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct sample p = slice(b, k, batch, by_preadv2);
		struct sample u = slice(b, k, batch, by_io_uring);

		ops[0][i] = p.ops_s;
		ops[1][i] = u.ops_s;
		cpu[0][i] = p.cpu_us;
		cpu[1][i] = u.cpu_us;
		ops_ratio[i] = u.ops_s / p.ops_s;
		cpu_ratio[i] = u.cpu_us / p.cpu_us;
		workers[i] = u.worker_us / u.cpu_us * 100;
	}
	printf("  %-29s %3u %8.0f %7.2f %9.0f %7.2f", k->name, batch, median(ops[0]),
	       median(cpu[0]), median(ops[1]), median(cpu[1]));
	printf("   %5.2f", median(ops_ratio));
	printf(" (%4.2f-%4.2f) %5.2f %4.0f %%\n", ops_ratio[0], ops_ratio[ROUNDS - 1],
	       median(cpu_ratio), median(workers));
}

/* Cached writing last: the others need a file with nothing left to write back */
static const struct kind kinds[] = {
	{"O_DIRECT, 4 KiB random read", DIRECT, RANDOM, 4 << 10},
	{"O_DIRECT, 64 KiB sequential", DIRECT, 0, 64 << 10},
	{"O_DIRECT, 4 KiB random write", DIRECT, RANDOM | WRITE, 4 << 10},
	{"not cached, 4 KiB random read", CACHED, RANDOM | COLD, 4 << 10},
	{"  the same, announced", CACHED, RANDOM | COLD | ANNOUNCED, 4 << 10},
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
	if (b.ring.why) {
		printf("  not measured: io_uring: %s\n", b.ring.why);
		return 0;
	}
	printf("  %-33s %16s %17s   %s\n", "", "preadv2/pwritev2", "io_uring",
	       "io_uring to the other");
	printf("  %-27s %5s %8s %7s %9s %7s   %5s %-11s %5s %6s\n", "request", "batch", "op/s",
	       "us CPU", "op/s", "us CPU", "op/s", "(range)", "CPU", "worker");
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *k = &kinds[i];

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
