/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Inside the network modes
 */
#ifndef VMRUN_RUNTIME_NET_PRIV_H
#define VMRUN_RUNTIME_NET_PRIV_H

#include "runtime/net/net.h"
#include "runtime/netlink/netns.h"
#include "runtime/netlink/rtnl.h"
#include "runtime/netlink/rtnl_dump.h"
#include "runtime/netlink/tc.h"

#define NET_TABLE_PREFIX "vmrun_"
#define NET_TRIES	 64 /* names looked at before giving up */
#define NET_MTU_DEFAULT	 1500
#define NET_GROUP	 30317 /* "vm": group of interfaces that lead to a guest */

/**
 * struct net_ops - One mode
 * @plan:	Beyond what is common; NULL when there is nothing
 * @setup:	In the host's namespace, where it returns to. May leave a part behind on
 *		failure: @undo is called then, and the TAP closed. A name it found taken it strikes out
 * @undo:	NULL when nothing of it outlives the TAP's fd
 */
struct net_ops {
	int (*plan)(const struct plan_net *p, const char *id, struct net_made *made,
		    struct err *err);
	int (*setup)(const struct plan_net *p, struct net_made *made, struct tap *ret,
		     struct err *err);
	int (*undo)(const struct net_made *made, struct err *err);
};

/** net_ops() - The mode's; never NULL */
const struct net_ops *net_ops(enum net_mode m);

/** net_free_name() - The first name of net_name_link() that no interface of this namespace has */
MUST_CHECK int net_free_name(const char *kind, const char *id, const char *device, char ret[16],
			     struct err *err);

/** net_quiet() - Keep IPv6 of this namespace off interface @name; "default" = those to come. Best effort */
void net_quiet(const char *name);
/** net_dead_end() - Have the host forward nothing by IPv4 of what comes in there; what fails is no matter */
void net_dead_end(const char *name);

/** net_up() - Put it into NET_GROUP, set MTU and master (0 = leave alone), and switch it on */
MUST_CHECK int net_up(struct nl *nl, int index, uint16_t mtu, int master, struct err *err);

/** net_is_free() - 0, or -EADDRINUSE when an interface of this namespace is in the network of @host */
MUST_CHECK int net_is_free(struct nl *nl, struct net_addr host, struct err *err);

/** net_fill_addrs() - The guest's address and gateway, of the host's where the plan says none */
void net_fill_addrs(const struct plan_net *p, struct net_made *made);

/**
 * net_claim() - Take a network for made->host_link: the one given, or the first free one of the pool
 * @made:	Its host becomes what was taken; where none is given, the first to be tried
 *
 * Return: 0; -EADDRINUSE when there is none, or the one given is not free; other -errno
 */
MUST_CHECK int net_claim(const struct plan_net *p, struct net_made *made, struct err *err);

/** net_isolate() - Make made->table; struck out where there is none of ours then */
MUST_CHECK int net_isolate(const struct plan_net *p, struct net_made *made, struct err *err);

/** net_guard() - Make made->table for a TAP that was there before, as far as the caller may; struck out else */
MUST_CHECK int net_guard(struct net_made *made, struct err *err);

/** net_unisolate() - Remove made->table if it is there */
MUST_CHECK int net_unisolate(const struct net_made *made, struct err *err);

/**
 * net_inside() - Run @fn inside the network namespace @path, with a socket of it
 * @id:		Which one it has to be; filled in when not known
 *
 * Context: a process with one thread
 * Return: @fn's; -ESTALE when it is another one; other -errno
 */
MUST_CHECK int net_inside(const char *path, struct netns_id *id,
			  int (*fn)(struct nl *nl, void *arg, struct err *err), void *arg,
			  struct err *err);

/* Told of an interface that has an ingress qdisc */
#define NET_TAKEN "interface %s has an ingress qdisc: is it joined already?"

/* mode_private.c */
extern const struct net_ops net_private_ops;
/* mode_netns.c */
extern const struct net_ops net_netns_ops;

#endif
