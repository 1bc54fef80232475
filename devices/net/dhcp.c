/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/net/dhcp.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#define DHCP_CLIENT_PORT 68
#define DHCP_FIXED	 240U /* bytes before the options: BOOTP's, and the cookie */
#define DHCP_BOOTP_MIN	 300U /* RFC 951: clients may refuse less */
#define DHCP_COOKIE	 0x63825363U
#define DHCP_BROADCAST	 0x8000U
#define DHCP_PACKET_MIN	 576U /* what every client takes, with the IP header */
#define DHCP_FOREVER	 UINT32_MAX
#define DHCP_OPTION_MAX	 255U

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK,
	DHCP_RELEASE,
	DHCP_INFORM
};

/* Offsets in a message */
enum dhcp_offset {
	DHCP_AT_XID = 4,
	DHCP_AT_FLAGS = 10,
	DHCP_AT_CIADDR = 12,
	DHCP_AT_GIADDR = 24,
	DHCP_AT_CHADDR = 28,
	DHCP_AT_SNAME = 44,
	DHCP_AT_FILE = 108,
	DHCP_AT_COOKIE = 236,
};

enum dhcp_option {
	DHCP_PAD = 0,
	DHCP_MASK = 1,
	DHCP_ROUTER = 3,
	DHCP_DNS = 6,
	DHCP_HOSTNAME = 12,
	DHCP_MTU = 26,
	DHCP_ADDRESS = 50,
	DHCP_LEASE_TIME = 51,
	DHCP_OVERLOAD = 52,
	DHCP_TYPE = 53,
	DHCP_SERVER = 54,
	DHCP_SIZE = 57,
	DHCP_CLIENT = 61,
	DHCP_ROUTES = 121,
	DHCP_END = 255,
};

/**
 * struct dhcp_asked - What a client's message says
 * @type:	0: none
 * @ciaddr, @address, @server: Network byte order, 0 where it says none
 * @size:	Bytes of the largest packet it takes
 * @client:	Its identifier, which goes back to it; NULL: none
 */
struct dhcp_asked {
	uint8_t type, overload;
	uint16_t flags, size;
	uint32_t ciaddr, address, server;
	const uint8_t *client;
	uint8_t client_bytes;
};

/* ---- reading ---- */

/* One option; false if it has not the length that it must have */
static bool dhcp_read_option(struct dhcp_asked *a, uint8_t code, const uint8_t *value, uint8_t len)
{
	switch (code) {
	case DHCP_TYPE: a->type = len == 1 ? value[0] : 0; return len == 1;
	case DHCP_OVERLOAD: a->overload = len == 1 ? value[0] : 0; return len == 1;
	case DHCP_ADDRESS:
	case DHCP_SERVER:
		if (len == 4)
			memcpy(code == DHCP_SERVER ? &a->server : &a->address, value, len);
		return len == 4;
	case DHCP_SIZE: a->size = len == 2 ? frame_get16(value) : 0; return len == 2;
	case DHCP_CLIENT:
		a->client = value;
		a->client_bytes = len;
		return len > 0;
	default: return true;
	}
}

/* One area of options; false if one of them exceeds it. The end may be missing. */
static bool dhcp_read_options(struct dhcp_asked *a, const uint8_t *p, size_t len)
{
	size_t at = 0;

	while (at < len && p[at] != DHCP_END) {
		const uint8_t code = p[at++];

		if (code == DHCP_PAD)
			continue;
		if (at == len || p[at] > len - at - 1)
			return false;
		if (!dhcp_read_option(a, code, p + at + 1, p[at]))
			return false;
		at += 1U + p[at];
	}
	return true;
}

static bool dhcp_read(const struct lease *l, const struct frame_in *in, struct dhcp_asked *ret)
{
	const uint8_t *const m = in->body;
	struct dhcp_asked a = {.size = DHCP_PACKET_MIN};

	/* A request over Ethernet by the interface itself, not forwarded by a relay */
	if (in->len < DHCP_FIXED || m[0] != 1 || m[1] != 1 || m[2] != ETH_ALEN ||
	    memcmp(m + DHCP_AT_CHADDR, l->mac, ETH_ALEN) != 0 ||
	    frame_get32(m + DHCP_AT_GIADDR) != 0 || frame_get32(m + DHCP_AT_COOKIE) != DHCP_COOKIE)
		return false;
	a.flags = frame_get16(m + DHCP_AT_FLAGS);
	memcpy(&a.ciaddr, m + DHCP_AT_CIADDR, sizeof(a.ciaddr));
	if (!dhcp_read_options(&a, m + DHCP_FIXED, in->len - DHCP_FIXED))
		return false;
	/* The field "file" goes before "sname" (RFC 2131 section 4.1); neither can overload again. */
	if (a.overload & 1 &&
	    !dhcp_read_options(&a, m + DHCP_AT_FILE, DHCP_AT_COOKIE - DHCP_AT_FILE))
		return false;
	if (a.overload & 2 &&
	    !dhcp_read_options(&a, m + DHCP_AT_SNAME, DHCP_AT_FILE - DHCP_AT_SNAME))
		return false;
	*ret = a;
	return true;
}

/* ---- deciding ---- */

/* The type of the answer; 0 for none */
static uint8_t dhcp_decide(const struct net_lease *n, const struct dhcp_asked *a)
{
	const uint32_t wanted = a->address ? a->address : a->ciaddr;

	if (a->server && a->server != n->server)
		return 0; /* it chose another server */
	switch (a->type) {
	case DHCP_DISCOVER: return DHCP_OFFER;
	case DHCP_REQUEST: return wanted == n->addr ? DHCP_ACK : DHCP_NAK;
	case DHCP_INFORM: return a->ciaddr ? DHCP_ACK : 0;
	default: return 0;
	}
}

/* ---- writing ---- */

static void dhcp_put(struct frame_out *f, uint8_t code, const void *value, size_t len)
{
	const size_t room = f->max - f->len;

	/* One byte remains for the end. */
	if (len == 0 || len > DHCP_OPTION_MAX || room < 3 || len > room - 3)
		return;
	frame_put8(f, code);
	frame_put8(f, (uint8_t)len);
	frame_put(f, value, len);
}

static size_t dhcp_add_route(uint8_t *at, const struct net_lease_route *r)
{
	const size_t bytes = (r->bits + 7U) / 8;

	at[0] = (uint8_t)r->bits;
	memcpy(at + 1, &r->dst, bytes);
	memcpy(at + 1 + bytes, &r->gateway, sizeof(r->gateway));
	return 1 + bytes + sizeof(r->gateway);
}

/*
 * All routes, with the default one: a client that reads this option does not look at the router's. They go
 * into as many options of one code as they take (RFC 3396), or into none.
 */
static void dhcp_put_routes(struct frame_out *f, const struct net_lease *n)
{
	const struct net_lease_route gateway = {.gateway = n->gateway};
	uint8_t all[(NET_LEASE_ROUTES + 1) * 9];
	size_t len = 0, room = f->max - f->len;

	if (n->nr_routes == 0)
		return;
	if (n->gateway)
		len = dhcp_add_route(all, &gateway);
	for (unsigned int i = 0; i < n->nr_routes; i++)
		len += dhcp_add_route(all + len, &n->route[i]);
	if (room < 5 || len > room - 5) {
		f->full = true;
		return;
	}
	for (size_t at = 0; at < len; at += DHCP_OPTION_MAX)
		dhcp_put(f, DHCP_ROUTES, all + at,
			 len - at < DHCP_OPTION_MAX ? len - at : DHCP_OPTION_MAX);
}

static void dhcp_put_settings(struct frame_out *f, const struct lease *l)
{
	const struct net_lease *const n = &l->net;
	const uint32_t mask = n->bits ? htonl(UINT32_MAX << (32 - n->bits)) : 0;

	dhcp_put(f, DHCP_MASK, &mask, sizeof(mask));
	dhcp_put(f, DHCP_MTU, &(uint16_t){htons(l->mtu)}, sizeof(l->mtu));
	dhcp_put(f, DHCP_ROUTER, &n->gateway, n->gateway ? sizeof(n->gateway) : 0);
	dhcp_put(f, DHCP_DNS, n->dns, n->nr_dns * sizeof(n->dns[0]));
	dhcp_put(f, DHCP_HOSTNAME, n->hostname, strnlen(n->hostname, sizeof(n->hostname)));
	dhcp_put_routes(f, n);
}

/* Where the answer goes: RFC 2131 section 4.1 */
static void dhcp_address(const struct lease *l, const struct dhcp_asked *a, uint8_t type,
			 struct frame_ends *ret)
{
	const bool all = type == DHCP_NAK || (!a->ciaddr && a->flags & DHCP_BROADCAST);
	const uint32_t to = a->ciaddr ? a->ciaddr : l->net.addr;

	*ret = (struct frame_ends){.src_port = DHCP_SERVER_PORT, .dst_port = DHCP_CLIENT_PORT};
	memcpy(ret->src_mac, l->server_mac, ETH_ALEN);
	memcpy(ret->src, &l->net.server, sizeof(l->net.server));
	memset(ret->dst_mac, 0xff, ETH_ALEN);
	memset(ret->dst, 0xff, sizeof(to));
	if (all)
		return;
	memcpy(ret->dst_mac, l->mac, ETH_ALEN);
	memcpy(ret->dst, &to, sizeof(to));
}

static void dhcp_put_fixed(struct frame_out *f, const struct lease *l, const struct frame_in *in,
			   uint8_t type, bool gives)
{
	static const uint8_t zeros[DHCP_FIXED];
	uint8_t *const m = frame_put(f, zeros, sizeof(zeros));

	vr_assert(m); /* DHCP_PACKET_MIN has room */
	memcpy(m, (const uint8_t[]){2, 1, ETH_ALEN}, 3);
	memcpy(m + DHCP_AT_XID, in->body + DHCP_AT_XID, 4);
	memcpy(m + DHCP_AT_FLAGS, in->body + DHCP_AT_FLAGS, 2);
	if (type == DHCP_ACK)
		memcpy(m + DHCP_AT_CIADDR, in->body + DHCP_AT_CIADDR, 4);
	if (gives)
		memcpy(m + DHCP_AT_CIADDR + 4, &l->net.addr, sizeof(l->net.addr));
	memcpy(m + DHCP_AT_CHADDR, l->mac, ETH_ALEN);
	memcpy(m + DHCP_AT_COOKIE, &(uint32_t){htonl(DHCP_COOKIE)}, 4);
}

/* The size of the frame: what the client takes, what the link carries, what there is room for */
static size_t dhcp_max(const struct lease *l, const struct dhcp_asked *a)
{
	size_t max = a->size < l->mtu ? a->size : l->mtu;

	if (max < DHCP_PACKET_MIN)
		max = DHCP_PACKET_MIN;
	return max < FRAME_MAX - ETH_HLEN ? ETH_HLEN + max : FRAME_MAX;
}

bool dhcp_answer(const struct lease *l, const struct frame_in *in, struct frame_out *ret)
{
	const uint32_t forever = DHCP_FOREVER;
	struct dhcp_asked a;
	struct frame_ends ends;
	uint8_t type;
	bool gives;

	if (!dhcp_read(l, in, &a))
		return false;
	type = dhcp_decide(&l->net, &a);
	if (type == 0)
		return false;
	gives = type != DHCP_NAK && a.type != DHCP_INFORM;
	dhcp_address(l, &a, type, &ends);
	ret->max = dhcp_max(l, &a);
	frame_start(ret, FRAME_UDP4, &ends);
	dhcp_put_fixed(ret, l, in, type, gives);
	dhcp_put(ret, DHCP_TYPE, &type, sizeof(type));
	dhcp_put(ret, DHCP_SERVER, &l->net.server, sizeof(l->net.server));
	dhcp_put(ret, DHCP_CLIENT, a.client, a.client_bytes);
	if (gives)
		dhcp_put(ret, DHCP_LEASE_TIME, &forever, sizeof(forever));
	if (type != DHCP_NAK)
		dhcp_put_settings(ret, l);
	frame_put8(ret, DHCP_END);
	while (ret->len < ETH_HLEN + 20 + 8 + DHCP_BOOTP_MIN)
		frame_put8(ret, DHCP_PAD);
	frame_finish(ret);
	return true;
}
