/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/lease.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/util/addr.h"

#define LEASE_DUMMY                                                                                \
	0xc0000008U /* 192.0.0.8: for a host that has no address of its own (RFC 7600) */

_Static_assert(NET_ROUTES_MAX <= NET_LEASE_ROUTES && NET_ADDRS_MAX <= NET_LEASE_ADDRS,
	       "room for all that a record has");

/* ---- IPv4 ---- */

static bool lease_is_default(const struct net_record *r, const struct net_route *t)
{
	return t->dst.bits == 0 && t->gateway.family == AF_INET &&
	       memcmp(t->gateway.addr, &r->gateway, sizeof(r->gateway)) == 0;
}

static void lease_add_ip4(const struct net_record *all, unsigned int nr, unsigned int i,
			  struct net_lease *l)
{
	const struct net_record *r = &all[i];

	l->bits = r->guest.bits;
	l->addr = r->guest.addr;
	l->gateway = r->gateway;
	l->server = r->gateway ? r->gateway : r->host.addr ? r->host.addr : htonl(LEASE_DUMMY);
	for (unsigned int k = 0; k < r->nr_routes; k++) {
		const struct net_route *t = &r->route[k];
		const bool shadowed = net_record_is_shadowed(all, nr, t);
		struct net_lease_route *to = &l->route[l->nr_routes];

		if (t->dst.family != AF_INET)
			continue;
		if (lease_is_default(r, t) && shadowed)
			l->gateway = 0;
		if (lease_is_default(r, t) || shadowed)
			continue;
		memcpy(&to->dst, t->dst.addr, sizeof(to->dst));
		if (t->gateway.family)
			memcpy(&to->gateway, t->gateway.addr, sizeof(to->gateway));
		to->bits = t->dst.bits;
		l->nr_routes++;
	}
}

/* ---- IPv6 ---- */

static bool lease_is_local(const struct net_ip *ip)
{
	return ip->family == AF_INET6 && ip->addr[0] == 0xfe && (ip->addr[1] & 0xc0) == 0x80;
}

/* Whether a guest that hears of the prefix makes this address of it (RFC 4291, appendix A) */
static bool lease_is_made_of_mac(const struct net_ip *ip, const uint8_t mac[6])
{
	static const uint8_t unknown[6];
	const uint8_t id[] = {mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};

	return memcmp(mac, unknown, sizeof(unknown)) != 0 && ip->bits == 64 &&
	       memcmp(ip->addr + 8, id, sizeof(id)) == 0;
}

static void lease_add_prefix(struct net_lease *l, const struct net_ip *ip, unsigned int flags)
{
	struct net_lease_prefix new = {.bits = ip->bits};
	unsigned int i = 0;

	for (unsigned int bit = 0; bit < ip->bits; bit++)
		new.addr[bit / 8] |= ip->addr[bit / 8] & 0x80 >> bit % 8;
	while (i < l->nr_prefixes && (l->prefix[i].bits != new.bits ||
				      memcmp(l->prefix[i].addr, new.addr, sizeof(new.addr)) != 0))
		i++;
	if (i == NET_LEASE_ROUTES)
		return;
	if (i == l->nr_prefixes)
		l->prefix[l->nr_prefixes++] = new;
	l->prefix[i].flags |= (uint8_t)flags;
}

static void lease_add_addrs6(const struct net_record *r, struct net_lease *l)
{
	for (unsigned int k = 0; k < r->nr_addrs; k++) {
		const struct net_ip *ip = &r->addr[k];
		const bool made = lease_is_made_of_mac(ip, r->mac);

		if (ip->family != AF_INET6)
			continue;
		if (!made)
			memcpy(l->addr6[l->nr_addrs6++], ip->addr, sizeof(ip->addr));
		if (ip->bits < 128)
			lease_add_prefix(l, ip, NET_PREFIX_ONLINK | (made ? NET_PREFIX_AUTO : 0));
	}
}

/* The route whose gateway is the router: the default one, or else the first through a link-local gateway */
static const struct net_route *lease_to_router(const struct net_record *all, unsigned int nr,
					       const struct net_record *r)
{
	const struct net_route *found = NULL;

	for (unsigned int k = 0; k < r->nr_routes; k++) {
		const struct net_route *t = &r->route[k];

		if (lease_is_local(&t->gateway) && !net_record_is_shadowed(all, nr, t) &&
		    (!found || t->dst.bits == 0))
			found = t;
	}
	return found;
}

static void lease_add_routes6(const struct net_record *all, unsigned int nr,
			      const struct net_record *r, struct net_lease *l)
{
	const struct net_route *by = lease_to_router(all, nr, r);

	if (by)
		memcpy(l->router, by->gateway.addr, sizeof(l->router));
	for (unsigned int k = 0; k < r->nr_routes; k++) {
		const struct net_route *t = &r->route[k];

		if (t->dst.family != AF_INET6 || net_record_is_shadowed(all, nr, t))
			continue;
		if (!t->gateway.family)
			lease_add_prefix(l, &t->dst, NET_PREFIX_ONLINK);
		else if (by && memcmp(t->gateway.addr, l->router, sizeof(l->router)) == 0 &&
			 t->dst.bits > 0)
			lease_add_prefix(l, &t->dst, NET_PREFIX_ROUTED);
	}
	l->default6 = by && by->dst.bits == 0;
}

/* ---- both ---- */

static void lease_add_names(const struct net_ip *dns, unsigned int nr_dns, const char *hostname,
			    struct net_lease *l)
{
	for (unsigned int k = 0; k < nr_dns; k++) {
		if (dns[k].family == AF_INET)
			memcpy(&l->dns[l->nr_dns++], dns[k].addr, sizeof(l->dns[0]));
		else
			memcpy(l->dns6[l->nr_dns6++], dns[k].addr, sizeof(l->dns6[0]));
	}
	memcpy(l->hostname, hostname, strnlen(hostname, sizeof(l->hostname)));
}

/* False if no address is known */
static bool lease_add_addresses(const struct net_record *record, unsigned int nr, unsigned int i,
				struct net_lease *l)
{
	if (record[i].guest.bits)
		lease_add_ip4(record, nr, i, l);
	lease_add_addrs6(&record[i], l);
	lease_add_routes6(record, nr, &record[i], l);
	return l->bits || l->nr_addrs6 || l->nr_prefixes;
}

void net_lease(const struct plan *p, const struct net_record *record, unsigned int nr,
	       unsigned int i, struct net_lease *ret)
{
	struct net_lease l = {.bits = 0};

	*ret = l;
	if (!p->net[i].dhcp || !lease_add_addresses(record, nr, i, &l))
		return;
	lease_add_names(p->net[i].dns, p->net[i].nr_dns, p->hostname, &l);
	*ret = l;
}

void net_lease_alone(const struct net_record *record, const struct net_ip *dns, unsigned int nr_dns,
		     const char *hostname, struct net_lease *ret)
{
	struct net_lease l = {.any_mac = 1};

	*ret = (struct net_lease){.bits = 0};
	if (!lease_add_addresses(record, 1, 0, &l))
		return;
	lease_add_names(dns, nr_dns, hostname ? hostname : "", &l);
	*ret = l;
}

int net_lease_file(const struct net_lease *lease, struct err *err)
{
	cleanup_fd int fd = memfd_create("lease", MFD_CLOEXEC);

	if (fd < 0)
		return err_set(err, errno, "memfd_create");
	if (write(fd, lease, sizeof(*lease)) != sizeof(*lease) || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, errno ? errno : ENOSPC, "a lease");
	return TAKE_FD(fd);
}
