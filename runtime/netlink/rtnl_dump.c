/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/netlink/rtnl_dump.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <string.h>

#define TRIES		 5
#define TAKEN_PREFIX_MIN 8

static const struct {
	const char *what;
	uint16_t request;
	size_t header, item;
} dumps[RTNL_KINDS] = {
	[RTNL_LINK] = {"list interfaces", RTM_GETLINK, sizeof(struct ifinfomsg),
		       sizeof(struct rtnl_link)},
	[RTNL_ADDR] = {"list addresses", RTM_GETADDR, sizeof(struct ifaddrmsg),
		       sizeof(struct rtnl_addr)},
	[RTNL_ROUTE] = {"list routes", RTM_GETROUTE, sizeof(struct rtmsg),
			sizeof(struct rtnl_route)},
	[RTNL_NEIGH] = {"list neighbours", RTM_GETNEIGH, sizeof(struct ndmsg),
			sizeof(struct rtnl_neigh)},
	[RTNL_NET] = {"list networks", RTM_GETROUTE, sizeof(struct rtmsg), sizeof(struct rtnl_net)},
	[RTNL_LEFT_ROUTE] = {"list routes", RTM_GETROUTE, sizeof(struct rtmsg), 0},
	[RTNL_LEFT_RULE] = {"list rules", RTM_GETRULE, sizeof(struct fib_rule_hdr), 0},
};

static int rtnl_dump_ask(struct nl *nl, enum rtnl_kind kind,
			 int (*on_answer)(const struct nlmsghdr *nlh, void *arg), void *arg,
			 struct err *err)
{
	struct nlmsghdr *nlh = nl_begin(nl, dumps[kind].request, NLM_F_DUMP);

	mnl_nlmsg_put_extra_header(nlh, dumps[kind].header);
	if (kind == RTNL_LINK)
		mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nl_talk(nl, on_answer, arg, dumps[kind].what, err);
}

/** struct list - Where the items of a dump are collected */
struct list {
	enum rtnl_kind kind;
	char *items;
	unsigned int nr, max;
};

static int rtnl_dump_collect(const struct nlmsghdr *nlh, void *arg)
{
	struct list *l = arg;
	union rtnl_item item;
	int rc = rtnl_parse(l->kind, nlh, &item);

	if (rc <= 0)
		return rc;
	if (l->nr == l->max)
		return -E2BIG;
	memcpy(l->items + l->nr * dumps[l->kind].item, &item, dumps[l->kind].item);
	l->nr++;
	return 0;
}

static int rtnl_dump_list(struct nl *nl, struct list *l, unsigned int *ret_nr, struct err *err)
{
	int rc = -EINTR;

	for (int i = 0; i < TRIES && rc == -EINTR; i++) {
		l->nr = 0;
		rc = rtnl_dump_ask(nl, l->kind, rtnl_dump_collect, l, err);
	}
	if (rc == -E2BIG)
		return err_text(err, E2BIG, "%s: there are more than %u", dumps[l->kind].what,
				l->max);
	if (rc == 0)
		*ret_nr = l->nr;
	return rc;
}

int rtnl_links(struct nl *nl, struct rtnl_link ret[RTNL_LINKS_MAX], unsigned int *ret_nr,
	       struct err *err)
{
	struct list l = {RTNL_LINK, (char *)ret, 0, RTNL_LINKS_MAX};

	return rtnl_dump_list(nl, &l, ret_nr, err);
}

int rtnl_addrs(struct nl *nl, struct rtnl_addr ret[RTNL_ADDRS_MAX], unsigned int *ret_nr,
	       struct err *err)
{
	struct list l = {RTNL_ADDR, (char *)ret, 0, RTNL_ADDRS_MAX};

	return rtnl_dump_list(nl, &l, ret_nr, err);
}

int rtnl_routes(struct nl *nl, struct rtnl_route ret[RTNL_ROUTES_MAX], unsigned int *ret_nr,
		struct err *err)
{
	struct list l = {RTNL_ROUTE, (char *)ret, 0, RTNL_ROUTES_MAX};

	return rtnl_dump_list(nl, &l, ret_nr, err);
}

int rtnl_neighs(struct nl *nl, struct rtnl_neigh ret[RTNL_NEIGHS_MAX], unsigned int *ret_nr,
		struct err *err)
{
	struct list l = {RTNL_NEIGH, (char *)ret, 0, RTNL_NEIGHS_MAX};

	return rtnl_dump_list(nl, &l, ret_nr, err);
}

/** struct overlap - Which networks to report, for dumps too long for an array */
struct overlap {
	struct net_addr within;
	void (*on_net)(const struct rtnl_net *n, void *arg);
	void *arg;
};

static void rtnl_dump_see_net(const struct overlap *o, const struct rtnl_net *n)
{
	const uint8_t bits = n->net.bits < o->within.bits ? n->net.bits : o->within.bits;
	const uint32_t mask = bits ? htonl(~0U << (32 - bits)) : 0;

	if (((n->net.addr ^ o->within.addr) & mask) == 0)
		o->on_net(n, o->arg);
}

static int rtnl_dump_see_addr(const struct nlmsghdr *nlh, void *arg)
{
	struct rtnl_net n = {.table = 0};
	union rtnl_item item;
	int rc = rtnl_parse(RTNL_ADDR, nlh, &item);

	if (rc <= 0 || item.addr.family != AF_INET)
		return rc < 0 ? rc : 0;
	/* An address without a prefix covers only itself. */
	n.net.bits = item.addr.bits ? item.addr.bits : 32;
	memcpy(&n.net.addr, item.addr.addr, sizeof(n.net.addr));
	rtnl_dump_see_net(arg, &n);
	return 0;
}

static int rtnl_dump_see_route(const struct nlmsghdr *nlh, void *arg)
{
	union rtnl_item item;
	int rc = rtnl_parse(RTNL_NET, nlh, &item);

	if (rc > 0 && item.net.net.bits >= TAKEN_PREFIX_MIN)
		rtnl_dump_see_net(arg, &item.net);
	return rc < 0 ? rc : 0;
}

static int rtnl_dump_all(struct nl *nl, enum rtnl_kind kind,
			 int (*on_answer)(const struct nlmsghdr *nlh, void *arg), void *arg,
			 struct err *err)
{
	int rc = -EINTR;

	for (int i = 0; i < TRIES && rc == -EINTR; i++)
		rc = rtnl_dump_ask(nl, kind, on_answer, arg, err);
	return rc;
}

int rtnl_nets_within(struct nl *nl, struct net_addr within,
		     void (*on_net)(const struct rtnl_net *n, void *arg), void *arg,
		     struct err *err)
{
	struct overlap o = {within, on_net, arg};
	int rc = rtnl_dump_all(nl, RTNL_ADDR, rtnl_dump_see_addr, &o, err);

	return rc < 0 ? rc : rtnl_dump_all(nl, RTNL_NET, rtnl_dump_see_route, &o, err);
}

static void rtnl_dump_take_note(const struct rtnl_net *n UNUSED, void *arg)
{
	*(bool *)arg = true;
}

int rtnl_addr_in_use(struct nl *nl, struct net_addr net, struct err *err)
{
	bool found = false;
	struct overlap o = {net, rtnl_dump_take_note, &found};
	int rc = rtnl_dump_all(nl, RTNL_ADDR, rtnl_dump_see_addr, &o, err);

	return rc < 0 ? rc : found;
}

static int rtnl_dump_count_route(const struct nlmsghdr *nlh, void *arg)
{
	struct rtnl_lefts *l = arg;
	union rtnl_item item;
	int rc = rtnl_parse(RTNL_LEFT_ROUTE, nlh, &item);

	l->routes += rc > 0;
	return rc < 0 ? rc : 0;
}

static int rtnl_dump_count_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct rtnl_lefts *l = arg;
	union rtnl_item item;
	int rc = rtnl_parse(RTNL_LEFT_RULE, nlh, &item);

	l->rules += rc > 0;
	return rc < 0 ? rc : 0;
}

int rtnl_lefts(struct nl *nl, struct rtnl_lefts *ret, struct err *err)
{
	struct rtnl_lefts l = {0};
	int rc = rtnl_dump_all(nl, RTNL_LEFT_ROUTE, rtnl_dump_count_route, &l, err);

	if (rc == 0)
		rc = rtnl_dump_all(nl, RTNL_LEFT_RULE, rtnl_dump_count_rule, &l, err);
	if (rc == 0)
		*ret = l;
	return rc;
}
