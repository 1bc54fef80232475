/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: In-flight regions that a front-end keeps, seen from the back-end
 */
#include <sys/mman.h>

#include "tests/support/vu_backend_rig.h"

#define REGION	   (16 + 16 * 16 + 48) /* of a ring of 16 */
#define FILE_BYTES 0x3000

static int file;
static uint8_t *region;

static void start(void)
{
	setup();
	file = memfd_create("inflight", MFD_CLOEXEC);
	cr_assert_eq(ftruncate(file, FILE_BYTES), 0);
	region = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	cr_assert_neq(region, MAP_FAILED);
}

TestSuite(vu_inflight, .init = start);

static void put16(unsigned int off, uint16_t v)
{
	memcpy(region + off, &v, sizeof(v));
}

/* What a device leaves that died with @head in its hands */
static void leave(unsigned int head, uint8_t counter)
{
	put16(8, 1);
	put16(10, 16);
	region[16 + 16 * head] = 1;
	region[16 + 16 * head + 8] = counter;
}

static uint64_t set(const struct vup_inflight *i, int fd)
{
	vup_inflight(sock, VUP_NEED_REPLY, i, fd);
	return ack(VUP_SET_INFLIGHT_FD);
}

static const struct vup_inflight both = {2 * REGION, 0, ECHO_QUEUES, 16};

static uint64_t run(void)
{
	vup_fd(sock, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, kick[0]);
	if (ack(VUP_SET_VRING_KICK) != 0)
		return 1;
	vup_state(sock, VUP_SET_VRING_ENABLE, VUP_NEED_REPLY, 0, 1);
	return ack(VUP_SET_VRING_ENABLE);
}

Test(vu_inflight, has_none_to_give)
{
	struct vup_inflight i;
	struct vup_msg m;

	agree(PF_BIT);
	vup_inflight(sock, 0, &both, -1);
	cr_assert(pump() && vup_recv(sock, &m));
	cr_assert(m.request == VUP_GET_INFLIGHT_FD && m.flags == 5 && m.bytes == sizeof(i));
	memcpy(&i, m.payload, sizeof(i));
	cr_expect_eq(i.bytes, 0);
}

static struct vu_msg asked;

static int note_asked(const struct vu_msg *m, struct err *err)
{
	(void)err;
	asked = *m;
	return 1;
}

Test(vu_inflight, has_the_supervisor_answer)
{
	static const struct vup_inflight silly = {0, 0, ECHO_QUEUES, 17};
	struct vup_inflight i;
	struct vup_msg m;

	agree(PF_BIT);
	backend.region = note_asked;
	vup_inflight(sock, 0, &both, -1);
	/* The next answer is to the next question. */
	vup_empty(sock, VUP_GET_FEATURES, 0);
	cr_assert(pump() && vup_recv(sock, &m));
	cr_expect_eq(m.request, VUP_GET_FEATURES);
	cr_expect(asked.hdr.request == VUP_GET_INFLIGHT_FD && asked.hdr.bytes == sizeof(i));
	cr_expect(asked.inflight.nr_queues == ECHO_QUEUES && asked.inflight.queue_size == 16);
	/* It does not hear of what no device has. */
	vup_inflight(sock, 0, &silly, -1);
	cr_assert(pump() && vup_recv(sock, &m));
	memcpy(&i, m.payload, sizeof(i));
	cr_expect(m.request == VUP_GET_INFLIGHT_FD && i.bytes == 0);
	cr_expect_eq(asked.inflight.queue_size, 16);
}

Test(vu_inflight, refuses_areas_that_are_none)
{
	static const struct vup_inflight rows[] = {
		{2 * REGION, 0, 0, 16},		 {17 * REGION, 0, 17, 16},
		{2 * REGION, 0, 2, 0},		 {2 * REGION, 0, 2, 12},
		{FILE_BYTES, 0, 1, 2048},	 {2 * REGION - 1, 0, 2, 16},
		{FILE_BYTES + 1, 0, 2, 16},	 {FILE_BYTES, 4096, 2, 16},
		{2 * REGION, 1, 2, 16},		 {2 * REGION, FILE_BYTES, 2, 16},
		{2 * REGION, UINT64_MAX, 2, 16}, {UINT64_MAX, 0, 2, 16},
		{UINT64_MAX, UINT64_MAX, 2, 16}, {2 * REGION, -4096ULL, 2, 16},
	};
	int pipes[2];

	agree(PF_BIT);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_neq(set(&rows[i], file), 0, "row %zu", i);
	cr_assert_eq(pipe(pipes), 0);
	cr_expect_neq(set(&both, pipes[0]), 0);
	cr_expect_eq(set(&both, file), 0);
	cr_expect_eq(set(&(struct vup_inflight){2 * REGION, 4096, 2, 16}, file), 0, "another one");
	vup_inflight(sock, 0, &rows[0], file);
	cr_expect_not(pump(), "one that no answer is asked for ends the connection");
}

Test(vu_inflight, needs_an_agreement)
{
	vup_u64(sock, VUP_SET_PROTOCOL_FEATURES, 0, 1 << 3);
	vup_empty(sock, VUP_SET_OWNER, 0);
	cr_expect_neq(set(&both, file), 0);
}

Test(vu_inflight, a_running_ring_keeps_its_region)
{
	agree(PF_BIT);
	cr_assert_eq(set(&both, file), 0);
	vup_mem_table(sock, 0, &mem);
	describe(0);
	cr_assert_eq(run(), 0);
	cr_expect_neq(set(&both, file), 0);
	offer(0, "still here");
	cr_assert(pump());
	cr_expect(echoed(0, "still here"));
	cr_expect(region[8] == 1 && region[10] == 16 && region[14] == 1);
}

Test(vu_inflight, what_was_in_flight_is_answered_first)
{
	static const unsigned int want[] = {1, 0, 2};
	uint32_t head, len;
	uint16_t h[3];

	agree(PF_BIT);
	cr_assert_eq(set(&both, file), 0);
	vup_mem_table(sock, 0, &mem);
	describe(0);
	offer(0, "one");
	offer(0, "two");
	offer(0, "three");
	memcpy(h, vqd_at(&mem, ring[0].avail_gpa + 4, sizeof(h)), sizeof(h));
	leave(h[1], 4);
	leave(h[0], 9);
	cr_assert_eq(run(), 0);
	for (int i = 0; i < 3; i++) {
		cr_assert(vqd_take(&ring[0], &head, &len));
		cr_expect_eq(head, h[want[i]]);
	}
	cr_expect_not(vqd_take(&ring[0], &head, &len));
	cr_expect_eq(count(call[0]), 1);
	vup_state(sock, VUP_GET_VRING_BASE, 0, 0, 0);
	cr_expect_eq(ack(VUP_GET_VRING_BASE) >> 32, 3);
}

Test(vu_inflight, refuses_a_ring_whose_region_is_none)
{
	agree(PF_BIT);
	cr_assert_eq(set(&both, file), 0);
	vup_mem_table(sock, 0, &mem);
	describe(0);
	put16(8, 7);
	cr_expect_neq(run(), 0, "of another version");
	put16(8, 0);
	cr_expect_eq(run(), 0);
}

/* QEMU asks for the size it was given, and a driver behind virtio-mmio takes another. */
Test(vu_inflight, a_ring_larger_than_its_region_is_not_tracked)
{
	uint32_t head, len;

	agree(PF_BIT);
	cr_assert_eq(set(&(struct vup_inflight){2 * REGION, 0, 2, 8}, file), 0);
	vup_mem_table(sock, 0, &mem);
	describe(0);
	offer(0, "one");
	cr_assert_eq(run(), 0);
	cr_expect(vqd_take(&ring[0], &head, &len));
}

Test(vu_inflight, a_ring_without_a_region_is_not_tracked)
{
	agree(PF_BIT);
	cr_assert_eq(set(&(struct vup_inflight){REGION, 4096, 1, 16}, file), 0);
	vup_mem_table(sock, 0, &mem);
	describe(1);
	vup_fd(sock, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 1, kick[1]);
	cr_assert_eq(ack(VUP_SET_VRING_KICK), 0);
	vup_state(sock, VUP_SET_VRING_ENABLE, 0, 1, 1);
	offer(1, "untracked");
	cr_assert(pump());
	cr_expect(echoed(1, "untracked"));
	for (unsigned int i = 0; i < REGION; i++)
		cr_assert_eq(region[4096 + REGION + i], 0, "not behind the area either");
}
