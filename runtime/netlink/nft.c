/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Tables of nf_tables: what keeps a private device private, and masquerading
 *
 * A private device has a table of family inet, as nft would list it:
 *
 *   comment "vmrun LINK"
 *   chain forward {
 *       type filter hook forward priority filter; policy accept;
 *       oifname LINK ct state established,related accept      with masquerading
 *       oifname LINK drop
 *       iifname LINK ip version != 4, ip saddr != GUEST drop  with masquerading, else any: drop
 *       iifname LINK oifgroup GROUP drop                      with masquerading
 *       iifname LINK meta mark set meta mark | MARK           with masquerading
 *   }
 *   chain postrouting {                                       with masquerading
 *       type nat hook postrouting priority srcnat; policy accept;
 *       ip saddr GUEST oifname != LINK masquerade
 *   }
 *
 * All interfaces that vmrun makes on the host are in one group, GROUP. A bridge is not, but a VM may be a port
 * of it, and only the family bridge knows by which port a packet leaves. So masquerading needs a second table
 * of the same name:
 *
 *   chain output {
 *       type filter hook output priority filter; policy accept;
 *       oifgroup GROUP meta mark & MARK != 0 drop
 *   }
 *
 * A TAP that existed before is not in GROUP. It gets tables of its own, with the rules "oifname TAP iifgroup
 * GROUP drop" and "oifname TAP meta mark & MARK != 0 drop" in those two chains.
 *
 * A verdict "accept" ends one of these chains and overrides no drop of another table: these tables let in
 * nothing that another keeps out. Of the host's own packets only the last hook sees any, and they lack MARK.
 *
 * The comment names the owner of a table. A create that was killed has recorded the name, but may not have
 * made the table. A table of that name that belongs to something else stays, even to a VM with the same id in
 * another state directory: its link has another name.
 *
 * Messages about tables form a transaction: BATCH_BEGIN, the messages, BATCH_END. An error in one undoes
 * all. Only the last one asks for an acknowledgement, which comes after any errors of the others.
 * Numbers are big endian; a register holds the host's numbers as they are.
 */
#include "runtime/netlink/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/netlink/nft_expr.h"

#define PRIORITY_FILTER 0
#define PRIORITY_SRCNAT 100
#define MARK		0x1000U /* a bit of the packet's mark */
#define WHAT_BYTES	320
#define TABLE_BYTES	256 /* with the terminator; NFT_NAME_MAXLEN */

/* As nft keeps a table's comment: kind, bytes, text */
struct owner {
	uint8_t kind, bytes;
	char text[sizeof("vmrun ") + IFNAMSIZ];
};

static struct owner nft_owner_of(const char *link)
{
	struct owner o = {.kind = 0};

	o.bytes = (uint8_t)(fmt_into(o.text, sizeof(o.text), "vmrun %s", link) + 1);
	return o;
}

static void nft_put_nfgenmsg(struct nlmsghdr *nlh, uint8_t family, uint16_t res_id)
{
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));

	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	g->res_id = htons(res_id);
}

static void nft_batch_begin(struct nl *nl)
{
	struct nlmsghdr *nlh = nl_begin(nl, NFNL_MSG_BATCH_BEGIN, 0);

	nlh->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
	nft_put_nfgenmsg(nlh, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

static struct nlmsghdr *nft_batch_add(struct nl *nl, uint8_t family, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = nl_more(nl, NFNL_SUBSYS_NFTABLES << 8 | type, flags);

	nft_put_nfgenmsg(nlh, family, 0);
	return nlh;
}

static void nft_batch_end(struct nl *nl)
{
	nl->last->nlmsg_flags |= NLM_F_ACK;
	nft_put_nfgenmsg(nl_more(nl, NFNL_MSG_BATCH_END, 0), AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

/* ---- adding --------------------------------------------------------------------------------- */

static void nft_add_table(struct nl *nl, uint8_t family, const char *table, const char *link)
{
	const struct owner owner = nft_owner_of(link);
	struct nlmsghdr *nlh = nft_batch_add(nl, family, NFT_MSG_NEWTABLE,
					     NLM_F_CREATE | NLM_F_EXCL);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, table);
	mnl_attr_put(nlh, NFTA_TABLE_USERDATA, 2U + owner.bytes, &owner);
}

/** struct chain - A chain to add; @priority as the kernel takes it */
struct chain {
	uint8_t family;
	const char *name, *type;
	unsigned int hook, priority;
};

static const struct chain forward = {NFPROTO_INET, "forward", "filter", NF_INET_FORWARD,
				     PRIORITY_FILTER};
static const struct chain postrouting = {NFPROTO_INET, "postrouting", "nat", NF_INET_POST_ROUTING,
					 PRIORITY_SRCNAT};
/* NF_BR_LOCAL_OUT is the same number; its header cannot stand beside net/if.h. */
static const struct chain output = {NFPROTO_BRIDGE, "output", "filter", NF_INET_LOCAL_OUT,
				    PRIORITY_FILTER};

static void nft_add_chain(struct nl *nl, const char *table, const struct chain *c)
{
	struct nlmsghdr *nlh = nft_batch_add(nl, c->family, NFT_MSG_NEWCHAIN,
					     NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *hook;

	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, c->name);
	hook = mnl_attr_nest_start(nlh, NFTA_CHAIN_HOOK);
	nft_put_be32(nlh, NFTA_HOOK_HOOKNUM, c->hook);
	nft_put_be32(nlh, NFTA_HOOK_PRIORITY, c->priority);
	mnl_attr_nest_end(nlh, hook);
	nft_put_be32(nlh, NFTA_CHAIN_POLICY, NF_ACCEPT);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TYPE, c->type);
}

/** struct rule - A rule being built */
struct rule {
	struct nlmsghdr *nlh;
	struct nlattr *list;
};

static struct rule nft_rule_begin(struct nl *nl, const char *table, const struct chain *c)
{
	struct rule r = {
		.nlh = nft_batch_add(nl, c->family, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND)};

	mnl_attr_put_strz(r.nlh, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(r.nlh, NFTA_RULE_CHAIN, c->name);
	r.list = mnl_attr_nest_start(r.nlh, NFTA_RULE_EXPRESSIONS);
	return r;
}

static void nft_rule_end(struct rule r)
{
	mnl_attr_nest_end(r.nlh, r.list);
}

/* A rule of the chain forward: a packet that comes in (or goes out) by the guest's link, and @match of it */
static void nft_add_forward(struct nl *nl, const char *table, const struct nft_private *p,
			    enum nft_meta_keys way, void (*match)(struct nlmsghdr *, uint32_t),
			    uint32_t value, int verdict)
{
	struct rule r = nft_rule_begin(nl, table, &forward);

	nft_put_link(r.nlh, way, NFT_CMP_EQ, p->link);
	if (match)
		match(r.nlh, value);
	if (verdict >= 0)
		nft_put_verdict(r.nlh, verdict);
	nft_rule_end(r);
}

static void nft_add_isolation(struct nl *nl, const char *table, const struct nft_private *p)
{
	nft_add_chain(nl, table, &forward);
	if (p->masquerade) {
		nft_add_forward(nl, table, p, NFT_META_OIFNAME, nft_put_from_group, p->group,
				NF_DROP);
		nft_add_forward(nl, table, p, NFT_META_OIFNAME, nft_put_tracked, 0, NF_ACCEPT);
	}
	nft_add_forward(nl, table, p, NFT_META_OIFNAME, NULL, 0, NF_DROP);
	if (!p->masquerade) {
		nft_add_forward(nl, table, p, NFT_META_IIFNAME, NULL, 0, NF_DROP);
		return;
	}
	nft_add_forward(nl, table, p, NFT_META_IIFNAME, nft_put_not_ipv4, 0, NF_DROP);
	nft_add_forward(nl, table, p, NFT_META_IIFNAME, nft_put_not_source, p->guest, NF_DROP);
	nft_add_forward(nl, table, p, NFT_META_IIFNAME, nft_put_to_group, p->group, NF_DROP);
	nft_add_forward(nl, table, p, NFT_META_IIFNAME, nft_put_mark, MARK, -1);
}

static void nft_add_masquerading(struct nl *nl, const char *table, const struct nft_private *p)
{
	struct rule r;

	nft_add_chain(nl, table, &postrouting);
	r = nft_rule_begin(nl, table, &postrouting);
	nft_put_ipv4(r.nlh);
	nft_put_source(r.nlh, p->guest);
	nft_put_link(r.nlh, NFT_META_OIFNAME, NFT_CMP_NEQ, p->link);
	nft_put_masquerade(r.nlh);
	nft_rule_end(r);
}

static void nft_add_bridge_guard(struct nl *nl, const char *table, const struct nft_private *p)
{
	struct rule r;

	nft_add_table(nl, NFPROTO_BRIDGE, table, p->link);
	nft_add_chain(nl, table, &output);
	r = nft_rule_begin(nl, table, &output);
	nft_put_to_group(r.nlh, p->group);
	nft_put_marked(r.nlh, MARK);
	nft_put_verdict(r.nlh, NF_DROP);
	nft_rule_end(r);
}

static void nft_add_guard(struct nl *nl, const char *table, const char *link, uint32_t group)
{
	struct rule r;

	nft_add_table(nl, NFPROTO_INET, table, link);
	nft_add_chain(nl, table, &forward);
	r = nft_rule_begin(nl, table, &forward);
	nft_put_link(r.nlh, NFT_META_OIFNAME, NFT_CMP_EQ, link);
	nft_put_from_group(r.nlh, group);
	nft_put_verdict(r.nlh, NF_DROP);
	nft_rule_end(r);
	nft_add_table(nl, NFPROTO_BRIDGE, table, link);
	nft_add_chain(nl, table, &output);
	r = nft_rule_begin(nl, table, &output);
	nft_put_link(r.nlh, NFT_META_OIFNAME, NFT_CMP_EQ, link);
	nft_put_marked(r.nlh, MARK);
	nft_put_verdict(r.nlh, NF_DROP);
	nft_rule_end(r);
}

static int nft_check_name(const char *table, struct err *err)
{
	size_t len = strnlen(table, TABLE_BYTES);

	return len > 0 && len < TABLE_BYTES
		       ? 0
		       : err_text(err, EINVAL,
				  "the name of an nftables table must be 1 to %d bytes long",
				  TABLE_BYTES - 1);
}

static int nft_check_names(const char *table, const char *link, struct err *err)
{
	const size_t len = strnlen(link, IFNAMSIZ);

	if (len == 0 || len == IFNAMSIZ)
		return err_text(err, EINVAL,
				"nftables: an interface name must be 1 to %d bytes long",
				IFNAMSIZ - 1);
	return nft_check_name(table, err);
}

static int nft_commit(struct nl *nl, const char *table, struct err *err)
{
	char what[WHAT_BYTES];
	int rc;

	nft_batch_end(nl);
	fmt_into(what, sizeof(what), "add nftables table %s", table);
	rc = nl_talk(nl, NULL, NULL, what, err);
	/* The batch makes all that it names, except the kinds of chains and expressions. */
	if (rc == -ENOENT)
		return err_text(err, EOPNOTSUPP,
				"%s: this kernel's nf_tables lacks a part (CONFIG_NF_TABLES_INET, "
				"CONFIG_NF_TABLES_BRIDGE, modules nft_ct, nft_chain_nat, nft_masq)",
				what);
	return rc;
}

int nft_guard_add(struct nl *nl, const char *table, const char *link, uint32_t group,
		  struct err *err)
{
	int rc = nft_check_names(table, link, err);

	if (rc < 0)
		return rc;
	nft_batch_begin(nl);
	nft_add_guard(nl, table, link, group);
	return nft_commit(nl, table, err);
}

int nft_private_add(struct nl *nl, const char *table, const struct nft_private *p, struct err *err)
{
	int rc = nft_check_names(table, p->link, err);

	if (rc < 0)
		return rc;
	nft_batch_begin(nl);
	nft_add_table(nl, NFPROTO_INET, table, p->link);
	nft_add_isolation(nl, table, p);
	if (p->masquerade) {
		nft_add_masquerading(nl, table, p);
		nft_add_bridge_guard(nl, table, p);
	}
	return nft_commit(nl, table, err);
}

/* ---- removing ------------------------------------------------------------------------------- */

/** struct found - A table: its handle, as received, and whether @owner owns it */
struct found {
	struct owner owner;
	uint64_t handle;
	bool ours;
};

static int nft_see_table(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *tb[NFTA_TABLE_USERDATA + 1], *data;
	struct found *f = arg;

	if (nl_attrs(nlh, sizeof(struct nfgenmsg), tb, ARRAY_SIZE(tb)) < 0 ||
	    !tb[NFTA_TABLE_HANDLE] ||
	    nl_get(tb[NFTA_TABLE_HANDLE], &f->handle, sizeof(f->handle)) < 0)
		return -EPROTO;
	data = tb[NFTA_TABLE_USERDATA];
	f->ours = data && mnl_attr_get_payload_len(data) == 2U + f->owner.bytes &&
		  memcmp(mnl_attr_get_payload(data), &f->owner, 2U + f->owner.bytes) == 0;
	return 0;
}

/* 0, -ENOENT, or -EOPNOTSUPP without nf_tables */
static int nft_find_table(struct nl *nl, uint8_t family, const char *table, struct found *ret,
			  const char *what, struct err *err)
{
	struct nlmsghdr *nlh = nl_begin(nl, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, 0);
	int rc;

	nft_put_nfgenmsg(nlh, family, 0);
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, table);
	rc = nl_talk(nl, nft_see_table, ret, what, err);
	/* A kernel without nf_tables answers EOPNOTSUPP to a batch and EINVAL to this request. */
	return rc == -EINVAL ? err_set(err, EOPNOTSUPP, "%s", what) : rc;
}

static int nft_remove_table(struct nl *nl, uint8_t family, const char *table, const char *link,
			    struct err *err)
{
	struct found found = {.owner = nft_owner_of(link)};
	struct nlmsghdr *nlh;
	char what[WHAT_BYTES];
	int rc;

	fmt_into(what, sizeof(what), "remove nftables table %s", table);
	rc = nft_find_table(nl, family, table, &found, what, err);
	if (rc < 0)
		return rc;
	if (!found.ours)
		return err_text(err, ENOENT, "%s: it is not this VM's", what);
	nft_batch_begin(nl);
	/* By its handle, as another table may have taken its name since. */
	nlh = nft_batch_add(nl, family, NFT_MSG_DELTABLE, 0);
	mnl_attr_put_u64(nlh, NFTA_TABLE_HANDLE, found.handle);
	nft_batch_end(nl);
	return nl_talk(nl, NULL, NULL, what, err);
}

int nft_table_del(struct nl *nl, const char *table, const char *link, struct err *err)
{
	static const uint8_t families[] = {NFPROTO_BRIDGE, NFPROTO_INET};
	struct err ignored;
	int rc = nft_check_names(table, link, err), result = -ENOENT;

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(families); i++) {
		rc = nft_remove_table(nl, families[i], table, link, result == 0 ? &ignored : err);
		if (rc == 0 || rc == -ENOENT)
			result = rc == 0 ? 0 : result, rc = 0;
	}
	return rc < 0 ? rc : result;
}
