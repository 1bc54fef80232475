/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/router_client.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/dhcp_client.h"

#define IP_AT  sizeof(struct ether_header)
#define MSG_AT (IP_AT + sizeof(struct ip6_hdr))

static const uint8_t our_duid[] = {0, 3, 0, 1, 1, 2, 3, 4, 5, 6};

static void text6(const void *addr, char ret[46])
{
	inet_ntop(AF_INET6, addr, ret, 46);
}

/* ---- writing ---- */

static uint8_t *put16(uint8_t *p, unsigned int v)
{
	*p++ = (uint8_t)(v >> 8);
	*p++ = (uint8_t)v;
	return p;
}

static size_t finish(uint8_t *frame, const uint8_t mac[6], const char *from, const char *to,
		     size_t len)
{
	uint8_t *ip = frame + IP_AT;

	memcpy(frame, "\x33\x33\0\0\0\2", 6);
	memcpy(frame + 6, mac, 6);
	put16(frame + 12, ETHERTYPE_IPV6);
	ip[0] = 0x60;
	put16(ip + 4, (unsigned int)(len - MSG_AT));
	ip[7] = 255;
	inet_pton(AF_INET6, from, ip + 8);
	inet_pton(AF_INET6, to, ip + 24);
	dhcpc_resum(frame, len);
	return len;
}

size_t rtc_solicit(const uint8_t mac[6], const char *from, const void *options, size_t bytes,
		   uint8_t *frame)
{
	memset(frame, 0, MSG_AT + 8);
	frame[IP_AT + 6] = IPPROTO_ICMPV6;
	frame[MSG_AT] = ND_ROUTER_SOLICIT;
	if (bytes > 0)
		memcpy(frame + MSG_AT + 8, options, bytes);
	return finish(frame, mac, from, "ff02::2", MSG_AT + 8 + bytes);
}

static uint8_t *put_option(uint8_t *p, unsigned int code, const void *value, size_t len)
{
	p = put16(put16(p, code), (unsigned int)len);
	if (len > 0)
		memcpy(p, value, len);
	return p + len;
}

size_t rtc_ask(const struct rtc_ask *a, uint8_t *frame)
{
	uint8_t *p = frame + MSG_AT + 8, ia[12 + 28] = {0xa1, 0xa2, 0xa3, 0xa4};
	size_t len;

	memset(frame, 0, 512);
	*p++ = a->type;
	p = put16(p, 0x1234);
	*p++ = 0x56;
	if (!a->no_client)
		p = put_option(p, 1, our_duid, sizeof(our_duid));
	if (a->server)
		p = put_option(p, 2, a->server, a->server_bytes);
	if (a->rapid)
		p = put_option(p, 14, NULL, 0);
	if (a->addr) {
		put16(put16(ia + 12, 5), 24);
		inet_pton(AF_INET6, a->addr, ia + 16);
	}
	if (!a->no_ia)
		p = put_option(p, 3, ia, a->addr ? sizeof(ia) : 12);
	p = put_option(p, 8, "\0\0", 2);
	len = (size_t)(p - frame);
	frame[IP_AT + 6] = IPPROTO_UDP;
	put16(put16(put16(frame + MSG_AT, 546), 547), (unsigned int)(len - MSG_AT));
	return finish(frame, a->mac, "fe80::77", "ff02::1:2", len);
}

/* ---- reading ---- */

static unsigned int get16(const uint8_t *p)
{
	return (unsigned int)(p[0] << 8 | p[1]);
}

static bool good_ip(const uint8_t *frame, size_t len, uint8_t protocol, uint8_t *copy)
{
	const uint8_t *ip = frame + IP_AT;

	if (len < MSG_AT + 8 || get16(frame + 12) != ETHERTYPE_IPV6 || ip[0] >> 4 != 6 ||
	    ip[6] != protocol || get16(ip + 4) != len - MSG_AT)
		return false;
	memcpy(copy, frame, len);
	dhcpc_resum(copy, len);
	return memcmp(copy, frame, len) == 0 && ip[8] == 0xfe && ip[9] == 0x80;
}

static bool read_prefix(const uint8_t *o, struct rtc_advert *t)
{
	char addr[46];

	text6(o + 16, addr);
	snprintf(t->prefix[t->nr_prefixes++], sizeof(t->prefix[0]), "%s/%u %s%s", addr, o[2],
		 o[3] & 0x80 ? "L" : "", o[3] & 0x40 ? "A" : "");
	return o[1] == 4 && memcmp(o + 4, "\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 12) == 0 &&
	       !(o[3] & 0x3f);
}

static bool read_route(const uint8_t *o, struct rtc_advert *t)
{
	uint8_t dst[16] = {0};
	char addr[46];

	memcpy(dst, o + 8, 8U * (o[1] - 1U));
	text6(dst, addr);
	snprintf(t->route[t->nr_routes++], sizeof(t->route[0]), "%s/%u", addr, o[2]);
	return o[1] == (o[2] > 64  ? 3
			: o[2] > 0 ? 2
				   : 1) &&
	       o[3] == 0 && memcmp(o + 4, "\xff\xff\xff\xff", 4) == 0;
}

static bool read_dns(const uint8_t *o, struct rtc_advert *t)
{
	for (; 2 * t->nr_dns + 1 < o[1]; t->nr_dns++)
		text6(o + 8 + 16 * t->nr_dns, t->dns[t->nr_dns]);
	return o[1] == 1 + 2 * t->nr_dns && memcmp(o + 2, "\0\0\xff\xff\xff\xff", 6) == 0;
}

static bool read_advert_option(const uint8_t *o, struct rtc_advert *t)
{
	switch (o[0]) {
	case ND_OPT_PREFIX_INFORMATION: return read_prefix(o, t);
	case ND_OPT_MTU:
		t->mtu = (uint32_t)o[4] << 24 | (uint32_t)o[5] << 16 | (uint32_t)o[6] << 8 | o[7];
		return o[1] == 1;
	case 24: return read_route(o, t);
	case 25: return read_dns(o, t);
	default: return false;
	}
}

bool rtc_read_advert(const uint8_t *frame, size_t len, struct rtc_advert *ret)
{
	static uint8_t copy[2048];
	const uint8_t *m = frame + MSG_AT;

	*ret = (struct rtc_advert){.lifetime = 0};
	if (!good_ip(frame, len, IPPROTO_ICMPV6, copy) || frame[IP_AT + 7] != 255 ||
	    m[0] != ND_ROUTER_ADVERT || m[1] != 0 || len < MSG_AT + 16)
		return false;
	text6(frame + IP_AT + 8, ret->from);
	ret->managed = m[5] & 0x80;
	ret->other = m[5] & 0x40;
	ret->lifetime = (uint16_t)(m[6] << 8 | m[7]);
	for (size_t at = MSG_AT + 16; at < len; at += 8U * frame[at + 1])
		if (len - at < 8 || frame[at + 1] == 0 || len - at < 8U * frame[at + 1] ||
		    !read_advert_option(frame + at, ret))
			return false;
	return true;
}

static bool read_reply_options(const uint8_t *p, size_t len, struct rtc_reply *t)
{
	while (len > 0) {
		unsigned int code, bytes;

		if (len < 4)
			return false;
		code = get16(p);
		bytes = get16(p + 2);
		p += 4;
		len -= 4;
		if (bytes > len)
			return false;
		switch (code) {
		case 1: t->client_is_ours = bytes == 10 && !memcmp(p, our_duid, 10); break;
		case 2: memcpy(t->server, p, t->server_bytes = bytes); break;
		case 3:
			memcpy(&t->iaid, p, 4);
			if (bytes < 12 || !read_reply_options(p + 12, bytes - 12, t))
				return false;
			break;
		case 5:
			text6(p, t->addr[t->nr_addrs++]);
			if (bytes != 24 || memcmp(p + 16, "\xff\xff\xff\xff\xff\xff\xff\xff", 8))
				return false;
			break;
		case 13: t->status = p[0] << 8 | p[1]; break;
		case 14: t->rapid = true; break;
		case 23:
			for (; t->nr_dns < bytes / 16; t->nr_dns++)
				text6(p + 16 * t->nr_dns, t->dns[t->nr_dns]);
			break;
		default: return false;
		}
		p += bytes;
		len -= bytes;
	}
	return true;
}

bool rtc_read_reply(const uint8_t *frame, size_t len, struct rtc_reply *ret)
{
	static uint8_t copy[2048];
	const uint8_t *udp = frame + MSG_AT, *m = udp + 8;

	*ret = (struct rtc_reply){.status = -1};
	if (!good_ip(frame, len, IPPROTO_UDP, copy) || get16(udp) != 547 || get16(udp + 2) != 546 ||
	    get16(udp + 4) != len - MSG_AT)
		return false;
	text6(frame + IP_AT + 24, ret->to);
	ret->type = m[0];
	ret->ours = memcmp(m + 1, "\x12\x34\x56", 3) == 0;
	return len >= MSG_AT + 12 && read_reply_options(m + 4, len - MSG_AT - 12, ret);
}
