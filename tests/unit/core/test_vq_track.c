/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: In-flight tracking: a device that dies, and the one that takes over
 *
 * The region's layout is written down here once more, from the specification.
 */
#include "devices/core/virtqueue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "tests/support/vq_driver.h"

#define RING	  0x10000ULL
#define DATA	  0x14000ULL
#define RAM_BYTES 0x8000ULL
#define SIZE	  8
#define REGION	  (16 + 16 * SIZE)

/* Offsets in a region, and of an element in it */
#define AT_FEATURES    0
#define AT_VERSION     8
#define AT_DESC_NUM    10
#define AT_LAST	       12
#define AT_USED	       14
#define AT_INFLIGHT(h) (16 + 16 * (h))
#define AT_NEXT(h)     (16 + 16 * (h) + 6)
#define AT_COUNTER(h)  (16 + 16 * (h) + 8)

static struct vqd_mem ram;
static struct gmem mem;
static struct vqd drv;
static struct vq q;
static struct vq_chain c;
static uint8_t *region;
static struct err err;

static void *shared(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(p, MAP_FAILED);
	return p;
}

/* A device takes the ring over: as the first one, or after a death */
static int take_over(const struct gmem *m, void *at)
{
	struct vq_layout l = vqd_layout(&drv);

	cr_assert_eq(vq_setup(&q, m, &l, &err), 0);
	return vq_recover(&q, at, SIZE, &err);
}

static void start(void)
{
	static const struct vqd_piece piece = {RING, RAM_BYTES};

	mem = (struct gmem){0};
	vqd_mem_init(&ram, &piece, 1);
	vqd_mem_map(&ram, &mem);
	vqd_init(&drv, &ram, SIZE, RING, 0);
	region = shared(4096);
	cr_assert_eq(take_over(&mem, region), 0);
}

static void stop(void)
{
	gmem_done(&mem);
	vqd_mem_done(&ram);
	munmap(region, 4096);
}

TestSuite(vq_track, .init = start, .fini = stop, .timeout = 120);

static uint16_t get16(unsigned int off)
{
	uint16_t v;

	memcpy(&v, region + off, sizeof(v));
	return v;
}

static void put16(unsigned int off, unsigned int value)
{
	uint16_t v = (uint16_t)value;

	memcpy(region + off, &v, sizeof(v));
}

static uint64_t counter(unsigned int head)
{
	uint64_t v;

	memcpy(&v, region + AT_COUNTER(head), sizeof(v));
	return v;
}

static uint16_t offer(void)
{
	struct vqd_buf buf = {DATA, 4, true};

	return vqd_add(&drv, &buf, 1);
}

static uint16_t pop(void)
{
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN, "%s", q.why);
	return c.head;
}

Test(vq_track, regions_have_the_size_that_others_give_them)
{
	cr_expect_eq(vq_region_bytes(1), 64);
	cr_expect_eq(vq_region_bytes(SIZE), 16 * SIZE + 64);
	cr_expect_eq(vq_region_bytes(1024), 16 * 1024 + 64);
}

Test(vq_track, a_new_region_is_made)
{
	cr_expect_eq(get16(AT_VERSION), 1);
	cr_expect_eq(get16(AT_DESC_NUM), SIZE);
	cr_expect_eq(get16(AT_USED), 0);
	cr_expect_eq(vq_pop(&q, &c), VQ_EMPTY);
}

Test(vq_track, what_is_noted)
{
	uint16_t a = offer(), b = offer();

	pop();
	cr_expect(region[AT_INFLIGHT(a)] == 1 && region[AT_INFLIGHT(b)] == 0);
	pop();
	cr_expect_eq(counter(b), counter(a) + 1);
	vq_fill_head(&q, b, 4);
	cr_expect_eq(get16(AT_LAST), b);
	vq_fill_head(&q, a, 4);
	cr_expect(get16(AT_LAST) == a && get16(AT_NEXT(a)) == b);
	cr_expect(region[AT_INFLIGHT(a)] == 1 && region[AT_INFLIGHT(b)] == 1);
	vq_publish(&q);
	cr_expect(region[AT_INFLIGHT(a)] == 0 && region[AT_INFLIGHT(b)] == 0);
	cr_expect_eq(get16(AT_USED), 2);
}

Test(vq_track, what_was_in_flight_comes_again_in_its_order)
{
	uint16_t h[5];

	for (int i = 0; i < 5; i++)
		h[i] = offer();
	for (int i = 0; i < 4; i++)
		pop();
	vq_fill_head(&q, h[2], 4);
	vq_publish(&q);
	cr_assert_eq(take_over(&mem, region), 0);
	cr_expect(vq_has(&q, 4) && !vq_has(&q, 5));
	cr_expect(pop() == h[0] && pop() == h[1] && pop() == h[3] && pop() == h[4]);
	cr_expect_eq(vq_pop(&q, &c), VQ_EMPTY);
	cr_expect_eq(counter(h[4]), counter(h[3]) + 1);
}

/* Three die one after the other; the third one's own requests come after those it found. */
Test(vq_track, deaths_in_a_row)
{
	uint16_t a = offer(), b, d;

	pop();
	cr_assert_eq(take_over(&mem, region), 0);
	b = offer();
	cr_expect(pop() == a && pop() == b);
	cr_assert_eq(take_over(&mem, region), 0);
	d = offer();
	cr_expect(pop() == a && pop() == b && pop() == d);
	vq_fill_head(&q, b, 4);
	vq_publish(&q);
	cr_assert_eq(take_over(&mem, region), 0);
	cr_expect(pop() == a && pop() == d);
}

Test(vq_track, what_is_put_back_comes_again)
{
	uint16_t a = offer(), b = offer(), d;

	pop();
	cr_assert_eq(take_over(&mem, region), 0);
	cr_expect(pop() == a && pop() == b);
	vq_unpop(&q, b);
	cr_expect_eq(region[AT_INFLIGHT(b)], 0, "it is the driver's again");
	vq_unpop(&q, a);
	cr_expect_eq(region[AT_INFLIGHT(a)], 1, "the driver gave it long ago");
	cr_expect_eq(q.next_avail, 1);
	cr_expect(pop() == a && pop() == b);
	vq_fill_head(&q, a, 4);
	vq_publish(&q);
	d = offer();
	cr_expect_eq(pop(), d);
	vq_unpop(&q, d);
	vq_unpop(&q, b);
	cr_assert_eq(take_over(&mem, region), 0);
	cr_expect(pop() == b && pop() == d);
}

/* ---- a kill at any instruction ---- */

/* What the device does that dies: takes three, gives them back in another order and in two batches */
static NORETURN void device_runs(void)
{
	uint16_t h[4];

	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	for (int i = 0; i < 3; i++)
		h[i] = vq_pop(&q, &c) == VQ_CHAIN ? c.head : SIZE;
	vq_fill_head(&q, h[2], 4);
	vq_fill_head(&q, h[0], 4);
	vq_publish(&q);
	h[3] = vq_pop(&q, &c) == VQ_CHAIN ? c.head : SIZE;
	vq_fill_head(&q, h[3], 4);
	vq_publish(&q);
	vq_fill_head(&q, h[1], 4);
	vq_publish(&q);
	_exit(0);
}

/* Takes over from a device that has just been killed, in a copy of what it left, and ends all four requests.
 * Returns how many it ended, -1 if the driver sees one twice or not at all. */
static int end_them(const struct vqd_mem *copy_ram, const struct gmem *copy, void *copy_region)
{
	struct vqd d = drv;
	bool seen[SIZE] = {false};
	uint32_t head, len;
	int ended = 0;

	cr_assert_eq(take_over(copy, copy_region), 0, "%s", err.msg);
	for (; vq_pop(&q, &c) == VQ_CHAIN; ended++)
		vq_push(&q, &c);
	d.mem = copy_ram;
	for (int i = 0; i < 4; i++) {
		if (!vqd_take(&d, &head, &len) || seen[head])
			return -1;
		seen[head] = true;
	}
	return vqd_take(&d, &head, &len) || q.broken ? -1 : ended;
}

Test(vq_track, a_kill_at_any_instruction)
{
	struct vqd_mem copy_ram;
	struct gmem copy = {0};
	uint8_t *copy_region = shared(4096);
	unsigned int steps = 0, at[5] = {0};
	int status;
	pid_t pid;

	for (int i = 0; i < 4; i++)
		offer();
	vqd_mem_init(&copy_ram, &(struct vqd_piece){RING, RAM_BYTES}, 1);
	vqd_mem_map(&copy_ram, &copy);
	pid = fork();
	if (pid == 0)
		device_runs();
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	for (; WIFSTOPPED(status); steps++) {
		int ended;

		memcpy(copy_ram.base, ram.base, RAM_BYTES);
		memcpy(copy_region, region, 4096);
		ended = end_them(&copy_ram, &copy, copy_region);
		cr_assert_geq(ended, 0, "killed after %u instructions", steps);
		at[ended]++;
		cr_assert_eq(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
	}
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	cr_expect_gt(steps, 200);
	cr_expect(at[4] > 0 && at[2] > 0 && at[1] > 0 && at[0] > 0,
		  "deaths before, between, after");
	cr_expect_eq(at[3], 0, "the first batch is seen as a whole");
	vqd_mem_done(&copy_ram);
	gmem_done(&copy);
}

/* ---- a region in enemy hands ---- */

Test(vq_track, refuses_a_region_that_is_none)
{
	static const struct {
		unsigned int off, value;
		const char *why;
	} rows[] = {
		{AT_VERSION, 2, "in-flight region of version 2"},
		{AT_VERSION, 0xffff, "in-flight region of version 65535"},
		{AT_FEATURES, 1, "in-flight region of another ring"},
		{AT_DESC_NUM, SIZE - 1, "in-flight region of another ring"},
		{AT_DESC_NUM, 0xffff, "in-flight region of another ring"},
		{AT_USED, 0x8000, "in-flight region with a list that is none"},
		{AT_USED, (uint16_t) - (SIZE + 1), "in-flight region with a list that is none"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint16_t was = get16(rows[i].off);

		put16(rows[i].off, rows[i].value);
		cr_expect_eq(take_over(&mem, region), -EINVAL, "row %zu", i);
		cr_expect_str_eq(err.msg, rows[i].why);
		put16(rows[i].off, was);
		cr_expect_eq(take_over(&mem, region), 0);
	}
	put16(AT_USED, (uint16_t)-2);
	put16(AT_LAST, SIZE);
	cr_expect_eq(take_over(&mem, region), -EINVAL);
	put16(AT_LAST, 1);
	put16(AT_NEXT(1), 0xfff0);
	cr_expect_eq(take_over(&mem, region), -EINVAL);
}

Test(vq_track, used_idx_of_a_ring_at_the_end_of_64_bits)
{
	static const struct vqd_piece piece = {0, 0x1000};
	struct vqd_mem low_ram;
	struct gmem low = {0};
	uint16_t idx = 7;

	vqd_mem_init(&low_ram, &piece, 1);
	vqd_mem_map(&low_ram, &low);
	cr_expect(vq_used_idx(&low, 0, &idx) && idx == 0);
	idx = 7;
	cr_expect_not(vq_used_idx(&low, UINT64_MAX - 1, &idx), "it would wrap to 0");
	cr_expect_eq(idx, 7);
	gmem_done(&low);
	vqd_mem_done(&low_ram);
}

Test(vq_track, chains_that_were_not_offered_break_the_queue)
{
	region[AT_INFLIGHT(3)] = 1;
	cr_assert_eq(take_over(&mem, region), 0);
	cr_expect_eq(vq_pop(&q, &c), VQ_BROKEN, "descriptor 3 is empty");
}

Test(vq_track, a_chain_offered_while_it_is_in_flight_breaks_the_queue)
{
	uint16_t a = offer();

	pop();
	cr_assert_eq(take_over(&mem, region), 0);
	vqd_offer(&drv, a);
	cr_expect_eq(pop(), a);
	cr_expect_eq(vq_pop(&q, &c), VQ_BROKEN);
	cr_expect_str_eq(q.why, "available head in flight already");
}

/* Any bytes: a ring that pops a chain of each head at most, or none at all */
Test(vq_track, any_region)
{
	uint64_t x = 88172645463325252ULL;
	unsigned int taken = 0, popped = 0;

	for (int round = 0; round < 20000; round++) {
		vqd_init(&drv, &ram, SIZE, RING, 0);
		for (int i = 0; i < SIZE; i++)
			offer();
		for (unsigned int i = 0; i < REGION; i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			region[i] = x % 3 ? (uint8_t)(x >> 8) % 9 : (uint8_t)(x >> 8);
		}
		if (round % 4) { /* past the first checks */
			memset(region, 0, AT_VERSION);
			put16(AT_VERSION, 1);
			put16(AT_DESC_NUM, SIZE);
		}
		if (take_over(&mem, region) < 0)
			continue;
		taken++;
		for (unsigned int i = 0; vq_pop(&q, &c) == VQ_CHAIN; i++, popped++) {
			cr_assert(i < SIZE && c.head < SIZE);
			if (i % 3 == 0)
				vq_push(&q, &c);
		}
	}
	cr_expect(taken > 100 && popped > 100, "%u, %u", taken, popped);
}
