/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What several modes need on the host: names, interfaces, tables
 */
#ifndef VMRUN_RUNTIME_NET_HOST_H
#define VMRUN_RUNTIME_NET_HOST_H

#include "runtime/net/record.h"
#include "runtime/netlink/rtnl.h"

#define NET_MTU_DEFAULT 1500
#define NET_GROUP	30317 /* "vm" in ASCII: the group of interfaces that lead to a guest */

/** net_pick_name() - Pick the first name of net_name_link() that no interface of this namespace has */
MUST_CHECK int net_pick_name(const char *kind, const char *id, const char *device, char ret[16],
			     struct err *err);

/** net_up() - Put an interface into NET_GROUP, set MTU and master (0 leaves them alone), switch it on */
MUST_CHECK int net_up(struct nl *nl, int index, uint16_t mtu, int master, struct err *err);

/** net_check_free() - -EADDRINUSE if an interface of this namespace is in the network of @host */
MUST_CHECK int net_check_free(struct nl *nl, struct net_addr host, struct err *err);

/** net_mtu_like() - The MTU of another interface, or the largest of a TAP if that is less */
uint16_t net_mtu_like(const struct rtnl_link *link);

/** net_isolate() - Make made->table; clears the name if the table is not made */
MUST_CHECK int net_isolate(const struct plan_net *p, struct net_record *record, struct err *err);

/** net_guard() - Make made->table for a TAP that existed before, if the caller may; otherwise clears the name */
MUST_CHECK int net_guard(struct net_record *record, struct err *err);

/** net_unisolate() - Remove made->table if it exists */
MUST_CHECK int net_unisolate(const struct net_record *record, struct err *err);

/* The error about an interface that cannot be joined */
#define NET_INGRESS_TAKEN "interface %s has an ingress qdisc: is it joined already?"

#endif
