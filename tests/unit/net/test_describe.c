/* SPDX-License-Identifier: BSD-3-Clause */
/* The items that a container's init gets of networks that config.json has; test_whole.c has those of a namespace */
#include <criterion/criterion.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "runtime/net/net.h"
#include "tests/support/addr_text.h"

static struct spec_items items;
static size_t at;

static void describe(const struct net_record *m, unsigned int nr)
{
	struct err err;

	cr_assert_eq(net_describe(m, nr, &items, &err), 0, "%s", err.msg);
	cr_assert_eq(spec_items_check(&items, &err), 0, "%s", err.msg);
}

/* The next item must be of @type, its struct of @size. Return: its string */
static const char *take(enum agent_item_type type, void *ret, size_t size)
{
	struct agent_item head;
	const uint8_t *item = spec_items_next(items.bytes, items.len, &at, &head);

	cr_assert(item && head.type == type && head.bytes >= size, "type %u", type);
	memcpy(ret, item, size);
	return (const char *)item + size;
}

static void ends(void)
{
	struct agent_item head;

	cr_assert_null(spec_items_next(items.bytes, items.len, &at, &head));
	spec_items_done(&items);
}

Test(net_describe, an_address_and_a_gateway)
{
	const struct net_record m[] = {
		{.mode = NET_MODE_NONE, .mtu = 1500},
		{.mode = NET_MODE_PRIVATE,
		 .mac = {2, 0, 0, 0, 0, 1},
		 .mtu = 1400,
		 .guest = addr("100.64.0.6/30"),
		 .gateway = addr("100.64.0.5").addr},
	};
	const uint32_t broadcast = addr("100.64.0.7").addr;
	struct agent_link l;
	struct agent_address a;
	struct agent_route r;

	describe(m, ARRAY_SIZE(m));
	cr_expect_str_eq(take(AGENT_LINK, &l, sizeof(l)), "eth1");
	cr_expect_eq(memcmp(l.mac, m[1].mac, sizeof(l.mac)), 0);
	cr_expect_eq(l.mtu, 1400);
	cr_expect_eq(l.flags, 0);
	(void)take(AGENT_ADDRESS, &a, sizeof(a));
	cr_expect(a.link == 0 && a.family == AF_INET && a.bits == 30 && a.flags == 0);
	cr_expect_eq(memcmp(a.addr, &m[1].guest.addr, 4), 0);
	cr_expect_eq(memcmp(a.to, a.addr, sizeof(a.to)), 0);
	cr_expect_eq(memcmp(a.broadcast, &broadcast, 4), 0);
	(void)take(AGENT_ROUTE, &r, sizeof(r));
	cr_expect(r.link == 0 && r.dst_bits == 0 && r.protocol == RTPROT_BOOT);
	cr_expect_eq(memcmp(r.gateway, &m[1].gateway, 4), 0);
	ends();
}

/* Links are counted without devices that have none. */
Test(net_describe, only_what_has_a_link)
{
	const struct net_record m[] = {
		{.mode = NET_MODE_NONE},
		{.mode = NET_MODE_BRIDGE, .mtu = 9000},
		{.mode = NET_MODE_TAP, .guest = addr("10.1.2.3/31")},
	};
	struct agent_link l;
	struct agent_address a;

	describe(m, 1);
	ends();
	at = 0;
	describe(m, ARRAY_SIZE(m));
	cr_expect_str_eq(take(AGENT_LINK, &l, sizeof(l)), "eth1");
	cr_expect_str_eq(take(AGENT_LINK, &l, sizeof(l)), "eth2");
	(void)take(AGENT_ADDRESS, &a, sizeof(a));
	cr_expect_eq(a.link, 1);
	cr_expect_eq(memcmp(a.broadcast, (uint8_t[4]){0}, 4), 0, "a link of two has none");
	ends();
}
