/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/netlink/rtnl_parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>

#include "devices/core/fmt.h"

static size_t rtnl_parse_family_bytes(uint8_t family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

/* A prefix has at most as many bits as the address. */
static bool rtnl_parse_bits_fit(uint8_t family, unsigned int bits)
{
	return bits <= 8 * rtnl_parse_family_bytes(family);
}

static int rtnl_parse_kind(const struct nlattr *linkinfo, char kind[16])
{
	const struct nlattr *tb[IFLA_INFO_KIND + 1];

	if (nl_nested(linkinfo, tb, ARRAY_SIZE(tb)) < 0)
		return -EPROTO;
	if (tb[IFLA_INFO_KIND]) /* a longer kind is cut: none of ours is */
		fmt_into(kind, 16, "%.*s", (int)mnl_attr_get_payload_len(tb[IFLA_INFO_KIND]),
			 (const char *)mnl_attr_get_payload(tb[IFLA_INFO_KIND]));
	return 0;
}

static int rtnl_parse_link(const struct nlmsghdr *nlh, union rtnl_item *ret)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[IFLA_LINKINFO + 1], *mac;
	struct rtnl_link *l = &ret->link;
	uint32_t master = 0;

	if (nl_attrs(nlh, sizeof(*ifi), tb, ARRAY_SIZE(tb)) < 0 || ifi->ifi_index <= 0)
		return -EPROTO;
	*l = (struct rtnl_link){.index = ifi->ifi_index,
				.up = ifi->ifi_flags & IFF_UP,
				.loopback = ifi->ifi_flags & IFF_LOOPBACK,
				.ethernet = ifi->ifi_type == ARPHRD_ETHER,
				.arp = !(ifi->ifi_flags & IFF_NOARP)};
	if (nl_get_str(tb[IFLA_IFNAME], l->name, sizeof(l->name)) < 0 || !l->name[0] ||
	    nl_get(tb[IFLA_MTU], &l->mtu, sizeof(l->mtu)) < 0 ||
	    nl_get(tb[IFLA_MASTER], &master, sizeof(master)) < 0 ||
	    rtnl_parse_kind(tb[IFLA_LINKINFO], l->kind) < 0)
		return -EPROTO;
	l->master = (int)master;
	mac = tb[IFLA_ADDRESS]; /* tunnels have addresses of other lengths */
	if (mac && mnl_attr_get_payload_len(mac) == sizeof(l->mac))
		memcpy(l->mac, mnl_attr_get_payload(mac), sizeof(l->mac));
	return 1;
}

static int rtnl_parse_addr(const struct nlmsghdr *nlh, union rtnl_item *ret)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[IFA_RT_PRIORITY + 1], *own;
	struct rtnl_addr *a = &ret->addr;
	uint32_t flags;
	size_t bytes;

	if (nl_attrs(nlh, sizeof(*ifa), tb, ARRAY_SIZE(tb)) < 0)
		return -EPROTO;
	bytes = rtnl_parse_family_bytes(ifa->ifa_family);
	flags = ifa->ifa_flags;
	if (nl_get(tb[IFA_FLAGS], &flags, sizeof(flags)) < 0)
		return -EPROTO;
	if (!bytes)
		return 0;
	/* With a peer, IFA_ADDRESS is the peer's. Only IPv4 always has IFA_LOCAL. */
	own = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	*a = (struct rtnl_addr){.index = (int)ifa->ifa_index,
				.family = ifa->ifa_family,
				.bits = ifa->ifa_prefixlen,
				.scope = ifa->ifa_scope,
				.passing = ifa->ifa_family == AF_INET6 &&
					   (flags & (IFA_F_TEMPORARY | IFA_F_DADFAILED)),
				.no_route = flags & IFA_F_NOPREFIXROUTE};
	if (a->index <= 0 || !own || !rtnl_parse_bits_fit(a->family, a->bits) ||
	    nl_get(own, a->addr, bytes) < 0 ||
	    nl_get(tb[IFA_ADDRESS] ? tb[IFA_ADDRESS] : own, a->to, bytes) < 0 ||
	    nl_get(tb[IFA_RT_PRIORITY], &a->metric, sizeof(a->metric)) < 0)
		return -EPROTO;
	if (a->family == AF_INET && (nl_get(tb[IFA_BROADCAST], a->broadcast, bytes) < 0 ||
				     nl_get_str(tb[IFA_LABEL], a->label, sizeof(a->label)) < 0))
		return -EPROTO;
	return 1;
}

static bool rtnl_parse_is_implied(uint8_t protocol)
{
	return protocol == RTPROT_KERNEL || protocol == RTPROT_REDIRECT || protocol == RTPROT_RA;
}

static int rtnl_parse_metrics(const struct nlattr *metrics, struct rtnl_route *t)
{
	const struct nlattr *tb[RTAX_ADVMSS + 1];

	if (!metrics)
		return 0;
	if (nl_nested(metrics, tb, ARRAY_SIZE(tb)) < 0 ||
	    nl_get(tb[RTAX_MTU], &t->mtu, sizeof(t->mtu)) < 0 ||
	    nl_get(tb[RTAX_ADVMSS], &t->advmss, sizeof(t->advmss)) < 0)
		return -EPROTO;
	return 0;
}

static int rtnl_parse_route(const struct nlmsghdr *nlh, union rtnl_item *ret)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[RTA_VIA + 1];
	struct rtnl_route *t = &ret->route;
	uint32_t out = 0, metric = 0, table;
	size_t bytes;

	if (nl_attrs(nlh, sizeof(*rtm), tb, ARRAY_SIZE(tb)) < 0)
		return -EPROTO;
	bytes = rtnl_parse_family_bytes(rtm->rtm_family);
	table = rtm->rtm_table;
	if (nl_get(tb[RTA_TABLE], &table, sizeof(table)) < 0 ||
	    nl_get(tb[RTA_OIF], &out, sizeof(out)) < 0 ||
	    nl_get(tb[RTA_PRIORITY], &metric, sizeof(metric)) < 0)
		return -EPROTO;
	/* struct rtnl_route cannot express RTA_VIA, an IPv6 gateway of an IPv4 route. */
	if (!bytes || table != RT_TABLE_MAIN || rtm->rtm_type != RTN_UNICAST || out == 0 ||
	    (rtm->rtm_flags & RTM_F_CLONED) || tb[RTA_VIA] || rtm->rtm_tos || rtm->rtm_src_len)
		return 0;
	*t = (struct rtnl_route){.out_index = (int)out,
				 .family = rtm->rtm_family,
				 .bits = rtm->rtm_dst_len,
				 .scope = rtm->rtm_scope,
				 .protocol = rtm->rtm_protocol,
				 .has_gateway = tb[RTA_GATEWAY],
				 .connected = rtm->rtm_protocol == RTPROT_KERNEL,
				 .implied = rtnl_parse_is_implied(rtm->rtm_protocol),
				 .onlink = rtm->rtm_flags & RTNH_F_ONLINK,
				 .metric = metric};
	if (t->out_index <= 0 || !rtnl_parse_bits_fit(t->family, t->bits) ||
	    (t->bits && !tb[RTA_DST]) || nl_get(tb[RTA_DST], t->dst, bytes) < 0 ||
	    nl_get(tb[RTA_GATEWAY], t->gateway, bytes) < 0 ||
	    nl_get(tb[RTA_PREFSRC], t->src, bytes) < 0 ||
	    rtnl_parse_metrics(tb[RTA_METRICS], t) < 0)
		return -EPROTO;
	return 1;
}

/* The destination of a route of any type */
static int rtnl_parse_net(const struct nlmsghdr *nlh, union rtnl_item *ret)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[RTA_TABLE + 1];
	struct rtnl_net *n = &ret->net;

	if (nl_attrs(nlh, sizeof(*rtm), tb, ARRAY_SIZE(tb)) < 0)
		return -EPROTO;
	if (rtm->rtm_family != AF_INET || (rtm->rtm_flags & RTM_F_CLONED))
		return 0;
	*n = (struct rtnl_net){.net = {.bits = rtm->rtm_dst_len}, .table = rtm->rtm_table};
	if (!rtnl_parse_bits_fit(AF_INET, n->net.bits) || (n->net.bits && !tb[RTA_DST]) ||
	    nl_get(tb[RTA_DST], &n->net.addr, sizeof(n->net.addr)) < 0 ||
	    nl_get(tb[RTA_TABLE], &n->table, sizeof(n->table)) < 0)
		return -EPROTO;
	return 1;
}

static int rtnl_parse_neigh(const struct nlmsghdr *nlh, union rtnl_item *ret)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NDA_LLADDR + 1];
	struct rtnl_neigh *n = &ret->neigh;

	if (nl_attrs(nlh, sizeof(*ndm), tb, ARRAY_SIZE(tb)) < 0)
		return -EPROTO;
	if (!rtnl_parse_family_bytes(ndm->ndm_family) || !(ndm->ndm_state & NUD_PERMANENT) ||
	    (ndm->ndm_flags & NTF_PROXY) || !tb[NDA_LLADDR] ||
	    mnl_attr_get_payload_len(tb[NDA_LLADDR]) != sizeof(n->mac))
		return 0;
	*n = (struct rtnl_neigh){.index = ndm->ndm_ifindex, .family = ndm->ndm_family};
	if (n->index <= 0 || !tb[NDA_DST] ||
	    nl_get(tb[NDA_DST], n->addr, rtnl_parse_family_bytes(n->family)) < 0 ||
	    nl_get(tb[NDA_LLADDR], n->mac, sizeof(n->mac)) < 0)
		return -EPROTO;
	return 1;
}

/* What the kernel makes by itself is no loss: another kernel makes it, too. */
static int rtnl_parse_left_route(const struct nlmsghdr *nlh, union rtnl_item *ret UNUSED)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	union rtnl_item item;
	int rc = rtnl_parse_route(nlh, &item);

	if (rc < 0)
		return rc;
	return rc == 0 && rtnl_parse_family_bytes(rtm->rtm_family) &&
	       !(rtm->rtm_flags & RTM_F_CLONED) && !rtnl_parse_is_implied(rtm->rtm_protocol);
}

static int rtnl_parse_left_rule(const struct nlmsghdr *nlh, union rtnl_item *ret UNUSED)
{
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[FRA_PROTOCOL + 1];
	uint8_t protocol = RTPROT_UNSPEC;

	if (nl_attrs(nlh, sizeof(*rule), tb, ARRAY_SIZE(tb)) < 0 ||
	    nl_get(tb[FRA_PROTOCOL], &protocol, sizeof(protocol)) < 0)
		return -EPROTO;
	return rtnl_parse_family_bytes(rule->family) && protocol != RTPROT_KERNEL;
}

int rtnl_parse(enum rtnl_kind kind, const struct nlmsghdr *nlh, union rtnl_item *ret)
{
	static const struct {
		uint16_t answer;
		int (*parse)(const struct nlmsghdr *nlh, union rtnl_item *ret);
	} kinds[RTNL_KINDS] = {
		[RTNL_LINK] = {RTM_NEWLINK, rtnl_parse_link},
		[RTNL_ADDR] = {RTM_NEWADDR, rtnl_parse_addr},
		[RTNL_ROUTE] = {RTM_NEWROUTE, rtnl_parse_route},
		[RTNL_NEIGH] = {RTM_NEWNEIGH, rtnl_parse_neigh},
		[RTNL_NET] = {RTM_NEWROUTE, rtnl_parse_net},
		[RTNL_LEFT_ROUTE] = {RTM_NEWROUTE, rtnl_parse_left_route},
		[RTNL_LEFT_RULE] = {RTM_NEWRULE, rtnl_parse_left_rule},
	};

	return nlh->nlmsg_type == kinds[kind].answer ? kinds[kind].parse(nlh, ret) : -EPROTO;
}
