/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/tap_guest.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <net/if_arp.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define HEADER_BYTES 12 /* virtio_net_hdr_v1, all zero here */

struct arp_frame {
	uint8_t header[HEADER_BYTES];
	struct ethhdr eth;
	struct arphdr arp;
	uint8_t sender_mac[6];
	uint8_t sender[4];
	uint8_t target_mac[6];
	uint8_t target[4];
} __attribute__((packed));

struct udp_frame {
	uint8_t header[HEADER_BYTES];
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	uint8_t data;
} __attribute__((packed));

struct udp6_frame {
	uint8_t header[HEADER_BYTES];
	struct ethhdr eth;
	struct ip6_hdr ip;
	struct udphdr udp;
	uint8_t data[2];
} __attribute__((packed));

/* The answer to an ARP request, or nothing for a second */
static bool answer_comes(struct tap_guest *g, uint32_t host)
{
	struct pollfd p = {.fd = g->fd, .events = POLLIN};
	struct arp_frame a;
	uint8_t got[2048];

	/* Others' frames may come first: router solicitations, gratuitous ARP. */
	while (poll(&p, 1, 1000) > 0) {
		if (read(g->fd, got, sizeof(got)) < (ssize_t)sizeof(a))
			continue;
		memcpy(&a, got, sizeof(a));
		if (a.eth.h_proto != htons(ETH_P_ARP) || a.arp.ar_op != htons(ARPOP_REPLY) ||
		    memcmp(a.sender, &host, 4) || memcmp(a.eth.h_dest, g->mac, 6))
			continue;
		memcpy(g->host_mac, a.sender_mac, 6);
		return true;
	}
	return false;
}

bool tap_guest_meets(struct tap_guest *g, uint32_t host)
{
	struct arp_frame q = {.eth = {.h_proto = htons(ETH_P_ARP)},
			      .arp = {.ar_hrd = htons(ARPHRD_ETHER),
				      .ar_pro = htons(ETH_P_IP),
				      .ar_hln = 6,
				      .ar_pln = 4,
				      .ar_op = htons(ARPOP_REQUEST)}};

	memset(q.eth.h_dest, 0xff, 6);
	memcpy(q.eth.h_source, g->mac, 6);
	memcpy(q.sender_mac, g->mac, 6);
	memcpy(q.sender, &g->addr, 4);
	memcpy(q.target, &host, 4);
	/* A frame sent before the kernel has taken note that both ends are up is lost. */
	for (unsigned int n = 0; n < 10; n++)
		if (write(g->fd, &q, sizeof(q)) == sizeof(q) && answer_comes(g, host))
			return true;
	return false;
}

static uint32_t sum(uint32_t so_far, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i + 1 < len; i += 2)
		so_far += (uint32_t)(b[i] << 8 | b[i + 1]);
	return so_far;
}

static uint16_t checksum(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return htons((uint16_t)~s);
}

static void put_eth(const struct tap_guest *g, struct ethhdr *eth, uint16_t proto)
{
	memcpy(eth->h_dest, g->host_mac, 6);
	memcpy(eth->h_source, g->mac, 6);
	eth->h_proto = htons(proto);
}

void tap_guest_sends(const struct tap_guest *g, uint32_t from, uint32_t to, uint16_t port)
{
	struct udp_frame f = {
		.ip = {.version = 4,
		       .ihl = 5,
		       .tot_len = htons(sizeof(f.ip) + sizeof(f.udp) + sizeof(f.data)),
		       .ttl = 64,
		       .protocol = IPPROTO_UDP,
		       .saddr = from,
		       .daddr = to},
		.udp = {.source = htons(port),
			.dest = htons(port),
			.len = htons(sizeof(f.udp) + sizeof(f.data))},
		.data = 'x',
	};

	put_eth(g, &f.eth, ETH_P_IP);
	f.ip.check = checksum(sum(0, &f.ip, sizeof(f.ip)));
	(void)!write(g->fd, &f, sizeof(f));
}

void tap_guest_sends6(const struct tap_guest *g, const char *from6, const char *to6, uint16_t port)
{
	const uint16_t len = sizeof(struct udphdr) + 2;
	struct udp6_frame f = {
		.ip = {.ip6_flow = htonl(6U << 28),
		       .ip6_plen = htons(len),
		       .ip6_nxt = IPPROTO_UDP,
		       .ip6_hlim = 64},
		.udp = {.source = htons(port), .dest = htons(port), .len = htons(len)},
		.data = "xy",
	};

	put_eth(g, &f.eth, ETH_P_IPV6);
	(void)inet_pton(AF_INET6, from6, &f.ip.ip6_src);
	(void)inet_pton(AF_INET6, to6, &f.ip.ip6_dst);
	f.udp.check = checksum(sum(sum(len + IPPROTO_UDP, &f.ip.ip6_src, 32), &f.udp, len));
	(void)!write(g->fd, &f, sizeof(f));
}

uint16_t tap_guest_got(const struct tap_guest *g, int ms)
{
	struct pollfd p = {.fd = g->fd, .events = POLLIN};
	uint8_t got[2048];
	struct udp_frame f;
	struct udp6_frame f6;

	while (poll(&p, 1, ms) > 0) {
		const ssize_t len = read(g->fd, got, sizeof(got));

		if (len < (ssize_t)sizeof(f))
			continue;
		memcpy(&f, got, sizeof(f));
		if (f.eth.h_proto == htons(ETH_P_IP) && f.ip.protocol == IPPROTO_UDP)
			return ntohs(f.udp.dest);
		if (len < (ssize_t)sizeof(f6))
			continue;
		memcpy(&f6, got, sizeof(f6));
		if (f6.eth.h_proto == htons(ETH_P_IPV6) && f6.ip.ip6_nxt == IPPROTO_UDP)
			return ntohs(f6.udp.dest);
	}
	return 0;
}
