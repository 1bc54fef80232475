/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A VM's network devices: set up, at start, undone
 *
 *   launcher    net_plan()    names and addresses, asked of the host; into the state file
 *   supervisor  net_setup()   before anything is spawned
 *               net_look()    at start, netns mode: what is there to join; into the state file
 *               net_join()    joins it
 *               net_left()    what nothing was there for
 *               net_cmdline() what the guest's kernel is told of all that
 *               net_undo()    at the end, and in delete
 *
 * What is about to be made is in the state file before it is made (struct net_made), so that delete
 * --force knows after a death between any two steps. Undoing tolerates whatever is missing. A TAP is
 * never removed: it goes with its last fd, and one that was there before stays. A network namespace
 * made for a VM goes with the TAP's fd too, and takes with it what is inside. So what is left to
 * remove by name are the host's end of a veth, a macvtap, nftables tables, an ingress qdisc.
 *
 * net.c has the calls above, mode_*.c a set-up and an undo for each mode, pool.c the networks of private
 * devices, look.c the looking, cmdline.c the telling, names.c what is chosen without asking the host.
 */
#ifndef VMRUN_RUNTIME_NET_NET_H
#define VMRUN_RUNTIME_NET_NET_H

#include "runtime/netlink/tap.h"
#include "runtime/plan/plan.h"
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
 * net_plan() - Decide names and addresses that are to be recorded before anything is made
 * @device:	Name of its process
 * @ret:	Untouched on failure
 *
 * Asks the host which names and networks are free. An inherited TAP (fd mode) is vmrun's from here on:
 * it becomes close-on-exec.
 */
MUST_CHECK int net_plan(const struct plan_net *p, const char *id, const char *device,
			struct net_made *ret, struct err *err);

/**
 * net_setup() - Make what @made says; undone whole on failure
 * @made:	Its MTU and the TAP's name are filled in
 * @ret:	The TAP, the caller's to tap_close(); without fds in mode none
 *
 * Context: the supervisor, before anything is spawned; it has one thread and keeps its namespace.
 */
MUST_CHECK int net_setup(const struct plan_net *p, struct net_made *made, struct tap *ret,
			 struct err *err);

/**
 * net_tell() - Complete the settings of network device @i in the plan, once it is set up
 * @made, @tap:	As net_setup() left them
 */
void net_tell(struct plan *p, unsigned int i, const struct net_made *made, const struct tap *tap);

/**
 * net_forward() - Let the host's kernel forward IPv4, which masquerading needs
 *
 * It stays switched on: others may have come to rely on it when the VM ends.
 * Syscalls: openat pread pwrite
 * Return: 1 when it was off, 0 when it was on, or -errno
 */
MUST_CHECK int net_forward(struct err *err);

/**
 * net_count() - How many interfaces of the network namespace @path netns mode would join
 * @ret_id:	Which one that is
 *
 * Those that are up and have an IPv4 address or a global IPv6 one, but for loopback and what is no
 * Ethernet.
 */
MUST_CHECK int net_count(const char *path, unsigned int *ret, struct netns_id *ret_id,
			 struct err *err);

/**
 * net_look() - What netns mode finds at start: the interfaces that are there now
 * @made:	All @nr of the VM; joined, MAC, MTU, addresses, routes, ... of number @i are filled in
 *
 * Device number @i takes the first interface of those net_count() counts that no other one in the same
 * namespace took. Finding none is no error: joined is empty then. What is joined stays joined when a
 * start is tried again. Without effect in other modes.
 * Return: 1 when something was found that is to be joined; 0; -EEXIST when that has an ingress qdisc, so
 * that nothing of another's is ever on record as ours; -E2BIG; other -errno
 */
MUST_CHECK int net_look(struct net_made *made, unsigned int nr, unsigned int i, struct err *err);

/** net_join() - Join what net_look() found; recorded before. On failure nothing is joined */
MUST_CHECK int net_join(struct net_made *made, struct err *err);

/**
 * net_left() - After all were joined: warn of each interface with addresses that no device took
 * @made:	All @nr of the VM; looks into the namespace of number @i, unless one before it is of the same
 */
MUST_CHECK int net_left(const struct net_made *made, unsigned int nr, unsigned int i,
			const struct warn_to *warn, struct err *err);

/** net_undo() - Remove whatever is left, after whatever happened; -EBUSY and such name what stays */
MUST_CHECK int net_undo(const struct net_made *made, struct err *err);

/* ---- net_cmdline.c: pure ---- */

/**
 * struct net_guest - What counts for the guest's command line beside its networks
 * @quiet:	It is told nothing: the user has said "ip=", and knows better
 * @cmdline_bytes: There already
 */
struct net_guest {
	bool quiet;
	size_t cmdline_bytes;
	char hostname[PLAN_HOSTNAME_BYTES];
};

void net_guest_of(const struct plan *p, struct net_guest *ret);

/**
 * net_cmdline() - The words that tell the guest's kernel and init about all networks
 * @made:	All @nr of the VM; number n is eth<n>
 *
 * README.md has the table of words. -E2BIG when the kernel would not take all of them.
 */
MUST_CHECK int net_cmdline(const struct net_made *made, unsigned int nr,
			   const struct net_guest *guest, char ret[BOOT_CMDLINE_MAX],
			   struct err *err);

/* ---- net_names.c: pure ---- */

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
