/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The host's power fails while an image is written to
 *
 * The host keeps the file in memory, and writes its sectors to the disk in any order, but for fdatasync(), which waits
 * for all that was written before. So a process that writes to an image is stopped behind each of its writes and
 * fdatasyncs, and the parts that have changed are kept. A disk after a power failure is then made up: all that was
 * there at the last fdatasync, and of each part that was written to since then any later version or none, and any size
 * that the file had since then.
 *
 * From each such image QEMU must read what was flushed before. The image must open here, and hold what was flushed,
 * and take the rest of the work; then QEMU must find no damage.
 */
#include <sys/mman.h>

#include "devices/block/qcow2_recount.h"
#include "tests/support/qcow2_trace.h"

TestSuite(qcow2_power, .init = temp_dir_make_in_memory, .fini = temp_dir_remove, .timeout = 240);

#define PART	   512ULL
#define FILE_MAX   (8ULL << 20)
#define ACTS	   48U
#define FLUSH_EACH 8U /* acts */
#define EVENTS_MAX 1000U
#define PARTS_MAX  100000U
#define IMAGES	   120U

/* Shared with the writer: the model, the models that were flushed, and how many acts are begun and flushed */
static struct shared {
	uint8_t disk[DISK_BYTES];
	uint8_t flushed[ACTS / FLUSH_EACH + 1][DISK_BYTES];
	unsigned int begun, flushes;
} * shared;

static struct act acts[ACTS];

/* A call that the writer has made, and the versions of parts up to and with it */
static struct event {
	enum trace_call call;
	unsigned int nr_parts, begun, flushes;
	uint64_t bytes;
} events[EVENTS_MAX];

static unsigned int nr_events, nr_parts;
static struct {
	uint64_t number;
	uint8_t byte[PART];
} parts[PARTS_MAX];
static uint8_t seen[FILE_MAX], base[FILE_MAX], made[FILE_MAX], found[DISK_BYTES];

static uint64_t load_file(const char *name, uint8_t *to)
{
	int fd = file(name, O_RDONLY);
	ssize_t n = read(fd, to, FILE_MAX);

	cr_assert(n > 0 && n < (ssize_t)FILE_MAX);
	memset(to + n, 0, FILE_MAX - (size_t)n);
	close(fd);
	return (uint64_t)n;
}

/* ---- the writer ---- */

static void write_all(enum chain chain)
{
	struct err err = {0};

	if (open_chain(chain, true, &err) < 0)
		_exit(2);
	for (unsigned int i = 0; i < ACTS; i++) {
		shared->begun = i + 1;
		act_on_model(&acts[i], shared->disk);
		if (act_on_disk(&acts[i], shared->disk) < 0)
			_exit(3);
		if ((i + 1) % FLUSH_EACH != 0)
			continue;
		if (fdatasync(q.image[0].fd) < 0)
			_exit(4);
		memcpy(shared->flushed[shared->flushes + 1], shared->disk, DISK_BYTES);
		shared->flushes++;
	}
	qcow2_close(&q);
	_exit(0);
}

static bool note(enum trace_call call)
{
	struct event *e = &events[nr_events++];
	static uint8_t now[FILE_MAX];

	cr_assert_lt(nr_events, EVENTS_MAX);
	*e = (struct event){.call = call, .bytes = load_file("a.qcow2", now)};
	e->begun = shared->begun;
	e->flushes = shared->flushes;
	for (uint64_t i = 0; i < FILE_MAX / PART; i++) {
		if (memcmp(now + i * PART, seen + i * PART, PART) == 0)
			continue;
		cr_assert_lt(nr_parts, PARTS_MAX);
		parts[nr_parts].number = i;
		memcpy(parts[nr_parts++].byte, now + i * PART, PART);
		memcpy(seen + i * PART, now + i * PART, PART);
	}
	e->nr_parts = nr_parts;
	return false;
}

/* ---- images after a power failure ---- */

static void put_part(uint8_t *to, unsigned int i)
{
	memcpy(to + parts[i].number * PART, parts[i].byte, PART);
}

/*
 * Makes a.qcow2: the last fdatasync before event @last is event @synced. Each part gets its version after a number of
 * its writes which is drawn: @most of 8 parts go on to the next one.
 */
static void make_image(unsigned int synced, unsigned int last, unsigned int most, uint64_t *state)
{
	const struct event *any = &events[synced + next_random(state) % (last - synced + 1)];
	static bool stays[FILE_MAX / PART];
	int fd = file("a.qcow2", O_RDWR | O_TRUNC);

	memcpy(made, base, FILE_MAX);
	memset(stays, 0, sizeof(stays));
	for (unsigned int i = events[synced].nr_parts; i < events[last].nr_parts; i++) {
		stays[parts[i].number] |= next_random(state) % 8 >= most;
		if (!stays[parts[i].number])
			put_part(made, i);
	}
	cr_assert_eq(write(fd, made, any->bytes), (ssize_t)any->bytes);
	close(fd);
}

/* What no act since the last flush has touched is as it was then */
static void compare(const struct event *e, const char *who)
{
	const uint8_t *model = shared->flushed[e->flushes];

	for (uint64_t off = 0; off < DISK_BYTES; off += 512) {
		bool touched = false;

		for (unsigned int i = e->flushes * FLUSH_EACH; i < e->begun; i++)
			touched |= off >= acts[i].off && off - acts[i].off < acts[i].bytes;
		cr_assert(touched || memcmp(found + off, model + off, 512) == 0,
			  "%s, after call %ld: what was flushed is lost at 0x%lx", who,
			  (long)(e - events), off);
	}
}

/* The disk's next user: reads all, does the work that is left and more, and leaves an image without damage */
static void go_on(enum chain chain, const struct event *e, uint64_t *state, bool judge)
{
	struct err err = {0};

	cr_assert_eq(open_chain(chain, true, &err), 0, "%s", err.msg);
	cr_assert_eq(get(0, found, DISK_BYTES), 0, "after call %ld", (long)(e - events));
	compare(e, "vmrun");
	for (unsigned int i = 0; i < 6; i++) {
		struct act a = random_act(state);

		act_on_model(&a, found);
		cr_assert_eq(act_on_disk(&a, found), 0, "after call %ld", (long)(e - events));
	}
	qcow2_close(&q);
	cr_assert_eq(get(0, made, DISK_BYTES), 0);
	close_chain();
	cr_assert(memcmp(made, found, DISK_BYTES) == 0, "after call %ld", (long)(e - events));
	if (!judge)
		return;
	cr_assert((1 << sh("qemu-img check a.qcow2")) & (1 << 0 | 1 << 3), "after call %ld: %s/out",
		  (long)(e - events), temp_dir);
	cr_assert_eq(sh("qemu-img convert -O raw a.qcow2 found"), 0);
	load("found", made);
	cr_assert(memcmp(made, found, DISK_BYTES) == 0, "QEMU reads something else");
}

/* One image, which QEMU looks at, too, if @judge */
static void fail_once(enum chain chain, unsigned int synced, unsigned int last, uint64_t *state,
		      bool judge)
{
	static const unsigned int most[] = {0, 8, 1, 4, 7};

	make_image(synced, last, most[next_random(state) % ARRAY_SIZE(most)], state);
	if (judge) {
		cr_assert_eq(sh("qemu-img convert -O raw a.qcow2 found"), 0,
			     "after call %u: %s/out", last, temp_dir);
		load("found", found);
		compare(&events[last], "QEMU");
	}
	go_on(chain, &events[last], state, judge);
}

/* The power fails behind any call, in some of all the ways: about IMAGES images */
static unsigned int fail_everywhere(enum chain chain, uint64_t state)
{
	unsigned int synced = 0, images = 0;

	for (unsigned int last = 0; last < nr_events; last++) {
		if (events[last].call == TRACE_SYNC) {
			for (unsigned int i = events[synced].nr_parts; i < events[last].nr_parts;
			     i++)
				put_part(base, i);
			synced = last;
		}
		for (unsigned int i = 0; i < IMAGES; i++)
			if (next_random(&state) % nr_events == 0)
				fail_once(chain, synced, last, &state, ++images % 3 == 0);
	}
	return images;
}

/* @prepare: what QEMU does to a.qcow2 before. @within: where the acts are, one power of two from 0 on */
static void run(enum chain chain, const char *layout, const char *prepare, uint64_t within,
		uint64_t seed)
{
	pid_t pid;

	make_chain(chain, layout);
	cr_assert_eq(sh("%s && qemu-img convert -O raw a.qcow2 model", prepare), 0);
	for (unsigned int i = 0; i < ACTS;) {
		acts[i] = random_act(&seed);
		acts[i].off &= within - 1;
		i += acts[i].what != ACT_READ && acts[i].bytes < 40000 &&
		     acts[i].off + acts[i].bytes <= DISK_BYTES;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	load("model", shared->disk);
	memcpy(shared->flushed[0], shared->disk, DISK_BYTES);
	events[nr_events++] = (struct event){.call = TRACE_SYNC,
					     .bytes = load_file("a.qcow2", base)};
	memcpy(seen, base, FILE_MAX);
	pid = fork();
	if (pid == 0) {
		trace_me();
		write_all(chain);
	}
	trace_child(pid, note);
	fprintf(stderr, "%s: %u images after power failures\n", layout,
		fail_everywhere(chain, seed));
}

Test(qcow2_power, small_clusters_above_a_raw_image)
{
	run(CHAIN_RAW, "cluster_size=512,refcount_bits=64", "true", DISK_BYTES, 11);
}

/* All tables are there: clusters become free and are taken again without any other reason to wait for the disk. */
Test(qcow2_power, small_clusters_of_a_full_image)
{
	run(CHAIN_NONE, "cluster_size=512", "qemu-io -f qcow2 -c 'write -P 3 0 4M' a.qcow2",
	    1 << 17, 12);
}

Test(qcow2_power, usual_clusters)
{
	run(CHAIN_NONE, "cluster_size=65536", "true", DISK_BYTES, 13);
}

Test(qcow2_power, compressed_clusters)
{
	run(CHAIN_PACKED, "cluster_size=4096", "true", DISK_BYTES, 14);
}
