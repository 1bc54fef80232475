/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/virtio/vu_others.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include "devices/core/kind.h"

/* Requests of the control queue */
#define NET_CONTROL                                                                                \
	(1ULL << VIRTIO_NET_F_CTRL_VQ | 1ULL << VIRTIO_NET_F_CTRL_RX |                             \
	 1ULL << VIRTIO_NET_F_CTRL_VLAN | 1ULL << VIRTIO_NET_F_CTRL_RX_EXTRA |                     \
	 1ULL << VIRTIO_NET_F_GUEST_ANNOUNCE | 1ULL << VIRTIO_NET_F_MQ |                           \
	 1ULL << VIRTIO_NET_F_CTRL_MAC_ADDR | 1ULL << VIRTIO_NET_F_CTRL_GUEST_OFFLOADS |           \
	 1ULL << VIRTIO_NET_F_NOTF_COAL | 1ULL << VIRTIO_NET_F_HASH_REPORT |                       \
	 1ULL << VIRTIO_NET_F_RSS)
/* Fields of the configuration space */
#define NET_CONFIG                                                                                 \
	(1ULL << VIRTIO_NET_F_MTU | 1ULL << VIRTIO_NET_F_MAC | 1ULL << VIRTIO_NET_F_STATUS |       \
	 1ULL << VIRTIO_NET_F_SPEED_DUPLEX)

/**
 * struct vu_others_rule - Of one kind
 * @never:	Features that the guest is not offered
 * @config:	Features that need a configuration space. A device with some works without one
 * @pairs:	GET_QUEUE_NUM counts pairs
 * @disorder:	It answers requests in any order: only what it notes itself tells which are in flight
 */
static const struct vu_others_rule {
	uint16_t virtio_id;
	uint64_t never, config;
	bool pairs, disorder;
} vu_others_rules[] = {
	{VIRTIO_ID_NET, NET_CONTROL, NET_CONFIG, true, false},
	{VIRTIO_ID_BLOCK, 0, 0, false, true},
};

static const struct vu_others_rule *vu_others_rule(uint16_t virtio_id)
{
	static const struct vu_others_rule plain;

	for (unsigned int i = 0; i < ARRAY_SIZE(vu_others_rules); i++)
		if (vu_others_rules[i].virtio_id == virtio_id)
			return &vu_others_rules[i];
	return &plain;
}

bool vu_others_counts_pairs(uint16_t virtio_id)
{
	return vu_others_rule(virtio_id)->pairs;
}

int vu_others_check(uint16_t virtio_id, uint16_t nr_queues, bool config, uint64_t *features,
		    struct err *err)
{
	const struct vu_others_rule *r = vu_others_rule(virtio_id);
	const struct kind *kind = kind_of_virtio(virtio_id);

	if (kind && nr_queues < kind->queues.each)
		return err_text(err, EPROTO, "the device has %u queues, not %u or more", nr_queues,
				kind->queues.each);
	if (!config && kind && kind->config_bytes > 0 && r->config == 0)
		return err_text(err, EPROTO, "the device does not tell its configuration");
	*features &= ~(r->never | (config ? 0 : r->config));
	return 0;
}

int vu_others_may_return(uint16_t virtio_id, bool tracks, struct err *err)
{
	if (tracks || !vu_others_rule(virtio_id)->disorder)
		return 0;
	return err_text(err, EPROTO,
			"onFailure: must be stop: the device does not note what is in flight "
			"(INFLIGHT_SHMFD)");
}
