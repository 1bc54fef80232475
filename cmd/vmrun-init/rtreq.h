/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Requests to the kernel's network configuration (rtnetlink), one at a time
 */
#ifndef VMRUN_CMD_VMRUN_INIT_RTREQ_H
#define VMRUN_CMD_VMRUN_INIT_RTREQ_H

#include <linux/netlink.h>

#include "devices/core/base.h"

/** struct rtreq - A request being put together; what does not fit makes rtreq_send() fail */
struct rtreq {
	union {
		struct nlmsghdr head;
		uint8_t bytes[512];
	};
	bool full;
};

/** rtreq_open() - Return: a socket or -errno */
MUST_CHECK int rtreq_open(void);

/**
 * rtreq_begin() - Begin one
 * @flags:	NLM_F_CREATE and others; NLM_F_REQUEST and NLM_F_ACK are added
 * @family:	The struct of the type (ifinfomsg, ifaddrmsg ...), @len bytes
 */
void rtreq_begin(struct rtreq *r, uint16_t type, uint16_t flags, const void *family, size_t len);

/** rtreq_add() - An attribute */
void rtreq_add(struct rtreq *r, uint16_t attribute, const void *data, size_t len);

/** rtreq_send() - Send it and wait for the answer. Return: 0 or -errno, the kernel's */
MUST_CHECK int rtreq_send(int sock, struct rtreq *r);

/** rtreq_link_of() - Lowest index above @behind of a link with a hardware address. Return: it, -ENODEV or another -errno */
MUST_CHECK int rtreq_link_of(int sock, const uint8_t mac[6], int behind);

#endif
