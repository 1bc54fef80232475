/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a device answers its guest by DHCP and as an IPv6 router (struct net_lease)
 *
 * It is what net_cmdline() writes, as far as the protocols can say it. DHCPv4 has one address. A router's
 * advertisement has routes through one router, named by its link-local address: through the one of the default
 * route, or else the first. An IPv6 address that a guest would make of its MAC comes by advertisement, any other by
 * DHCPv6.
 */
#ifndef VMRUN_RUNTIME_NET_LEASE_H
#define VMRUN_RUNTIME_NET_LEASE_H

#include "runtime/net/record.h"

/**
 * net_lease() - Make the lease of device @i
 * @p:		Says whether the device answers at all
 * @record:	All @nr of the VM, or those known so far
 * @ret:	All zeros if the device does not answer, or no address is known
 */
void net_lease(const struct plan *p, const struct net_record *record, unsigned int nr,
	       unsigned int i, struct net_lease *ret);

/**
 * net_lease_alone() - Make the lease of a device without a VM
 * @record:	Its addresses and routes
 * @hostname:	Or NULL
 *
 * The front-end chooses the guest's MAC: any is answered, and no address is made of it.
 */
void net_lease_alone(const struct net_record *record, const struct net_ip *dns, unsigned int nr_dns,
		     const char *hostname, struct net_lease *ret);

/** net_lease_file() - A file with a lease, to be sent to a device (CTL_NET); an fd, or -errno */
MUST_CHECK int net_lease_file(const struct net_lease *lease, struct err *err);

#endif
