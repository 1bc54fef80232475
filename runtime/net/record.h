/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The record of one network device on the host, part of the state file
 *
 * Only net/ changes a record; others read it, copy it, or make a new one from JSON.
 */
#ifndef VMRUN_RUNTIME_NET_RECORD_H
#define VMRUN_RUNTIME_NET_RECORD_H

#include "devices/core/boot.h"
#include "runtime/plan/plan.h"
#include "runtime/util/addr.h"
#include "runtime/util/net_mode.h"
#include "runtime/util/netns_id.h"

#define NET_TABLE_MAX 64 /* characters of a table's name */
#define NET_PATH_MAX  256

/* Limits for one interface that is joined. More is an error: with half of it a guest would be cut off somewhere. */
#define NET_ADDRS_MAX  16
#define NET_ROUTES_MAX 32
#define NET_NEIGHS_MAX 32

/**
 * struct net_route - A route out of the device
 * @gateway:	family 0: on-link
 * @metric:	Of two routes to one destination the one with the lower metric counts
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
 * struct net_record - What exists, or may exist, of one network device on the host
 * @device:	"net0"
 * @tap:	Name of the TAP or macvtap, "" while not known
 * @host_link:	Name of the veth's host end (private mode), or ""
 * @bridge:	Name of the bridge (bridge mode), or ""
 * @table:	Name of the nftables tables (private mode, TAPs that existed before), or ""
 * @netns:	Path of the namespace (netns mode), or ""
 * @netns_id:	Identity of that namespace; vmrun does not touch another one that the path leads to later
 * @joined:	Name of the interface joined to the TAP by tc (netns mode), or ""
 * @whole:	Of a container: all interfaces are joined, not only those that are up and have addresses, and its
 *		guest gets all of the namespace by net_describe(), so that @guest and below stay empty (netns mode)
 * @own:	@netns is new, and the supervisor's (netns mode)
 * @mtu:	0 while not known
 * @guest:	The guest's address; in netns mode the first IPv4 address in @addr
 * @gateway:	The guest's gateway, 0 = none; in netns mode that of the first default route in @route
 * @addr, @route, @neigh: netns mode, what the interface has; on-link routes first, then by metric
 */
struct net_record {
	enum net_mode mode;
	char device[BOOT_NAME_BYTES];
	char tap[16];
	char host_link[16];
	char bridge[16];
	char table[NET_TABLE_MAX + 16];
	char netns[NET_PATH_MAX];
	struct netns_id netns_id;
	char joined[16];
	bool whole, own;
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
 * net_record_disown() - Clear one of the names in a record
 * @name:	Its tap, host_link, table or joined
 *
 * The thing of that name is not the VM's, so undo leaves it alone.
 */
void net_record_disown(char *name);

/**
 * net_record_set_host() - Set the host's address, and the guest's address and gateway
 * @host:	bits 0 = none
 *
 * The guest gets the address and gateway of the plan. Without them, and with @host, it gets the address next to
 * the host's and the host as its gateway.
 */
void net_record_set_host(struct net_record *record, const struct plan_net *p, struct net_addr host);

/** net_record_forget() - Clear the addresses, routes and neighbours that an earlier look found */
void net_record_forget(struct net_record *record);

/** net_record_is_shadowed() - Whether the guest prefers another of all @nr records' routes to the same destination */
bool net_record_is_shadowed(const struct net_record *all, unsigned int nr,
			    const struct net_route *route);

/** net_record_add_route() - Insert a route: on-link ones first, then by metric; -E2BIG if there are too many */
MUST_CHECK int net_record_add_route(struct net_record *record, const struct net_route *new,
				    struct err *err);

#endif
