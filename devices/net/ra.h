/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Router advertisements (RFC 4861, 4191, 8106)
 *
 * The device speaks for the router that the lease names, under that router's link-local address: so the guest
 * sends its packets straight there. Without one it speaks for itself, and is no default router.
 *
 * What never ends in the lease has no end here; only a router's lifetime is 18 hours at most, so it is renewed.
 */
#ifndef VMRUN_DEVICES_NET_RA_H
#define VMRUN_DEVICES_NET_RA_H

#include "devices/net/frame.h"
#include "devices/net/lease.h"

#define RA_EVERY_NS                                                                                \
	600000000000ULL /* ten minutes; the longest that RFC 4861 allows is half an hour */

/** ra_is_solicitation() - Whether this opened or looked-at frame asks for an advertisement */
bool ra_is_solicitation(const struct frame_in *in);

/**
 * ra_valid() - Check a router solicitation (RFC 4861 section 6.1.1)
 * @in:		Opened
 *
 * Context: any
 * Syscalls: none
 */
MUST_CHECK bool ra_valid(const struct frame_in *in);

/**
 * ra_advertise() - Write an advertisement, to all nodes
 * @l:		lease_has6()
 * @ret:	Complete
 *
 * Context: any
 * Syscalls: none
 */
void ra_advertise(const struct lease *l, struct frame_out *ret);

#endif
