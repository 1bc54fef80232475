/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Tables of nf_tables
 *
 * Context of all: setup.  Syscalls: sendto recvmsg poll
 */
#ifndef VMRUN_RUNTIME_NETLINK_NFT_H
#define VMRUN_RUNTIME_NETLINK_NFT_H

#include "runtime/netlink/nl.h"

/**
 * struct nft_private - A private device, as its tables know it
 * @link:	Name of the host's end; nothing has to be there yet
 * @group:	Of the interfaces that lead to other VMs
 * @guest:	The one IPv4 address that what the guest sends beyond the host may come from
 * @masquerade:	It may; else nothing is forwarded from it or to it
 */
struct nft_private {
	const char *link;
	uint32_t group;
	uint32_t guest;
	bool masquerade;
};

/**
 * nft_private_add() - Tables named @table: what may be forwarded, and as whose
 * @nl:		Opened on NETLINK_NETFILTER
 * @table:	Up to 255 bytes
 *
 * One batch: all of it or nothing. -EEXIST when a table is there, -EOPNOTSUPP without nf_tables, or
 * without the parts of it that are needed.
 */
MUST_CHECK int nft_private_add(struct nl *nl, const char *table, const struct nft_private *p,
			       struct err *err);

/**
 * nft_guard_add() - Tables named @table that keep private guests away from @link, which is in no group
 *
 * As nft_private_add().
 */
MUST_CHECK int nft_guard_add(struct nl *nl, const char *table, const char *link, uint32_t group,
			     struct err *err);

/** nft_table_del() - Remove the tables made for @link; -ENOENT when there is none, or it is for another */
MUST_CHECK int nft_table_del(struct nl *nl, const char *table, const char *link, struct err *err);

#endif
