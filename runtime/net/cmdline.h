/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Networks on the guest's kernel command line
 *
 *   ip=CLIENT::GATEWAY:MASK:HOST:ethN:off   the first IPv4 address, as the kernel itself reads it
 *   vmrun.addr=ethN,ADDRESS/PREFIX          every other address; ip= has one a device, and no IPv6
 *   rd.route=DEST/PREFIX:GATEWAY:ethN       every route but the one that ip= implies; IPv6 in brackets
 *   vmrun.neigh=ethN,ADDRESS,MAC            permanent neighbours
 *
 * rd.route comes from dracut.cmdline(7); systemd-network-generator(8) reads it too. It cannot express "no
 * gateway": the unspecified address does, as the kernel and systemd read it so. It cannot express a metric
 * either: of several routes to one destination the guest gets the preferred one. The kernel refuses an ip=
 * whose gateway is not in the client's network: that route becomes a rd.route.
 */
#ifndef VMRUN_RUNTIME_NET_CMDLINE_H
#define VMRUN_RUNTIME_NET_CMDLINE_H

#include "runtime/net/record.h"

/**
 * struct net_guest - What else decides about the words for the guest
 * @has_ip:	The user's command line has an "ip=", or the init of a container gets a description: vmrun adds nothing
 * @cmdline_bytes: Length of the user's command line
 */
struct net_guest {
	bool has_ip;
	size_t cmdline_bytes;
	char hostname[PLAN_HOSTNAME_BYTES];
};

void net_guest_of(const struct plan *p, struct net_guest *ret);

/**
 * net_cmdline() - Write the words that tell the guest's kernel and init about all networks
 * @record:	All @nr of the VM; number n is eth<n>
 *
 * runtime/net/README.md has the table of words. -E2BIG if the kernel would cut the command line.
 */
MUST_CHECK int net_cmdline(const struct net_record *record, unsigned int nr,
			   const struct net_guest *guest, char ret[BOOT_CMDLINE_MAX],
			   struct err *err);

#endif
