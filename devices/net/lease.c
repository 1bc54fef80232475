/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/net/lease.h"

#include <errno.h>
#include <string.h>

static bool lease_name_ok(const char name[NET_LEASE_HOSTNAME])
{
	const size_t len = strnlen(name, NET_LEASE_HOSTNAME);

	for (size_t i = len; i < NET_LEASE_HOSTNAME; i++)
		if (name[i] != '\0')
			return false;
	return true;
}

static bool lease_is_link_local(const uint8_t addr[16])
{
	return addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

static bool lease_router_ok(const struct net_lease *n)
{
	static const uint8_t none[16];

	if (memcmp(n->router, none, sizeof(none)) == 0)
		return !n->default6;
	return n->default6 <= 1 && lease_is_link_local(n->router);
}

int lease_check(const struct net_lease *n, struct err *err)
{
	if (n->bits > 32 || n->any_mac > 1 || (n->bits == 0) != (n->addr == 0) ||
	    (n->bits == 0) != (n->server == 0))
		return err_text(err, EINVAL, "lease: an address that is none");
	if (n->nr_dns > NET_LEASE_DNS || n->nr_dns6 > NET_LEASE_DNS ||
	    n->nr_routes > NET_LEASE_ROUTES || n->nr_addrs6 > NET_LEASE_ADDRS ||
	    n->nr_prefixes > NET_LEASE_ROUTES)
		return err_text(err, EINVAL, "lease: more than there is room for");
	for (unsigned int i = 0; i < n->nr_routes; i++)
		if (n->route[i].bits > 32)
			return err_text(err, EINVAL, "lease: a route of /%u", n->route[i].bits);
	for (unsigned int i = 0; i < n->nr_prefixes; i++)
		if (n->prefix[i].bits > 128 || n->prefix[i].flags > 7)
			return err_text(err, EINVAL, "lease: an IPv6 prefix that is none");
	if (!lease_name_ok(n->hostname) || !lease_router_ok(n))
		return err_text(err, EINVAL, "lease: a hostname or router that is none");
	return 0;
}

void lease_of(struct lease *l, const uint8_t mac[6], uint16_t mtu)
{
	memcpy(l->mac, mac, sizeof(l->mac));
	memcpy(l->server_mac, mac, sizeof(l->server_mac));
	/* No other interface's: locally administered if the guest's is not, and otherwise its neighbour. */
	l->server_mac[mac[0] & 2 ? 5 : 0] ^= 2;
	l->mtu = mtu;
}

void lease_link_local(const struct lease *l, uint8_t ret[16])
{
	static const uint8_t half[16] = {0xfe, 0x80, [11] = 0xff, 0xfe};

	memcpy(ret, half, sizeof(half));
	memcpy(ret + 8, l->server_mac, 3);
	memcpy(ret + 13, l->server_mac + 3, 3);
	ret[8] ^= 2;
}
