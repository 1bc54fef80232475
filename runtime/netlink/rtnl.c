/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/netlink/rtnl.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

#include "devices/core/fmt.h"

#define WHAT_BYTES 96

static int rtnl_check_name(const char *name, struct err *err)
{
	size_t len = strnlen(name, IFNAMSIZ);

	if (len == 0 || len >= IFNAMSIZ)
		return err_text(err, EINVAL, "interface name \"%.*s\" must be 1 to %d bytes long",
				(int)len, name, IFNAMSIZ - 1);
	return 0;
}

static struct nlmsghdr *rtnl_begin_link(struct nl *nl, uint16_t type, uint16_t flags, int index)
{
	struct nlmsghdr *nlh = nl_begin(nl, type, flags);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_index = index;
	return nlh;
}

static int rtnl_take_link(const struct nlmsghdr *nlh, void *arg)
{
	union rtnl_item item;
	int rc = rtnl_parse(RTNL_LINK, nlh, &item);

	if (rc < 0)
		return rc;
	*(struct rtnl_link *)arg = item.link;
	return 0;
}

int rtnl_link_get(struct nl *nl, const char *name, struct rtnl_link *ret, struct err *err)
{
	struct rtnl_link link = {0};
	char what[WHAT_BYTES];
	struct nlmsghdr *nlh;
	int rc;

	rc = rtnl_check_name(name, err);
	if (rc < 0)
		return rc;
	fmt_into(what, sizeof(what), "interface %s", name);
	nlh = rtnl_begin_link(nl, RTM_GETLINK, 0, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	rc = nl_talk(nl, rtnl_take_link, &link, what, err);
	if (rc < 0)
		return rc;
	if (link.index == 0)
		return err_text(err, EPROTO, "%s: acknowledged without an answer", what);
	*ret = link;
	return 0;
}

int rtnl_veth_add(struct nl *nl, const char *name, const char *peer, int peer_netns_fd,
		  struct err *err)
{
	struct nlattr *info, *data, *end;
	char what[WHAT_BYTES];
	struct nlmsghdr *nlh;
	int rc;

	rc = rtnl_check_name(name, err);
	if (rc == 0)
		rc = rtnl_check_name(peer, err);
	if (rc < 0)
		return rc;
	fmt_into(what, sizeof(what), "add veth pair %s, %s", name, peer);
	nlh = rtnl_begin_link(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	end = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, peer);
	if (peer_netns_fd >= 0)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)peer_netns_fd);
	mnl_attr_nest_end(nlh, end);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return nl_talk(nl, NULL, NULL, what, err);
}

int rtnl_macvtap_add(struct nl *nl, const char *name, int parent_index, const uint8_t mac[6],
		     struct err *err)
{
	struct nlattr *info, *data;
	char what[WHAT_BYTES];
	struct nlmsghdr *nlh;
	int rc;

	rc = rtnl_check_name(name, err);
	if (rc < 0)
		return rc;
	fmt_into(what, sizeof(what), "add macvtap %s", name);
	nlh = rtnl_begin_link(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_LINK, (uint32_t)parent_index);
	mnl_attr_put(nlh, IFLA_ADDRESS, 6, mac);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "macvtap");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u32(nlh, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return nl_talk(nl, NULL, NULL, what, err);
}

int rtnl_link_change(struct nl *nl, int index, const struct rtnl_change *c, struct err *err)
{
	char what[WHAT_BYTES];
	struct nlmsghdr *nlh;
	int rc;

	rc = c->name ? rtnl_check_name(c->name, err) : 0;
	if (rc < 0)
		return rc;
	fmt_into(what, sizeof(what), "change interface %d", index);
	nlh = rtnl_begin_link(nl, RTM_NEWLINK, 0, index);
	if (c->up) {
		struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

		ifi->ifi_flags = IFF_UP;
		ifi->ifi_change = IFF_UP;
	}
	if (c->mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, c->mtu);
	if (c->group)
		mnl_attr_put_u32(nlh, IFLA_GROUP, c->group);
	if (c->master)
		mnl_attr_put_u32(nlh, IFLA_MASTER, (uint32_t)c->master);
	if (c->netns_fd >= 0)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)c->netns_fd);
	if (c->mac)
		mnl_attr_put(nlh, IFLA_ADDRESS, 6, c->mac);
	if (c->name)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, c->name);
	return nl_talk(nl, NULL, NULL, what, err);
}

int rtnl_altname_add(struct nl *nl, int index, const char *name, struct err *err)
{
	char what[WHAT_BYTES];
	struct nlmsghdr *nlh;
	struct nlattr *list;

	fmt_into(what, sizeof(what), "name interface %d %s", index, name);
	nlh = rtnl_begin_link(nl, RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND, index);
	list = mnl_attr_nest_start(nlh, IFLA_PROP_LIST);
	mnl_attr_put_strz(nlh, IFLA_ALT_IFNAME, name);
	mnl_attr_nest_end(nlh, list);
	return nl_talk(nl, NULL, NULL, what, err);
}

int rtnl_link_del(struct nl *nl, int index, struct err *err)
{
	char what[WHAT_BYTES];

	fmt_into(what, sizeof(what), "remove interface %d", index);
	rtnl_begin_link(nl, RTM_DELLINK, 0, index);
	return nl_talk(nl, NULL, NULL, what, err);
}

int rtnl_addr_add(struct nl *nl, int index, struct net_addr a, struct err *err)
{
	uint8_t byte[sizeof(a.addr)];
	struct ifaddrmsg *ifa;
	char what[WHAT_BYTES];
	struct nlmsghdr *nlh;

	memcpy(byte, &a.addr, sizeof(byte));
	fmt_into(what, sizeof(what), "add address %u.%u.%u.%u/%u to interface %d", byte[0], byte[1],
		 byte[2], byte[3], a.bits, index);
	nlh = nl_begin(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = a.bits;
	ifa->ifa_index = (uint32_t)index;
	mnl_attr_put_u32(nlh, IFA_LOCAL, a.addr);
	mnl_attr_put_u32(nlh, IFA_ADDRESS, a.addr);
	return nl_talk(nl, NULL, NULL, what, err);
}
