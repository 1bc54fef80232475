/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device that lends its ring as soon as it may have it, behind the real back-end: whatever the
 * front-end does, the ring is back before anything about it changes.
 */
#include "devices/core/vq_lend.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "devices/core/vu_backend.h"
#include "tests/support/vu_peer.h"

#define RING_GPA  0x1000
#define PF_BIT	  (1ULL << 30)
#define SERVED_TO 0x1234

/* What the device did: L lent, F fetched, R reset, each with the state it found */
static char log_text[64];
static struct vq_loan loan;
static bool lent;
static int lent_kick, lent_call;
static void *lent_memory;

static void note(char what)
{
	size_t len = strlen(log_text);

	cr_assert_lt(len + 1, sizeof(log_text));
	log_text[len] = what;
}

static int lender_init(struct device *d, const struct boot_dev *b UNUSED, struct err *err UNUSED)
{
	d->nr_queues = 1;
	return 0;
}

static void lender_queue(struct device *d, unsigned int q)
{
	cr_assert(!lent, "queue() of a ring that is lent");
	loan = vq_lend(&d->vq[q]);
	lent = true;
	lent_kick = d->kick_fd[q];
	lent_call = d->call_fd[q];
	lent_memory = d->mem.region[0].base;
	note('L');
}

static void lender_stop(struct device *d, unsigned int q)
{
	if (!lent)
		return;
	cr_expect_eq(d->mem.region[0].base, lent_memory, "the memory went first");
	cr_expect_eq(d->kick_fd[q], lent_kick);
	cr_expect_eq(d->call_fd[q], lent_call);
	vq_take_back(&d->vq[q], SERVED_TO);
	lent = false;
	note('F');
}

static void lender_reset(struct device *d UNUSED)
{
	cr_expect(!lent, "reset of a device whose ring is lent");
	note('R');
}

static const struct kind lender_kind = {.name = "lender", .virtio_id = 63};

static const struct device_ops lender_ops = {
	.kind = &lender_kind,
	.queue_max = 64,
	.state_size = 1,
	.init = lender_init,
	.queue = lender_queue,
	.stop = lender_stop,
	.reset = lender_reset,
};

static struct loop loop;
static struct device dev;
static struct vu_backend backend;
static struct vqd_mem mem;
static struct vqd ring;
static int kick, call, sock;

static void setup(void)
{
	static const struct vqd_piece pieces[] = {{0, 0x10000}, {0x100000, 0x10000}};
	struct err err;
	int pair[2];

	vqd_mem_init(&mem, pieces, ARRAY_SIZE(pieces));
	kick = eventfd(0, EFD_NONBLOCK);
	call = eventfd(0, EFD_NONBLOCK);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	sock = pair[0];
	cr_assert_eq(loop_init(&loop, &err), 0);
	cr_assert_eq(device_init(&dev, &lender_ops, &loop, &err), 0);
	cr_assert_eq(dev.ops->init(&dev, NULL, &err), 0);
	cr_assert_eq(vu_backend_init(&backend, &dev, pair[1], &err), 0);
}

TestSuite(vq_lend, .init = setup);

static void pump(void)
{
	struct err err;

	for (int i = 0; i < 64 && !loop.stop; i++)
		cr_assert_eq(loop_once(&loop, 0, &err), 0);
}

/* What the device did since last asked */
static const char *done(void)
{
	static char text[sizeof(log_text)];

	pump();
	memcpy(text, log_text, sizeof(text));
	memset(log_text, 0, sizeof(log_text));
	return text;
}

static void run_ring(void)
{
	vqd_init(&ring, &mem, 16, RING_GPA, 0);
	vup_u64(sock, VUP_SET_PROTOCOL_FEATURES, 0, 0);
	vup_empty(sock, VUP_SET_OWNER, 0);
	vup_u64(sock, VUP_SET_FEATURES, 0, PF_BIT);
	vup_mem_table(sock, 0, &mem);
	vup_state(sock, VUP_SET_VRING_NUM, 0, 0, ring.size);
	vup_state(sock, VUP_SET_VRING_BASE, 0, 0, 7);
	vup_addr(sock, 0, 0, &ring);
	vup_fd(sock, VUP_SET_VRING_CALL, 0, 0, call);
	vup_fd(sock, VUP_SET_VRING_KICK, 0, 0, kick);
	cr_assert_str_eq(done(), "", "not before it is enabled");
	vup_state(sock, VUP_SET_VRING_ENABLE, 0, 0, 1);
	cr_assert_str_eq(done(), "L");
}

static uint32_t vring_base(void)
{
	struct vup_msg r;
	uint32_t state[2];

	vup_state(sock, VUP_GET_VRING_BASE, 0, 0, 0);
	pump();
	cr_assert(vup_recv(sock, &r));
	memcpy(state, r.payload, sizeof(state));
	return state[1];
}

Test(vq_lend, a_loan_says_where_the_ring_is)
{
	const struct gmem_region *r = dev.mem.region;

	run_ring();
	cr_expect_eq(loan.size, 16);
	cr_expect_eq(loan.next_avail, 7);
	cr_expect_eq(loan.desc_addr, (uintptr_t)r->base + ring.desc_gpa);
	cr_expect_eq(loan.avail_addr, (uintptr_t)r->base + ring.avail_gpa);
	cr_expect_eq(loan.used_addr, (uintptr_t)r->base + ring.used_gpa);
}

Test(vq_lend, a_ring_that_is_lent_is_not_served_here)
{
	static struct vq_chain c;
	const struct vqd_buf buf = {0x8000, 8, false};

	run_ring();
	vqd_start_at(&ring, 7);
	vqd_add(&ring, &buf, 1);
	cr_expect_eq(vq_pop(&dev.vq[0], &c), VQ_EMPTY);
	cr_assert_eq(eventfd_write(kick, 1), 0);
	cr_expect_str_eq(done(), "", "a doorbell that is still watched rings in vain");
}

Test(vq_lend, stopping_fetches_and_tells_where)
{
	run_ring();
	cr_expect_eq(vring_base(), SERVED_TO);
	cr_expect_str_eq(done(), "FR");
	vup_fd(sock, VUP_SET_VRING_KICK, 0, 0, kick);
	cr_expect_str_eq(done(), "L", "and on it goes");
	cr_expect_eq(loan.next_avail, SERVED_TO);
}

Test(vq_lend, disabling_fetches)
{
	run_ring();
	vup_state(sock, VUP_SET_VRING_ENABLE, 0, 0, 0);
	cr_expect_str_eq(done(), "F");
	vup_state(sock, VUP_SET_VRING_ENABLE, 0, 0, 1);
	cr_expect_str_eq(done(), "L");
	cr_expect_eq(loan.next_avail, SERVED_TO);
}

Test(vq_lend, other_eventfds_are_given_anew)
{
	run_ring();
	vup_fd(sock, VUP_SET_VRING_CALL, 0, 0, call);
	cr_expect_str_eq(done(), "FL");
	cr_expect_eq(lent_call, dev.call_fd[0]);
	vup_fd(sock, VUP_SET_VRING_KICK, 0, 0, kick);
	cr_expect_str_eq(done(), "FL");
	cr_expect_eq(lent_kick, dev.kick_fd[0]);
	vup_fd(sock, VUP_SET_VRING_ERR, 0, 0, call);
	cr_expect_str_eq(done(), "FL");
}

Test(vq_lend, other_memory_is_given_anew)
{
	run_ring();
	vup_mem_table(sock, 0, &mem);
	cr_expect_str_eq(done(), "FL");
	cr_expect_eq(loan.desc_addr, (uintptr_t)dev.mem.region[0].base + ring.desc_gpa);
	cr_expect_eq(loan.next_avail, SERVED_TO);
}

Test(vq_lend, a_front_end_that_leaves_gets_it_fetched)
{
	run_ring();
	close(sock);
	cr_expect_str_eq(done(), "FR");
}

Test(vq_lend, a_chain_in_hand_forbids_lending, .signal = SIGILL)
{
	static struct vq_chain c;
	const struct vqd_buf buf = {0x8000, 8, false};

	run_ring();
	vqd_start_at(&ring, 7);
	vqd_add(&ring, &buf, 1);
	lender_stop(&dev, 0);
	dev.vq[0].next_avail = dev.vq[0].seen_avail = 7;
	cr_assert_eq(vq_pop(&dev.vq[0], &c), VQ_CHAIN);
	(void)vq_lend(&dev.vq[0]);
}

Test(vq_lend, nothing_to_take_back, .signal = SIGILL)
{
	struct vq q = {0};

	vq_take_back(&q, 0);
}
