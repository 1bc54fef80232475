/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/whole.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "runtime/net/interface.h"
#include "runtime/netlink/netns.h"

/**
 * struct whole - What is being described
 * @record:	Whose interface; @loopback: the namespace's, too
 * @neigh:	@nr_neighs of the namespace
 * @link:	Number of the link
 */
struct whole {
	const struct net_record *record;
	bool loopback;
	const struct net_found *found;
	struct rtnl_neigh neigh[RTNL_NEIGHS_MAX];
	unsigned int nr_neighs;
	uint32_t link;
	struct spec_items *to;
};

static struct net_ip whole_ip(uint8_t family, uint8_t bits, const uint8_t addr[16])
{
	struct net_ip ip = {.family = family, .bits = bits};

	memcpy(ip.addr, addr, sizeof(ip.addr));
	return ip;
}

static bool whole_is_local6(const struct rtnl_addr *a)
{
	return a->family == AF_INET6 && a->addr[0] == 0xfe && (a->addr[1] & 0xc0) == 0x80;
}

static void whole_link(const struct whole *w, const struct rtnl_link *l)
{
	struct agent_link link = {.mtu = l->mtu, .flags = l->up ? AGENT_LINK_LISTED : 0};

	for (unsigned int i = 0; i < w->found->nr_addrs; i++)
		if (w->found->addr[i].index == l->index && whole_is_local6(&w->found->addr[i]))
			link.flags = 0;
	if (!l->up && !(l->loopback && w->record->own))
		link.flags |= AGENT_LINK_DOWN;
	if (!l->arp)
		link.flags |= AGENT_LINK_NO_ARP;
	if (!l->loopback) {
		memcpy(link.mac, w->record->mac, sizeof(link.mac));
		link.mtu = w->record->mtu; /* what its device can carry */
	}
	spec_items_put(w->to, AGENT_LINK, &link, sizeof(link), l->name);
}

/* Whether a kernel makes a route to the network of @a that this one has no more */
static bool whole_lacks_route(const struct net_found *f, const struct rtnl_addr *a)
{
	const struct net_ip net = whole_ip(a->family, a->bits, a->to);

	if (a->bits == addr_ip_bits(a->family) && memcmp(a->addr, a->to, sizeof(a->addr)) == 0)
		return false;
	for (unsigned int i = 0; i < f->nr_routes; i++) {
		const struct rtnl_route *t = &f->route[i];
		const struct net_ip dst = whole_ip(t->family, t->bits, t->dst);

		if (t->out_index == a->index && t->connected && !t->has_gateway &&
		    t->bits == a->bits && addr_ip_covers(&net, &dst))
			return false;
	}
	return true;
}

static void whole_address(const struct whole *w, const struct rtnl_link *l,
			  const struct rtnl_addr *a)
{
	struct agent_address item = {
		.link = w->link,
		.family = a->family,
		.bits = a->bits,
		.scope = a->scope,
		.metric = a->metric,
	};

	if (a->no_route || (l->up && !l->loopback && whole_lacks_route(w->found, a)))
		item.flags = AGENT_ADDRESS_NO_ROUTE;
	memcpy(item.addr, a->addr, sizeof(item.addr));
	memcpy(item.to, a->to, sizeof(item.to));
	memcpy(item.broadcast, a->broadcast, sizeof(item.broadcast));
	memcpy(item.label, a->label, sizeof(item.label));
	spec_items_put(w->to, AGENT_ADDRESS, &item, sizeof(item), NULL);
}

/* The kernel puts a new IPv6 address before its like, an IPv4 one behind. */
static void whole_addresses(const struct whole *w, const struct rtnl_link *l)
{
	const struct net_found *f = w->found;

	for (unsigned int i = 0; i < 2 * f->nr_addrs; i++) {
		const bool six = i >= f->nr_addrs;
		const struct rtnl_addr *a = &f->addr[six ? 2 * f->nr_addrs - 1 - i : i];

		if (a->index == l->index && !a->passing && (a->family == AF_INET6) == six)
			whole_address(w, l, a);
	}
}

static void whole_routes(const struct whole *w, const struct rtnl_link *l)
{
	for (unsigned int i = 0; i < w->found->nr_routes; i++) {
		const struct rtnl_route *t = &w->found->route[i];
		struct agent_route item = {
			.link = w->link,
			.family = t->family,
			.dst_bits = t->bits,
			.scope = t->scope,
			.protocol = t->protocol,
			.metric = t->metric,
			.mtu = t->mtu,
			.advmss = t->advmss,
			.flags = t->onlink ? AGENT_ROUTE_ONLINK : 0,
		};

		if (t->out_index != l->index || (t->implied && !t->connected))
			continue;
		memcpy(item.dst, t->dst, sizeof(item.dst));
		memcpy(item.gateway, t->gateway, sizeof(item.gateway));
		memcpy(item.src, t->src, sizeof(item.src));
		spec_items_put(w->to, AGENT_ROUTE, &item, sizeof(item), NULL);
	}
}

static void whole_neighbours(const struct whole *w, const struct rtnl_link *l)
{
	for (unsigned int i = 0; i < w->nr_neighs; i++) {
		const struct rtnl_neigh *n = &w->neigh[i];
		struct agent_neighbour item = {.link = w->link, .family = n->family};

		if (n->index != l->index)
			continue;
		memcpy(item.addr, n->addr, sizeof(item.addr));
		memcpy(item.mac, n->mac, sizeof(item.mac));
		spec_items_put(w->to, AGENT_NEIGHBOUR, &item, sizeof(item), NULL);
	}
}

static int whole_inside(struct nl *nl, void *arg, struct err *err)
{
	struct whole *w = arg;
	cleanup_free struct net_found *f = NULL;
	int rc = net_found_list(nl, &f, err);

	if (rc == 0)
		rc = rtnl_routes(nl, f->route, &f->nr_routes, err);
	if (rc == 0)
		rc = rtnl_neighs(nl, w->neigh, &w->nr_neighs, err);
	w->found = f;
	for (unsigned int i = 0; rc == 0 && i < f->nr_links; i++) {
		const struct rtnl_link *l = &f->link[i];

		if (l->loopback ? !w->loopback : strcmp(l->name, w->record->joined) != 0)
			continue;
		whole_link(w, l);
		whole_addresses(w, l);
		whole_routes(w, l);
		whole_neighbours(w, l);
		w->link++;
	}
	w->found = NULL;
	return rc;
}

int net_whole_describe(const struct net_record *record, unsigned int i, uint32_t *link,
		       struct spec_items *to, struct err *err)
{
	cleanup_free struct whole *w = calloc(1, sizeof(*w));
	struct netns_id id = record[i].netns_id;
	int rc;

	if (!w)
		return err_set(err, ENOMEM, "networks");
	*w = (struct whole){.record = &record[i], .loopback = true, .link = *link, .to = to};
	for (unsigned int k = 0; k < i; k++)
		w->loopback &= record[k].mode != NET_MODE_NETNS ||
			       !netns_same(&record[k].netns_id, &record[i].netns_id);
	rc = netns_inside(record[i].netns, &id, whole_inside, w, err);
	if (rc < 0)
		return err_wrap(err, "%s", record[i].device);
	*link = w->link;
	return 0;
}
