/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/virtio/vu_terms.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "devices/core/kind.h"
#include "vmm/virtio/vu_others.h"

#define VU_TERMS_SIZE_MAX 256
#define VU_TERMS_SIZE_MIN 8

#define VU_DEVICE_BITS	  (((1ULL << 24) - 1) | ~((1ULL << 50) - 1)) /* virtio 1.3 section 6 */
#define VU_TERMS_FEATURES                                                                          \
	(VU_DEVICE_BITS | 1ULL << VIRTIO_RING_F_INDIRECT_DESC | 1ULL << VIRTIO_RING_F_EVENT_IDX |  \
	 1ULL << VIRTIO_F_VERSION_1)
#define VU_TERMS_PROTOCOL_FEATURES                                                                 \
	(1ULL << VU_PF_MQ | 1ULL << VU_PF_REPLY_ACK | 1ULL << VU_PF_BACKEND_REQ |                  \
	 1ULL << VU_PF_CONFIG)

int vu_terms_config(struct vu_conn *c, uint8_t *ret, uint16_t bytes, struct err *err)
{
	size_t wire = offsetof(struct vu_config, data) + bytes;
	struct vu_msg m = vu_conn_msg(VU_GET_CONFIG, wire);
	int rc;

	m.config.bytes = bytes;
	rc = vu_conn_ask(c, &m, wire, err);
	if (rc < 0)
		return rc;
	if (m.config.offset != 0 || m.config.bytes != bytes)
		return err_text(err, EPROTO, "answer to GET_CONFIG has %u bytes at %u",
				m.config.bytes, m.config.offset);
	memcpy(ret, m.config.data, bytes);
	return 0;
}

int vu_terms_write(struct vu_conn *c, uint32_t off, const void *buf, uint32_t len, struct err *err)
{
	struct vu_msg m = vu_conn_msg(VU_SET_CONFIG, offsetof(struct vu_config, data) + len);
	bool refused;

	m.config.offset = off;
	m.config.bytes = len;
	memcpy(m.config.data, buf, len);
	return vu_conn_do(c, &m, &refused, err);
}

static int vu_terms_set_mem_table(struct vu_conn *c, const struct vu_ask *ask, struct err *err)
{
	const struct gmem *mem = ask->mem;
	struct vu_msg m = vu_conn_msg(VU_SET_MEM_TABLE, offsetof(struct vu_mem_table, region) +
								mem->nr * sizeof(m.mem.region[0]));
	uint64_t offset = 0;

	m.mem.nr = mem->nr;
	m.nr_fds = mem->nr;
	for (unsigned int i = 0; i < mem->nr; i++) {
		const struct gmem_region *r = &mem->region[i];

		m.mem.region[i] = (struct vu_mem_region){
			.gpa = r->gpa,
			.bytes = r->bytes,
			.user_addr = VU_USER_BASE + r->gpa,
			.offset = offset,
		};
		m.fd[i] = ask->mem_fd;
		offset += r->bytes;
	}
	return vu_conn_do(c, &m, NULL, err);
}

/*
 * Finds the largest ring that the back-end accepts. vhost-user has no request for that, so this tries
 * SET_VRING_NUM; a back-end that does not acknowledge is assumed to accept the first size.
 */
static int vu_terms_probe_size(struct vu_terms *t, struct vu_conn *c, struct err *err)
{
	bool refused = false;

	for (uint16_t size = VU_TERMS_SIZE_MAX; size >= VU_TERMS_SIZE_MIN; size /= 2) {
		struct vu_msg m = vu_conn_msg(VU_SET_VRING_NUM, sizeof(m.state));
		int rc;

		m.state = (struct vu_vring_state){0, size};
		rc = vu_conn_do(c, &m, &refused, err);
		if (rc < 0)
			return rc;
		t->queue_max = size;
		if (!refused)
			return 0;
	}
	return err_text(err, EPROTO, "the device accepts no ring of %d to %d entries",
			VU_TERMS_SIZE_MIN, VU_TERMS_SIZE_MAX);
}

static uint64_t vu_terms_protocol_features(const struct vu_ask *ask)
{
	uint64_t ours = VU_TERMS_PROTOCOL_FEATURES;

	if (ask->tracked)
		ours |= 1ULL << VU_PF_INFLIGHT_SHMFD;
	if (ask->config_bytes > 0)
		ours &= ~(1ULL << VU_PF_CONFIG | 1ULL << VU_PF_BACKEND_REQ);
	return ours;
}

static int vu_terms_protocol(struct vu_terms *t, struct vu_conn *c, const struct vu_ask *ask,
			     struct err *err)
{
	uint64_t offered = 0, nr = t->nr_queues;
	int rc = vu_conn_ask_u64(c, VU_GET_PROTOCOL_FEATURES, &offered, err);

	offered &= vu_terms_protocol_features(ask);
	if (rc == 0)
		rc = vu_conn_post_u64(c, VU_SET_PROTOCOL_FEATURES, offered, err);
	if (rc < 0)
		return rc;
	c->protocol_features = offered;
	if (vu_conn_agreed(c, VU_PF_MQ) && !(ask->others && vu_others_counts_pairs(ask->virtio_id)))
		rc = vu_conn_ask_u64(c, VU_GET_QUEUE_NUM, &nr, err);
	if (rc < 0)
		return rc;
	if (nr == 0)
		return err_text(err, EPROTO, "the device has no queues");
	t->nr_queues = (uint16_t)(nr < BACKEND_QUEUES_MAX ? nr : BACKEND_QUEUES_MAX);
	return 0;
}

static int vu_terms_features(struct vu_terms *t, struct vu_conn *c, const struct vu_ask *ask,
			     struct err *err)
{
	struct vu_msg owner = vu_conn_msg(VU_SET_OWNER, 0);
	int rc = vu_conn_ask_u64(c, VU_GET_FEATURES, &t->offered, err);

	if (rc == 0)
		rc = vu_conn_post(c, &owner, err);
	if (rc < 0)
		return rc;
	t->features = t->offered & VU_TERMS_FEATURES;
	if (!(t->features & 1ULL << VIRTIO_F_VERSION_1))
		return err_text(err, EPROTO, "the device does not offer VIRTIO_F_VERSION_1");
	if (t->offered & 1ULL << VU_F_PROTOCOL_FEATURES)
		rc = vu_terms_protocol(t, c, ask, err);
	if (rc == 0 && ask->others && ask->tracked)
		rc = vu_others_may_return(ask->virtio_id, vu_conn_agreed(c, VU_PF_INFLIGHT_SHMFD),
					  err);
	if (rc < 0 || !ask->others)
		return rc;
	return vu_others_check(ask->virtio_id, t->nr_queues,
			       ask->config_bytes > 0 || vu_conn_agreed(c, VU_PF_CONFIG),
			       &t->features, err);
}

static int vu_terms_configuration(struct vu_terms *t, struct vu_conn *c, struct vu_channel *channel,
				  const struct vu_ask *ask, struct err *err)
{
	int rc;

	if (ask->config_bytes > 0) {
		vr_assert(ask->config_bytes <= sizeof(t->config));
		memcpy(t->config, ask->config, ask->config_bytes);
		t->config_bytes = ask->config_bytes;
		return 0;
	}
	if (!vu_conn_agreed(c, VU_PF_CONFIG))
		t->config_bytes = 0;
	if (t->config_bytes == 0)
		return 0;
	/* Before the first GET_CONFIG, or a change right after that would be missed. */
	rc = vu_channel_open(channel, c, err);
	return rc == 0 ? vu_terms_config(c, t->config, t->config_bytes, err) : rc;
}

int vu_terms_agree(struct vu_terms *ret, struct vu_conn *c, struct vu_channel *channel,
		   const struct vu_ask *ask, struct err *err)
{
	const struct kind *kind = kind_of_virtio(ask->virtio_id);
	int rc;

	*ret = (struct vu_terms){.nr_queues = 1};
	/* What vhost-user leaves to the front-end to know. */
	if (kind) {
		ret->nr_queues = kind->queues.each;
		ret->config_bytes = kind->config_bytes;
	}
	c->protocol_features = 0;
	rc = vu_terms_features(ret, c, ask, err);
	if (rc == 0)
		rc = vu_terms_configuration(ret, c, channel, ask, err);
	if (rc == 0)
		rc = vu_terms_set_mem_table(c, ask, err);
	return rc < 0 ? rc : vu_terms_probe_size(ret, c, err);
}
