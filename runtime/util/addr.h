/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Network addresses as text
 *
 * Strict: every other program reads an accepted text the same way. Nothing follows a number, no octet has a
 * leading zero (some programs take it for octal), no part is missing.
 */
#ifndef VMRUN_RUNTIME_UTIL_ADDR_H
#define VMRUN_RUNTIME_UTIL_ADDR_H

#include "devices/core/base.h"

/* Prefixes of a pool that is divided into networks of four addresses */
#define ADDR_POOL_BITS_MIN 8
#define ADDR_POOL_BITS_MAX 30

#define ADDR_PREFIX_MAX 31 /* leaves room for two addresses */

#define ADDR_TEXT_BYTES	   20 /* "255.255.255.255/32" */
#define ADDR_IP_TEXT_BYTES 52 /* the longest IPv6 address, "/128" */

#define ADDR_HOSTNAME_MAX  64 /* __NEW_UTS_LEN */

/** struct net_addr - An IPv4 address in network byte order and its prefix; @bits 0 = none */
struct net_addr {
	uint32_t addr;
	uint8_t bits;
};

/** struct net_ip - An address of AF_INET or AF_INET6 (0 = none), in the first 4 or 16 bytes of @addr */
struct net_ip {
	uint8_t family, bits;
	uint8_t addr[16];
};

/** addr_parse() - Parse "a.b.c.d" or "a.b.c.d/n"; ret->bits is 0 without "/n".  Or -EINVAL */
MUST_CHECK int addr_parse(const char *s, struct net_addr *ret);

/** addr_parse_mask() - Parse "255.255.255.0", "24" or "/24", 1 to 32 bits.  Or -EINVAL */
MUST_CHECK int addr_parse_mask(const char *s, uint8_t *ret_bits);

/** addr_parse_mac() - Parse "xx:xx:xx:xx:xx:xx" in hex digits.  Or -EINVAL */
MUST_CHECK int addr_parse_mac(const char *s, uint8_t ret[6]);

/** addr_is_hostname() - Whether @s is a guest's hostname: letters, digits, '-', '.' and '_', up to ADDR_HOSTNAME_MAX */
bool addr_is_hostname(const char *s);

/** addr_put() - Format an address; without "/n" if @a.bits is 0 */
void addr_put(struct net_addr a, char ret[ADDR_TEXT_BYTES]);
/** addr_put_mac() - Format a MAC, 18 bytes with the terminator */
void addr_put_mac(const uint8_t mac[6], char ret[ADDR_TEXT_BYTES]);

/** addr_parse_ip() - Parse "a.b.c.d/n" or an IPv6 address likewise; all bits without "/n".  Or -EINVAL */
MUST_CHECK int addr_parse_ip(const char *s, struct net_ip *ret);
/** addr_put_ip() - Format an address; @prefix: with "/n" */
void addr_put_ip(const struct net_ip *ip, bool prefix, char ret[ADDR_IP_TEXT_BYTES]);

/** addr_ip_bits() - The length of an address in bits: 32 or 128 */
uint8_t addr_ip_bits(uint8_t family);

/** addr_same_ip() - Whether address and prefix are the same */
bool addr_same_ip(const struct net_ip *a, const struct net_ip *b);

/** addr_ip_covers() - Whether the network of @net includes the address @ip, of the same family */
bool addr_ip_covers(const struct net_ip *net, const struct net_ip *ip);

/**
 * addr_not_a_station() - Say why @a cannot be the address of one station in its network
 * @a:		Without a prefix, or with one of more than ADDR_PREFIX_MAX, only the address itself counts
 *
 * Return: NULL if it can be, or what it is: "a multicast address"
 */
const char *addr_not_a_station(struct net_addr a);
/** addr_ip_not_a_station() - addr_not_a_station() for both families */
const char *addr_ip_not_a_station(const struct net_ip *ip);

/** addr_in_net() - Whether @addr is in the network of @net */
bool addr_in_net(struct net_addr net, uint32_t addr);

/** addr_netmask() - Make the mask of @bits, in network byte order */
uint32_t addr_netmask(uint8_t bits);

/** addr_next() - Find another host address of the network: the next, or the one before; bits 0 = none */
struct net_addr addr_next(struct net_addr a);

#endif
