/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A hostile image, and a guest that uses it
 *
 * The input is a number of steps (up to STEPS_MAX), four bytes a step, and then the file. A step is what to do
 * (modulo 5: write, read, discard, zero and keep, zero and free), where (sector, u16 little endian), and how many
 * sectors. If the number of steps is 2 modulo 4, the image is closed after them. A file with a backing file gets a raw
 * one. The head of the file must stay as it was, but for the place of the refcount table and the mark of a dirty
 * image; nothing may be written to the backing file, which is open for reading, and nothing beyond what a limit on the
 * file's size allows.
 *
 * tests/fuzz/seeds_qcow2 writes the corpus.
 * Covers: devices/block/qcow2.c devices/block/qcow2_drop.c devices/block/qcow2_lock.c devices/block/qcow2_map.c
 * Covers: devices/block/qcow2_meta.c devices/block/qcow2_read.c devices/block/qcow2_recount.c
 * Covers: devices/block/qcow2_refs.c devices/block/qcow2_walk.c devices/block/qcow2_write.c devices/block/inflate.c
 * Covers: devices/core/qcow2_head.c
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "devices/block/qcow2.h"
#include "devices/block/qcow2_drop.h"
#include "devices/block/qcow2_read.h"
#include "devices/block/qcow2_recount.h"
#include "devices/block/qcow2_write.h"

#define STEPS_MAX  24U
#define FILE_BYTES (16ULL << 20)
#define HEAD_BYTES 512U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static int below = -1;
static uint8_t buf[256 * 512];

static int file_of(const uint8_t *data, size_t size)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	vr_assert(fd >= 0 && (size == 0 || write(fd, data, size) == (ssize_t)size));
	return fd;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct rlimit limit = {FILE_BYTES, RLIM_INFINITY};
	char path[32];
	int fd;

	(void)argc;
	(void)argv;
	vr_assert(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	memset(buf, 0x5a, sizeof(buf));
	fd = file_of(buf, 20000);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	below = open(path, O_RDONLY | O_CLOEXEC);
	close(fd);
	return below < 0;
}

static bool start(struct qcow2 *q, int fd)
{
	struct qcow2_files files = {.fd = {fd, below}, .nr = 1, .writable = true};
	struct err err = {0};

	if (qcow2_open(q, &files, &err) == 0)
		return true;
	memset(q, 0, sizeof(*q));
	files.nr = 2;
	files.raw = 2;
	return qcow2_open(q, &files, &err) == 0;
}

static void step(struct qcow2 *q, const uint8_t *s)
{
	static const enum qcow2_drop how[] = {QCOW2_DISCARD, QCOW2_ZERO_KEEP, QCOW2_ZERO_FREE};
	const uint64_t end = q->image[0].bytes;
	uint64_t off = (s[1] | (uint64_t)s[2] << 8) * 512, bytes = (s[3] + 1U) * 512ULL;
	struct iovec iov[2];

	off = off < end ? off : end - 512;
	bytes = bytes < end - off ? bytes : end - off;
	iov[0] = (struct iovec){buf, 512};
	iov[1] = (struct iovec){buf + 512, bytes - 512};
	switch (s[0] % 5) {
	case 0: (void)!qcow2_write(q, iov, 2, off); break;
	case 1: (void)!qcow2_read(q, iov, 2, off); break;
	default: (void)!qcow2_drop(q, off, bytes, how[s[0] % 5 - 2]);
	}
}

static void done(struct qcow2 *q)
{
	const size_t cluster = (size_t)qcow2_cluster(&q->image[0]);

	for (unsigned int i = 0; i < 2; i++) {
		close(q->turn[i]);
		close(q->still[i]);
	}
	munmap(q->page, QCOW2_PAGES * sizeof(*q->page) + 5 * cluster);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned int nr = size > 0 ? data[0] % STEPS_MAX : 0;
	uint8_t before[HEAD_BYTES] = {0}, after[HEAD_BYTES] = {0};
	struct qcow2 q = {.nr_images = 0};
	int fd;

	if (size < 1 + 4 * nr)
		return 0;
	signal(SIGXFSZ, SIG_IGN); /* here, as the fuzzer has set a handler of its own */
	fd = file_of(data + 1 + 4 * nr, size - 1 - 4 * nr);
	if (start(&q, fd)) {
		vr_assert(pread(fd, before, sizeof(before), 0) > 0);
		for (unsigned int i = 0; i < nr; i++)
			step(&q, data + 1 + 4 * i);
		if (nr % 4 == 2)
			qcow2_close(&q);
		vr_assert(pread(fd, after, sizeof(after), 0) > 0);
		memcpy(after + QCOW2_AT_REFS, before + QCOW2_AT_REFS, 12);
		if (q.image[0].version >= 3) /* the mark of a dirty image */
			after[QCOW2_AT_INCOMPATIBLE + 7] ^= (after[QCOW2_AT_INCOMPATIBLE + 7] ^
							     before[QCOW2_AT_INCOMPATIBLE + 7]) &
							    QCOW2_F_DIRTY;
		vr_assert(memcmp(before, after, sizeof(before)) == 0);
		done(&q);
	}
	close(fd);
	return 0;
}
