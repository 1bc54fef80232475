/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Threads that write to, read, discard and zero the same clusters and their neighbours
 */
#include <pthread.h>

#include "tests/support/qcow2_rig.h"

TestSuite(qcow2_threads, .init = temp_dir_make, .fini = temp_dir_remove, .timeout = 120);

#define WRITERS 6
#define ROUNDS	700

static uint8_t disk[DISK_BYTES], found[DISK_BYTES];
static _Atomic unsigned int failed, cached;

/* The lower half of the disk: sectors go round, so each cluster is everybody's. Each knows what its own hold */
static void *write_own_sectors(void *arg)
{
	const unsigned int me = (unsigned int)(uintptr_t)arg;
	uint64_t state = 77 + me;
	uint8_t buf[512];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		const uint64_t sector = next_random(&state) % (DISK_BYTES / 1024 / WRITERS) *
						WRITERS +
					me;

		struct iovec iov = {buf, sizeof(buf)};

		memset(buf, 0xee, sizeof(buf));
		if (qcow2_read_cached(&q, &iov, 1, sector * 512, sizeof(buf)))
			cached++;
		else
			failed += qcow2_read(&q, &iov, 1, sector * 512) < 0;
		failed += memcmp(buf, disk + sector * 512, 512) != 0;
		memset(buf, (int)next_random(&state), sizeof(buf));
		memcpy(disk + sector * 512, buf, sizeof(buf));
		iov = (struct iovec){buf, sizeof(buf)};
		failed += qcow2_write(&q, &iov, 1, sector * 512) < 0;
	}
	return NULL;
}

/* The upper half, in odd pieces: clusters become free while others move bytes, and are used again */
static void *drop_and_fill(void *arg)
{
	uint64_t state = 4242;
	uint8_t *buf = malloc(100 * 512);

	for (unsigned int i = 0; i < ROUNDS / 4; i++) {
		uint64_t bytes = (1 + next_random(&state) % 100) * 512;
		uint64_t off = DISK_BYTES / 2 +
			       next_random(&state) % (DISK_BYTES / 1024 - 100) * 512;
		struct iovec iov = {buf, bytes};

		failed += qcow2_drop(&q, off, bytes, i % 2 ? QCOW2_ZERO_FREE : QCOW2_ZERO_KEEP) < 0;
		memset(disk + off, 0, bytes);
		off += 1024;
		bytes -= bytes > 1024 ? 1024 : bytes;
		memset(buf, (int)i, bytes);
		memcpy(disk + off, buf, bytes);
		iov.iov_len = bytes;
		failed += qcow2_write(&q, &iov, 1, off) < 0;
	}
	free(buf);
	return arg;
}

static void run(enum chain kind, const char *layout)
{
	pthread_t thread[WRITERS + 1];
	struct err err = {0};

	make_chain(kind, layout);
	load("model", disk);
	cr_assert_eq(open_chain(kind, true, &err), 0, "%s", err.msg);
	for (uintptr_t i = 0; i <= WRITERS; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL,
					    i < WRITERS ? write_own_sectors : drop_and_fill,
					    (void *)i),
			     0);
	for (unsigned int i = 0; i <= WRITERS; i++)
		pthread_join(thread[i], NULL);
	cr_expect_eq(failed, 0);
	cr_expect_gt(cached, 0);
	cr_expect(q.users == 0 && q.moves == 0 && q.stills == 0 && q.sleepers == 0);
	close_chain();
	cr_expect_eq(sh("qemu-img check a.qcow2 && qemu-img convert -O raw a.qcow2 found"), 0,
		     "%s/out", temp_dir);
	load("found", found);
	cr_expect(memcmp(found, disk, DISK_BYTES) == 0, "%s", layout);
}

Test(qcow2_threads, of_a_chain)
{
	run(CHAIN_THREE, "cluster_size=4096");
}

Test(qcow2_threads, of_a_compressed_image)
{
	run(CHAIN_PACKED, "cluster_size=65536");
}

Test(qcow2_threads, of_small_clusters)
{
	run(CHAIN_NONE, "cluster_size=512,refcount_bits=64");
}
