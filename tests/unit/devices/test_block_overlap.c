/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Requests that overlap, and when what they wrote is on the disk
 *
 * The test sees the device's system calls before they are made, and decides how long each takes and how it ends. So
 * nothing depends on time.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "tests/support/block_rig.h"

/* A request of one sector */
#define OWN_HEAD(i)   (HEAD_GPA + 0x200 + 0x20ULL * (i))
#define OWN_STATUS(i) (HEAD_GPA + 0x210 + 0x20ULL * (i))
#define OWN_DATA(i)   (DATA_GPA + 0x200ULL * (i))

static void setup_watched(void)
{
	static const int watched[] = {SYS_preadv, SYS_preadv2, SYS_pwritev, SYS_fdatasync,
				      SYS_fallocate};

	memcpy(child.watched, watched, sizeof(watched));
	setup();
}

/* What is held is let go by the kernel when the test closes its end. */
static void teardown_watched(void)
{
	close(child.watch);
	teardown();
}

TestSuite(block_overlap, .init = setup_watched, .fini = teardown_watched);

/* ---- what the test says about calls --------------------------------------------------------- */

static struct call_watch next_call(int nr)
{
	struct call_watch w;

	cr_assert(call_watch_next(child.watch, &w), "call %d does not come", nr);
	cr_assert_eq(w.call.nr, nr, "call %d, not %d", w.call.nr, nr);
	return w;
}

static void pass(int nr)
{
	struct call_watch w = next_call(nr);

	call_watch_go(child.watch, &w);
}

static void fail(int nr, int errnum)
{
	struct call_watch w = next_call(nr);

	call_watch_fail(child.watch, &w, errnum);
}

/* ---- what it asks for ----------------------------------------------------------------------- */

/* Request @i on @r, of the sector of that number */
static uint16_t add(struct vqd *r, uint32_t type, unsigned int i)
{
	const struct virtio_blk_outhdr h = {.type = type, .sector = i};
	const bool in = type == VIRTIO_BLK_T_IN;
	const struct vqd_buf buf[] = {
		{OWN_HEAD(i), 16, false}, {OWN_DATA(i), 512, in}, {OWN_STATUS(i), 1, true}};
	const struct vqd_buf none[] = {buf[0], buf[2]};

	memcpy(vqd_at(&mem, OWN_HEAD(i), sizeof(h)), &h, sizeof(h));
	memset(vqd_at(&mem, OWN_STATUS(i), 1), FILL, 1);
	return type == VIRTIO_BLK_T_FLUSH ? vqd_add(r, none, 2) : vqd_add(r, buf, 3);
}

static uint8_t status(unsigned int i)
{
	return *(uint8_t *)vqd_at(&mem, OWN_STATUS(i), 1);
}

/* Waits for an answer; the head of the request that has it */
static uint32_t answered(struct vqd *r)
{
	uint32_t head, len;
	eventfd_t v;

	while (!vqd_take(r, &head, &len)) {
		cr_assert(dev_child_wait(call), "no interrupt");
		eventfd_read(call, &v);
	}
	return head;
}

static bool unanswered(struct vqd *r)
{
	uint32_t head, len;

	return !vqd_take(r, &head, &len);
}

static void ring_doorbell(void)
{
	eventfd_write(kick, 1);
}

/* Leaves a read of sector @i in a thread, held, and lets a write that came with it be over */
static struct call_watch hold_a_read(unsigned int i, uint16_t *ret_head)
{
	struct call_watch w[2];
	unsigned int read;

	*ret_head = add(&ring, VIRTIO_BLK_T_IN, i);
	add(&ring, VIRTIO_BLK_T_OUT, i + 1);
	ring_doorbell();
	fail(SYS_preadv2, EAGAIN);
	for (unsigned int n = 0; n < 2; n++) {
		cr_assert(call_watch_next(child.watch, &w[n]));
		cr_assert_neq(w[n].tid, child.pid, "the loop waits");
	}
	read = w[0].call.nr == SYS_preadv ? 0 : 1;
	cr_assert(w[read].call.nr == SYS_preadv && w[!read].call.nr == SYS_pwritev);
	call_watch_go(child.watch, &w[!read]);
	cr_assert_neq(answered(&ring), *ret_head);
	cr_assert_eq(status(i + 1), VIRTIO_BLK_S_OK);
	return w[read];
}

/* ---- requests that overlap ------------------------------------------------------------------ */

Test(block_overlap, a_slow_read_holds_up_no_other)
{
	struct call_watch slow;
	uint16_t head;

	fill_image(0, 1, 1);
	slow = hold_a_read(0, &head);
	/* One that comes later, alone in the ring, is not waited for by the loop either. */
	add(&ring, VIRTIO_BLK_T_OUT, 5);
	ring_doorbell();
	pass(SYS_pwritev);
	cr_assert_neq(answered(&ring), head);
	cr_assert(status(5) == VIRTIO_BLK_S_OK && status(0) == FILL && unanswered(&ring));
	call_watch_go(child.watch, &slow);
	cr_assert_eq(answered(&ring), head);
	cr_assert(status(0) == VIRTIO_BLK_S_OK && data(0, 1)[0] == 1);
}

Test(block_overlap, many_are_slow_at_once)
{
	enum { SLOW = 8 };
	struct call_watch w[SLOW];

	for (unsigned int i = 0; i < SLOW; i++) {
		add(&ring, VIRTIO_BLK_T_OUT, i);
		memset(data(512 * i, 512), (int)i + 1, 512);
	}
	ring_doorbell();
	for (unsigned int i = 0; i < SLOW; i++) {
		w[i] = next_call(SYS_pwritev);
		for (unsigned int k = 0; k < i; k++)
			cr_assert_neq(w[i].tid, w[k].tid);
	}
	cr_assert(unanswered(&ring));
	for (unsigned int i = SLOW; i-- > 0;) {
		call_watch_go(child.watch, &w[i]);
		answered(&ring);
	}
	for (unsigned int i = 0; i < SLOW; i++)
		cr_assert(status(i) == VIRTIO_BLK_S_OK && image_is(i, 1, (uint8_t)(i + 1)));
}

Test(block_overlap, one_alone_is_the_loops_while_the_disk_is_quick)
{
	struct call_watch w;

	add(&ring, VIRTIO_BLK_T_OUT, 0);
	ring_doorbell();
	w = next_call(SYS_pwritev);
	cr_assert_eq(w.tid, child.pid, "a thread was woken for it");
	usleep(2000); /* longer than the loop waits twice for */
	call_watch_go(child.watch, &w);
	answered(&ring);
	add(&ring, VIRTIO_BLK_T_OUT, 1);
	ring_doorbell();
	w = next_call(SYS_pwritev);
	cr_assert_neq(w.tid, child.pid, "the loop waits for a slow disk");
	call_watch_go(child.watch, &w);
	answered(&ring);
}

/* Copying is what takes time then, and several threads copy at once. */
Test(block_overlap, large_reads_from_the_page_cache_are_shared)
{
	const struct vqd_buf buf[] = {
		{HEAD_GPA, 16, false}, {DATA_GPA, 0x10000, true}, {STATUS_GPA, 1, true}};
	struct call_watch w[2];

	put_head(VIRTIO_BLK_T_IN, 0);
	vqd_add(&ring, buf, 3);
	vqd_add(&ring, buf, 3);
	ring_doorbell();
	for (unsigned int i = 0; i < 2; i++) {
		w[i] = next_call(SYS_preadv);
		cr_assert_neq(w[i].tid, child.pid, "the loop copies");
	}
	cr_assert_neq(w[0].tid, w[1].tid);
	for (unsigned int i = 0; i < 2; i++) {
		call_watch_go(child.watch, &w[i]);
		answered(&ring);
	}
	vqd_add(&ring, buf, 3);
	ring_doorbell();
	w[0] = next_call(SYS_preadv2);
	cr_assert_eq(w[0].tid, child.pid, "one alone is the loop's");
	call_watch_fail(child.watch, &w[0], EAGAIN);
	pass(SYS_preadv);
	answered(&ring);
}

Test(block_overlap, a_long_request_is_the_last_that_is_popped)
{
	struct vqd_buf buf[128] = {{HEAD_GPA, 16, false}};
	enum { TIMES = 80 };
	struct call_watch w;
	uint16_t head;

	teardown_watched();
	cr_assert_eq(ftruncate(image, TIMES * MEM_BYTES), 0);
	settings.capacity_bytes = TIMES * MEM_BYTES;
	start(0);
	put_head(VIRTIO_BLK_T_OUT, 0);
	for (unsigned int i = 1; i <= TIMES; i++)
		buf[i] = (struct vqd_buf){0, MEM_BYTES, false};
	buf[TIMES + 1] = (struct vqd_buf){STATUS_GPA, 1, true};
	head = vqd_add_indirect(&ring, buf, TIMES + 2, TABLE_GPA);
	add(&ring, VIRTIO_BLK_T_OUT, 7);
	ring_doorbell();
	w = next_call(SYS_pwritev);
	cr_assert_neq(w.tid, child.pid);
	/* However many calls it takes: the other request's only comes after its answer. */
	do {
		cr_assert_neq(w.call.args[3], 7 * 512, "the other one is not held back");
		call_watch_go(child.watch, &w);
		w = next_call(SYS_pwritev);
	} while (w.call.args[2] > 1);
	cr_assert_eq(answered(&ring), head);
	call_watch_go(child.watch, &w);
	answered(&ring);
	cr_assert_eq(status(7), VIRTIO_BLK_S_OK);
}

/* ---- a stop in the middle ------------------------------------------------------------------- */

static uint32_t stopped_at(unsigned int q)
{
	uint32_t state[2];
	struct vup_msg m;

	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m));
	memcpy(state, m.payload, sizeof(state));
	cr_assert_eq(state[0], q);
	return state[1];
}

/* The front-end waits as long as the disk does. Then nothing is lost, and nothing comes afterwards. */
Test(block_overlap, a_stop_waits_for_what_is_on_its_way)
{
	struct vup_msg m;
	uint16_t head;
	struct call_watch slow = hold_a_read(3, &head);

	vup_state(child.vmm, VUP_GET_VRING_BASE, 0, 0, 0);
	cr_assert_eq(poll(&(struct pollfd){.fd = child.vmm, .events = POLLIN}, 1, 20), 0);
	cr_assert_not(vup_recv(child.vmm, &m));
	call_watch_go(child.watch, &slow);
	cr_assert_eq(stopped_at(0), 2);
	cr_assert_eq(answered(&ring), head);
	cr_assert_eq(status(3), VIRTIO_BLK_S_OK);
	cr_assert(unanswered(&ring));
}

/* One turn of the loop brings both the request to stop and the end of a piece, which the stop takes. */
Test(block_overlap, a_stop_takes_what_the_loop_was_told_of)
{
	uint16_t head;
	struct call_watch slow = hold_a_read(3, &head), loops;

	add(&ring, VIRTIO_BLK_T_IN, 5);
	ring_doorbell();
	loops = next_call(SYS_preadv2);
	cr_assert_eq(loops.tid, child.pid);
	vup_state(child.vmm, VUP_GET_VRING_BASE, 0, 0, 0);
	call_watch_go(child.watch, &slow);
	cr_assert_eq(poll(&(struct pollfd){.fd = child.watch, .events = POLLIN}, 1, 20), 0);
	call_watch_fail(child.watch, &loops, EAGAIN);
	pass(SYS_preadv);
	cr_assert_eq(stopped_at(0), 3);
	start_ring(0, &ring, RING_GPA);
	add(&ring, VIRTIO_BLK_T_OUT, 1);
	ring_doorbell();
	pass(SYS_pwritev);
	answered(&ring);
	cr_assert_eq(status(1), VIRTIO_BLK_S_OK);
}

Test(block_overlap, a_stop_does_not_wait_for_another_queue)
{
	static struct vqd second;
	struct call_watch slow;
	uint16_t head;

	teardown_watched();
	rec.nr_queues = 2;
	start(0);
	start_ring(1, &second, RING_GPA + 0x1000);
	slow = hold_a_read(0, &head);
	vup_state(child.vmm, VUP_GET_VRING_BASE, 0, 1, 0);
	cr_assert_eq(stopped_at(1), 0);
	cr_assert(unanswered(&ring));
	call_watch_go(child.watch, &slow);
	cr_assert_eq(answered(&ring), head);
}

Test(block_overlap, a_process_with_requests_on_their_way_can_be_killed)
{
	uint16_t head;

	(void)hold_a_read(0, &head);
	cr_assert_eq(kill(child.pid, SIGKILL), 0);
	cr_assert_eq(dev_child_stop(&child), SIGKILL);
	start(0);
}

/* ---- what is on the disk -------------------------------------------------------------------- */

Test(block_overlap, a_flush_reaches_the_disk)
{
	add(&ring, VIRTIO_BLK_T_OUT, 0);
	ring_doorbell();
	pass(SYS_pwritev);
	answered(&ring);
	for (int errnum = 0; errnum <= EIO; errnum += EIO) {
		struct call_watch w;

		add(&ring, VIRTIO_BLK_T_FLUSH, 1);
		ring_doorbell();
		w = next_call(SYS_fdatasync);
		cr_assert_neq(w.tid, child.pid, "the loop waits for it");
		cr_assert(unanswered(&ring), "answered before it is on the disk");
		if (errnum)
			call_watch_fail(child.watch, &w, errnum);
		else
			call_watch_go(child.watch, &w);
		answered(&ring);
		cr_assert_eq(status(1), errnum ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK);
	}
}

/* A driver that has no flush takes each answer for a promise. */
Test(block_overlap, without_a_flush_each_change_reaches_the_disk)
{
	static const struct virtio_blk_discard_write_zeroes range = {
		.sector = 8, .num_sectors = 8, .flags = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP};
	static const struct {
		uint32_t type;
		int call;
	} changes[] = {{VIRTIO_BLK_T_OUT, SYS_pwritev}, {VIRTIO_BLK_T_WRITE_ZEROES, SYS_fallocate}};
	struct call_watch w;

	teardown_watched();
	start(F_FLUSH);
	for (unsigned int i = 0; i < ARRAY_SIZE(changes); i++) {
		const bool write = changes[i].type == VIRTIO_BLK_T_OUT;
		const struct vqd_buf buf[] = {{HEAD_GPA, 16, false},
					      {DATA_GPA, write ? 512 : sizeof(range), false},
					      {STATUS_GPA, 1, true}};

		memcpy(data(0, sizeof(range)), &range, sizeof(range));
		put_head(changes[i].type, 3);
		vqd_add(&ring, buf, 3);
		ring_doorbell();
		pass(changes[i].call);
		w = next_call(SYS_fdatasync);
		cr_assert(unanswered(&ring), "answered before it is on the disk");
		call_watch_go(child.watch, &w);
		answered(&ring);
		cr_assert_eq(*(uint8_t *)vqd_at(&mem, STATUS_GPA, 1), VIRTIO_BLK_S_OK);
	}
	add(&ring, VIRTIO_BLK_T_OUT, 4);
	ring_doorbell();
	pass(SYS_pwritev);
	fail(SYS_fdatasync, EIO);
	answered(&ring);
	cr_assert_eq(status(4), VIRTIO_BLK_S_IOERR);
}

/* ---- a host in trouble ---------------------------------------------------------------------- */

Test(block_overlap, a_host_without_room_is_an_error_until_it_has_some)
{
	memset(data(0, 512), 7, 512);
	add(&ring, VIRTIO_BLK_T_OUT, 0);
	ring_doorbell();
	fail(SYS_pwritev, ENOSPC);
	answered(&ring);
	cr_assert(status(0) == VIRTIO_BLK_S_IOERR && image_is(0, 1, 0));
	add(&ring, VIRTIO_BLK_T_OUT, 0);
	ring_doorbell();
	pass(SYS_pwritev);
	answered(&ring);
	cr_assert(status(0) == VIRTIO_BLK_S_OK && image_is(0, 1, 7));
}
