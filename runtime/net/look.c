/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What there is to join in a network namespace, and what a guest must know of it
 *
 * Nothing in a namespace is expected to stay as it is: it is listed anew by each call, and what was found
 * is copied, so that it can be told and put on record. What a kernel makes of its addresses by itself
 * (the routes to their networks, link-local addresses) the guest's kernel makes too. So an address is
 * told with its prefix where the route to that network is there and used, and alone (/32, /128) where it
 * is not: plug-ins remove it, "noprefixroute" and peers have none, another interface was first. Then a route
 * that was made for an address is told like others.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/net/priv.h"
#include "runtime/util/addr.h"
#include "runtime/util/oci_log.h"

/** struct found - Interfaces and addresses of a namespace; routes where they are needed */
struct found {
	struct rtnl_link link[RTNL_LINKS_MAX];
	struct rtnl_addr addr[RTNL_ADDRS_MAX];
	struct rtnl_route route[RTNL_ROUTES_MAX];
	unsigned int nr_links, nr_addrs, nr_routes;
};

static int list(struct nl *nl, struct found *f, struct err *err)
{
	int rc = rtnl_links(nl, f->link, &f->nr_links, err);

	return rc < 0 ? rc : rtnl_addrs(nl, f->addr, &f->nr_addrs, err);
}

static bool is_told(const struct rtnl_addr *a)
{
	return !a->passing && a->scope < (a->family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_LINK);
}

static bool has_address(const struct found *f, const struct rtnl_link *link)
{

	if (link->loopback || !link->up)
		return false;
	for (unsigned int i = 0; i < f->nr_addrs; i++)
		if (f->addr[i].index == link->index && is_told(&f->addr[i]))
			return true;
	return false;
}

static int count(struct nl *nl, void *arg, struct err *err)
{
	unsigned int *nr = arg;
	struct found f;
	int rc = list(nl, &f, err);

	for (unsigned int i = 0; rc == 0 && i < f.nr_links; i++)
		*nr += f.link[i].ethernet && has_address(&f, &f.link[i]);
	return rc;
}

int net_count(const char *path, unsigned int *ret, struct netns_id *ret_id, struct err *err)
{
	struct netns_id id = {0};
	unsigned int nr = 0;
	int rc = net_inside(path, &id, count, &nr, err);

	if (rc < 0)
		return rc;
	*ret = nr;
	*ret_id = id;
	return 0;
}

/* ---- one interface ------------------------------------------------------------------------- */

static int too_many(const char *name, unsigned int max, const char *what, struct err *err)
{
	return err_text(err, E2BIG, "interface %s has more than %u %s", name, max, what);
}

static struct net_ip ip_of(uint8_t family, uint8_t bits, const uint8_t addr[16])
{
	struct net_ip ip = {.family = family, .bits = bits};

	memcpy(ip.addr, addr, family == AF_INET ? 4 : sizeof(ip.addr));
	return ip;
}

static struct net_ip dst_of(const struct rtnl_route *t)
{
	return ip_of(t->family, t->bits, t->dst);
}

static bool same_net(const struct net_ip *a, const struct net_ip *b)
{
	return a->bits == b->bits && addr_ip_covers(a, b);
}

/* Whether an interface that guests get is there by that index */
static bool is_joinable(const struct found *f, int index)
{
	for (unsigned int i = 0; i < f->nr_links; i++)
		if (f->link[i].index == index)
			return f->link[i].ethernet && has_address(f, &f->link[i]);
	return false;
}

/* Whether another route to the same place is the one that is used; @connected: look at such ones only */
static bool is_beaten(const struct found *f, const struct rtnl_route *t, bool connected)
{
	const struct net_ip dst = dst_of(t);

	for (unsigned int i = 0; i < f->nr_routes; i++) {
		const struct rtnl_route *o = &f->route[i];
		const struct net_ip other = dst_of(o);

		if (o != t && (o->connected || !connected) && same_net(&dst, &other) &&
		    (o->metric < t->metric || (o->metric == t->metric && o < t)) &&
		    is_joinable(f, o->out_index))
			return true;
	}
	return false;
}

/* Whether the network of address @a is reached as a kernel that is told its prefix would have it */
static bool is_connected(const struct found *f, const struct rtnl_addr *a)
{
	const struct net_ip net = ip_of(a->family, a->bits, a->addr);

	for (unsigned int i = 0; i < f->nr_routes; i++) {
		const struct rtnl_route *t = &f->route[i];
		const struct net_ip dst = dst_of(t);

		if (t->out_index == a->index && !t->has_gateway && same_net(&net, &dst) &&
		    !is_beaten(f, t, false))
			return true;
	}
	return false;
}

static int fill_addrs(const struct found *f, const struct rtnl_link *link, struct net_made *made,
		      struct err *err)
{

	for (unsigned int i = 0; i < f->nr_addrs; i++) {
		const struct rtnl_addr *a = &f->addr[i];
		struct net_ip ip = ip_of(a->family, a->bits, a->addr);

		if (a->index != link->index || !is_told(a))
			continue;
		if (made->nr_addrs == NET_ADDRS_MAX)
			return too_many(link->name, NET_ADDRS_MAX, "addresses", err);
		if (!is_connected(f, a))
			ip.bits = addr_ip_bits(a->family);
		made->addr[made->nr_addrs++] = ip;
		if (a->family != AF_INET || made->guest.bits)
			continue;
		memcpy(&made->guest.addr, a->addr, sizeof(made->guest.addr));
		made->guest.bits = ip.bits;
	}
	return 0;
}

/* In its place: on-link ones first, which gateways are reached by, then by metric */
static int put_route(struct net_made *made, const struct net_route *new, struct err *err)
{
	const bool direct = !new->gateway.family;
	unsigned int i = made->nr_routes;

	if (i == NET_ROUTES_MAX)
		return too_many(made->joined, NET_ROUTES_MAX, "routes", err);
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

/* Whether the guest's kernel makes it by itself of an address that it is told */
static bool follows(const struct net_made *made, const struct net_ip *dst)
{
	for (unsigned int i = 0; i < made->nr_addrs; i++)
		if (same_net(&made->addr[i], dst))
			return true;
	return false;
}

static bool is_link_local(const struct net_ip *ip)
{
	return ip->family == AF_INET6 && ip->addr[0] == 0xfe && (ip->addr[1] & 0xc0) == 0x80;
}

/* Whether the guest's kernel will know the gateway of a route to be on the link */
static bool is_reached(const struct found *f, const struct rtnl_route *by,
		       const struct net_ip *gateway)
{
	if (is_link_local(gateway))
		return true;
	for (unsigned int i = 0; i < f->nr_routes; i++) {
		const struct rtnl_route *t = &f->route[i];
		const struct net_ip dst = dst_of(t);

		if (t->out_index == by->out_index && !t->has_gateway &&
		    addr_ip_covers(&dst, gateway) && !is_beaten(f, t, !t->connected))
			return true;
	}
	return false;
}

static int add_route(const struct found *f, struct net_made *made, const struct rtnl_route *t,
		     struct err *err)
{
	struct net_route new = {.dst = dst_of(t), .metric = t->metric};
	int rc = 0;

	if (!t->has_gateway && (is_link_local(&new.dst) || follows(made, &new.dst)))
		return 0;
	if (is_beaten(f, t, !t->connected))
		return 0;
	if (t->has_gateway)
		new.gateway = ip_of(t->family, addr_ip_bits(t->family), t->gateway);
	/* What "onlink" says of a gateway, or a network that another interface has as well, a route to
	 * the gateway says too. */
	if (t->has_gateway && !is_reached(f, t, &new.gateway))
		rc = put_route(made, &(struct net_route){.dst = new.gateway}, err);
	return rc < 0 ? rc : put_route(made, &new, err);
}

static int fill_routes(const struct found *f, const struct rtnl_link *link, struct net_made *made,
		       struct err *err)
{
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < f->nr_routes; i++)
		if (f->route[i].out_index == link->index &&
		    (f->route[i].connected || !f->route[i].implied))
			rc = add_route(f, made, &f->route[i], err);
	for (unsigned int i = 0; i < made->nr_routes && !made->gateway; i++) {
		const struct net_route *t = &made->route[i];

		if (t->dst.bits == 0 && t->gateway.family == AF_INET)
			memcpy(&made->gateway, t->gateway.addr, sizeof(made->gateway));
	}
	return rc;
}

static int fill_neighs(struct nl *nl, const struct rtnl_link *link, struct net_made *made,
		       struct err *err)
{
	cleanup_free struct rtnl_neigh *neigh = calloc(RTNL_NEIGHS_MAX, sizeof(*neigh));
	unsigned int nr = 0;
	int rc = neigh ? rtnl_neighs(nl, neigh, &nr, err) : err_set(err, ENOMEM, "neighbours");

	for (unsigned int i = 0; rc == 0 && i < nr; i++) {
		const struct rtnl_neigh *n = &neigh[i];
		struct net_neigh *to = &made->neigh[made->nr_neighs];

		if (n->index != link->index)
			continue;
		if (made->nr_neighs == NET_NEIGHS_MAX)
			return too_many(link->name, NET_NEIGHS_MAX, "permanent neighbours", err);
		to->addr = ip_of(n->family, addr_ip_bits(n->family), n->addr);
		memcpy(to->mac, n->mac, sizeof(to->mac));
		made->nr_neighs++;
	}
	return rc;
}

static int fill(struct nl *nl, struct found *f, const struct rtnl_link *link, struct net_made *made,
		struct err *err)
{
	int rc = tc_taken(nl, link->index, err);

	if (rc != 0)
		return rc < 0 ? rc : err_text(err, EEXIST, NET_TAKEN, link->name);
	memcpy(made->joined, link->name, sizeof(made->joined));
	/* The other side answers to this MAC and these addresses only, and the wire carries no more. */
	memcpy(made->mac, link->mac, sizeof(made->mac));
	made->mtu = link->mtu > NET_MTU_MAX ? NET_MTU_MAX : (uint16_t)link->mtu;
	rc = rtnl_routes(nl, f->route, &f->nr_routes, err);
	if (rc == 0)
		rc = fill_addrs(f, link, made, err);
	if (rc == 0)
		rc = fill_routes(f, link, made, err);
	return rc < 0 ? rc : fill_neighs(nl, link, made, err);
}

/* ---- all of them --------------------------------------------------------------------------- */

/**
 * struct look - What to look for
 * @made:	The VM's devices, @nr; @i is the one to find something for
 * @ret:	What was found
 */
struct look {
	const struct net_made *made;
	unsigned int nr, i;
	struct net_made *ret;
	const struct warn_to *warn;
};

static bool same_place(const struct net_made *a, const struct net_made *b)
{
	return a->mode == NET_MODE_NETNS && b->mode == NET_MODE_NETNS &&
	       netns_same(&a->netns_id, &b->netns_id);
}

/* Whether @name is that of a TAP of the VM, or joined to one */
static bool is_ours(const struct look *l, const char *name)
{

	for (unsigned int k = 0; k < l->nr; k++) {
		const struct net_made *m = &l->made[k];

		if (same_place(m, &l->made[l->i]) &&
		    (strcmp(m->tap, name) == 0 || strcmp(m->joined, name) == 0))
			return true;
	}
	return false;
}

static int look(struct nl *nl, void *arg, struct err *err)
{
	const struct look *l = arg;
	struct found f;
	int rc = list(nl, &f, err);

	for (unsigned int i = 0; rc == 0 && i < f.nr_links; i++)
		if (f.link[i].ethernet && has_address(&f, &f.link[i]) &&
		    !is_ours(l, f.link[i].name))
			return fill(nl, &f, &f.link[i], l->ret, err);
	return rc;
}

/* As it was planned: of what an earlier try found nothing stays */
static void forget(struct net_made *m)
{
	m->guest = (struct net_addr){0};
	m->gateway = 0;
	m->nr_addrs = m->nr_routes = m->nr_neighs = 0;
}

int net_look(struct net_made *made, unsigned int nr, unsigned int i, struct err *err)
{
	struct net_made found = made[i];
	struct look l = {.made = made, .nr = nr, .i = i, .ret = &found};
	int rc;

	if (made[i].mode != NET_MODE_NETNS || made[i].joined[0])
		return 0;
	forget(&found);
	rc = net_inside(made[i].netns, &found.netns_id, look, &l, err);
	if (rc < 0)
		return err_wrap(err, "%s", made[i].device);
	made[i] = found;
	return found.joined[0] != '\0';
}

static void warn_of(const struct look *l, const struct rtnl_link *link)
{
	char text[ERR_MSG_BYTES];

	if (link->ethernet)
		fmt_into(text, sizeof(text),
			 "no device is left for interface %s: add another {\"type\": \"net\", "
			 "\"mode\": \"netns\"} to vm.devices (network namespace %s)",
			 link->name, l->made[l->i].netns);
	else
		fmt_into(text, sizeof(text),
			 "interface %s is no Ethernet, and not joined (network namespace %s)",
			 link->name, l->made[l->i].netns);
	(void)fmt_printable(text);
	l->warn->line(l->warn->arg, text);
}

static int look_for_left(struct nl *nl, void *arg, struct err *err)
{
	const struct look *l = arg;
	struct found f;
	int rc = list(nl, &f, err);

	for (unsigned int i = 0; rc == 0 && i < f.nr_links; i++)
		if (has_address(&f, &f.link[i]) && !is_ours(l, f.link[i].name))
			warn_of(l, &f.link[i]);
	return rc;
}

int net_left(const struct net_made *made, unsigned int nr, unsigned int i,
	     const struct warn_to *warn, struct err *err)
{
	struct look l = {.made = made, .nr = nr, .i = i, .warn = warn};
	struct netns_id id = made[i].netns_id;

	if (made[i].mode != NET_MODE_NETNS)
		return 0;
	for (unsigned int k = 0; k < i; k++)
		if (same_place(&made[k], &made[i]))
			return 0;
	return net_inside(made[i].netns, &id, look_for_left, &l, err);
}
