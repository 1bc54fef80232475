/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "runtime/net/host.h"
#include "runtime/netlink/tc.h"
#include "runtime/util/addr.h"

int net_found_list(struct nl *nl, struct net_found **ret, struct err *err)
{
	cleanup_free struct net_found *f = calloc(1, sizeof(*f));
	int rc = f ? rtnl_links(nl, f->link, &f->nr_links, err) : err_set(err, ENOMEM, "networks");

	if (rc == 0)
		rc = rtnl_addrs(nl, f->addr, &f->nr_addrs, err);
	if (rc == 0)
		*ret = TAKE_PTR(f);
	return rc;
}

static bool interface_addr_counts(const struct rtnl_addr *a)
{
	return !a->passing && a->scope < (a->family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_LINK);
}

bool net_found_has_address(const struct net_found *f, const struct rtnl_link *link)
{
	if (link->loopback || !link->up)
		return false;
	for (unsigned int i = 0; i < f->nr_addrs; i++)
		if (f->addr[i].index == link->index && interface_addr_counts(&f->addr[i]))
			return true;
	return false;
}

/* A TAP without an address is a VM's, ours too; one with an address is what a user's network ends in (slirp4netns). A tunnel
 * that each namespace has ("gretap0") has no MAC. */
bool net_found_counts(const struct net_found *f, const struct rtnl_link *link, bool whole)
{
	static const uint8_t no_mac[6];

	if (!link->ethernet)
		return false;
	if (!whole || strcmp(link->kind, "tun") == 0)
		return net_found_has_address(f, link);
	return memcmp(link->mac, no_mac, sizeof(no_mac)) != 0;
}

static int interface_too_many(const char *name, unsigned int max, const char *what, struct err *err)
{
	return err_text(err, E2BIG, "interface %s has more than %u %s", name, max, what);
}

static struct net_ip interface_ip_of(uint8_t family, uint8_t bits, const uint8_t addr[16])
{
	struct net_ip ip = {.family = family, .bits = bits};

	memcpy(ip.addr, addr, family == AF_INET ? 4 : sizeof(ip.addr));
	return ip;
}

static struct net_ip interface_dst_of(const struct rtnl_route *t)
{
	return interface_ip_of(t->family, t->bits, t->dst);
}

static bool interface_same_net(const struct net_ip *a, const struct net_ip *b)
{
	return a->bits == b->bits && addr_ip_covers(a, b);
}

/* Whether the interface of that index exists and can be joined */
static bool interface_is_joinable(const struct net_found *f, int index)
{
	for (unsigned int i = 0; i < f->nr_links; i++)
		if (f->link[i].index == index)
			return f->link[i].ethernet && net_found_has_address(f, &f->link[i]);
	return false;
}

/* Whether the kernel prefers another route to the same network; @connected: compare with connected ones only */
static bool interface_is_beaten(const struct net_found *f, const struct rtnl_route *t,
				bool connected)
{
	const struct net_ip dst = interface_dst_of(t);

	for (unsigned int i = 0; i < f->nr_routes; i++) {
		const struct rtnl_route *o = &f->route[i];
		const struct net_ip other = interface_dst_of(o);

		if (o != t && (o->connected || !connected) && interface_same_net(&dst, &other) &&
		    (o->metric < t->metric || (o->metric == t->metric && o < t)) &&
		    interface_is_joinable(f, o->out_index))
			return true;
	}
	return false;
}

/* Whether the network of address @a is reached as by a kernel that knows the prefix */
static bool interface_is_connected(const struct net_found *f, const struct rtnl_addr *a)
{
	const struct net_ip net = interface_ip_of(a->family, a->bits, a->addr);

	for (unsigned int i = 0; i < f->nr_routes; i++) {
		const struct rtnl_route *t = &f->route[i];
		const struct net_ip dst = interface_dst_of(t);

		if (t->out_index == a->index && !t->has_gateway && interface_same_net(&net, &dst) &&
		    !interface_is_beaten(f, t, false))
			return true;
	}
	return false;
}

static int interface_record_addrs(const struct net_found *f, const struct rtnl_link *link,
				  struct net_record *record, struct err *err)
{
	for (unsigned int i = 0; i < f->nr_addrs; i++) {
		const struct rtnl_addr *a = &f->addr[i];
		struct net_ip ip = interface_ip_of(a->family, a->bits, a->addr);

		if (a->index != link->index || !interface_addr_counts(a))
			continue;
		if (record->nr_addrs == NET_ADDRS_MAX)
			return interface_too_many(link->name, NET_ADDRS_MAX, "addresses", err);
		if (!interface_is_connected(f, a))
			ip.bits = addr_ip_bits(a->family);
		record->addr[record->nr_addrs++] = ip;
		if (a->family != AF_INET || record->guest.bits)
			continue;
		memcpy(&record->guest.addr, a->addr, sizeof(record->guest.addr));
		record->guest.bits = ip.bits;
	}
	return 0;
}

/* Whether the guest's kernel makes the route by itself, from an address */
static bool interface_follows(const struct net_record *record, const struct net_ip *dst)
{
	for (unsigned int i = 0; i < record->nr_addrs; i++)
		if (interface_same_net(&record->addr[i], dst))
			return true;
	return false;
}

static bool interface_is_link_local(const struct net_ip *ip)
{
	return ip->family == AF_INET6 && ip->addr[0] == 0xfe && (ip->addr[1] & 0xc0) == 0x80;
}

/* Whether the guest's kernel will know that the gateway of a route is on the link */
static bool interface_is_reached(const struct net_found *f, const struct rtnl_route *by,
				 const struct net_ip *gateway)
{
	if (interface_is_link_local(gateway))
		return true;
	for (unsigned int i = 0; i < f->nr_routes; i++) {
		const struct rtnl_route *t = &f->route[i];
		const struct net_ip dst = interface_dst_of(t);

		if (t->out_index == by->out_index && !t->has_gateway &&
		    addr_ip_covers(&dst, gateway) && !interface_is_beaten(f, t, !t->connected))
			return true;
	}
	return false;
}

static int interface_record_route(const struct net_found *f, struct net_record *record,
				  const struct rtnl_route *t, struct err *err)
{
	struct net_route new = {.dst = interface_dst_of(t), .metric = t->metric};
	int rc = 0;

	if (!t->has_gateway &&
	    (interface_is_link_local(&new.dst) || interface_follows(record, &new.dst)))
		return 0;
	if (interface_is_beaten(f, t, !t->connected))
		return 0;
	if (t->has_gateway)
		new.gateway = interface_ip_of(t->family, addr_ip_bits(t->family), t->gateway);
	/* For "onlink", or a network that another interface has too: add a route to the gateway. */
	if (t->has_gateway && !interface_is_reached(f, t, &new.gateway))
		rc = net_record_add_route(record, &(struct net_route){.dst = new.gateway}, err);
	return rc < 0 ? rc : net_record_add_route(record, &new, err);
}

static int interface_record_routes(const struct net_found *f, const struct rtnl_link *link,
				   struct net_record *record, struct err *err)
{
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < f->nr_routes; i++)
		if (f->route[i].out_index == link->index &&
		    (f->route[i].connected || !f->route[i].implied))
			rc = interface_record_route(f, record, &f->route[i], err);
	for (unsigned int i = 0; i < record->nr_routes && !record->gateway; i++) {
		const struct net_route *t = &record->route[i];

		if (t->dst.bits == 0 && t->gateway.family == AF_INET)
			memcpy(&record->gateway, t->gateway.addr, sizeof(record->gateway));
	}
	return rc;
}

static int interface_record_neighs(struct nl *nl, const struct rtnl_link *link,
				   struct net_record *record, struct err *err)
{
	cleanup_free struct rtnl_neigh *neigh = calloc(RTNL_NEIGHS_MAX, sizeof(*neigh));
	unsigned int nr = 0;
	int rc = neigh ? rtnl_neighs(nl, neigh, &nr, err) : err_set(err, ENOMEM, "neighbours");

	for (unsigned int i = 0; rc == 0 && i < nr; i++) {
		const struct rtnl_neigh *n = &neigh[i];
		struct net_neigh *to = &record->neigh[record->nr_neighs];

		if (n->index != link->index)
			continue;
		if (record->nr_neighs == NET_NEIGHS_MAX)
			return interface_too_many(link->name, NET_NEIGHS_MAX,
						  "permanent neighbours", err);
		to->addr = interface_ip_of(n->family, addr_ip_bits(n->family), n->addr);
		memcpy(to->mac, n->mac, sizeof(to->mac));
		record->nr_neighs++;
	}
	return rc;
}

int net_interface_record(struct nl *nl, struct net_found *f, const struct rtnl_link *link,
			 struct net_record *record, struct err *err)
{
	int rc = tc_taken(nl, link->index, err);

	if (rc != 0)
		return rc < 0 ? rc : err_text(err, EEXIST, NET_INGRESS_TAKEN, link->name);
	memcpy(record->joined, link->name, sizeof(record->joined));
	/* The other side answers only this MAC, and the wire carries no larger frames. */
	memcpy(record->mac, link->mac, sizeof(record->mac));
	record->mtu = link->mtu > NET_MTU_MAX ? NET_MTU_MAX : (uint16_t)link->mtu;
	if (record->whole)
		return 0;
	rc = rtnl_routes(nl, f->route, &f->nr_routes, err);
	if (rc == 0)
		rc = interface_record_addrs(f, link, record, err);
	if (rc == 0)
		rc = interface_record_routes(f, link, record, err);
	return rc < 0 ? rc : interface_record_neighs(nl, link, record, err);
}
