/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a device says of itself and of its guest when it answers
 */
#ifndef VMRUN_DEVICES_NET_LEASE_H
#define VMRUN_DEVICES_NET_LEASE_H

#include "devices/core/err.h"
#include "devices/core/settings.h"

/**
 * struct lease - A checked lease, and the interface it is for
 * @mac:	The guest's
 * @server_mac:	The device's own, as the sender of its answers; made of @mac
 */
struct lease {
	struct net_lease net;
	uint8_t mac[6], server_mac[6];
	uint16_t mtu;
};

/**
 * lease_check() - Check every count, prefix and flag of a lease
 *
 * Context: any
 * Syscalls: none
 * Return: 0, or -EINVAL
 */
MUST_CHECK int lease_check(const struct net_lease *net, struct err *err);

/** lease_of() - The interface has this MAC and this MTU */
void lease_of(struct lease *l, const uint8_t mac[6], uint16_t mtu);

/** lease_has6() - Whether the device answers as an IPv6 router */
static inline bool lease_has6(const struct lease *l)
{
	return l->net.nr_addrs6 > 0 || l->net.nr_prefixes > 0;
}

/** lease_link_local() - A link-local address for the device itself: it names no other station */
void lease_link_local(const struct lease *l, uint8_t ret[16]);

#endif
