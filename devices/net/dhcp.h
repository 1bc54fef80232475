/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A DHCP server with one address and one client (RFC 2131, 2132, 3442, 6842)
 *
 * It keeps no state: each message is answered from the lease alone, and the lease has no end. So a client
 * never has to renew it, and nothing is lost if the device starts anew.
 */
#ifndef VMRUN_DEVICES_NET_DHCP_H
#define VMRUN_DEVICES_NET_DHCP_H

#include "devices/net/frame.h"
#include "devices/net/lease.h"

#define DHCP_SERVER_PORT 67

/**
 * dhcp_answer() - Answer a DHCP message
 * @in:		UDP to DHCP_SERVER_PORT, opened
 * @ret:	Complete when true is returned, else meaningless
 *
 * Context: any
 * Syscalls: none
 * Return: false when there is no answer: broken, of another interface, or one that is only taken note of
 */
MUST_CHECK bool dhcp_answer(const struct lease *l, const struct frame_in *in,
			    struct frame_out *ret);

#endif
