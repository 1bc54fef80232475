/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A process that writes to an image is killed after each of its writes to the file in turn
 *
 * Its parent counts the system calls by which it writes, and kills it behind the n-th, for n = 1, 2, ... until it
 * is done with all that it had to do. Then QEMU judges the file: no damage (lost clusters are allowed), all that
 * was answered is there, and what was not is there in part. The rest is done by another process, as after a
 * restart, and QEMU judges once more.
 */
#include <sys/mman.h>

#include "tests/support/qcow2_trace.h"

TestSuite(qcow2_killed, .init = temp_dir_make_in_memory, .fini = temp_dir_remove, .timeout = 240);

#define ACTS_MAX 16

/* Shared with the child: the model before and after the act at hand, and how many acts are done */
static struct shared {
	uint8_t disk[DISK_BYTES];
	uint8_t before[DISK_BYTES];
	unsigned int done;
} * shared;

static struct act acts[ACTS_MAX];
static unsigned int nr_acts;
static uint8_t found[DISK_BYTES];

static void carry_on(enum chain chain)
{
	struct err err = {0};

	if (open_chain(chain, true, &err) < 0)
		_exit(2);
	while (shared->done < nr_acts) {
		const struct act *a = &acts[shared->done];

		memcpy(shared->before, shared->disk, DISK_BYTES);
		act_on_model(a, shared->disk);
		if (act_on_disk(a, shared->disk) < 0)
			_exit(3);
		__atomic_store_n(&shared->done, shared->done + 1, __ATOMIC_SEQ_CST);
	}
	_exit(0);
}

static unsigned int writes_left;

static bool last_write(enum trace_call call)
{
	return call == TRACE_WRITE && --writes_left == 0;
}

/* Outside the act at hand the disk is the model; inside each sector is the old or the new one, or all is undefined */
static void compare(unsigned int n)
{
	const struct act none = {.what = ACT_READ};
	const struct act *a = shared->done < nr_acts ? &acts[shared->done] : &none;

	cr_assert_eq(sh("qemu-img convert -f qcow2 -O raw a.qcow2 found"), 0, "write %u", n);
	load("found", found);
	for (uint64_t off = 0; off < DISK_BYTES; off += 512) {
		const bool at_hand = off >= a->off && off - a->off < a->bytes;
		const bool new = memcmp(found + off, shared->disk + off, 512) == 0;

		if (new || (at_hand && a->what == ACT_DISCARD))
			continue;
		cr_assert(at_hand && memcmp(found + off, shared->before + off, 512) == 0,
			  "killed after write %u, act %u: sector at 0x%lx is neither old nor new",
			  n, shared->done, off);
	}
}

/* 0: whole; 3: with lost clusters */
static bool check(unsigned int n)
{
	int status = sh("qemu-img check a.qcow2");

	cr_assert(status == 0 || status == 3,
		  "killed after write %u: qemu-img check says %d; %s/out", n, status, temp_dir);
	return status == 3;
}

static bool run_and_kill(enum chain chain, unsigned int n)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (n > 0)
			trace_me();
		carry_on(chain);
	}
	writes_left = n;
	if (n > 0)
		return trace_child(pid, last_write);
	cr_assert(waitpid(pid, (int *)&n, 0) == pid && n == 0, "the second writer failed");
	return false;
}

/* @prepare: what QEMU does to a.qcow2 before */
static void kill_everywhere(enum chain chain, const char *layout, const char *prepare,
			    uint64_t seed, unsigned int at_least)
{
	unsigned int n = 0, lost = 0;
	bool killed = true;

	for (nr_acts = 0; nr_acts < ACTS_MAX;) {
		acts[nr_acts] = random_act(&seed);
		nr_acts += acts[nr_acts].what != ACT_READ && acts[nr_acts].bytes < 40000;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	make_chain(chain, layout);
	cr_assert_eq(sh("%s && qemu-img convert -O raw a.qcow2 model && cp a.qcow2 start", prepare),
		     0);
	while (killed) {
		n++;
		load("model", shared->disk);
		memcpy(shared->before, shared->disk, DISK_BYTES);
		shared->done = 0;
		cr_assert_eq(sh("cp start a.qcow2"), 0);
		killed = run_and_kill(chain, n);
		lost += check(n);
		/* The child may be in an act that has begun: the model is the disk after it. */
		if (shared->done < nr_acts)
			act_on_model(&acts[shared->done], shared->disk);
		compare(n);
		if (n % 5 != 0)
			continue;
		run_and_kill(chain, 0);
		check(n);
		compare(n);
	}
	fprintf(stderr, "%s: killed after each of %u writes, %u times with lost clusters\n", layout,
		n - 1, lost);
	cr_assert_gt(n, at_least);
}

/* QEMU has filled what the refcount table reaches but for a few clusters. */
Test(qcow2_killed, small_clusters_with_tables_that_grow)
{
	kill_everywhere(CHAIN_RAW, "cluster_size=512,refcount_bits=64",
			"qemu-io -f qcow2 -c 'write -P 3 2M 1960k' a.qcow2", 4711, 100);
	cr_assert_eq(sh("cmp -s -i 48 -n 8 start a.qcow2"), 1, "the refcount table did not grow");
}

Test(qcow2_killed, usual_clusters_above_a_chain)
{
	kill_everywhere(CHAIN_THREE, "cluster_size=65536", "true", 815, 40);
}

Test(qcow2_killed, compressed_clusters_of_version_2)
{
	kill_everywhere(CHAIN_PACKED, "cluster_size=4096,compat=0.10", "true", 99, 80);
}

/* The writes (w) and fdatasyncs (s) of a child, in order */
static char calls[64];

static bool note_call(enum trace_call call)
{
	const size_t nr = strlen(calls);

	cr_assert_lt(nr + 1, sizeof(calls));
	calls[nr] = call == TRACE_WRITE ? 'w' : 's';
	return false;
}

/* One write of 512 bytes at 1 MiB, after another one elsewhere that makes tables and marks the image */
static const char *trace_write(enum chain chain)
{
	struct err err = {0};
	uint8_t sector[512] = {1};
	pid_t pid = fork();

	if (pid == 0) {
		if (open_chain(chain, true, &err) < 0 || put(0, sector, sizeof(sector)) < 0)
			_exit(2);
		trace_me();
		_exit(put(1 << 20, sector, sizeof(sector)) < 0);
	}
	memset(calls, 0, sizeof(calls));
	trace_child(pid, note_call);
	return calls;
}

Test(qcow2_killed, old_bytes_are_durable_before_a_table_names_their_copy)
{
	make_chain(CHAIN_RAW, "cluster_size=65536");
	cr_expect_str_eq(trace_write(CHAIN_RAW), "wwsw");
	cr_expect_str_eq(trace_write(CHAIN_RAW), "w", "in place");
	make_chain(CHAIN_NONE, "cluster_size=65536");
	cr_expect_str_eq(trace_write(CHAIN_NONE), "www", "nothing is copied");
}
