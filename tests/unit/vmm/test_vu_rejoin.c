/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A back-end dies and another one takes its place, seen from the front-end
 */
#include "vmm/virtio/vu_rejoin.h"

#include <poll.h>

#include "devices/core/vq_track.h"
#include "tests/support/vu_frontend_rig.h"

#define QUEUE_MAX  256
#define AREA_BYTES (2 * (16 + 16 * QUEUE_MAX + 48))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t area[AREA_BYTES];

static void start_vm(void)
{
	setup();
	again.returns = true;
	again.region = (struct vu_region){
		.fd = mem_fd, .base = area, .area = {.bytes = AREA_BYTES}};
	peer.protocol |= 1ULL << VU_PF_INFLIGHT_SHMFD | 1ULL << VU_PF_BACKEND_REQ;
}

TestSuite(vu_rejoin, .init = start_vm, .timeout = 60);

/* The back-end that was there is gone, and has said what it will ever say; another one is ready to run. */
static void next_peer(void)
{
	const uint64_t protocol = peer.protocol;

	shutdown(f.conn.sock, SHUT_RDWR);
	pthread_join(peer.thread, NULL);
	peer_setup();
	peer.protocol = protocol;
}

static enum vu_rejoined rejoin(void)
{
	cr_assert_eq(pthread_create(&peer.thread, NULL, peer_run, NULL), 0);
	return vu_rejoin(&f, front, &lock, &err);
}

static void set_used_idx(uint64_t used_gpa, uint16_t idx)
{
	cr_assert(gmem_write(&mem, used_gpa + 2, &idx, sizeof(idx)));
}

static void run_rings(void)
{
	cr_assert_eq(connect_block(0), 0, "%s", err.msg);
	cr_assert_eq(f.be.ops->start(&f.be, V1, queues, &err), 0, "%s", err.msg);
}

static bool said(uint32_t request)
{
	for (unsigned int i = 0; i < peer.nr; i++) {
		if (peer.log[i].hdr.request == request)
			return true;
	}
	return false;
}

Test(vu_rejoin, gets_all_that_the_first_one_got_and_where_to_go_on)
{
	static const uint32_t want[] = {
		VU_GET_FEATURES,
		VU_SET_OWNER,
		VU_GET_PROTOCOL_FEATURES,
		VU_SET_PROTOCOL_FEATURES,
		VU_GET_QUEUE_NUM,
		VU_SET_BACKEND_REQ_FD,
		VU_GET_CONFIG,
		VU_SET_MEM_TABLE,
		VU_SET_VRING_NUM,
		VU_SET_FEATURES,
		VU_SET_INFLIGHT_FD,
		VU_SET_VRING_NUM,
		VU_SET_VRING_BASE,
		VU_SET_VRING_ADDR,
		VU_SET_VRING_ERR,
		VU_SET_VRING_CALL,
		VU_SET_VRING_KICK,
		VU_SET_VRING_NUM,
		VU_SET_VRING_BASE,
		VU_SET_VRING_ADDR,
		VU_SET_VRING_ERR,
		VU_SET_VRING_CALL,
		VU_SET_VRING_KICK,
		VU_SET_VRING_ENABLE,
		VU_SET_VRING_ENABLE,
	};

	run_rings();
	cr_assert(said(VU_SET_INFLIGHT_FD));
	area[7] = 0x77; /* what the first one noted */
	set_used_idx(queues[0].used_gpa, 0xfffe);
	set_used_idx(queues[1].used_gpa, 3);
	next_peer();
	cr_assert_eq(rejoin(), VU_REJOINED, "%s", err.msg);
	cr_expect(!f.away && !f.joining && f.be.peer_fd == front);
	join();
	check_log(want, ARRAY_SIZE(want));
	cr_expect_eq(peer.log[9].u64, V1 | PROTOCOL);
	cr_expect_eq(peer.log[10].inflight.nr_queues, 2);
	cr_expect_eq(peer.log[10].inflight.queue_size, QUEUE_MAX);
	cr_expect_eq(peer.log[10].inflight.bytes, AREA_BYTES);
	cr_expect_eq(area[7], 0x77, "it gets the message");
	cr_expect_eq(peer.log[12].state.num, 0xfffe);
	cr_expect_eq(peer.log[18].state.num, 3);
}

Test(vu_rejoin, before_there_is_a_driver)
{
	cr_assert_eq(connect_block(0), 0);
	next_peer();
	cr_assert_eq(rejoin(), VU_REJOINED, "%s", err.msg);
	cr_assert_eq(f.be.ops->start(&f.be, V1, queues, &err), 0, "%s", err.msg);
	join();
	cr_expect_eq(peer.log[peer.nr - 1].hdr.request, VU_SET_VRING_ENABLE);
}

static void dies(void)
{
	next_peer();
	pthread_mutex_lock(&lock);
	cr_assert(f.be.ops->hung_up(&f.be));
	pthread_mutex_unlock(&lock);
	cr_assert(f.away && f.be.peer_fd == -1);
}

Test(vu_rejoin, what_a_driver_may_do_meanwhile)
{
	uint8_t byte = 1;

	run_rings();
	memset(area, 1, sizeof(area));
	set_used_idx(queues[0].used_gpa, 9);
	dies();
	cr_expect_eq(f.be.ops->config(&f.be, false, 0, &byte, 1, &err), 0);
	cr_expect_eq(byte, 0x5a, "as last known");
	f.be.config_stale = true;
	cr_expect_eq(f.be.ops->config(&f.be, false, 0, &byte, 1, &err), 0);
	cr_expect_eq(f.be.ops->config(&f.be, true, 32, &byte, 1, &err), -EAGAIN);
	cr_expect_eq(vu_frontend_reread(&f, &err), 0);
	cr_expect_eq(f.be.ops->stop(&f.be, 0, &err), 0, "there is nothing to wait for");
	cr_expect_eq(f.be.ops->start(&f.be, V1, queues, &err), 0, "that comes later");
	cr_assert_eq(rejoin(), VU_REJOINED, "%s", err.msg);
	cr_expect_eq(f.be.ops->config(&f.be, true, 32, &byte, 1, &err), 0);
	join();
	cr_assert_eq(peer.log[12].hdr.request, VU_SET_VRING_BASE);
	cr_expect_eq(peer.log[12].state.num, 0, "another driver's ring");
	cr_expect(area[0] == 0 && area[AREA_BYTES - 1] == 0,
		  "what the old driver sent is forgotten");
}

Test(vu_rejoin, what_a_driver_wrote_is_written_again)
{
	uint8_t bytes[] = {1, 2};

	run_rings();
	cr_expect_eq(f.be.ops->config(&f.be, true, 32, bytes, 2, &err), 0);
	cr_expect_eq(f.be.ops->config(&f.be, true, 40, bytes, 1, &err), 0);
	dies();
	cr_assert_eq(rejoin(), VU_REJOINED, "%s", err.msg);
	join();
	cr_assert_eq(peer.log[9].hdr.request, VU_SET_CONFIG);
	cr_expect(peer.log[9].config.offset == 32 && peer.log[9].config.bytes == 2);
	cr_expect(peer.log[10].config.offset == 40 && peer.log[10].config.bytes == 1);
	cr_expect_eq(peer.log[11].hdr.request, VU_GET_CONFIG);
}

Test(vu_rejoin, a_reset_meanwhile)
{
	run_rings();
	dies();
	cr_expect_eq(f.be.ops->stop(&f.be, 0, &err), 0);
	cr_assert_eq(rejoin(), VU_REJOINED, "%s", err.msg);
	join();
	cr_expect_not(said(VU_SET_VRING_KICK));
}

Test(vu_rejoin, a_death_that_a_vcpu_notices_first)
{
	uint8_t byte = 1;

	run_rings();
	next_peer();
	cr_expect_eq(f.be.ops->config(&f.be, true, 32, &byte, 1, &err), -EAGAIN, "%s", err.msg);
	cr_expect_eq(f.be.ops->stop(&f.be, 0, &err), 0);
	cr_expect_eq(f.be.ops->start(&f.be, V1, queues, &err), 0);
	cr_assert_eq(rejoin(), VU_REJOINED, "%s", err.msg);
	join();
}

/* A death at each step of a start, a stop, a look at the configuration */
Test(vu_rejoin, deaths_while_a_vcpu_waits)
{
	static const uint32_t at[] = {VU_SET_INFLIGHT_FD, VU_SET_VRING_KICK, VU_SET_VRING_ENABLE,
				      VU_GET_VRING_BASE, VU_SET_CONFIG};
	static const enum trick tricks[] = {GONE, HALF_GONE};

	for (size_t i = 0; i < ARRAY_SIZE(at) * 2; i++) {
		uint8_t byte = 1;
		int rc;

		if (i > 0)
			start_vm();
		peer.trick_at = at[i / 2];
		peer.trick = tricks[i % 2];
		run_rings();
		if (at[i / 2] == VU_SET_CONFIG)
			cr_expect_eq(f.be.ops->config(&f.be, true, 32, &byte, 1, &err), -EAGAIN);
		while ((rc = f.be.ops->stop(&f.be, 0, &err)) == 1)
			poll(&(struct pollfd){.fd = f.be.peer_fd, .events = POLLIN}, 1, 10);
		cr_expect_eq(rc, 0, "row %zu: %s", i, err.msg);
		cr_assert_eq(f.be.ops->start(&f.be, V1, queues, &err), 0);
		next_peer();
		cr_assert_eq(rejoin(), VU_REJOINED, "row %zu: %s", i, err.msg);
		join();
		cr_expect(said(VU_SET_VRING_ENABLE));
	}
}

Test(vu_rejoin, other_devices_are_refused)
{
	static const struct {
		uint64_t features, protocol, queues;
		uint32_t size_max;
		uint8_t config;
		const char *want;
	} rows[] = {
		{V1 | PROTOCOL, 0, 2, 256, 0x5a, "came back without features 0x20000200"},
		{0, 1ULL << VU_PF_INFLIGHT_SHMFD, 2, 256, 0x5a,
		 "came back without protocol features 0x1000"},
		{0, 0, 1, 256, 0x5a, "came back with 1 queues of 256 entries, not 2 of 256"},
		{0, 0, 2, 128, 0x5a, "came back with 2 queues of 128 entries, not 2 of 256"},
		{0, 0, 2, 256, 0x5b, "came back with another configuration"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (i > 0)
			start_vm();
		run_rings();
		next_peer();
		peer.features = rows[i].features ? rows[i].features : peer.features;
		peer.protocol &= ~rows[i].protocol;
		peer.queues = rows[i].queues;
		peer.size_max = rows[i].size_max;
		peer.config = rows[i].config;
		cr_expect_eq(rejoin(), VU_REJOINED_REFUSED);
		cr_expect_str_eq(err.msg, rows[i].want);
		cr_expect(f.dead && !f.joining);
		cr_expect_lt(f.be.ops->stop(&f.be, 0, &err), 0);
		join();
	}
}

/* It dies at each step, or says something wrong there: another may come, or the VM has to end. */
Test(vu_rejoin, hostile_ones)
{
	static const uint32_t at[] = {
		VU_GET_FEATURES,       VU_GET_PROTOCOL_FEATURES, VU_GET_QUEUE_NUM,
		VU_GET_CONFIG,	       VU_SET_MEM_TABLE,	 VU_SET_VRING_NUM,
		VU_SET_BACKEND_REQ_FD, VU_SET_INFLIGHT_FD,	 VU_SET_VRING_KICK,
		VU_SET_VRING_ENABLE,
	};
	static const enum trick tricks[] = {GONE,  HALF_GONE, SILENT, HALF,
					    OTHER, VERSION,   LONG,   WITH_FD};

	for (size_t i = 0; i < ARRAY_SIZE(at) * ARRAY_SIZE(tricks); i++) {
		const enum trick trick = tricks[i % ARRAY_SIZE(tricks)];
		enum vu_rejoined want = trick <= GONE || trick == HALF_GONE ? VU_REJOINED_LOST
									    : VU_REJOINED_REFUSED;

		if (i > 0)
			start_vm();
		cr_assert_eq(connect_block(0), 0);
		cr_assert_eq(f.be.ops->start(&f.be, V1, queues, &err), 0, "%s", err.msg);
		next_peer();
		peer.trick_at = at[i / ARRAY_SIZE(tricks)];
		peer.trick = trick;
		late.patience = 1;
		late.times = 0;
		/* Only now: a busy machine may make an honest peer as slow. */
		if (trick == SILENT || trick == HALF)
			f.conn.late_ms = 20;
		cr_expect_eq(rejoin(), want, "request %u, trick %u: %s", peer.trick_at, trick,
			     err.msg);
		if (want == VU_REJOINED_LOST) {
			cr_expect(f.away && f.be.peer_fd == -1);
			next_peer();
			cr_expect_eq(rejoin(), VU_REJOINED, "%s", err.msg);
		}
		join();
	}
}

static void *rejoin_run(void *arg)
{
	*(enum vu_rejoined *)arg = vu_rejoin(&f, front, &lock, &err);
	return NULL;
}

/* The new process stops at @at until peer.go, and @meanwhile is done on another thread. */
static enum vu_rejoined rejoin_while(uint32_t at, void (*meanwhile)(void))
{
	enum vu_rejoined rejoined;
	pthread_t thread;

	peer.trick_at = at;
	peer.trick = WAIT;
	late.patience = 1000000;
	cr_assert_eq(pthread_create(&peer.thread, NULL, peer_run, NULL), 0);
	cr_assert_eq(pthread_create(&thread, NULL, rejoin_run, &rejoined), 0);
	while (!__atomic_load_n(&f.joining, __ATOMIC_SEQ_CST))
		poll(NULL, 0, 1);
	pthread_mutex_lock(&lock);
	meanwhile();
	pthread_mutex_unlock(&lock);
	eventfd_write(peer.go, 1000);
	pthread_join(thread, NULL);
	return rejoined;
}

static void resets(void)
{
	uint8_t byte;

	for (int i = 0; i < 3; i++)
		cr_expect_eq(f.be.ops->stop(&f.be, 2, &err), 1, "it may have the rings already");
	cr_expect_eq(f.be.ops->config(&f.be, false, 0, &byte, 1, &err), 0);
	cr_expect_eq(f.be.ops->config(&f.be, true, 0, &byte, 1, &err), -EAGAIN);
}

Test(vu_rejoin, a_reset_while_it_comes_back)
{
	int rc;

	run_rings();
	dies();
	cr_assert_eq(rejoin_while(VU_SET_VRING_KICK, resets), VU_REJOINED, "%s", err.msg);
	while ((rc = f.be.ops->stop(&f.be, 0, &err)) == 1)
		poll(&(struct pollfd){.fd = f.be.peer_fd, .events = POLLIN}, 1, 10);
	cr_expect_eq(rc, 0);
	join();
	cr_expect_eq(peer.log[peer.nr - 1].hdr.request, VU_GET_VRING_BASE);
}

static void driver_begins(void)
{
	cr_expect_eq(f.be.ops->start(&f.be, V1, queues, &err), 0);
}

Test(vu_rejoin, a_driver_begins_while_it_comes_back)
{
	cr_assert_eq(connect_block(0), 0);
	dies();
	cr_assert_eq(rejoin_while(VU_SET_MEM_TABLE, driver_begins), VU_REJOINED, "%s", err.msg);
	join();
	cr_expect(said(VU_SET_VRING_ENABLE));
}

/* A back-end that is not ours gives the memory itself, and gets it back. */
Test(vu_rejoin, a_region_of_the_back_end)
{
	again.region = (struct vu_region){.fd = -1};
	peer.inflight = 8192;
	run_rings();
	cr_assert(said(VU_GET_INFLIGHT_FD) && f.region.fd > 0);
	next_peer();
	cr_assert_eq(rejoin(), VU_REJOINED, "%s", err.msg);
	cr_expect(said(VU_SET_INFLIGHT_FD) && !said(VU_GET_INFLIGHT_FD));
	cr_expect_eq(peer.log[10].inflight.bytes, 8192);
	cr_expect_eq(peer.log[10].inflight.offset, 4096);
	join();
}

Test(vu_rejoin, a_back_end_without_a_region)
{
	again.region = (struct vu_region){.fd = -1};
	run_rings();
	cr_expect(said(VU_GET_INFLIGHT_FD) && !said(VU_SET_INFLIGHT_FD));
	next_peer();
	cr_assert_eq(rejoin(), VU_REJOINED, "%s", err.msg);
	join();
	cr_expect_not(said(VU_SET_INFLIGHT_FD));
}
