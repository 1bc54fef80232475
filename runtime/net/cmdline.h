/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Networks on the guest's kernel command line
 *
 *   ip=CLIENT::GATEWAY:MASK:HOST:ethN:off   the first IPv4 address, as the kernel itself takes it
 *   vmrun.addr=ethN,ADDRESS/PREFIX          every other address; ip= knows one a device, and no IPv6
 *   rd.route=DEST/PREFIX:GATEWAY:ethN       every route but the one that ip= says; IPv6 in brackets
 *   vmrun.neigh=ethN,ADDRESS,MAC            permanent neighbours
 *
 * rd.route is of dracut.cmdline(7), and systemd-network-generator(8) takes it too. It has no word for
 * "no gateway": the unspecified address does, which the kernel and systemd read as that. Nor has it one
 * for a metric, so that of several routes to one destination the guest learns the one that is used. The
 * kernel refuses an ip= whose gateway is not in the client's network: that one becomes a rd.route.
 */
#ifndef VMRUN_RUNTIME_NET_CMDLINE_H
#define VMRUN_RUNTIME_NET_CMDLINE_H

#include "runtime/net/made.h"

/**
 * struct net_guest - What counts for the guest's command line beside its networks
 * @has_ip:	It is told nothing: the user has said "ip=", and knows better
 * @cmdline_bytes: There already
 */
struct net_guest {
	bool has_ip;
	size_t cmdline_bytes;
	char hostname[PLAN_HOSTNAME_BYTES];
};

void net_guest_of(const struct plan *p, struct net_guest *ret);

/**
 * net_cmdline() - The words that tell the guest's kernel and init about all networks
 * @made:	All @nr of the VM; number n is eth<n>
 *
 * README.md has the table of words. -E2BIG when the kernel would not take all of them.
 */
MUST_CHECK int net_cmdline(const struct net_made *made, unsigned int nr,
			   const struct net_guest *guest, char ret[BOOT_CMDLINE_MAX],
			   struct err *err);

#endif
