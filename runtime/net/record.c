/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/record.h"

#include <errno.h>

void net_record_disown(char *name)
{
	name[0] = '\0';
}

void net_record_set_host(struct net_record *record, const struct plan_net *p, struct net_addr host)
{
	record->host = host;
	record->guest = p->guest;
	record->gateway = p->gateway;
	if (!host.bits)
		return;
	if (!record->guest.bits)
		record->guest = addr_next(host);
	if (!record->gateway)
		record->gateway = host.addr;
}

void net_record_forget(struct net_record *record)
{
	record->guest = (struct net_addr){0};
	record->gateway = 0;
	record->nr_addrs = record->nr_routes = record->nr_neighs = 0;
}

bool net_record_is_shadowed(const struct net_record *all, unsigned int nr,
			    const struct net_route *route)
{
	bool before = true;

	for (unsigned int n = 0; n < nr; n++) {
		for (unsigned int i = 0; i < all[n].nr_routes; i++) {
			const struct net_route *o = &all[n].route[i];

			before &= o != route;
			if (o == route || !addr_same_ip(&o->dst, &route->dst))
				continue;
			/* Of equal metrics the first counts, of a lower device or earlier in its list. */
			if (o->metric < route->metric || (o->metric == route->metric && before))
				return true;
		}
	}
	return false;
}

int net_record_add_route(struct net_record *record, const struct net_route *new, struct err *err)
{
	const bool direct = !new->gateway.family;
	unsigned int i = record->nr_routes;

	if (i == NET_ROUTES_MAX)
		return err_text(err, E2BIG, "interface %s has more than %u routes", record->joined,
				NET_ROUTES_MAX);
	for (; i > 0; i--) {
		const struct net_route *before = &record->route[i - 1];
		const bool is_direct = !before->gateway.family;

		if (is_direct != direct ? is_direct : before->metric <= new->metric)
			break;
		record->route[i] = *before;
	}
	record->route[i] = *new;
	record->nr_routes++;
	return 0;
}
