/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/net/ra.h"

#include <linux/if_ether.h>
#include <string.h>

#define RA_SOLICIT	 133
#define RA_ADVERTISE	 134
#define RA_SOLICIT_FIXED 8U /* bytes before the options */
#define RA_FIXED	 16U
#define RA_HOPS		 64
#define RA_MANAGED	 0x80U /* addresses by DHCPv6 */
#define RA_LIFETIME	 65535U
#define RA_FOREVER	 UINT32_MAX

enum ra_option {
	RA_OPT_SOURCE = 1,
	RA_OPT_PREFIX = 3,
	RA_OPT_MTU = 5,
	RA_OPT_ROUTE = 24,
	RA_OPT_DNS = 25
};

#define RA_PREFIX_ONLINK 0x80U
#define RA_PREFIX_AUTO	 0x40U

bool ra_is_solicitation(const struct frame_in *in)
{
	return in->kind == FRAME_ICMP6 && in->ends.dst_port == RA_SOLICIT;
}

bool ra_valid(const struct frame_in *in)
{
	static const uint8_t unspecified[16];
	const bool nameless = memcmp(in->ends.src, unspecified, sizeof(unspecified)) == 0;

	if (in->len < RA_SOLICIT_FIXED || in->body[1] != 0)
		return false;
	for (size_t at = RA_SOLICIT_FIXED; at < in->len;) {
		const size_t left = in->len - at;
		const size_t bytes = left < 2 ? 0 : 8U * in->body[at + 1];

		if (bytes == 0 || bytes > left || (nameless && in->body[at] == RA_OPT_SOURCE))
			return false;
		at += bytes;
	}
	return true;
}

/* Its length counts units of 8 bytes. */
static void ra_put_option(struct frame_out *f, enum ra_option type, uint8_t units)
{
	frame_put8(f, (uint8_t)type);
	frame_put8(f, units);
}

static void ra_put_prefix(struct frame_out *f, const struct net_lease_prefix *p)
{
	const bool automatic = p->flags & NET_PREFIX_AUTO;
	const unsigned int flags = (p->flags & NET_PREFIX_ONLINK ? RA_PREFIX_ONLINK : 0) |
				   (automatic ? RA_PREFIX_AUTO : 0);

	if (flags == 0)
		return;
	ra_put_option(f, RA_OPT_PREFIX, 4);
	frame_put8(f, p->bits);
	frame_put8(f, (uint8_t)flags);
	frame_put32(f, RA_FOREVER);
	frame_put32(f, RA_FOREVER);
	frame_put32(f, 0);
	frame_put(f, p->addr, sizeof(p->addr));
}

static void ra_put_route(struct frame_out *f, const struct net_lease_prefix *p)
{
	const uint8_t units = p->bits == 0 ? 1 : p->bits <= 64 ? 2 : 3;

	if (!(p->flags & NET_PREFIX_ROUTED))
		return;
	ra_put_option(f, RA_OPT_ROUTE, units);
	frame_put8(f, p->bits);
	frame_put8(f, 0); /* of medium preference */
	frame_put32(f, RA_FOREVER);
	frame_put(f, p->addr, 8U * (units - 1U));
}

static void ra_put_dns(struct frame_out *f, const struct net_lease *n)
{
	if (n->nr_dns6 == 0)
		return;
	ra_put_option(f, RA_OPT_DNS, (uint8_t)(1 + 2 * n->nr_dns6));
	frame_put16(f, 0);
	frame_put32(f, RA_FOREVER);
	frame_put(f, n->dns6, n->nr_dns6 * sizeof(n->dns6[0]));
}

static void ra_address(const struct lease *l, struct frame_ends *ret)
{
	static const uint8_t none[16], all_nodes[16] = {0xff, 0x02, [15] = 1};
	static const uint8_t all_nodes_mac[ETH_ALEN] = {0x33, 0x33, 0, 0, 0, 1};

	*ret = (struct frame_ends){.dst_port = 0};
	memcpy(ret->src_mac, l->server_mac, ETH_ALEN);
	memcpy(ret->dst_mac, all_nodes_mac, ETH_ALEN);
	memcpy(ret->src, l->net.router, sizeof(ret->src));
	memcpy(ret->dst, all_nodes, sizeof(all_nodes));
	if (memcmp(l->net.router, none, sizeof(none)) == 0)
		lease_link_local(l, ret->src);
}

void ra_advertise(const struct lease *l, struct frame_out *ret)
{
	const struct net_lease *const n = &l->net;
	const uint8_t managed = n->nr_addrs6 ? RA_MANAGED : 0;
	struct frame_ends ends;

	ra_address(l, &ends);
	ret->max = FRAME_MAX;
	frame_start(ret, FRAME_ICMP6, &ends);
	frame_put32(ret, (uint32_t)RA_ADVERTISE << 24);
	frame_put8(ret, RA_HOPS);
	frame_put8(ret, managed);
	frame_put16(ret, n->default6 ? RA_LIFETIME : 0);
	frame_put32(ret, 0);
	frame_put32(ret, 0);
	ra_put_option(ret, RA_OPT_MTU, 1);
	frame_put16(ret, 0);
	frame_put32(ret, l->mtu);
	for (unsigned int i = 0; i < n->nr_prefixes; i++)
		ra_put_prefix(ret, &n->prefix[i]);
	for (unsigned int i = 0; i < n->nr_prefixes; i++)
		ra_put_route(ret, &n->prefix[i]);
	ra_put_dns(ret, n);
	frame_finish(ret);
}
