/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What seccomp programs cost a 4 KiB read of the block device
 *
 *   sandbox DIR [ROUNDS]
 *
 * The system calls of one request whose data is in the page cache: the read itself, and the eventfd that interrupts the
 * guest. Each round is a process of its own, which makes them without a program, under block_device_early, and under
 * block_device as well. Prints the fastest and the middle of all rounds. Nothing is asserted.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "devices/block/block_fd.h"
#include "devices/core/boot.h"
#include "devices/core/lockdown.h"
#include "policies/policy.h"

#define REQUESTS   500 /* of a slice, which is shorter than a time slice of the scheduler */
#define SLICES	   20
#define BYTES	   4096
#define BLOCKS	   256 /* of the file */
#define ROUNDS_MAX 1000

enum { NONE, ONE, TWO, STATES };

static const char *const states[STATES] = {"no program", "the first", "both"};

struct bench {
	int irq;
	uint8_t block[BYTES];
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Nanoseconds of one request of a slice */
static double slice(struct bench *b)
{
	const struct iovec iov = {b->block, BYTES};
	const uint64_t one = 1;
	const double begin = now_ns();

	for (unsigned int i = 0; i < REQUESTS; i++) {
		if (!block_fd_read_cached(BOOT_FD_RES, &iov, 1, (uint64_t)(i % BLOCKS) * BYTES,
					  BYTES) ||
		    write(b->irq, &one, sizeof(one)) != sizeof(one))
			_exit(1);
	}
	return (now_ns() - begin) / REQUESTS;
}

/* Of the fastest slice: others had the CPU in the rest */
static double measure(struct bench *b)
{
	double best = slice(b);

	for (unsigned int i = 1; i < SLICES; i++) {
		const double ns = slice(b);

		best = ns < best ? ns : best;
	}
	return best;
}

static uint32_t add(struct boot_filter *f, uint32_t at, const char *name)
{
	const struct policy *p = policy_find(name);

	if (!p || p->count > BOOT_FILTER_MAX - at)
		errx(1, "no policy %s", name);
	memcpy(f->insn + at, p->insn, p->count * sizeof(p->insn[0]));
	return p->count;
}

/* In a process of its own: what it measured, into @to */
static void round_in_child(struct bench *b, int to)
{
	static struct boot_filter filter;
	double ns[STATES];
	struct err e = {0};

	filter.count = add(&filter, 0, "block_device_early");
	filter.later = add(&filter, filter.count, "block_device");
	ns[NONE] = measure(b); /* warms up */
	ns[NONE] = measure(b);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || lockdown(&filter, &e) < 0)
		errx(1, "%s", e.msg);
	ns[ONE] = measure(b);
	if (lockdown_later(&filter, &e) < 0)
		_exit(1);
	ns[TWO] = measure(b);
	_exit(write(to, ns, sizeof(ns)) == sizeof(ns) ? 0 : 1);
}

static void bench_init(struct bench *b, const char *dir)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/sandbox.%d", dir, (int)getpid());
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		err(1, "%s", path);
	unlink(path);
	memset(b->block, 0x5a, BYTES);
	for (unsigned int i = 0; i < BLOCKS; i++) {
		if (write(fd, b->block, BYTES) != BYTES)
			err(1, "%s", path);
	}
	if (dup2(fd, BOOT_FD_RES) < 0)
		err(1, "fd %d", BOOT_FD_RES);
	b->irq = eventfd(0, EFD_CLOEXEC);
	if (b->irq < 0)
		err(1, "eventfd");
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static double ns[STATES][ROUNDS_MAX];
	static struct bench b;
	const int rounds = argc > 2 ? atoi(argv[2]) : 100;
	int ends[2];

	if (argc < 2 || rounds < 1 || rounds > ROUNDS_MAX)
		errx(2, "usage: sandbox DIR [ROUNDS]");
	bench_init(&b, argv[1]);
	if (pipe2(ends, O_CLOEXEC) < 0)
		err(1, "pipe");
	for (int i = 0; i < rounds; i++) {
		double got[STATES];
		int status;
		const pid_t pid = fork();

		if (pid == 0)
			round_in_child(&b, ends[1]);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0 ||
		    read(ends[0], got, sizeof(got)) != sizeof(got))
			errx(1, "a round failed");
		for (unsigned int s = 0; s < STATES; s++)
			ns[s][i] = got[s];
	}
	for (unsigned int s = 0; s < STATES; s++)
		qsort(ns[s], (size_t)rounds, sizeof(double), compare);
	for (unsigned int s = 0; s < STATES; s++)
		printf("  %-12s fastest %5.0f ns, %.3f of no program; middle %5.0f ns, %.3f of "
		       "it\n",
		       states[s], ns[s][0], ns[s][0] / ns[NONE][0], ns[s][rounds / 2],
		       ns[s][rounds / 2] / ns[NONE][rounds / 2]);
	return 0;
}
