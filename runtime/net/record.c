/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/record.h"

#include <errno.h>

void net_made_disown(char *name)
{
	name[0] = '\0';
}

void net_made_set_host(struct net_made *made, const struct plan_net *p, struct net_addr host)
{
	made->host = host;
	made->guest = p->guest;
	made->gateway = p->gateway;
	if (!host.bits)
		return;
	if (!made->guest.bits)
		made->guest = addr_next(host);
	if (!made->gateway)
		made->gateway = host.addr;
}

void net_made_forget(struct net_made *made)
{
	made->guest = (struct net_addr){0};
	made->gateway = 0;
	made->nr_addrs = made->nr_routes = made->nr_neighs = 0;
}

int net_made_add_route(struct net_made *made, const struct net_route *new, struct err *err)
{
	const bool direct = !new->gateway.family;
	unsigned int i = made->nr_routes;

	if (i == NET_ROUTES_MAX)
		return err_text(err, E2BIG, "interface %s has more than %u routes", made->joined,
				NET_ROUTES_MAX);
	for (; i > 0; i--) {
		const struct net_route *before = &made->route[i - 1];
		const bool is_direct = !before->gateway.family;

		if (is_direct != direct ? is_direct : before->metric <= new->metric)
			break;
		made->route[i] = *before;
	}
	made->route[i] = *new;
	made->nr_routes++;
	return 0;
}
