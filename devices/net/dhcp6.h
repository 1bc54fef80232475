/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A DHCPv6 server for the addresses of one client (RFC 8415)
 *
 * For addresses that a guest would not choose by itself from a router's advertisement. Like dhcp.h it keeps no
 * state, and nothing in its answers has an end. It knows IA_NA; it has no temporary addresses and no prefixes
 * to delegate.
 */
#ifndef VMRUN_DEVICES_NET_DHCP6_H
#define VMRUN_DEVICES_NET_DHCP6_H

#include "devices/net/frame.h"
#include "devices/net/lease.h"

#define DHCP6_SERVER_PORT 547

/**
 * dhcp6_answer() - Answer a DHCPv6 message
 * @in:		UDP to DHCP6_SERVER_PORT, opened
 * @ret:	Complete when true is returned, else meaningless
 *
 * Context: any
 * Syscalls: none
 * Return: false when there is no answer: broken, or for another server
 */
MUST_CHECK bool dhcp6_answer(const struct lease *l, const struct frame_in *in,
			     struct frame_out *ret);

#endif
