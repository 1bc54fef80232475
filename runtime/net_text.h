/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Network addresses as text
 *
 * Strict: what is accepted here reads the same to every other program. Nothing is left behind a
 * number, no octet has a leading zero (octal to some), no part is missing.
 */
#ifndef VMRUN_RUNTIME_NET_TEXT_H
#define VMRUN_RUNTIME_NET_TEXT_H

#include "runtime/plan.h"

#define NET_TEXT_BYTES 20 /* "255.255.255.255/32" */

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

/** net_text_netmask() - The mask of @bits, in network byte order */
uint32_t net_text_netmask(uint8_t bits);

#endif
