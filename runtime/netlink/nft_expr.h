/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Expressions of nf_tables' rules, each appended to the rule being built
 *
 * A match that fails ends the rule. All use the first register only.
 * Context of all: setup.  Syscalls: none
 */
#ifndef VMRUN_RUNTIME_NETLINK_NFT_EXPR_H
#define VMRUN_RUNTIME_NETLINK_NFT_EXPR_H

#include <linux/netfilter/nf_tables.h>

#include "runtime/netlink/nl.h"

/** nft_put_be32() - A number, as an attribute */
void nft_put_be32(struct nlmsghdr *nlh, uint16_t type, uint32_t value);

/** nft_put_link() - The packet's interface (@key: NFT_META_IIFNAME or NFT_META_OIFNAME) is @name, or is not */
void nft_put_link(struct nlmsghdr *nlh, enum nft_meta_keys key, enum nft_cmp_ops op,
		  const char *name);
/** nft_put_from_group(), nft_put_to_group() - The packet enters, or leaves, by an interface of @group */
void nft_put_from_group(struct nlmsghdr *nlh, uint32_t group);
void nft_put_to_group(struct nlmsghdr *nlh, uint32_t group);
/** nft_put_ipv4(), nft_put_not_ipv4() - In family inet: the packet is IPv4, or is not */
void nft_put_ipv4(struct nlmsghdr *nlh);
void nft_put_not_ipv4(struct nlmsghdr *nlh, uint32_t unused);
/** nft_put_source(), nft_put_not_source() - Its IPv4 source is @addr, or is not; network byte order */
void nft_put_source(struct nlmsghdr *nlh, uint32_t addr);
void nft_put_not_source(struct nlmsghdr *nlh, uint32_t addr);
/** nft_put_tracked() - It belongs to an existing connection, or is related to one */
void nft_put_tracked(struct nlmsghdr *nlh, uint32_t unused);
/** nft_put_marked() - Its mark has a bit of @bits; nft_put_mark() sets all of them */
void nft_put_marked(struct nlmsghdr *nlh, uint32_t bits);
void nft_put_mark(struct nlmsghdr *nlh, uint32_t bits);

/** nft_put_verdict() - NF_ACCEPT or NF_DROP */
void nft_put_verdict(struct nlmsghdr *nlh, int verdict);
void nft_put_masquerade(struct nlmsghdr *nlh);

#endif
