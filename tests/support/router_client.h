/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a host asks IPv6 routers and DHCPv6 servers, written and read without the device's code
 */
#ifndef VMRUN_TESTS_SUPPORT_ROUTER_CLIENT_H
#define VMRUN_TESTS_SUPPORT_ROUTER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTC_MAX 40

/** struct rtc_advert - A router's advertisement; addresses as text, lifetimes that are not endless are refused */
struct rtc_advert {
	char from[46];
	bool managed, other;
	uint16_t lifetime;
	uint32_t mtu;
	unsigned int nr_prefixes, nr_routes, nr_dns;
	char prefix[RTC_MAX][64]; /* "fd00::/64 LA" */
	char route[RTC_MAX][64];
	char dns[RTC_MAX][46];
};

/** struct rtc_reply - A DHCPv6 answer; @ours: to what rtc_ask() asks; @status -1: none */
struct rtc_reply {
	uint8_t type;
	uint8_t server[32];
	size_t server_bytes;
	bool ours, client_is_ours, rapid;
	int status;
	uint32_t iaid;
	unsigned int nr_addrs, nr_dns;
	char addr[RTC_MAX][46], dns[RTC_MAX][46];
	char to[46];
};

/** struct rtc_ask - A DHCPv6 message; @server: a DUID to name; @addr: in an IA_NA; NULL: none */
struct rtc_ask {
	uint8_t type;
	uint8_t mac[6];
	bool rapid, no_client, no_ia;
	const uint8_t *server;
	size_t server_bytes;
	const char *addr;
};

/** rtc_solicit() - A router solicitation from @from, with @options behind it; its length */
size_t rtc_solicit(const uint8_t mac[6], const char *from, const void *options, size_t bytes,
		   uint8_t *frame);

/** rtc_read_advert() - Read an advertisement; false when anything in it is wrong */
bool rtc_read_advert(const uint8_t *frame, size_t len, struct rtc_advert *ret);

/** rtc_ask() - A DHCPv6 message, in @frame of at least 512 bytes; its length */
size_t rtc_ask(const struct rtc_ask *a, uint8_t *frame);

/** rtc_read_reply() - Read an answer; false when anything in it is wrong */
bool rtc_read_reply(const uint8_t *frame, size_t len, struct rtc_reply *ret);

#endif
