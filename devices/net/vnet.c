/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/net/vnet.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <string.h>

#include "devices/core/bucket.h"

#define VNET_HEADERS 128U /* of a segmented frame, where the driver does not say */

#define VNET_F(name) (1ULL << VIRTIO_NET_F_##name)

/* Features that need something of the TAP: all of @tun_flags */
static const struct vnet_offload {
	uint64_t feature;
	uint32_t tun_flags;
	bool to_guest; /* TUNSETOFFLOAD says whether the driver accepted it */
} vnet_offloads[] = {
	{VNET_F(CSUM), TUN_F_CSUM, false},	 {VNET_F(HOST_TSO4), TUN_F_TSO4, false},
	{VNET_F(HOST_TSO6), TUN_F_TSO6, false},	 {1ULL << VNET_F_HOST_USO, VNET_TUN_USO, false},
	{VNET_F(GUEST_CSUM), TUN_F_CSUM, true},	 {VNET_F(GUEST_TSO4), TUN_F_TSO4, true},
	{VNET_F(GUEST_TSO6), TUN_F_TSO6, true},	 {1ULL << VNET_F_GUEST_USO4, 0x20, true},
	{1ULL << VNET_F_GUEST_USO6, 0x40, true},
};

/* The feature that a driver needs to send a frame of some gso_type; 0: none may */
static const uint64_t vnet_gso_needs[] = {
	[VIRTIO_NET_HDR_GSO_TCPV4] = VNET_F(HOST_TSO4),
	[VIRTIO_NET_HDR_GSO_TCPV6] = VNET_F(HOST_TSO6),
	[VNET_GSO_UDP_L4] = 1ULL << VNET_F_HOST_USO,
};

uint64_t vnet_offered(uint32_t tun_flags)
{
	uint64_t features = 0;

	for (size_t i = 0; i < ARRAY_SIZE(vnet_offloads); i++) {
		const struct vnet_offload *o = &vnet_offloads[i];

		if ((tun_flags & o->tun_flags) == o->tun_flags)
			features |= o->feature;
	}
	return features;
}

uint32_t vnet_tun_flags(uint64_t features)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(vnet_offloads); i++) {
		if (vnet_offloads[i].to_guest && features & vnet_offloads[i].feature)
			flags |= vnet_offloads[i].tun_flags;
	}
	if ((flags & VNET_TUN_USO) != VNET_TUN_USO)
		flags &= ~VNET_TUN_USO;
	return flags & TUN_F_CSUM ? flags : 0;
}

bool vnet_frame_ok(struct virtio_net_hdr_v1 *h, uint64_t bytes, uint64_t features)
{
	if (bytes < ETH_HLEN || bytes > VNET_FRAME_MAX)
		return false;
	h->flags &= VIRTIO_NET_HDR_F_NEEDS_CSUM;
	if (h->flags == 0) {
		h->csum_start = 0;
		h->csum_offset = 0;
	} else if (!(features & VNET_F(CSUM)) || bytes < 2U + h->csum_start + h->csum_offset) {
		return false;
	}
	if (h->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		h->gso_size = 0;
	else if (h->gso_type >= ARRAY_SIZE(vnet_gso_needs) ||
		 !(features & vnet_gso_needs[h->gso_type]) || h->gso_size == 0 || h->flags == 0)
		return false;
	if (h->hdr_len < ETH_HLEN || h->hdr_len > bytes)
		h->hdr_len = (uint16_t)(bytes < VNET_HEADERS ? bytes : VNET_HEADERS);
	h->num_buffers = 0;
	return true;
}

/*
 * Whether a MAC table is well-formed: two lists, each a count and addresses. Nothing is filtered by
 * it: the device is always promiscuous, which the specification leaves to it.
 */
static bool vnet_mac_table_ok(struct vq_chain *c)
{
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t count;

		if (vq_read(c, &count, sizeof(count)) != sizeof(count) ||
		    count > vq_left(c, VQ_READABLE) / ETH_ALEN)
			return false;
		vq_skip(c, VQ_READABLE, (uint64_t)count * ETH_ALEN);
	}
	return vq_left(c, VQ_READABLE) == 0;
}

/* The number of pairs in a VQ_PAIRS_SET; 0 for one that is refused */
static unsigned int vnet_read_pairs(struct vq_chain *c, unsigned int pairs_max)
{
	uint16_t pairs;

	if (vq_read(c, &pairs, sizeof(pairs)) != sizeof(pairs) || vq_left(c, VQ_READABLE) != 0 ||
	    pairs > pairs_max)
		return 0;
	return pairs;
}

bool vnet_command(struct vq_chain *c, uint64_t features, unsigned int pairs_max,
		  unsigned int *pairs)
{
	struct virtio_net_ctrl_hdr h;
	uint8_t ack = VIRTIO_NET_ERR;
	unsigned int wanted;

	if (vq_read(c, &h, sizeof(h)) != sizeof(h) || vq_left(c, VQ_WRITABLE) == 0)
		return false;
	if (h.class == VIRTIO_NET_CTRL_RX && h.cmd <= VIRTIO_NET_CTRL_RX_ALLMULTI) {
		if (features & VNET_F(CTRL_RX) && vq_left(c, VQ_READABLE) == 1)
			ack = VIRTIO_NET_OK;
	} else if (h.class == VIRTIO_NET_CTRL_MAC && h.cmd == VIRTIO_NET_CTRL_MAC_TABLE_SET) {
		if (features & VNET_F(CTRL_RX) && vnet_mac_table_ok(c))
			ack = VIRTIO_NET_OK;
	} else if (h.class == VIRTIO_NET_CTRL_MQ && h.cmd == VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET) {
		wanted = features & VNET_F(MQ) ? vnet_read_pairs(c, pairs_max) : 0;
		if (wanted > 0) {
			*pairs = wanted;
			ack = VIRTIO_NET_OK;
		}
	}
	vq_write(c, &ack, sizeof(ack));
	return true;
}

bool vnet_mac_ok(const uint8_t mac[6])
{
	static const uint8_t none[6];

	return !(mac[0] & 1) && memcmp(mac, none, sizeof(none)) != 0;
}

int vnet_update(struct virtio_net_config *config, bool *down, const struct ctl_msg *m,
		struct err *err)
{
	const uint32_t mtu = m->code & ~CTL_NET_DOWN;
	uint8_t mac[ETH_ALEN];

	if (m->type != CTL_NET)
		return err_text(err, EPROTO, "not a request for a network device");
	memcpy(mac, config->mac, sizeof(mac));
	if ((m->arg && (!ctl_mac_of(m->arg, mac) || !vnet_mac_ok(mac))) ||
	    (mtu && (mtu < ETH_MIN_MTU || mtu > ETH_MAX_MTU)))
		return err_text(err, EINVAL, "no interface can have MAC 0x%lx and MTU %u", m->arg,
				mtu);
	memcpy(config->mac, mac, sizeof(mac));
	if (mtu)
		config->mtu = (uint16_t)mtu;
	*down = m->code & CTL_NET_DOWN;
	return 0;
}

/* Rate and burst come together, within what a bucket can count */
static bool vnet_rate_ok(uint64_t per_s, uint64_t burst)
{
	return (per_s > 0) == (burst > 0) && per_s <= BUCKET_RATE_MAX && burst <= BUCKET_BURST_MAX;
}

/* All other offloads need TUN_F_CSUM */
static bool vnet_tun_flags_ok(uint32_t flags)
{
	return !(flags & ~VNET_TUN_FLAGS) && (flags == 0 || flags & TUN_F_CSUM);
}

int vnet_settings(const struct boot_dev *b, struct net_settings *ret, struct err *err)
{
	const struct net_rate *const rates[] = {&ret->to_guest, &ret->from_guest};
	int rc = boot_settings(b, ret, sizeof(*ret), err);

	if (rc < 0)
		return rc;
	if (!vnet_mac_ok(ret->mac))
		return err_text(err, EPROTO, "%s: no interface can have the MAC 0x%lx", b->name,
				ctl_mac(ret->mac));
	if (ret->mtu > 0 && ret->mtu < ETH_MIN_MTU)
		return err_text(err, EPROTO, "%s: MTU %u", b->name, ret->mtu);
	if (!vnet_tun_flags_ok(ret->tun_flags) || ret->reserved != 0)
		return err_text(err, EPROTO, "%s: offloads 0x%x", b->name, ret->tun_flags);
	for (unsigned int i = 0; i < ARRAY_SIZE(rates); i++) {
		if (!vnet_rate_ok(rates[i]->bytes_per_s, rates[i]->burst_bytes) ||
		    !vnet_rate_ok(rates[i]->packets_per_s, rates[i]->burst_packets))
			return err_text(err, EPROTO, "%s: rate limit out of range", b->name);
	}
	return 0;
}
