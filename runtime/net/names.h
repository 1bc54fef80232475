/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Names and addresses made from the id of a VM and the name of a device
 *
 * The same VM gets the same ones again, so that a guest keeps its MAC and an administrator's rules
 * their names; what is taken on the host is asked elsewhere, with the next @try. A state file can be
 * held against them: nothing but what can be of that VM is ever removed.
 */
#ifndef VMRUN_RUNTIME_NET_NAMES_H
#define VMRUN_RUNTIME_NET_NAMES_H

#include "runtime/net/made.h"

#define NET_TRIES 64 /* names looked at before giving up */

/**
 * net_name_link() - A name for an interface of ours on the host
 * @kind:	Two letters: "vt" a TAP, "vh" a veth's host end, "vm" a macvtap
 * @try:	Another one each
 */
void net_name_link(const char *kind, const char *id, const char *device, unsigned int try,
		   char ret[16]);

/** net_name_table() - "vmrun_<id>" for "net0", "vmrun_<id>/<device>" for others; shortened by a hash */
void net_name_table(const char *id, const char *device, char ret[NET_TABLE_MAX + 16]);

/** net_name_table_of() - That of @made: of its link where that has another name than the first of its kind */
void net_name_table_of(const struct net_made *made, const char *id, char ret[NET_TABLE_MAX + 16]);

/** net_name_mac() - Always the same for a device of a VM; locally administered, unicast */
void net_name_mac(const char *id, const char *device, uint8_t ret[6]);

/** net_name_mark() - By which tc_clear() knows what was made for the TAP @tap */
uint16_t net_name_mark(const char *tap);

/** net_pool_of() - Where networks are taken from: p->pool, or 100.64.0.0/10 */
struct net_addr net_pool_of(const struct plan_net *p);
/** net_pool_links() - How many networks of four addresses a pool of /8 to /30 has, numbered from 0 */
uint32_t net_pool_links(struct net_addr pool);
/** net_pool_host() - The host's address in network @link */
struct net_addr net_pool_host(struct net_addr pool, uint32_t link);
/** net_pool_link() - The network to be tried after @try others: all in turn, beginning with that of @first */
uint32_t net_pool_link(struct net_addr pool, struct net_addr first, uint32_t try);
/** net_name_host() - The host's address in the first network to be tried */
struct net_addr net_name_host(struct net_addr pool, const char *id, const char *device);

/** net_is_ours() - Whether what a state file names can have been made for this VM */
bool net_is_ours(const struct net_made *made, const char *id);

#endif
