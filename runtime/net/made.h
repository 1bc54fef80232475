/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The record of one network device on the host, part of the state file
 *
 * It is read and copied everywhere, and changed in net/ alone. Filled from JSON it is a new one.
 */
#ifndef VMRUN_RUNTIME_NET_MADE_H
#define VMRUN_RUNTIME_NET_MADE_H

#include "devices/core/boot.h"
#include "runtime/plan/plan.h"
#include "runtime/util/addr.h"
#include "runtime/util/net_mode.h"
#include "runtime/util/netns_id.h"

#define NET_TABLE_MAX 64 /* characters of a table's name */
#define NET_PATH_MAX  256

/* Of one interface that is joined. More is an error: a guest told half of it would be cut off somewhere. */
#define NET_ADDRS_MAX  16
#define NET_ROUTES_MAX 32
#define NET_NEIGHS_MAX 32

/**
 * struct net_route - Out of the device
 * @gateway:	family 0: on-link
 * @metric:	The lower one of two to the same destination counts
 */
struct net_route {
	struct net_ip dst, gateway;
	uint32_t metric;
};

/** struct net_neigh - A permanent neighbour */
struct net_neigh {
	struct net_ip addr;
	uint8_t mac[6];
};

/**
 * struct net_made - What there is, or may be, of one network device on the host; part of the state file
 * @device:	"net0"
 * @tap:	Name of the TAP, or of the macvtap, "" while not known
 * @host_link:	Name of the veth's host end (private mode), or ""
 * @bridge:	Name of the bridge (bridge mode), or ""
 * @table:	nftables tables of that name (private mode, TAPs made beforehand), or ""
 * @netns:	Path of the namespace (netns mode), or ""
 * @netns_id:	Which one it was then; what the path leads to later is not touched when it is another
 * @joined:	Name of the interface joined to the TAP by tc (netns mode), or ""
 * @mtu:	0 while not known
 * @guest:	In netns mode the first IPv4 address of those below
 * @gateway:	Told to the guest; 0 = none. In netns mode that of the first default route below
 * @addr, @route, @neigh: netns mode, what the interface has; routes on-link first, then by metric
 */
struct net_made {
	enum net_mode mode;
	char device[BOOT_NAME_BYTES];
	char tap[16];
	char host_link[16];
	char bridge[16];
	char table[NET_TABLE_MAX + 16];
	char netns[NET_PATH_MAX];
	struct netns_id netns_id;
	char joined[16];
	uint8_t mac[6];
	uint16_t mtu;
	struct net_addr host, guest;
	uint32_t gateway;
	unsigned int nr_addrs, nr_routes, nr_neighs;
	struct net_ip addr[NET_ADDRS_MAX];
	struct net_route route[NET_ROUTES_MAX];
	struct net_neigh neigh[NET_NEIGHS_MAX];
};

/**
 * net_made_disown() - Clear one of the names in a record
 * @name:	Its tap, host_link, table or joined
 *
 * What has this name is not the VM's: undo leaves it alone.
 */
void net_made_disown(char *name);

/**
 * net_made_set_host() - Set the host's address and what follows from it
 * @host:	bits 0: the guest has the address and gateway of the plan, if any
 *
 * The guest's address is that of the plan or else the next one; its gateway that of the plan or else the host.
 */
void net_made_set_host(struct net_made *made, const struct plan_net *p, struct net_addr host);

/** net_made_forget() - Forget the addresses, routes and neighbours that an earlier look found */
void net_made_forget(struct net_made *made);

/** net_made_add_route() - Add a route in its place: on-link ones first, then by metric.  -E2BIG */
MUST_CHECK int net_made_add_route(struct net_made *made, const struct net_route *new,
				  struct err *err);

#endif
