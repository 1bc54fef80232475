/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/spec_ip.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "devices/core/agent_spec.h"

#define LINKS 8

/** struct reader - The item at hand, and the names of all links so far */
struct reader {
	const unsigned char *at;
	size_t len;
	char link[LINKS][16];
	unsigned int nr_links;
	FILE *to;
};

static void take(struct reader *r, void *item, size_t size)
{
	cr_assert_leq(size, r->len, "an item is cut short");
	memcpy(item, r->at, size);
	r->at += size;
	r->len -= size;
}

static const char *name_of(const struct reader *r, uint32_t link)
{
	cr_assert_lt(link, r->nr_links, "an item names a link that does not come before it");
	return r->link[link];
}

static const char *text_of(int family, const void *addr, char ret[INET6_ADDRSTRLEN])
{
	cr_assert(family == AF_INET || family == AF_INET6, "family %d", family);
	return inet_ntop(family, addr, ret, INET6_ADDRSTRLEN);
}

static void put_link(struct reader *r)
{
	struct agent_link l;
	char *name = r->link[r->nr_links++];

	cr_assert_leq(r->nr_links, LINKS);
	take(r, &l, sizeof(l));
	cr_assert(r->len > 1 && r->len <= sizeof(r->link[0]) && !r->at[r->len - 1]);
	take(r, name, r->len);
	fprintf(r->to, "link set %s up mtu %u\n", name, l.mtu);
}

static void put_address(struct reader *r)
{
	char text[INET6_ADDRSTRLEN];
	struct agent_address a;

	take(r, &a, sizeof(a));
	fprintf(r->to, "addr add %s/%u dev %s %s\n", text_of(a.family, a.addr, text), a.bits,
		name_of(r, a.link), a.family == AF_INET6 ? "nodad" : "");
}

static void put_route(struct reader *r)
{
	static const unsigned char none[16];
	char dst[INET6_ADDRSTRLEN], gateway[INET6_ADDRSTRLEN];
	struct agent_route t;

	take(r, &t, sizeof(t));
	fprintf(r->to, "route add %s/%u", text_of(t.family, t.dst, dst), t.dst_bits);
	if (memcmp(t.gateway, none, sizeof(none)) != 0)
		fprintf(r->to, " via %s", text_of(t.family, t.gateway, gateway));
	fprintf(r->to, " dev %s", name_of(r, t.link));
	if (t.family == AF_INET)
		fprintf(r->to, " scope %u", t.scope);
	if (t.metric)
		fprintf(r->to, " metric %u", t.metric);
	fprintf(r->to, "\n");
}

static void put_neighbour(struct reader *r)
{
	char text[INET6_ADDRSTRLEN];
	struct agent_neighbour n;

	take(r, &n, sizeof(n));
	fprintf(r->to,
		"neigh replace %s lladdr %02x:%02x:%02x:%02x:%02x:%02x dev %s nud permanent\n",
		text_of(n.family, n.addr, text), n.mac[0], n.mac[1], n.mac[2], n.mac[3], n.mac[4],
		n.mac[5], name_of(r, n.link));
}

void spec_ip(const unsigned char *spec, size_t len, FILE *to)
{
	struct reader all = {.at = spec, .len = len, .to = to}, r = all;

	while (all.len > 0) {
		struct agent_item head;

		take(&all, &head, sizeof(head));
		cr_assert_leq(head.bytes, all.len, "an item is longer than the description");
		r.at = all.at;
		r.len = head.bytes;
		all.at += head.bytes;
		all.len -= head.bytes;
		switch (head.type) {
		case AGENT_LINK: put_link(&r); break;
		case AGENT_ADDRESS: put_address(&r); break;
		case AGENT_ROUTE: put_route(&r); break;
		case AGENT_NEIGHBOUR: put_neighbour(&r); break;
		default: cr_assert_fail("an item of type %u", head.type);
		}
		cr_assert_eq(r.len, 0, "an item of type %u is too long", head.type);
	}
}
