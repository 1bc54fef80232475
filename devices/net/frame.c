/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/net/frame.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#define IP4_HDR	    20U
#define IP6_HDR	    40U
#define UDP_HDR	    8U
#define IP4_LATER   0x1fffU /* offset of a fragment */
#define IP4_MORE    0x2000U
#define IP4_TTL	    64
#define ICMP6_LIMIT 255 /* neighbour discovery: no router has forwarded it (RFC 4861 section 6.1) */

uint16_t frame_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t frame_get32(const uint8_t *p)
{
	return (uint32_t)frame_get16(p) << 16 | frame_get16(p + 2);
}

/* The Internet checksum's sum, not folded: of up to 64 KiB it does not overflow */
static uint32_t frame_sum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += frame_get16(p + i);
	return len % 2 ? sum + (uint32_t)(p[len - 1] << 8) : sum;
}

static uint16_t frame_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}

/* The sum of a message and of the pseudo header before it; 0xffff, folded, when its checksum is right */
static uint16_t frame_message_sum(const struct frame_ends *e, enum frame_kind kind,
				  const uint8_t *message, size_t len)
{
	const size_t addr = kind == FRAME_UDP4 ? 4 : 16;
	uint32_t sum = kind == FRAME_ICMP6 ? IPPROTO_ICMPV6 : IPPROTO_UDP;

	sum = frame_sum(sum + (uint32_t)len, e->src, addr);
	sum = frame_sum(sum, e->dst, addr);
	return frame_fold(frame_sum(sum, message, len));
}

/* ---- reading ---- */

static enum frame_kind frame_look_ip4(const uint8_t *ip, size_t len, struct frame_in *ret)
{
	size_t hdr;

	if (len < IP4_HDR || ip[0] >> 4 != 4 || ip[9] != IPPROTO_UDP)
		return FRAME_OTHER;
	hdr = 4U * (ip[0] & 15);
	if (hdr < IP4_HDR || len - IP4_HDR < hdr - IP4_HDR + UDP_HDR ||
	    frame_get16(ip + 6) & IP4_LATER)
		return FRAME_OTHER;
	memcpy(ret->ends.src, ip + 12, 4);
	memcpy(ret->ends.dst, ip + 16, 4);
	ret->ends.src_port = frame_get16(ip + hdr);
	ret->ends.dst_port = frame_get16(ip + hdr + 2);
	return FRAME_UDP4;
}

static enum frame_kind frame_look_ip6(const uint8_t *ip, size_t len, struct frame_in *ret)
{
	if (len < IP6_HDR + UDP_HDR || ip[0] >> 4 != 6)
		return FRAME_OTHER;
	memcpy(ret->ends.src, ip + 8, 16);
	memcpy(ret->ends.dst, ip + 24, 16);
	if (ip[6] == IPPROTO_ICMPV6) {
		ret->ends.dst_port = ip[IP6_HDR];
		return FRAME_ICMP6;
	}
	ret->ends.src_port = frame_get16(ip + IP6_HDR);
	ret->ends.dst_port = frame_get16(ip + IP6_HDR + 2);
	return ip[6] == IPPROTO_UDP ? FRAME_UDP6 : FRAME_OTHER;
}

enum frame_kind frame_look(const uint8_t *head, size_t len, struct frame_in *ret)
{
	*ret = (struct frame_in){.kind = FRAME_OTHER};
	if (len < ETH_HLEN)
		return FRAME_OTHER;
	memcpy(ret->ends.dst_mac, head, ETH_ALEN);
	memcpy(ret->ends.src_mac, head + ETH_ALEN, ETH_ALEN);
	switch (frame_get16(head + 2 * ETH_ALEN)) {
	case ETH_P_IP: ret->kind = frame_look_ip4(head + ETH_HLEN, len - ETH_HLEN, ret); break;
	case ETH_P_IPV6: ret->kind = frame_look_ip6(head + ETH_HLEN, len - ETH_HLEN, ret); break;
	}
	return ret->kind;
}

/* Whether the IP header's own length and checksum are right; *ret_hdr, *ret_len: its length, what follows */
static bool frame_open_ip(const uint8_t *ip, size_t len, enum frame_kind kind, size_t *ret_hdr,
			  size_t *ret_len)
{
	size_t hdr = IP6_HDR, total;

	if (kind != FRAME_UDP4) {
		total = frame_get16(ip + 4);
		*ret_hdr = hdr;
		*ret_len = total;
		return total <= len - hdr;
	}
	hdr = 4U * (ip[0] & 15);
	total = frame_get16(ip + 2);
	if (total < hdr || total > len || frame_get16(ip + 6) & (IP4_MORE | IP4_LATER) ||
	    frame_fold(frame_sum(0, ip, hdr)) != 0xffff)
		return false;
	*ret_hdr = hdr;
	*ret_len = total - hdr;
	return true;
}

bool frame_open(const uint8_t *frame, size_t len, bool summed, struct frame_in *ret)
{
	const enum frame_kind kind = frame_look(frame, len, ret);
	const uint8_t *message;
	size_t hdr, left, bytes;

	if (kind == FRAME_OTHER ||
	    !frame_open_ip(frame + ETH_HLEN, len - ETH_HLEN, kind, &hdr, &left) || left < UDP_HDR)
		return false;
	message = frame + ETH_HLEN + hdr;
	bytes = kind == FRAME_ICMP6 ? left : frame_get16(message + 4);
	if (bytes < UDP_HDR || bytes > left)
		return false;
	/* In IPv4 a checksum of 0 means that there is none. */
	if (summed && !(kind == FRAME_UDP4 && frame_get16(message + 6) == 0) &&
	    frame_message_sum(&ret->ends, kind, message, bytes) != 0xffff)
		return false;
	if (kind == FRAME_ICMP6 && frame[ETH_HLEN + 7] != ICMP6_LIMIT)
		return false;
	ret->body = kind == FRAME_ICMP6 ? message : message + UDP_HDR;
	ret->len = kind == FRAME_ICMP6 ? bytes : bytes - UDP_HDR;
	return true;
}

/* ---- writing ---- */

uint8_t *frame_put(struct frame_out *f, const void *src, size_t len)
{
	uint8_t *at = f->byte + f->len;

	if (len > f->max - f->len) {
		f->full = true;
		return NULL;
	}
	if (len > 0)
		memcpy(at, src, len);
	f->len += len;
	return at;
}

void frame_put8(struct frame_out *f, uint8_t v)
{
	frame_put(f, &v, sizeof(v));
}

void frame_put16(struct frame_out *f, uint16_t v)
{
	frame_put(f, &(uint16_t){htons(v)}, sizeof(v));
}

void frame_put32(struct frame_out *f, uint32_t v)
{
	frame_put(f, &(uint32_t){htonl(v)}, sizeof(v));
}

static void frame_set16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void frame_start(struct frame_out *f, enum frame_kind kind, const struct frame_ends *ends)
{
	vr_assert(kind != FRAME_OTHER && f->max <= FRAME_MAX);
	f->len = 0;
	f->full = false;
	frame_put(f, ends->dst_mac, ETH_ALEN);
	frame_put(f, ends->src_mac, ETH_ALEN);
	if (kind == FRAME_UDP4) {
		frame_put16(f, ETH_P_IP);
		frame_put32(f, 0x45000000); /* lengths and checksums come last */
		frame_put32(f, 0);
		frame_put32(f, IP4_TTL << 24 | IPPROTO_UDP << 16);
		frame_put(f, ends->src, 4);
		frame_put(f, ends->dst, 4);
	} else {
		frame_put16(f, ETH_P_IPV6);
		frame_put32(f, 0x60000000);
		frame_put32(f, kind == FRAME_UDP6 ? IPPROTO_UDP << 8 | IP4_TTL
						  : IPPROTO_ICMPV6 << 8 | ICMP6_LIMIT);
		frame_put(f, ends->src, 16);
		frame_put(f, ends->dst, 16);
	}
	if (kind == FRAME_ICMP6)
		return;
	frame_put16(f, ends->src_port);
	frame_put16(f, ends->dst_port);
	frame_put32(f, 0);
}

void frame_finish(struct frame_out *f)
{
	uint8_t *const ip = f->byte + ETH_HLEN;
	const bool four = ip[0] >> 4 == 4;
	const bool icmp = !four && ip[6] == IPPROTO_ICMPV6;
	const enum frame_kind kind = four ? FRAME_UDP4 : icmp ? FRAME_ICMP6 : FRAME_UDP6;
	uint8_t *const message = ip + (four ? IP4_HDR : IP6_HDR);
	const size_t bytes = (size_t)(f->byte + f->len - message);
	struct frame_in in;
	uint16_t sum;

	if (four) {
		frame_set16(ip + 2, bytes + IP4_HDR);
		frame_set16(ip + 10, (uint16_t)~frame_fold(frame_sum(0, ip, IP4_HDR)));
	} else {
		frame_set16(ip + 4, bytes);
	}
	if (!icmp)
		frame_set16(message + 4, bytes);
	(void)frame_look(f->byte, f->len, &in);
	sum = (uint16_t)~frame_message_sum(&in.ends, kind, message, bytes);
	/* The sum 0 is written as the other zero of one's complement: 0 means that there is none. */
	frame_set16(message + (icmp ? 2 : 6), sum ? sum : 0xffff);
}
