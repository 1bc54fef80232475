/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/dhcp_client.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>

#define UDP_AT (sizeof(struct ether_header) + sizeof(struct iphdr))

/** struct message - All before the options: RFC 2131, figure 1 */
struct message {
	struct ether_header eth;
	struct iphdr ip;
	struct udphdr udp;
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	uint32_t ciaddr, yiaddr, siaddr, giaddr;
	uint8_t chaddr[16];
	uint8_t sname[64], file[128];
	uint8_t cookie[4];
} __attribute__((packed));

uint16_t dhcpc_sum(uint32_t sum, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* ---- writing ---- */

static uint8_t *put(uint8_t *at, uint8_t code, uint8_t len, const void *value)
{
	*at++ = code;
	*at++ = len;
	memcpy(at, value, len);
	return at + len;
}

static uint8_t *put_addr(uint8_t *at, uint8_t code, const char *text)
{
	const in_addr_t a = text ? inet_addr(text) : 0;

	return text ? put(at, code, sizeof(a), &a) : at;
}

static uint8_t *put_options(const struct dhcpc_ask *a, struct message *m, uint8_t *at)
{
	static const uint8_t id[255] = {1, 2, 3};

	if (a->type)
		at = put(at, 53, 1, &a->type);
	if (a->size)
		at = put(at, 57, 2, &(uint16_t){htons(a->size)});
	*at++ = 0;
	at = put(at, 55, 3, (const uint8_t[]){1, 3, 121});
	if (a->id_bytes)
		at = put(at, 61, a->id_bytes, id);
	if (a->overload)
		at = put(at, 52, 1, &a->overload);
	if (a->overload & 1)
		*put_addr(m->file, 50, a->wanted) = 255;
	else
		at = put_addr(at, 50, a->wanted);
	if (a->overload & 2)
		*put_addr(m->sname, 54, a->server) = 255;
	else
		at = put_addr(at, 54, a->server);
	*at++ = 255;
	return at;
}

size_t dhcpc_write(const struct dhcpc_ask *a, uint8_t *frame)
{
	static const uint8_t none[6];
	struct message m = {.op = 1,
			    .htype = 1,
			    .hlen = 6,
			    .xid = htonl(DHCPC_XID),
			    .flags = htons(a->flags),
			    .cookie = {99, 130, 83, 99}};
	size_t bytes;

	memset(m.eth.ether_dhost, 0xff, sizeof(m.eth.ether_dhost));
	memcpy(m.eth.ether_shost, a->mac, sizeof(a->mac));
	m.eth.ether_type = htons(ETHERTYPE_IP);
	m.ciaddr = a->ciaddr ? inet_addr(a->ciaddr) : 0;
	memcpy(m.chaddr, memcmp(a->chaddr, none, 6) ? a->chaddr : a->mac, 6);
	bytes = (size_t)(put_options(a, &m, frame + sizeof(m)) - frame);
	m.ip.version = 4;
	m.ip.ihl = 5;
	m.ip.ttl = 64;
	m.ip.protocol = IPPROTO_UDP;
	m.ip.tot_len = htons((uint16_t)(bytes - sizeof(m.eth)));
	m.ip.saddr = m.ciaddr;
	m.ip.daddr = a->to ? inet_addr(a->to) : INADDR_BROADCAST;
	m.udp.source = htons(68);
	m.udp.dest = htons(67);
	m.udp.len = htons((uint16_t)(bytes - UDP_AT));
	memcpy(frame, &m, sizeof(m));
	dhcpc_resum(frame, bytes);
	return bytes;
}

/* The sum of UDP or ICMPv6 with its pseudo header */
static uint16_t message_sum(const uint8_t *addrs, size_t addr_bytes, uint8_t protocol,
			    const uint8_t *message, size_t len)
{
	return dhcpc_sum(dhcpc_sum((uint32_t)len + protocol, addrs, 2 * addr_bytes), message, len);
}

static void put_sum(uint8_t *at, uint16_t sum)
{
	at[0] = (uint8_t)(sum >> 8);
	at[1] = (uint8_t)sum;
}

void dhcpc_resum(uint8_t *frame, size_t len)
{
	uint8_t *ip = frame + sizeof(struct ether_header), *message, *sum;
	const bool four = ip[0] >> 4 == 4;
	const size_t hdr = four ? 4U * (ip[0] & 15) : sizeof(struct ip6_hdr);
	const uint8_t protocol = four ? ip[9] : ip[6];
	size_t bytes;

	if (len < sizeof(struct ether_header) + hdr + 8)
		return;
	bytes = len - sizeof(struct ether_header) - hdr;
	message = ip + hdr;
	sum = message + (protocol == IPPROTO_UDP ? 6 : 2);
	if (protocol == IPPROTO_UDP && (size_t)(message[4] << 8 | message[5]) <= bytes)
		bytes = (size_t)(message[4] << 8 | message[5]);
	if (four) {
		put_sum(ip + 10, 0);
		put_sum(ip + 10, (uint16_t)~dhcpc_sum(0, ip, hdr));
	}
	put_sum(sum, 0);
	put_sum(sum, (uint16_t)~message_sum(ip + (four ? 12 : 8), four ? 4 : 16, protocol, message,
					    bytes));
}

/* ---- reading ---- */

static void text(uint32_t addr, char ret[16])
{
	inet_ntop(AF_INET, &addr, ret, 16);
}

static void text_at(const uint8_t *p, char ret[16])
{
	inet_ntop(AF_INET, p, ret, 16);
}

static bool read_routes(const uint8_t *p, size_t len, struct dhcpc_told *t)
{
	size_t at = 0;

	while (at < len) {
		const unsigned int bits = p[at], bytes = (bits + 7) / 8;
		uint8_t dst[4] = {0};
		char to[16], by[16];

		if (bits > 32 || len - at < 1 + bytes + 4 || t->nr_routes == DHCPC_ROUTES)
			return false;
		memcpy(dst, p + at + 1, bytes);
		text_at(dst, to);
		text_at(p + at + 1 + bytes, by);
		snprintf(t->route[t->nr_routes++], sizeof(t->route[0]), "%s/%u %s", to, bits, by);
		at += 1 + bytes + 4;
	}
	return true;
}

static uint8_t mask_bits(const uint8_t *p)
{
	uint32_t mask;
	uint8_t bits = 0;

	memcpy(&mask, p, sizeof(mask));
	for (mask = ntohl(mask); mask & 1U << 31; mask <<= 1)
		bits++;
	return mask ? 255 : bits;
}

static bool read_option(uint8_t code, const uint8_t *p, uint8_t len, struct dhcpc_told *t)
{
	switch (code) {
	case 53: t->type = p[0]; return len == 1;
	case 54: text_at(p, t->server); return len == 4;
	case 1: t->bits = mask_bits(p); return len == 4 && t->bits <= 32;
	case 3: text_at(p, t->router); return len == 4;
	case 6:
		for (t->nr_dns = 0; t->nr_dns < len / 4; t->nr_dns++)
			text_at(p + 4 * t->nr_dns, t->dns[t->nr_dns]);
		return len % 4 == 0 && len <= 12;
	case 12: memcpy(t->hostname, p, len); return true;
	case 26: t->mtu = (uint16_t)(p[0] << 8 | p[1]); return len == 2;
	case 51: memcpy(&t->lease, p, 4); return len == 4;
	case 61: t->id_bytes = len; return true;
	default: return false;
	}
}

/* RFC 3396: the parts of option 121 are one. All others come once. */
static bool read_options(const uint8_t *p, size_t len, struct dhcpc_told *t)
{
	static uint8_t routes[1024];
	size_t nr_routes = 0, at = 0;
	bool seen[256] = {false};

	while (at < len && p[at] != 255) {
		const uint8_t code = p[at];

		if (len - at < 2 || len - at - 2 < p[at + 1])
			return false;
		if (code == 121) {
			memcpy(routes + nr_routes, p + at + 2, p[at + 1]);
			nr_routes += p[at + 1];
		} else if (seen[code] || !read_option(code, p + at + 2, p[at + 1], t)) {
			return false;
		}
		seen[code] = true;
		at += 2U + p[at + 1];
	}
	/* Only padding follows the end, and the end is there. */
	for (size_t i = at + 1; i < len; i++)
		if (p[i] != 0)
			return false;
	return at < len && read_routes(routes, nr_routes, t);
}

static bool good_headers(const struct message *m, const uint8_t *frame, size_t len)
{
	const size_t udp_bytes = len - UDP_AT;

	if (m->eth.ether_type != htons(ETHERTYPE_IP) || m->ip.version != 4 || m->ip.ihl != 5 ||
	    m->ip.protocol != IPPROTO_UDP || ntohs(m->ip.tot_len) != len - sizeof(m->eth) ||
	    dhcpc_sum(0, frame + sizeof(m->eth), sizeof(m->ip)) != 0xffff)
		return false;
	if (m->udp.source != htons(67) || m->udp.dest != htons(68) ||
	    ntohs(m->udp.len) != udp_bytes ||
	    message_sum(frame + sizeof(m->eth) + 12, 4, IPPROTO_UDP, frame + UDP_AT, udp_bytes) !=
		    0xffff)
		return false;
	return m->op == 2 && m->htype == 1 && m->hlen == 6 && memcmp(m->cookie, "c\202Sc", 4) == 0;
}

bool dhcpc_read(const uint8_t *frame, size_t len, struct dhcpc_told *ret)
{
	struct message m;

	*ret = (struct dhcpc_told){.ip_bytes = len - sizeof(m.eth)};
	if (len < sizeof(m) + 60)
		return false;
	memcpy(&m, frame, sizeof(m));
	if (!good_headers(&m, frame, len))
		return false;
	memcpy(ret->to_mac, m.eth.ether_dhost, sizeof(ret->to_mac));
	text(m.ip.daddr, ret->to);
	text(m.ip.saddr, ret->from);
	text(m.yiaddr, ret->yiaddr);
	text(m.ciaddr, ret->ciaddr);
	ret->xid = ntohl(m.xid);
	ret->flags = ntohs(m.flags);
	return read_options(frame + sizeof(m), len - sizeof(m), ret);
}
