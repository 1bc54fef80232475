/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What several modes ask of the host and make there: names, interfaces, tables
 */
#ifndef VMRUN_RUNTIME_NET_HOST_H
#define VMRUN_RUNTIME_NET_HOST_H

#include "runtime/net/made.h"
#include "runtime/netlink/rtnl.h"

#define NET_MTU_DEFAULT 1500
#define NET_GROUP	30317 /* "vm": group of interfaces that lead to a guest */

/** net_pick_name() - The first name of net_name_link() that no interface of this namespace has */
MUST_CHECK int net_pick_name(const char *kind, const char *id, const char *device, char ret[16],
			     struct err *err);

/** net_up() - Put it into NET_GROUP, set MTU and master (0 = leave alone), and switch it on */
MUST_CHECK int net_up(struct nl *nl, int index, uint16_t mtu, int master, struct err *err);

/** net_check_free() - 0, or -EADDRINUSE when an interface of this namespace is in the network of @host */
MUST_CHECK int net_check_free(struct nl *nl, struct net_addr host, struct err *err);

/** net_mtu_like() - Of what another interface carries, as much as a TAP can */
uint16_t net_mtu_like(const struct rtnl_link *link);

/** net_isolate() - Make made->table; struck out where there is none of ours then */
MUST_CHECK int net_isolate(const struct plan_net *p, struct net_made *made, struct err *err);

/** net_guard() - Make made->table for a TAP that was there before, as far as the caller may; struck out else */
MUST_CHECK int net_guard(struct net_made *made, struct err *err);

/** net_unisolate() - Remove made->table if it is there */
MUST_CHECK int net_unisolate(const struct net_made *made, struct err *err);

/* An interface has an ingress qdisc already */
#define NET_INGRESS_TAKEN "interface %s has an ingress qdisc: is it joined already?"

#endif
