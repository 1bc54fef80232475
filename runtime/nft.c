/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Masquerading by a table of nf_tables
 *
 * One table of family ip, with one chain and one rule, as nft would list it:
 *
 *   comment "vmrun"
 *   chain postrouting {
 *       type nat hook postrouting priority srcnat; policy accept;
 *       ip saddr NET oifname != EXCEPT masquerade
 *   }
 *
 * The comment tells whose it is: a create that was killed has put the name into its state, and whether
 * it got to the table is not known. Another's of that name stays.
 *
 * Whether the host forwards at all is not decided here: neither net.ipv4.ip_forward is set nor what
 * another table drops accepted, as no verdict of a table overrides another's drop.
 *
 * Messages about tables go in a transaction: BATCH_BEGIN, they, BATCH_END. An error in one undoes
 * all. Only the last of them is acknowledged, which is after the others' errors would have come.
 * Numbers are big endian.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/rtnl.h"

#define CHAIN		"postrouting"
#define PRIORITY_SRCNAT 100
#define IP_SADDR_OFFSET 12 /* in an IPv4 header */
#define WHAT_BYTES	320
#define TABLE_BYTES	256 /* with the terminator; NFT_NAME_MAXLEN */

/* As nft keeps a table's comment: kind, bytes, text */
static const uint8_t owner[] = {0, sizeof("vmrun"), 'v', 'm', 'r', 'u', 'n', '\0'};

static void put_nfgenmsg(struct nlmsghdr *nlh, uint8_t family, uint16_t res_id)
{
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));

	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	g->res_id = htons(res_id);
}

static void batch_begin(struct nl *nl)
{
	struct nlmsghdr *nlh = nl_begin(nl, NFNL_MSG_BATCH_BEGIN, 0);

	nlh->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
	put_nfgenmsg(nlh, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

static struct nlmsghdr *batch_add(struct nl *nl, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = nl_more(nl, NFNL_SUBSYS_NFTABLES << 8 | type, flags);

	put_nfgenmsg(nlh, NFPROTO_IPV4, 0);
	return nlh;
}

static void batch_end(struct nl *nl)
{
	put_nfgenmsg(nl_more(nl, NFNL_MSG_BATCH_END, 0), AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

static void put_be32(struct nlmsghdr *nlh, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(nlh, type, htonl(value));
}

/** struct expr - The two nests that an expression of a rule is in */
struct expr {
	struct nlattr *element, *data;
};

static struct expr expr_begin(struct nlmsghdr *nlh, const char *name)
{
	struct expr e;

	e.element = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	mnl_attr_put_strz(nlh, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(nlh, NFTA_EXPR_DATA);
	return e;
}

static void expr_end(struct nlmsghdr *nlh, struct expr e)
{
	mnl_attr_nest_end(nlh, e.data);
	mnl_attr_nest_end(nlh, e.element);
}

static void put_value(struct nlmsghdr *nlh, uint16_t type, const void *value, size_t bytes)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put(nlh, NFTA_DATA_VALUE, bytes, value);
	mnl_attr_nest_end(nlh, nest);
}

static void put_cmp(struct nlmsghdr *nlh, enum nft_cmp_ops op, const void *value, size_t bytes)
{
	struct expr e = expr_begin(nlh, "cmp");

	put_be32(nlh, NFTA_CMP_SREG, NFT_REG_1);
	put_be32(nlh, NFTA_CMP_OP, op);
	put_value(nlh, NFTA_CMP_DATA, value, bytes);
	expr_end(nlh, e);
}

/* ip saddr & mask == net */
static void put_source_match(struct nlmsghdr *nlh, struct net_addr net)
{
	const uint32_t mask = net.bits ? htonl(~0U << (32 - net.bits)) : 0, none = 0;
	const uint32_t masked = net.addr & mask;
	struct expr e = expr_begin(nlh, "payload");

	put_be32(nlh, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_be32(nlh, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_be32(nlh, NFTA_PAYLOAD_OFFSET, IP_SADDR_OFFSET);
	put_be32(nlh, NFTA_PAYLOAD_LEN, sizeof(masked));
	expr_end(nlh, e);

	e = expr_begin(nlh, "bitwise");
	put_be32(nlh, NFTA_BITWISE_SREG, NFT_REG_1);
	put_be32(nlh, NFTA_BITWISE_DREG, NFT_REG_1);
	put_be32(nlh, NFTA_BITWISE_LEN, sizeof(mask));
	put_value(nlh, NFTA_BITWISE_MASK, &mask, sizeof(mask));
	put_value(nlh, NFTA_BITWISE_XOR, &none, sizeof(none));
	expr_end(nlh, e);

	put_cmp(nlh, NFT_CMP_EQ, &masked, sizeof(masked));
}

static void put_other_interface(struct nlmsghdr *nlh, const char *except)
{
	char name[IFNAMSIZ] = ""; /* compared whole, with what is behind its end */
	struct expr e = expr_begin(nlh, "meta");

	fmt_into(name, sizeof(name), "%s", except);
	put_be32(nlh, NFTA_META_KEY, NFT_META_OIFNAME);
	put_be32(nlh, NFTA_META_DREG, NFT_REG_1);
	expr_end(nlh, e);
	put_cmp(nlh, NFT_CMP_NEQ, name, sizeof(name));
}

static void add_table(struct nl *nl, const char *table)
{
	struct nlmsghdr *nlh = batch_add(nl, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, table);
	mnl_attr_put(nlh, NFTA_TABLE_USERDATA, sizeof(owner), owner);
}

static void add_chain(struct nl *nl, const char *table)
{
	struct nlmsghdr *nlh = batch_add(nl, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *hook;

	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, CHAIN);
	hook = mnl_attr_nest_start(nlh, NFTA_CHAIN_HOOK);
	put_be32(nlh, NFTA_HOOK_HOOKNUM, NF_INET_POST_ROUTING);
	put_be32(nlh, NFTA_HOOK_PRIORITY, PRIORITY_SRCNAT);
	mnl_attr_nest_end(nlh, hook);
	put_be32(nlh, NFTA_CHAIN_POLICY, NF_ACCEPT);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TYPE, "nat");
}

static void add_rule(struct nl *nl, const char *table, struct net_addr net, const char *except)
{
	struct nlmsghdr *nlh = batch_add(nl, NFT_MSG_NEWRULE,
					 NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK);
	struct nlattr *list;

	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, CHAIN);
	list = mnl_attr_nest_start(nlh, NFTA_RULE_EXPRESSIONS);
	put_source_match(nlh, net);
	put_other_interface(nlh, except);
	expr_end(nlh, expr_begin(nlh, "masq"));
	mnl_attr_nest_end(nlh, list);
}

static int check_names(const char *table, const char *except, struct err *err)
{
	size_t len = strnlen(table, TABLE_BYTES);

	if (len == 0 || len == TABLE_BYTES)
		return err_text(err, EINVAL, "name of nftables table has not 1 to %d bytes",
				TABLE_BYTES - 1);
	len = strnlen(except, IFNAMSIZ);
	if (len == 0 || len == IFNAMSIZ)
		return err_text(err, EINVAL,
				"nftables table %s: interface name has not 1 to %d bytes", table,
				IFNAMSIZ - 1);
	return 0;
}

int nft_masquerade_add(struct nl *nl, const char *table, struct net_addr net, const char *except,
		       struct err *err)
{
	char what[WHAT_BYTES];
	int r;

	r = check_names(table, except, err);
	if (r < 0)
		return r;
	batch_begin(nl);
	add_table(nl, table);
	add_chain(nl, table);
	add_rule(nl, table, net, except);
	batch_end(nl);
	fmt_into(what, sizeof(what), "add nftables table %s", table);
	r = nl_talk(nl, NULL, NULL, what, err);
	/* All that was named is in the batch itself, but for the kinds of chain and expressions. */
	if (r == -ENOENT)
		return err_text(
			err, EOPNOTSUPP,
			"%s: this kernel's nf_tables has no masquerading (modules nft_chain_nat, "
			"nft_masq)",
			what);
	return r;
}

/** struct found - A table: its handle, as it came, and whether it was made here */
struct found {
	uint64_t handle;
	bool ours;
};

static int see_table(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *tb[NFTA_TABLE_USERDATA + 1], *data;
	struct found *f = arg;

	if (nl_attrs(nlh, sizeof(struct nfgenmsg), tb, ARRAY_SIZE(tb)) < 0 ||
	    !tb[NFTA_TABLE_HANDLE] ||
	    nl_get(tb[NFTA_TABLE_HANDLE], &f->handle, sizeof(f->handle)) < 0)
		return -EPROTO;
	data = tb[NFTA_TABLE_USERDATA];
	f->ours = data && mnl_attr_get_payload_len(data) == sizeof(owner) &&
		  memcmp(mnl_attr_get_payload(data), owner, sizeof(owner)) == 0;
	return 0;
}

/* Looks a table up: 0, -ENOENT, -EOPNOTSUPP without nf_tables */
static int find_table(struct nl *nl, const char *table, struct found *ret, const char *what,
		      struct err *err)
{
	struct nlmsghdr *nlh = nl_begin(nl, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, 0);
	int r;

	put_nfgenmsg(nlh, NFPROTO_IPV4, 0);
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, table);
	r = nl_talk(nl, see_table, ret, what, err);
	/* What a batch is told by its own number is a senseless request outside of one. */
	return r == -EINVAL ? err_set(err, EOPNOTSUPP, "%s", what) : r;
}

int nft_table_del(struct nl *nl, const char *table, struct err *err)
{
	struct found found = {.ours = false};
	char what[WHAT_BYTES];
	int r;

	r = check_names(table, "any", err);
	if (r < 0)
		return r;
	fmt_into(what, sizeof(what), "remove nftables table %s", table);
	r = find_table(nl, table, &found, what, err);
	if (r < 0)
		return r;
	if (!found.ours)
		return err_text(err, ENOENT, "%s: it is not one of vmrun's", what);
	batch_begin(nl);
	/* By its handle: one that has taken its name since is another. */
	mnl_attr_put_u64(batch_add(nl, NFT_MSG_DELTABLE, NLM_F_ACK), NFTA_TABLE_HANDLE,
			 found.handle);
	batch_end(nl);
	return nl_talk(nl, NULL, NULL, what, err);
}
