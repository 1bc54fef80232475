/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/netlink/rtnl.h"
#include "runtime/netlink/tap.h"
#include "runtime/netlink/tc.h"
#include "tests/support/private_net.h"

#define HEADER_BYTES 12
#define SENDS	     200 /* at most; the kernel drops what comes before it has seen the carrier */
#define PAUSE_MS     50
#define MARK	     4711

static struct nl nl;
static struct err err;

static void begin(void)
{
	private_net_open(&nl);
}

TestSuite(tc, .init = begin);

static int up(const char *name)
{
	struct rtnl_change c = {.up = true, .netns_fd = -1};
	struct rtnl_link l;

	ok(rtnl_link_get(&nl, name, &l, &err));
	ok(rtnl_link_change(&nl, l.index, &c, &err));
	return l.index;
}

/** struct seen - What the kernel lists of qdiscs or filters: how many, and the last one's kind */
struct seen {
	unsigned int nr;
	char kind[16];
};

static int see(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *tb[TCA_OPTIONS + 1];
	struct seen *s = arg;
	char kind[16] = "";

	if (nl_attrs(nlh, sizeof(struct tcmsg), tb, ARRAY_SIZE(tb)) < 0 ||
	    nl_get_str(tb[TCA_KIND], kind, sizeof(kind)) < 0)
		return -EPROTO;
	/* A filter is listed with its hash tables, which have no options; qdiscs with all others. */
	if (nlh->nlmsg_type == RTM_NEWQDISC && strcmp(kind, "ingress") != 0)
		return 0;
	s->nr++;
	memcpy(s->kind, kind, sizeof(kind));
	return 0;
}

static struct seen list(uint16_t type, int index)
{
	struct nlmsghdr *nlh = nl_begin(&nl, type, NLM_F_DUMP);
	struct tcmsg *t = mnl_nlmsg_put_extra_header(nlh, sizeof(*t));
	struct seen s = {0};

	t->tcm_ifindex = index;
	if (type == RTM_GETTFILTER)
		t->tcm_parent = 0xffff0000;
	ok(nl_talk(&nl, see, &s, "list", &err));
	return s;
}

static int packet_socket(int index)
{
	struct sockaddr_ll a = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (const void *)&a, sizeof(a)), 0);
	return fd;
}

static const uint8_t frame[64] = {0x02, 0,    0,    0,	  0,   0xbb, 0x02, 0,	0,  0,
				  0,	0xaa, 0x88, 0xb5, 'v', 'm',  'r',  'u', 'n'};

static bool is_there(int fd, size_t skip)
{
	uint8_t bytes[2048];
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (poll(&p, 1, PAUSE_MS) == 1) {
		ssize_t n = read(fd, bytes, sizeof(bytes));

		if (n == (ssize_t)(skip + sizeof(frame)) &&
		    memcmp(bytes + skip, frame, sizeof(frame)) == 0)
			return true;
	}
	return false;
}

/* Sends the frame until it comes, @skip bytes behind the start of what is read */
static bool crosses(int from, int to, const void *bytes, size_t len, size_t skip)
{
	for (int i = 0; i < SENDS; i++) {
		(void)!write(from, bytes, len);
		if (is_there(to, skip))
			return true;
	}
	return false;
}

Test(tc, frames_cross_both_ways)
{
	uint8_t with_header[HEADER_BYTES + sizeof(frame)] = {0};
	struct tap tap;
	int outer, inner, port, packets, r;

	r = tap_open("guest0", 1, &tap, &err);
	if (r == -ENOENT || r == -EACCES || r == -EPERM)
		cr_skip_test("no TAPs here");
	ok(r);
	ok(rtnl_veth_add(&nl, "outer", "inner", -1, &err));
	outer = up("outer");
	inner = up("inner");
	port = up("guest0");
	ok(tc_redirect(&nl, inner, port, MARK, &err));
	ok(tc_redirect(&nl, port, inner, MARK, &err));
	packets = packet_socket(outer);

	cr_expect(crosses(packets, tap.fd[0], frame, sizeof(frame), HEADER_BYTES),
		  "from the veth to the TAP");
	memcpy(with_header + HEADER_BYTES, frame, sizeof(frame));
	cr_expect(crosses(tap.fd[0], packets, with_header, sizeof(with_header), 0),
		  "from the TAP to the veth");
	close(packets);
	tap_close(&tap);
}

Test(tc, what_was_added_is_listed_and_removed)
{
	struct seen s;
	int a, b;

	ok(rtnl_veth_add(&nl, "va", "vb", -1, &err));
	a = up("va");
	b = up("vb");
	cr_expect_eq(tc_clear(&nl, a, MARK, &err), -ENOENT, "never had one: %s", err.msg);
	ok(tc_redirect(&nl, a, b, MARK, &err));
	cr_expect_eq(list(RTM_GETQDISC, a).nr, 1);
	s = list(RTM_GETTFILTER, a);
	cr_expect_geq(s.nr, 1);
	cr_expect(strcmp(s.kind, "matchall") == 0 || strcmp(s.kind, "u32") == 0, "%s", s.kind);
	cr_expect_eq(list(RTM_GETTFILTER, b).nr, 0, "one way only");

	cr_expect_eq(tc_redirect(&nl, a, b, MARK, &err), -EEXIST, "%s", err.msg);
	cr_expect_geq(list(RTM_GETTFILTER, a).nr, 1, "a second one leaves the first alone");

	ok(tc_clear(&nl, a, MARK, &err));
	cr_expect_eq(list(RTM_GETQDISC, a).nr, 0);
	cr_expect_eq(tc_clear(&nl, a, MARK, &err), -ENOENT, "has none any more: %s", err.msg);
	ok(tc_redirect(&nl, a, b, MARK, &err));
}

Test(tc, a_failure_leaves_nothing)
{
	int a;

	ok(rtnl_veth_add(&nl, "va", "vb", -1, &err));
	a = up("va");
	cr_expect_eq(tc_redirect(&nl, a, 4242, MARK, &err), -ENODEV, "%s", err.msg);
	cr_expect(strstr(err.msg, "4242"), "%s", err.msg);
	cr_expect_eq(list(RTM_GETQDISC, a).nr, 0);
	cr_expect_eq(tc_redirect(&nl, 4242, a, MARK, &err), -ENODEV, "%s", err.msg);
}

/* An ingress qdisc or clsact as another program makes it, without filters */
static int add_qdisc(int index, const char *kind)
{
	struct nlmsghdr *nlh = nl_begin(&nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
	struct tcmsg *t = mnl_nlmsg_put_extra_header(nlh, sizeof(*t));

	t->tcm_ifindex = index;
	t->tcm_parent = TC_H_INGRESS;
	t->tcm_handle = 0xffff0000;
	mnl_attr_put_strz(nlh, TCA_KIND, kind);
	return nl_talk(&nl, NULL, NULL, kind, &err);
}

Test(tc, what_is_anothers_stays)
{
	int a, b, r;

	ok(rtnl_veth_add(&nl, "va", "vb", -1, &err));
	a = up("va");
	b = up("vb");
	cr_expect_eq(tc_taken(&nl, a, &err), 0, "%s", err.msg);
	ok(tc_redirect(&nl, a, b, MARK + 1, &err));
	cr_expect_eq(tc_taken(&nl, a, &err), 1, "%s", err.msg);
	cr_expect_eq(tc_clear(&nl, a, MARK, &err), -ENOENT, "%s", err.msg);
	cr_expect_eq(list(RTM_GETQDISC, a).nr, 1);
	ok(tc_clear(&nl, a, MARK + 1, &err));
	cr_expect_eq(tc_taken(&nl, a, &err), 0, "it was, and is no more: %s", err.msg);
	cr_expect_eq(tc_taken(&nl, 4242, &err), -ENODEV);
	r = add_qdisc(b, "clsact");
	if (r == -ENOENT)
		return; /* a kernel without */
	ok(r);
	cr_expect_eq(tc_taken(&nl, b, &err), 1, "the same place");
	cr_expect_eq(tc_redirect(&nl, b, a, MARK, &err), -EEXIST, "%s", err.msg);
	cr_expect_eq(tc_clear(&nl, b, MARK, &err), -ENOENT, "%s", err.msg);
	cr_expect_eq(tc_taken(&nl, b, &err), 1);
}
