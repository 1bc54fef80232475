/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/netlink/nft_expr.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <net/if.h>

#include "devices/core/fmt.h"

#define IP_SADDR_OFFSET 12 /* in an IPv4 header */
#define TRACKED		(NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED))

void nft_put_be32(struct nlmsghdr *nlh, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(nlh, type, htonl(value));
}

/** struct expr - The two nested attributes around an expression */
struct expr {
	struct nlattr *element, *data;
};

static struct expr nft_expr_begin(struct nlmsghdr *nlh, const char *name)
{
	struct expr e;

	e.element = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	mnl_attr_put_strz(nlh, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(nlh, NFTA_EXPR_DATA);
	return e;
}

static void nft_expr_end(struct nlmsghdr *nlh, struct expr e)
{
	mnl_attr_nest_end(nlh, e.data);
	mnl_attr_nest_end(nlh, e.element);
}

static void nft_expr_put_value(struct nlmsghdr *nlh, uint16_t type, const void *value, size_t bytes)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put(nlh, NFTA_DATA_VALUE, bytes, value);
	mnl_attr_nest_end(nlh, nest);
}

static void nft_expr_put_cmp(struct nlmsghdr *nlh, enum nft_cmp_ops op, const void *value,
			     size_t bytes)
{
	struct expr e = nft_expr_begin(nlh, "cmp");

	nft_put_be32(nlh, NFTA_CMP_SREG, NFT_REG_1);
	nft_put_be32(nlh, NFTA_CMP_OP, op);
	nft_expr_put_value(nlh, NFTA_CMP_DATA, value, bytes);
	nft_expr_end(nlh, e);
}

static void nft_expr_put_meta(struct nlmsghdr *nlh, uint16_t reg, enum nft_meta_keys key)
{
	struct expr e = nft_expr_begin(nlh, "meta");

	nft_put_be32(nlh, NFTA_META_KEY, key);
	nft_put_be32(nlh, reg, NFT_REG_1);
	nft_expr_end(nlh, e);
}

/* register = register & mask ^ xor */
static void nft_expr_put_bitwise(struct nlmsghdr *nlh, uint32_t mask, uint32_t xor)
{
	struct expr e = nft_expr_begin(nlh, "bitwise");

	nft_put_be32(nlh, NFTA_BITWISE_SREG, NFT_REG_1);
	nft_put_be32(nlh, NFTA_BITWISE_DREG, NFT_REG_1);
	nft_put_be32(nlh, NFTA_BITWISE_LEN, sizeof(mask));
	nft_expr_put_value(nlh, NFTA_BITWISE_MASK, &mask, sizeof(mask));
	nft_expr_put_value(nlh, NFTA_BITWISE_XOR, &xor, sizeof(xor));
	nft_expr_end(nlh, e);
}

void nft_put_link(struct nlmsghdr *nlh, enum nft_meta_keys key, enum nft_cmp_ops op,
		  const char *name)
{
	char whole[IFNAMSIZ] = ""; /* all bytes are compared, also those after the end */

	fmt_into(whole, sizeof(whole), "%s", name);
	nft_expr_put_meta(nlh, NFTA_META_DREG, key);
	nft_expr_put_cmp(nlh, op, whole, sizeof(whole));
}

void nft_put_from_group(struct nlmsghdr *nlh, uint32_t group)
{
	nft_expr_put_meta(nlh, NFTA_META_DREG, NFT_META_IIFGROUP);
	nft_expr_put_cmp(nlh, NFT_CMP_EQ, &group, sizeof(group));
}

void nft_put_to_group(struct nlmsghdr *nlh, uint32_t group)
{
	nft_expr_put_meta(nlh, NFTA_META_DREG, NFT_META_OIFGROUP);
	nft_expr_put_cmp(nlh, NFT_CMP_EQ, &group, sizeof(group));
}

static void nft_expr_put_family(struct nlmsghdr *nlh, enum nft_cmp_ops op)
{
	const uint8_t ipv4 = NFPROTO_IPV4;

	nft_expr_put_meta(nlh, NFTA_META_DREG, NFT_META_NFPROTO);
	nft_expr_put_cmp(nlh, op, &ipv4, sizeof(ipv4));
}

void nft_put_ipv4(struct nlmsghdr *nlh)
{
	nft_expr_put_family(nlh, NFT_CMP_EQ);
}

void nft_put_not_ipv4(struct nlmsghdr *nlh, uint32_t unused UNUSED)
{
	nft_expr_put_family(nlh, NFT_CMP_NEQ);
}

static void nft_expr_put_source(struct nlmsghdr *nlh, enum nft_cmp_ops op, uint32_t addr)
{
	struct expr e = nft_expr_begin(nlh, "payload");

	nft_put_be32(nlh, NFTA_PAYLOAD_DREG, NFT_REG_1);
	nft_put_be32(nlh, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	nft_put_be32(nlh, NFTA_PAYLOAD_OFFSET, IP_SADDR_OFFSET);
	nft_put_be32(nlh, NFTA_PAYLOAD_LEN, sizeof(addr));
	nft_expr_end(nlh, e);
	nft_expr_put_cmp(nlh, op, &addr, sizeof(addr));
}

void nft_put_source(struct nlmsghdr *nlh, uint32_t addr)
{
	nft_expr_put_source(nlh, NFT_CMP_EQ, addr);
}

void nft_put_not_source(struct nlmsghdr *nlh, uint32_t addr)
{
	nft_expr_put_source(nlh, NFT_CMP_NEQ, addr);
}

static void nft_expr_put_any_bit(struct nlmsghdr *nlh, uint32_t bits)
{
	const uint32_t none = 0;

	nft_expr_put_bitwise(nlh, bits, 0);
	nft_expr_put_cmp(nlh, NFT_CMP_NEQ, &none, sizeof(none));
}

void nft_put_tracked(struct nlmsghdr *nlh, uint32_t unused UNUSED)
{
	struct expr e = nft_expr_begin(nlh, "ct");

	nft_put_be32(nlh, NFTA_CT_KEY, NFT_CT_STATE);
	nft_put_be32(nlh, NFTA_CT_DREG, NFT_REG_1);
	nft_expr_end(nlh, e);
	nft_expr_put_any_bit(nlh, TRACKED);
}

void nft_put_marked(struct nlmsghdr *nlh, uint32_t bits)
{
	nft_expr_put_meta(nlh, NFTA_META_DREG, NFT_META_MARK);
	nft_expr_put_any_bit(nlh, bits);
}

void nft_put_mark(struct nlmsghdr *nlh, uint32_t bits)
{
	nft_expr_put_meta(nlh, NFTA_META_DREG, NFT_META_MARK);
	nft_expr_put_bitwise(nlh, ~bits, bits);
	nft_expr_put_meta(nlh, NFTA_META_SREG, NFT_META_MARK);
}

void nft_put_verdict(struct nlmsghdr *nlh, int verdict)
{
	struct expr e = nft_expr_begin(nlh, "immediate");
	struct nlattr *data, *inner;

	nft_put_be32(nlh, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = mnl_attr_nest_start(nlh, NFTA_IMMEDIATE_DATA);
	inner = mnl_attr_nest_start(nlh, NFTA_DATA_VERDICT);
	nft_put_be32(nlh, NFTA_VERDICT_CODE, (uint32_t)verdict);
	mnl_attr_nest_end(nlh, inner);
	mnl_attr_nest_end(nlh, data);
	nft_expr_end(nlh, e);
}

void nft_put_masquerade(struct nlmsghdr *nlh)
{
	nft_expr_end(nlh, nft_expr_begin(nlh, "masq"));
}
