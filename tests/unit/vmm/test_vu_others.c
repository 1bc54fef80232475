/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Back-ends of others, with less than ours have
 */
#include <linux/virtio_fs.h>
#include <linux/virtio_net.h>

#include "tests/support/vu_frontend_rig.h"

TestSuite(vu_others, .init = setup, .timeout = 60);

static const struct virtio_fs_config fs_config = {"share", 1};

static int connect_other(uint16_t virtio_id, bool returns)
{
	struct vu_frontend_args args = {
		.name = "other0",
		.sock = front,
		.ask = {.virtio_id = virtio_id, .mem = &mem, .mem_fd = mem_fd, .others = true},
		.late_ms = 50,
		.returns = returns};

	if (virtio_id == VIRTIO_ID_FS) {
		args.ask.config = &fs_config;
		args.ask.config_bytes = sizeof(fs_config);
	}
	cr_assert_eq(pthread_create(&peer.thread, NULL, peer_run, NULL), 0);
	return vu_frontend_init(&f, &args, &err);
}

#define BIT(b) (1ULL << (b))

/* Each with the protocol features that it has; the error, or what the guest is offered */
static const struct other {
	uint16_t virtio_id;
	uint64_t protocol, queues, features;
	const char *error;
	uint16_t nr_queues, config_bytes;
	uint64_t offered;
} others[] = {
	/* without acknowledgements, several queues, configuration */
	{VIRTIO_ID_RNG, 0, 9, 0, NULL, 1, 0, 0},
	{VIRTIO_ID_RNG, BIT(VU_PF_MQ), 1, 0, NULL, 1, 0, 0},
	{VIRTIO_ID_BLOCK, BIT(VU_PF_CONFIG), 9, 0, NULL, 1, 60, 0},
	{VIRTIO_ID_BLOCK, BIT(VU_PF_CONFIG) | BIT(VU_PF_MQ), 4, 0, NULL, 4, 60, 0},
	{VIRTIO_ID_BLOCK, BIT(VU_PF_MQ) | BIT(VU_PF_REPLY_ACK), 4, 0,
	 "the device does not tell its configuration", 0, 0, 0},
	/* a network device serves no control queue, and counts pairs */
	{VIRTIO_ID_NET, BIT(VU_PF_MQ), 1,
	 BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_MQ) | BIT(VIRTIO_NET_F_MAC) |
		 BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_RSS),
	 NULL, 2, 0, BIT(VIRTIO_NET_F_CSUM)},
	{VIRTIO_ID_NET, BIT(VU_PF_MQ) | BIT(VU_PF_CONFIG), 7,
	 BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_MAC), NULL, 2, 12, BIT(VIRTIO_NET_F_MAC)},
	/* the name of a file system is ours to give, whatever the back-end knows */
	{VIRTIO_ID_FS, BIT(VU_PF_MQ), 2, 0, NULL, 2, 40, 0},
	{VIRTIO_ID_FS, BIT(VU_PF_MQ) | BIT(VU_PF_CONFIG) | BIT(VU_PF_BACKEND_REQ), 5, 0, NULL, 5,
	 40, 0},
	{VIRTIO_ID_FS, BIT(VU_PF_MQ), 1, 0, "the device has 1 queues, not 2 or more", 0, 0, 0},
};

Test(vu_others, what_they_lack_is_done_without)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		const struct other *o = &others[i];
		int rc;

		if (i > 0)
			setup();
		peer.features = V1 | PROTOCOL | o->features;
		peer.protocol = o->protocol;
		peer.queues = o->queues;
		rc = connect_other(o->virtio_id, false);
		if (o->error) {
			cr_expect_lt(rc, 0, "row %u", i);
			cr_expect_str_eq(err.msg, o->error);
			join();
			continue;
		}
		cr_expect_eq(rc, 0, "row %u: %s", i, err.msg);
		cr_expect_eq(f.be.nr_queues, o->nr_queues, "row %u: %u", i, f.be.nr_queues);
		cr_expect_eq(f.be.config_bytes, o->config_bytes, "row %u", i);
		cr_expect_eq(f.be.features, V1 | o->offered, "row %u: 0x%lx", i, f.be.features);
		cr_assert_eq(f.be.ops->start(&f.be, V1, queues, &err), 0, "row %u: %s", i, err.msg);
		join();
	}
}

Test(vu_others, a_given_configuration_is_neither_asked_for_nor_changed)
{
	struct virtio_fs_config read = {{0}, 0};

	peer.protocol = PF_ALL | BIT(VU_PF_BACKEND_REQ);
	cr_assert_eq(connect_other(VIRTIO_ID_FS, false), 0, "%s", err.msg);
	cr_expect_eq(f.be.change_fd, -1);
	cr_expect_eq(f.be.ops->config(&f.be, true, 0, (uint8_t[]){'x'}, 1, &err), 0);
	f.be.config_stale = true;
	cr_expect_eq(f.be.ops->config(&f.be, false, 0, &read, sizeof(read), &err), 0);
	cr_expect(memcmp(&read, &fs_config, sizeof(read)) == 0);
	cr_expect_eq(vu_frontend_reread(&f, &err), 0);
	join();
	for (unsigned int i = 0; i < peer.nr; i++)
		cr_expect(peer.log[i].hdr.request != VU_GET_CONFIG &&
				  peer.log[i].hdr.request != VU_SET_CONFIG &&
				  peer.log[i].hdr.request != VU_SET_BACKEND_REQ_FD,
			  "request %u", peer.log[i].hdr.request);
}

/* The supervisor cannot look at their process, so nothing asks for patience. */
Test(vu_others, one_that_is_silent_has_a_fixed_time)
{
	peer.trick_at = VU_GET_FEATURES;
	peer.trick = SILENT;
	cr_expect_eq(connect_other(VIRTIO_ID_RNG, false), -ETIMEDOUT);
	cr_expect_str_eq(err.msg, "no answer in 50 ms");
	join();
}

/* A disk answers in any order: without notes the next process would carry out the wrong requests. */
Test(vu_others, a_disk_that_returns_notes_what_is_in_flight)
{
	static const struct {
		uint16_t virtio_id;
		uint64_t protocol;
		bool good;
	} rows[] = {
		{VIRTIO_ID_BLOCK, BIT(VU_PF_CONFIG) | BIT(VU_PF_REPLY_ACK), false},
		{VIRTIO_ID_BLOCK, BIT(VU_PF_CONFIG) | BIT(VU_PF_INFLIGHT_SHMFD), true},
		{VIRTIO_ID_RNG, 0, true},
		{VIRTIO_ID_NET, 0, true},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		if (i > 0)
			setup();
		peer.protocol = rows[i].protocol;
		cr_expect_eq(connect_other(rows[i].virtio_id, true) == 0, rows[i].good,
			     "row %u: %s", i, err.msg);
		cr_expect(rows[i].good || strstr(err.msg, "(INFLIGHT_SHMFD)"), "%s", err.msg);
		join();
	}
}
