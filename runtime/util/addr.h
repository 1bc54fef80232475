/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Network addresses as text
 *
 * Strict: what is accepted here reads the same to every other program. Nothing is left behind a
 * number, no octet has a leading zero (octal to some), no part is missing.
 */
#ifndef VMRUN_RUNTIME_UTIL_ADDR_H
#define VMRUN_RUNTIME_UTIL_ADDR_H

#include "runtime/plan/plan.h"

#define NET_TEXT_BYTES 20 /* "255.255.255.255/32" */
#define NET_IP_BYTES   52 /* the longest IPv6 address, "/128" */

/** net_text_addr() - "a.b.c.d" or "a.b.c.d/n"; ret->bits is 0 without "/n".  -EINVAL otherwise */
MUST_CHECK int net_text_addr(const char *s, struct net_addr *ret);

/** net_text_mask() - "255.255.255.0", "24" or "/24" as 1 to 32.  -EINVAL otherwise */
MUST_CHECK int net_text_mask(const char *s, uint8_t *ret_bits);

/** net_text_mac() - "xx:xx:xx:xx:xx:xx" in hex digits.  -EINVAL otherwise */
MUST_CHECK int net_text_mac(const char *s, uint8_t ret[6]);

/** net_text_put() - The other way; without "/n" when @a.bits is 0 */
void net_text_put(struct net_addr a, char ret[NET_TEXT_BYTES]);
/** net_text_put_mac() - 18 bytes */
void net_text_put_mac(const uint8_t mac[6], char ret[NET_TEXT_BYTES]);

/** net_text_ip() - "a.b.c.d/n" or IPv6 in the same way; without "/n" all bits.  -EINVAL otherwise */
MUST_CHECK int net_text_ip(const char *s, struct net_ip *ret);
/** net_text_put_ip() - The other way; @prefix: with "/n" */
void net_text_put_ip(const struct net_ip *ip, bool prefix, char ret[NET_IP_BYTES]);

/** net_ip_bits() - 32 or 128 */
uint8_t net_ip_bits(uint8_t family);

/** net_ip_covers() - Whether the network of @net has the address @ip in it; not of another family */
bool net_ip_covers(const struct net_ip *net, const struct net_ip *ip);

/** net_text_netmask() - The mask of @bits, in network byte order */
uint32_t net_text_netmask(uint8_t bits);

#endif
