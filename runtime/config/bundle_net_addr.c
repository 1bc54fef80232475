/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: {"type": "net"} of /vm/devices, its addresses: arithmetic that does not need the host
 */
#include "runtime/config/bundle_net_addr.h"

#include <string.h>

#include "runtime/config/bundle_net.h"
#include "runtime/util/addr.h"

static int bundle_net_addr_station(struct schema_ctx *ctx, const struct bundle_device *d,
				   const char *property, struct net_addr a)
{
	const char *what = addr_not_a_station(a);
	char text[ADDR_TEXT_BYTES];

	addr_put(a, text);
	return what ? bundle_net_fail_at(ctx, d, property, "%s is %s", text, what) : 0;
}

static int bundle_net_addr_outside(struct schema_ctx *ctx, const struct bundle_device *d,
				   const char *property, struct net_addr net)
{
	char text[ADDR_TEXT_BYTES];

	net.addr &= addr_netmask(net.bits);
	addr_put(net, text);
	return bundle_net_fail_at(ctx, d, property, "must be in the network %s", text);
}

/* Completes @a, which is hostIp, or guestIp if there is no hostIp, with its prefix */
static int bundle_net_addr_resolve_prefix(struct schema_ctx *ctx, const struct bundle_device *d,
					  const char *property, struct net_addr *a)
{
	uint8_t bits = 0;

	/* bundle_net_valid_mask() has parsed it already. */
	if (d->net.netmask && addr_parse_mask(d->net.netmask, &bits) < 0)
		return bundle_net_fail_at(ctx, d, "netmask", "is no mask");
	if (bits && a->bits && bits != a->bits)
		return bundle_net_fail_at(ctx, d, "netmask", "contradicts %s, which says /%u",
					  property, a->bits);
	if (!bits && !a->bits)
		return bundle_net_fail_at(
			ctx, d, "netmask", "required with %s (or write the prefix there: %s/24)",
			property, property[0] == 'h' ? d->net.host_ip : d->net.guest_ip);
	a->bits = a->bits ? a->bits : bits;
	return bundle_net_addr_station(ctx, d, property, *a);
}

static int bundle_net_addr_resolve_host(struct schema_ctx *ctx, struct bundle_device *d)
{
	struct bundle_net *net = &d->net;

	if (!net->host_ip && !net->guest_ip && net->netmask)
		return bundle_net_fail_at(ctx, d, "netmask", "given without hostIp%s",
					  net->mode == NET_MODE_PRIVATE ? "" : " or guestIp");
	if (!net->host_ip)
		return 0;
	if (addr_parse(net->host_ip, &net->host) < 0)
		return bundle_net_fail_at(ctx, d, "hostIp", "is no address");
	return bundle_net_addr_resolve_prefix(ctx, d, "hostIp", &net->host);
}

static int bundle_net_addr_resolve_guest(struct schema_ctx *ctx, struct bundle_device *d)
{
	struct bundle_net *net = &d->net;

	if (!net->guest_ip) {
		if (net->host.bits)
			net->guest = addr_next(net->host);
		return 0;
	}
	if (addr_parse(net->guest_ip, &net->guest) < 0)
		return bundle_net_fail_at(ctx, d, "guestIp", "is no address");
	if (!net->host.bits && net->mode == NET_MODE_PRIVATE)
		return bundle_net_fail_at(ctx, d, "guestIp", "needs hostIp in mode private");
	if (!net->host.bits)
		return bundle_net_addr_resolve_prefix(ctx, d, "guestIp", &net->guest);
	if (net->guest.bits && net->guest.bits != net->host.bits)
		return bundle_net_fail_at(ctx, d, "guestIp",
					  "must have the host's prefix, /%u, has /%u",
					  net->host.bits, net->guest.bits);
	net->guest.bits = net->host.bits;
	if (net->guest.addr == net->host.addr)
		return bundle_net_fail_at(ctx, d, "guestIp", "is the host's own address");
	if (!addr_in_net(net->host, net->guest.addr))
		return bundle_net_addr_outside(ctx, d, "guestIp", net->host);
	return bundle_net_addr_station(ctx, d, "guestIp", net->guest);
}

static int bundle_net_addr_resolve_pool(struct schema_ctx *ctx, struct bundle_device *d)
{
	struct bundle_net *net = &d->net;
	const char *what;

	if (!net->pool_text)
		return 0;
	if (net->host_ip)
		return bundle_net_fail_at(ctx, d, "pool",
					  "means nothing with hostIp, which says the network");
	if (addr_parse(net->pool_text, &net->pool) < 0)
		return bundle_net_fail_at(ctx, d, "pool", "is no network");
	what = addr_not_a_station((struct net_addr){.addr = net->pool.addr});
	return what ? bundle_net_fail_at(ctx, d, "pool", "%s is %s", net->pool_text, what) : 0;
}

static int bundle_net_addr_resolve_gateway(struct schema_ctx *ctx, struct bundle_device *d)
{
	struct bundle_net *net = &d->net;
	struct net_addr a;

	if (!net->gateway_ip)
		return 0;
	if (!net->guest.bits)
		return bundle_net_fail_at(ctx, d, "gateway", "needs %s",
					  net->mode == NET_MODE_PRIVATE ? "hostIp" : "guestIp");
	if (addr_parse(net->gateway_ip, &a) < 0)
		return bundle_net_fail_at(ctx, d, "gateway", "is no address");
	a.bits = net->guest.bits;
	if (a.addr == net->guest.addr)
		return bundle_net_fail_at(ctx, d, "gateway", "is the guest's own address");
	if (!addr_in_net(net->guest, a.addr))
		return bundle_net_addr_outside(ctx, d, "gateway", net->guest);
	net->gateway = a.addr;
	return bundle_net_addr_station(ctx, d, "gateway", a);
}

int bundle_net_addr(struct schema_ctx *ctx, struct bundle_device *d)
{
	int rc = bundle_net_addr_resolve_host(ctx, d);

	if (rc == 0)
		rc = bundle_net_addr_resolve_guest(ctx, d);
	if (rc == 0)
		rc = bundle_net_addr_resolve_gateway(ctx, d);
	return rc < 0 ? rc : bundle_net_addr_resolve_pool(ctx, d);
}
