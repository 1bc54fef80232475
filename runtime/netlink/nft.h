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
 * @link:	Name of the host's end, which need not exist yet
 * @group:	Group of the interfaces that lead to other VMs
 * @guest:	The only source address that the guest may use beyond the host
 * @masquerade:	The guest reaches beyond the host; without it nothing is forwarded from it or to it
 */
struct nft_private {
	const char *link;
	uint32_t group;
	uint32_t guest;
	bool masquerade;
};

/**
 * nft_private_add() - Add tables named @table that limit what is forwarded for the guest
 * @nl:		Opened on NETLINK_NETFILTER
 * @table:	Up to 255 bytes
 *
 * All or nothing. -EEXIST if a table exists, -EOPNOTSUPP if the kernel lacks nf_tables or a part that is
 * needed.
 */
MUST_CHECK int nft_private_add(struct nl *nl, const char *table, const struct nft_private *p,
			       struct err *err);

/**
 * nft_guard_add() - Add tables named @table that keep private guests away from @link, which is in no group
 *
 * As nft_private_add().
 */
MUST_CHECK int nft_guard_add(struct nl *nl, const char *table, const char *link, uint32_t group,
			     struct err *err);

/** nft_table_del() - Remove the tables of @link; -ENOENT if there is none, or it belongs to another link */
MUST_CHECK int nft_table_del(struct nl *nl, const char *table, const char *link, struct err *err);

#endif
