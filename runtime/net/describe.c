/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/describe.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "devices/core/fmt.h"

static void describe_link(const struct net_record *m, unsigned int device, struct spec_items *to)
{
	struct agent_link link = {.mtu = m->mtu};
	char name[sizeof(m->joined)];

	memcpy(link.mac, m->mac, sizeof(link.mac));
	fmt_into(name, sizeof(name), "eth%u", device);
	spec_items_put(to, AGENT_LINK, &link, sizeof(link), m->joined[0] ? m->joined : name);
}

static void describe_address(const struct net_ip *ip, uint32_t link, struct spec_items *to)
{
	struct agent_address a = {.link = link, .family = ip->family, .bits = ip->bits};

	memcpy(a.addr, ip->addr, sizeof(a.addr));
	spec_items_put(to, AGENT_ADDRESS, &a, sizeof(a), NULL);
}

static void describe_route(const struct net_route *t, uint32_t link, struct spec_items *to)
{
	struct agent_route r = {
		.link = link,
		.family = t->dst.family,
		.dst_bits = t->dst.bits,
		.scope = t->gateway.family ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.metric = t->metric,
	};

	memcpy(r.dst, t->dst.addr, sizeof(r.dst));
	if (t->gateway.family)
		memcpy(r.gateway, t->gateway.addr, sizeof(r.gateway));
	spec_items_put(to, AGENT_ROUTE, &r, sizeof(r), NULL);
}

static void describe_neighbour(const struct net_neigh *n, uint32_t link, struct spec_items *to)
{
	struct agent_neighbour a = {.link = link, .family = n->addr.family};

	memcpy(a.addr, n->addr.addr, sizeof(a.addr));
	memcpy(a.mac, n->mac, sizeof(a.mac));
	spec_items_put(to, AGENT_NEIGHBOUR, &a, sizeof(a), NULL);
}

/* What the other modes know: one address, one gateway */
static void describe_planned(const struct net_record *m, uint32_t link, struct spec_items *to)
{
	struct net_ip ip = {.family = AF_INET, .bits = m->guest.bits};
	struct net_route to_all = {.dst = {.family = AF_INET},
				   .gateway = {.family = AF_INET, .bits = 32}};

	if (!m->guest.bits)
		return;
	memcpy(ip.addr, &m->guest.addr, sizeof(m->guest.addr));
	describe_address(&ip, link, to);
	memcpy(to_all.gateway.addr, &m->gateway, sizeof(m->gateway));
	if (m->gateway)
		describe_route(&to_all, link, to);
}

static void describe_joined(const struct net_record *m, uint32_t link, struct spec_items *to)
{
	for (unsigned int i = 0; i < m->nr_addrs; i++)
		describe_address(&m->addr[i], link, to);
	for (unsigned int i = 0; i < m->nr_routes; i++)
		describe_route(&m->route[i], link, to);
	for (unsigned int i = 0; i < m->nr_neighs; i++)
		describe_neighbour(&m->neigh[i], link, to);
}

void net_describe(const struct net_record *record, unsigned int nr, struct spec_items *to)
{
	uint32_t link = 0;

	for (unsigned int i = 0; i < nr; i++) {
		const struct net_record *m = &record[i];
		const bool joins = m->mode == NET_MODE_NETNS;

		if (m->mode == NET_MODE_NONE || (joins && !m->joined[0]))
			continue;
		describe_link(m, i, to);
		(joins ? describe_joined : describe_planned)(m, link++, to);
	}
}
