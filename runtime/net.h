/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A VM's network devices: set up, at start, undone
 *
 * One function a mode sets up and one undoes; net_mode.c has the table. What is about to be made is in
 * the state file before it is made (struct net_made), so that delete --force knows after a death between
 * any two steps. Undoing tolerates whatever is missing.
 */
#ifndef VMRUN_RUNTIME_NET_H
#define VMRUN_RUNTIME_NET_H

#include "runtime/plan.h"
#include "runtime/tap.h"

/**
 * struct net_made - What there is, or may be, of one network device on the host; part of the state file
 * @device:	"net0"
 * @tap:	Name of the TAP, "" while not known
 * @host_link:	Name of the veth's host end (private mode), or ""
 * @table:	nftables table, or ""
 * @netns:	Path of the namespace (netns mode), or ""
 * @joined:	Names of the interfaces joined to TAPs by tc (netns mode)
 */
struct net_made {
	enum net_mode mode;
	char device[BOOT_NAME_BYTES];
	char tap[16];
	char host_link[16];
	char bridge[16];
	char table[80];
	char netns[256];
	char joined[16];
	uint8_t mac[6];
	uint16_t mtu;
	struct net_addr host, guest;
	uint32_t gateway;
};

/** net_mode_name() - "private", "tap", ...; net_mode_parse() - the other way, -EINVAL */
const char *net_mode_name(enum net_mode m);

/**
 * net_plan() - Decide names and addresses that are to be recorded before anything is made
 *
 * Asks the host which names and networks are free.
 */
MUST_CHECK int net_plan(const struct plan_net *p, const char *id, const char *device, struct net_made *ret,
			struct err *err);

/**
 * net_setup() - Make what @made says; undone whole on failure
 * @ret:	The TAP, the caller's to tap_close()
 *
 * Context: the supervisor, before anything is spawned; it has one thread and keeps its namespace.
 */
MUST_CHECK int net_setup(const struct plan_net *p, struct net_made *made, struct tap *ret, struct err *err);

/**
 * net_start() - What has to wait for start: netns mode looks at the interfaces that are there now
 * @made:	MAC, MTU, addresses, gateway filled in
 */
MUST_CHECK int net_start(const struct plan_net *p, struct net_made *made, struct err *err);

/** net_undo() - Remove whatever is left, after whatever happened; -EBUSY and such name what stays */
MUST_CHECK int net_undo(const struct net_made *made, struct err *err);

/** net_cmdline() - "ip=CLIENT::GW:MASK:HOST:eth<n>:off" into @ret; empty without a guest address */
void net_cmdline(const struct net_made *made, unsigned int n, const char *hostname, char *ret, size_t size);

#endif
