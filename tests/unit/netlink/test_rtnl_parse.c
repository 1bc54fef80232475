/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Answers to dumps that are right but for one attribute
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <string.h>

#include "runtime/netlink/rtnl.h"
#include "runtime/netlink/rtnl_dump.h"
#include "runtime/netlink/rtnl_parse.h"

/* A right answer of each kind: its type, its header, what its attributes of four bytes, or six, are */
static const struct {
	uint16_t type;
	size_t header_bytes;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
		struct rtmsg route;
		struct ndmsg neigh;
		struct fib_rule_hdr rule;
	} header;
	uint16_t four[3], six;
} right[RTNL_KINDS] = {
	[RTNL_LINK] = {RTM_NEWLINK,
		       sizeof(struct ifinfomsg),
		       {.link = {.ifi_index = 1}},
		       {IFLA_MTU, IFLA_MASTER},
		       0},
	[RTNL_ADDR] = {RTM_NEWADDR,
		       sizeof(struct ifaddrmsg),
		       {.addr = {.ifa_family = AF_INET, .ifa_index = 1, .ifa_prefixlen = 24}},
		       {IFA_LOCAL, IFA_ADDRESS, IFA_BROADCAST},
		       0},
	[RTNL_ROUTE] = {RTM_NEWROUTE,
			sizeof(struct rtmsg),
			{.route = {.rtm_family = AF_INET,
				   .rtm_table = RT_TABLE_MAIN,
				   .rtm_type = RTN_UNICAST,
				   .rtm_protocol = RTPROT_BOOT}},
			{RTA_OIF},
			0},
	[RTNL_NEIGH] =
		{RTM_NEWNEIGH,
		 sizeof(struct ndmsg),
		 {.neigh = {.ndm_family = AF_INET, .ndm_ifindex = 1, .ndm_state = NUD_PERMANENT}},
		 {NDA_DST},
		 NDA_LLADDR},
	[RTNL_NET] = {RTM_NEWROUTE,
		      sizeof(struct rtmsg),
		      {.route = {.rtm_family = AF_INET, .rtm_dst_len = 24}},
		      {RTA_DST},
		      0},
	[RTNL_LEFT_ROUTE] = {RTM_NEWROUTE,
			     sizeof(struct rtmsg),
			     {.route = {.rtm_family = AF_INET,
					.rtm_table = RT_TABLE_LOCAL,
					.rtm_type = RTN_UNICAST,
					.rtm_protocol = RTPROT_BOOT}},
			     {RTA_OIF},
			     0},
	[RTNL_LEFT_RULE] =
		{RTM_NEWRULE, sizeof(struct fib_rule_hdr), {.rule = {.family = AF_INET}}, {0}, 0},
};

static char buffer[1024] __attribute__((aligned(NLMSG_ALIGNTO)));

static struct nlmsghdr *begin(enum rtnl_kind kind)
{
	static const uint8_t mac[6] = {2, 3, 4, 5, 6, 7};
	struct nlmsghdr *nlh;

	memset(buffer, 0, sizeof(buffer));
	nlh = mnl_nlmsg_put_header(buffer);
	nlh->nlmsg_type = right[kind].type;
	memcpy(mnl_nlmsg_put_extra_header(nlh, right[kind].header_bytes), &right[kind].header,
	       right[kind].header_bytes);
	if (kind == RTNL_LINK)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, "a");
	for (unsigned int i = 0; i < ARRAY_SIZE(right[kind].four); i++)
		if (right[kind].four[i])
			mnl_attr_put_u32(nlh, right[kind].four[i], 1);
	if (right[kind].six)
		mnl_attr_put(nlh, right[kind].six, sizeof(mac), mac);
	return nlh;
}

static int parse(enum rtnl_kind kind, const struct nlmsghdr *nlh)
{
	union rtnl_item item;

	memset(&item, 0xaa, sizeof(item));
	return rtnl_parse(kind, nlh, &item);
}

Test(rtnl_parse_one, a_header_that_is_cut_off_and_an_attribute_without_end)
{
	for (enum rtnl_kind kind = 0; kind < RTNL_KINDS; kind++) {
		struct nlmsghdr *nlh = begin(kind);
		struct nlattr *last;

		cr_expect_eq(parse(kind, nlh), 1, "kind %u", kind);
		last = mnl_nlmsg_get_payload_tail(nlh);
		mnl_attr_put_u32(nlh, 250, 0); /* it does not exist */
		cr_expect_eq(parse(kind, nlh), 1, "kind %u", kind);
		last->nla_len = 100;
		cr_expect_eq(parse(kind, nlh), -EPROTO, "kind %u", kind);
		last->nla_len = 3;
		cr_expect_eq(parse(kind, nlh), -EPROTO, "kind %u", kind);
		nlh->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + right[kind].header_bytes - 1);
		cr_expect_eq(parse(kind, nlh), -EPROTO, "kind %u", kind);
		nlh->nlmsg_type++;
		cr_expect_eq(parse(kind, nlh), -EPROTO, "kind %u", kind);
	}
}

Test(rtnl_parse_one, an_attribute_of_another_size)
{
	static const struct {
		enum rtnl_kind kind;
		uint16_t attr;
	} bad[] = {
		{RTNL_LINK, IFLA_IFNAME},   {RTNL_LINK, IFLA_MTU},
		{RTNL_LINK, IFLA_MASTER},   {RTNL_LINK, IFLA_LINKINFO},
		{RTNL_ADDR, IFA_FLAGS},	    {RTNL_ADDR, IFA_LOCAL},
		{RTNL_ADDR, IFA_ADDRESS},   {RTNL_ADDR, IFA_RT_PRIORITY},
		{RTNL_ADDR, IFA_BROADCAST}, {RTNL_ADDR, IFA_LABEL},
		{RTNL_ROUTE, RTA_TABLE},    {RTNL_ROUTE, RTA_OIF},
		{RTNL_ROUTE, RTA_PRIORITY}, {RTNL_ROUTE, RTA_DST},
		{RTNL_ROUTE, RTA_GATEWAY},  {RTNL_ROUTE, RTA_PREFSRC},
		{RTNL_ROUTE, RTA_METRICS},  {RTNL_NEIGH, NDA_DST},
		{RTNL_NET, RTA_DST},	    {RTNL_NET, RTA_TABLE},
		{RTNL_LEFT_ROUTE, RTA_OIF},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct nlmsghdr *nlh = begin(bad[i].kind);

		mnl_attr_put(nlh, bad[i].attr, 1, "x");
		cr_expect_eq(parse(bad[i].kind, nlh), -EPROTO, "kind %u, attribute %u", bad[i].kind,
			     bad[i].attr);
	}
}

Test(rtnl_parse_one, numbers_that_mean_nothing)
{
	static const uint16_t metrics[] = {RTAX_MTU, RTAX_ADVMSS};
	struct nlmsghdr *nlh;
	struct nlattr *nest;

	for (unsigned int i = 0; i < ARRAY_SIZE(metrics); i++) {
		nlh = begin(RTNL_ROUTE);
		nest = mnl_attr_nest_start(nlh, RTA_METRICS);
		mnl_attr_put(nlh, metrics[i], 1, "x");
		mnl_attr_nest_end(nlh, nest);
		cr_expect_eq(parse(RTNL_ROUTE, nlh), -EPROTO, "metric %u", metrics[i]);
	}
	nlh = begin(RTNL_LEFT_RULE);
	mnl_attr_put_u32(nlh, FRA_PROTOCOL, 0);
	cr_expect_eq(parse(RTNL_LEFT_RULE, nlh), -EPROTO);
	nlh = begin(RTNL_LINK);
	((struct ifinfomsg *)mnl_nlmsg_get_payload(nlh))->ifi_index = 0;
	cr_expect_eq(parse(RTNL_LINK, nlh), -EPROTO);
	nlh = begin(RTNL_ADDR);
	((struct ifaddrmsg *)mnl_nlmsg_get_payload(nlh))->ifa_prefixlen = 33;
	cr_expect_eq(parse(RTNL_ADDR, nlh), -EPROTO);
	nlh = begin(RTNL_NET);
	((struct rtmsg *)mnl_nlmsg_get_payload(nlh))->rtm_dst_len = 33;
	cr_expect_eq(parse(RTNL_NET, nlh), -EPROTO);
	nlh = begin(RTNL_NEIGH);
	((struct ndmsg *)mnl_nlmsg_get_payload(nlh))->ndm_ifindex = 0;
	cr_expect_eq(parse(RTNL_NEIGH, nlh), -EPROTO);
}
