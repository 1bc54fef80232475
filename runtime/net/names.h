/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Names and addresses made from the id of a VM and the name of a device
 *
 * They are the same each time, so that a guest keeps its MAC and an administrator's rules keep their names.
 * Callers check whether the host uses one, and try the next. vmrun checks a state file against them, and
 * removes only what can be that VM's.
 */
#ifndef VMRUN_RUNTIME_NET_NAMES_H
#define VMRUN_RUNTIME_NET_NAMES_H

#include "runtime/net/record.h"

#define NET_TRIES 64 /* names to try before giving up */

/**
 * net_name_link() - Make the name of an interface of vmrun's on the host
 * @kind:	Two letters: "vt" a TAP, "vh" a veth's host end, "vm" a macvtap
 * @try:	Each gives another name
 */
void net_name_link(const char *kind, const char *id, const char *device, unsigned int try,
		   char ret[16]);

/** net_name_table() - "vmrun_<id>" for "net0", else "vmrun_<id>/<device>"; a long one is shortened by a hash */
void net_name_table(const char *id, const char *device, char ret[NET_TABLE_MAX + 16]);

/** net_name_table_of() - The table's name for @record; made from its link's name unless that was the first choice */
void net_name_table_of(const struct net_record *record, const char *id,
		       char ret[NET_TABLE_MAX + 16]);

/** net_name_mac() - The MAC of a device of a VM; locally administered, unicast */
void net_name_mac(const char *id, const char *device, uint8_t ret[6]);

/** net_name_mark() - The mark by which tc_clear() recognises what was made for the TAP @tap */
uint16_t net_name_mark(const char *tap);

/** net_pool_of() - The pool to take a network from: p->pool, or 100.64.0.0/10 */
struct net_addr net_pool_of(const struct plan_net *p);
/** net_pool_links() - How many networks of four addresses a pool of /8 to /30 has */
uint32_t net_pool_links(struct net_addr pool);
/** net_pool_host() - The host's address in network number @link, counted from 0 */
struct net_addr net_pool_host(struct net_addr pool, uint32_t link);
/** net_pool_link() - The network to try after @try others: all in turn, beginning with that of @first */
uint32_t net_pool_link(struct net_addr pool, struct net_addr first, uint32_t try);
/** net_name_host() - The host's address in the first network to try */
struct net_addr net_name_host(struct net_addr pool, const char *id, const char *device);

/** net_is_ours() - Whether all names in a record can be of things made for this VM */
bool net_is_ours(const struct net_record *record, const char *id);

#endif
