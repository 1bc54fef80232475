/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Frames that the device answers itself, in place of a server or router on the host
 *
 *   answer_is_ours   the first bytes of a frame: does it go to the TAP?
 *   answer_make      a whole frame: what the guest gets for it (dhcp.h, dhcp6.h, ra.h)
 *
 * Ours are DHCP messages and router solicitations that the guest's own interface sends, without a VLAN tag, if
 * the lease has something to say to them. All others pass, to servers and routers of that network.
 */
#ifndef VMRUN_DEVICES_NET_ANSWER_H
#define VMRUN_DEVICES_NET_ANSWER_H

#include "devices/core/bucket.h"
#include "devices/core/log.h"
#include "devices/net/frame.h"
#include "devices/net/lease.h"

/* Answers to a guest that asks without end */
#define ANSWER_PER_S 10
#define ANSWER_BURST 20

/**
 * struct answer - The lease, and the frame at hand
 * @on:		The lease says something
 * @advertise_ns: When to advertise a router again; 0: never
 * @out:	Written by answer_make(), answer_advertise()
 */
struct answer {
	bool on;
	struct lease lease;
	struct bucket budget;
	struct log_limit cut;
	uint64_t advertise_ns;
	struct frame_out out;
};

/**
 * answer_init() - Begin with what the boot record says
 * @a:		Overwritten whole
 *
 * Context: any
 * Syscalls: none
 * Return: 0, or -EINVAL for a lease that is none
 */
MUST_CHECK int answer_init(struct answer *a, const struct net_lease *net, struct err *err);

/**
 * answer_is_ours() - Whether a frame of the guest goes no further than here
 * @head:	Its first bytes, up to FRAME_HEAD: a private copy
 *
 * Context: locked
 * Syscalls: none
 */
MUST_CHECK bool answer_is_ours(const struct answer *a, const uint8_t *head, size_t len);

/**
 * answer_make() - Write what the guest gets for a frame that is ours
 * @frame:	The whole: a private copy
 * @summed:	As frame_open() has it
 *
 * Context: locked
 * Syscalls: clock_gettime (vDSO)
 * Return: false when it gets nothing: no valid message, or too many of them
 */
MUST_CHECK bool answer_make(struct answer *a, const uint8_t *frame, size_t len, bool summed);

/**
 * answer_advertise() - Write a router's advertisement that the guest did not ask for, and plan the next
 *
 * Context: locked
 * Syscalls: clock_gettime (vDSO)
 */
void answer_advertise(struct answer *a);

#endif
