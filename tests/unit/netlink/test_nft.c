/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/netlink/netns.h"
#include "runtime/netlink/nft.h"
#include "runtime/netlink/rtnl.h"
#include "runtime/netlink/tap.h"
#include "tests/support/private_net.h"

#define GROUP 77

static struct nl nft;
static struct err err;
static uint8_t family = NFPROTO_INET; /* that list() asks for */

static int add(const char *table, const char *link, struct net_addr guest, bool masquerade)
{
	const struct nft_private p = {link, GROUP, guest.addr, masquerade};

	return nft_private_add(&nft, table, &p, &err);
}

static void begin(void)
{
	int rc;

	private_net_or_skip();
	if (nl_open(&nft, NETLINK_NETFILTER, &err) < 0)
		cr_skip_test("this kernel has no nfnetlink");
	rc = add("probe", "none", net("10.0.0.2", 30), true);
	if (rc == -EOPNOTSUPP)
		cr_skip_test("this kernel has no nf_tables, or no masquerading in it");
	ok(rc);
	ok(nft_table_del(&nft, "probe", "none", &err));
}

TestSuite(nft, .init = begin);

/** struct listing - The names that a list of one kind has, in its order: "a b " */
struct listing {
	uint16_t attr; /* the one that has the name; of a rule: its expressions */
	char text[512];
};

static void append(struct listing *l, const char *name)
{
	size_t len = strlen(l->text);

	snprintf(l->text + len, sizeof(l->text) - len, "%s ", name);
}

static int on_item(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *tb[16], *element, *expr[NFTA_EXPR_NAME + 1];
	struct listing *l = arg;
	char name[256] = "";

	if (nl_attrs(nlh, sizeof(struct nfgenmsg), tb, ARRAY_SIZE(tb)) < 0 || !tb[l->attr])
		return -EPROTO;
	if ((nlh->nlmsg_type & 0xff) != NFT_MSG_NEWRULE) {
		if (nl_get_str(tb[l->attr], name, sizeof(name)) < 0)
			return -EPROTO;
		append(l, name);
		return 0;
	}
	mnl_attr_for_each_nested(element, tb[l->attr])
	{
		if (nl_nested(element, expr, ARRAY_SIZE(expr)) < 0 ||
		    nl_get_str(expr[NFTA_EXPR_NAME], name, sizeof(name)) < 0)
			return -EPROTO;
		append(l, name);
	}
	return 0;
}

static const char *list(uint16_t type, uint16_t attr)
{
	static struct listing l;
	struct nlmsghdr *nlh = nl_begin(&nft, NFNL_SUBSYS_NFTABLES << 8 | type, NLM_F_DUMP);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));

	g->nfgen_family = family;
	l = (struct listing){.attr = attr};
	ok(nl_talk(&nft, on_item, &l, "list", &err));
	return l.text;
}

/* A forward chain's, link by link and interface by interface, then postrouting's */
#define RULES                                                                                      \
	"meta cmp meta cmp immediate meta cmp ct bitwise cmp immediate meta cmp immediate "        \
	"meta cmp meta cmp immediate meta cmp payload cmp immediate meta cmp meta cmp immediate "  \
	"meta cmp meta bitwise meta meta cmp payload cmp meta cmp masq "

#define tables() list(NFT_MSG_GETTABLE, NFTA_TABLE_NAME)
#define chains() list(NFT_MSG_GETCHAIN, NFTA_CHAIN_NAME)
#define rules()	 list(NFT_MSG_GETRULE, NFTA_RULE_EXPRESSIONS)

Test(nft, a_table_comes_and_goes)
{
	cr_expect_str_eq(tables(), "");
	ok(add("vmrun_a", "h0", net("100.64.0.0", 30), true));
	cr_expect_str_eq(tables(), "vmrun_a ");
	cr_expect_str_eq(chains(), "forward postrouting ");
	cr_expect_str_eq(rules(), RULES);
	family = NFPROTO_BRIDGE;
	cr_expect_str_eq(tables(), "vmrun_a ");
	cr_expect_str_eq(chains(), "output ");
	cr_expect_str_eq(rules(), "meta cmp meta bitwise cmp immediate ");
	family = NFPROTO_INET;
	ok(add("vmrun_b", "h1", net("100.64.0.4", 30), true));
	cr_expect_str_eq(tables(), "vmrun_a vmrun_b ");
	ok(nft_table_del(&nft, "vmrun_a", "h0", &err));
	cr_expect_str_eq(tables(), "vmrun_b ");
	ok(nft_table_del(&nft, "vmrun_b", "h1", &err));
	cr_expect_str_eq(tables(), "");
	cr_expect_str_eq(chains(), "");
	family = NFPROTO_BRIDGE;
	cr_expect_str_eq(tables(), "");
	family = NFPROTO_INET;
	ok(add("vmrun_c", "h2", net("100.64.0.8", 30), false));
	cr_expect_str_eq(rules(), "meta cmp immediate meta cmp immediate ",
			 "no connections tracked");
	family = NFPROTO_BRIDGE;
	cr_expect_str_eq(tables(), "");
	ok(nft_table_del(&nft, "vmrun_c", "h2", &err));
}

Test(nft, all_of_it_or_nothing)
{
	char name[300];

	ok(add("t", "h0", net("100.64.0.0", 30), true));
	cr_expect_eq(add("t", "h0", net("100.64.0.0", 30), true), -EEXIST);
	cr_expect(strstr(err.msg, "table t"), "%s", err.msg);
	cr_expect_str_eq(tables(), "t ");
	cr_expect_str_eq(rules(), RULES, "and not twice");
	ok(nft_table_del(&nft, "t", "h0", &err));
	cr_expect_eq(nft_table_del(&nft, "t", "h0", &err), -ENOENT, "%s", err.msg);

	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	ok(add(name, "fifteen-bytes-x", net("100.64.0.0", 30), true));
	ok(nft_table_del(&nft, name, "fifteen-bytes-x", &err));
	name[255] = 'n';
	name[299] = '\0';
	cr_expect_eq(add(name, "x", net("1.0.0.0", 8), true), -EINVAL);
	cr_expect_eq(add("", "x", net("1.0.0.0", 8), true), -EINVAL);
	cr_expect_eq(add("t", "sixteen-bytes-xx", net("1.0.0.0", 8), true), -EINVAL);
	cr_expect_eq(nft_table_del(&nft, name, "fifteen-bytes-x", &err), -EINVAL);
	cr_expect_str_eq(tables(), "");
}

/* A table as nft adds one, or with a comment of @len bytes */
static void add_foreign(const char *name, const void *comment, size_t len)
{
	struct nlmsghdr *nlh = nl_begin(&nft, NFNL_MSG_BATCH_BEGIN, 0);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));

	nlh->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
	g->res_id = htons(NFNL_SUBSYS_NFTABLES);
	nlh = nl_more(&nft, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK);
	g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));
	g->nfgen_family = NFPROTO_INET;
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, name);
	if (len > 0)
		mnl_attr_put(nlh, NFTA_TABLE_USERDATA, len, comment);
	g = mnl_nlmsg_put_extra_header(nl_more(&nft, NFNL_MSG_BATCH_END, 0), sizeof(*g));
	g->res_id = htons(NFNL_SUBSYS_NFTABLES);
	ok(nl_talk(&nft, NULL, NULL, "add table", &err));
}

Test(nft, anothers_table_stays)
{
	add_foreign("vmrun_a", NULL, 0);
	cr_expect_eq(nft_table_del(&nft, "vmrun_a", "h0", &err), -ENOENT);
	cr_expect(strstr(err.msg, "not this VM's"), "%s", err.msg);
	ok(add("vmrun_d", "h4", net("100.64.0.0", 30), true));
	cr_expect_eq(nft_table_del(&nft, "vmrun_d", "h5", &err), -ENOENT, "of another link");
	ok(nft_table_del(&nft, "vmrun_d", "h4", &err));
	add_foreign("vmrun_b", "\0\11vmruN h1", 11);
	cr_expect_eq(nft_table_del(&nft, "vmrun_b", "h1", &err), -ENOENT);
	add_foreign("vmrun_c", "\0\12vmrun h2\0", 12);
	cr_expect_eq(nft_table_del(&nft, "vmrun_c", "h2", &err), -ENOENT);
	cr_expect_str_eq(tables(), "vmrun_a vmrun_b vmrun_c ");
}

/** struct host - A namespace with one end of a veth pair: a guest, or a machine on the internet */
struct host {
	int ns, udp;
};

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s", path);
	close(fd);
}

static void set_up(struct nl *nl, const char *name, struct net_addr a)
{
	struct rtnl_change c = {.up = true, .netns_fd = -1};
	struct rtnl_link l;

	ok(rtnl_link_get(nl, name, &l, &err));
	ok(rtnl_addr_add(nl, l.index, a, &err));
	ok(rtnl_link_change(nl, l.index, &c, &err));
}

static void add_default_route(struct nl *nl, struct net_addr gateway)
{
	struct nlmsghdr *nlh = nl_begin(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = AF_INET;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(nlh, RTA_GATEWAY, gateway.addr);
	ok(nl_talk(nl, NULL, NULL, "add route", &err));
}

/* Joined to this host, which has @near, by a pair @name and "peer" */
static struct host new_host(struct nl *nl, const char *name, struct net_addr near,
			    struct net_addr far)
{
	struct timeval patience = {.tv_usec = 50000};
	struct host h;
	struct nl inner;
	int old;

	ok(netns_enter(-1, &old, &err));
	ok(netns_open("/proc/thread-self/ns/net", &h.ns, &err));
	ok(nl_open(&inner, NETLINK_ROUTE, &err));
	put("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
	put("/proc/sys/net/ipv4/conf/default/rp_filter", "0");
	h.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(setsockopt(h.udp, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	netns_leave(old);

	ok(rtnl_veth_add(nl, name, "peer", h.ns, &err));
	set_up(nl, name, near);
	set_up(&inner, "peer", far);
	add_default_route(&inner, near);
	nl_close(&inner);
	return h;
}

/* The sender that @to sees in a datagram of @from */
static const char *seen_as(const struct host *from, const struct host *to, struct net_addr to_addr,
			   uint16_t source_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(source_port)}, seen;
	static char text[INET_ADDRSTRLEN];
	socklen_t len = sizeof(seen);
	char byte = 'x';
	ssize_t n = -1;
	int fd = dup(from->udp);

	cr_assert_eq(bind(fd, (const void *)&a, sizeof(a)), 0);
	a.sin_addr.s_addr = to_addr.addr;
	a.sin_port = htons(9);
	/* Again and again: the kernel drops what comes before it has seen the carrier. */
	for (int i = 0; i < 200 && n != 1; i++) {
		(void)!sendto(fd, &byte, 1, 0, (const void *)&a, sizeof(a));
		n = recvfrom(to->udp, &byte, 1, 0, (void *)&seen, &len);
	}
	cr_assert_eq(n, 1, "forwarded");
	close(fd);
	return inet_ntop(AF_INET, &seen.sin_addr, text, sizeof(text));
}

static void masquerades(const char *link, struct net_addr source, const char *want)
{
	static struct nl nl;
	struct host guest, outside;
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(9)};

	ok(nl_open(&nl, NETLINK_ROUTE, &err));
	put("/proc/sys/net/ipv4/ip_forward", "1");
	guest = new_host(&nl, "h0", net("100.64.0.1", 30), net("100.64.0.2", 30));
	outside = new_host(&nl, "o0", net("10.5.0.1", 24), net("10.5.0.2", 24));
	cr_assert_eq(bind(outside.udp, (const void *)&any, sizeof(any)), 0);
	ok(add("t", link, source, true));
	cr_expect_str_eq(seen_as(&guest, &outside, net("10.5.0.2", 24), 5001), want);
}

Test(nft, what_comes_from_the_guest_is_masqueraded)
{
	masquerades("h0", net("100.64.0.2", 30), "10.5.0.1");
}

Test(nft, an_interface_is_compared_whole)
{
	masquerades("o", net("100.64.0.2", 30), "10.5.0.1");
}

Test(nft, not_from_another_address)
{
	masquerades("h", net("100.64.0.3", 30), "100.64.0.2");
}
