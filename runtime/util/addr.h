/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Network addresses as text
 *
 * Strict: what is accepted here reads the same to every other program. Nothing is left behind a
 * number, no octet has a leading zero (octal to some), no part is missing.
 */
#ifndef VMRUN_RUNTIME_UTIL_ADDR_H
#define VMRUN_RUNTIME_UTIL_ADDR_H

#include "devices/core/base.h"

/* The prefixes of a pool of networks of four addresses */
#define ADDR_POOL_BITS_MIN 8
#define ADDR_POOL_BITS_MAX 30

#define ADDR_TEXT_BYTES	   20 /* "255.255.255.255/32" */
#define ADDR_IP_TEXT_BYTES 52 /* the longest IPv6 address, "/128" */

/** struct net_addr - An IPv4 address and its prefix; @bits 0 = none. Network byte order */
struct net_addr {
	uint32_t addr;
	uint8_t bits;
};

/** struct net_ip - Of either family, AF_INET or AF_INET6 (0 = none); the first 4 or 16 bytes of @addr count */
struct net_ip {
	uint8_t family, bits;
	uint8_t addr[16];
};

/** addr_parse() - "a.b.c.d" or "a.b.c.d/n"; ret->bits is 0 without "/n".  -EINVAL otherwise */
MUST_CHECK int addr_parse(const char *s, struct net_addr *ret);

/** addr_parse_mask() - "255.255.255.0", "24" or "/24" as 1 to 32.  -EINVAL otherwise */
MUST_CHECK int addr_parse_mask(const char *s, uint8_t *ret_bits);

/** addr_parse_mac() - "xx:xx:xx:xx:xx:xx" in hex digits.  -EINVAL otherwise */
MUST_CHECK int addr_parse_mac(const char *s, uint8_t ret[6]);

/** addr_put() - The other way; without "/n" when @a.bits is 0 */
void addr_put(struct net_addr a, char ret[ADDR_TEXT_BYTES]);
/** addr_put_mac() - 18 bytes */
void addr_put_mac(const uint8_t mac[6], char ret[ADDR_TEXT_BYTES]);

/** addr_parse_ip() - "a.b.c.d/n" or IPv6 in the same way; without "/n" all bits.  -EINVAL otherwise */
MUST_CHECK int addr_parse_ip(const char *s, struct net_ip *ret);
/** addr_put_ip() - The other way; @prefix: with "/n" */
void addr_put_ip(const struct net_ip *ip, bool prefix, char ret[ADDR_IP_TEXT_BYTES]);

/** addr_ip_bits() - 32 or 128 */
uint8_t addr_ip_bits(uint8_t family);

/** addr_ip_covers() - Whether the network of @net has the address @ip in it; not of another family */
bool addr_ip_covers(const struct net_ip *net, const struct net_ip *ip);

/** addr_netmask() - The mask of @bits, in network byte order */
uint32_t addr_netmask(uint8_t bits);

/** addr_next() - Another host address of the same network: the next, or else the one before; bits 0 = none */
struct net_addr addr_next(struct net_addr a);

#endif
