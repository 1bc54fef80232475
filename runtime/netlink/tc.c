/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/netlink/tc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>
#include <time.h>

#include "devices/core/fmt.h"

#define INGRESS_HANDLE 0xffff0000U
#define TRIES	       5
#define WHAT_BYTES     64

static struct nlmsghdr *tc_begin(struct nl *nl, uint16_t type, uint16_t flags,
				 const struct tcmsg *t)
{
	struct nlmsghdr *nlh = nl_begin(nl, type, flags);

	*(struct tcmsg *)mnl_nlmsg_put_extra_header(nlh, sizeof(*t)) = *t;
	return nlh;
}

static int tc_add_ingress(struct nl *nl, int index, struct err *err)
{
	const struct tcmsg t = {
		.tcm_ifindex = index, .tcm_handle = INGRESS_HANDLE, .tcm_parent = TC_H_INGRESS};
	char what[WHAT_BYTES];
	int rc = -EBUSY;

	fmt_into(what, sizeof(what), "add ingress qdisc to interface %d", index);
	/* EBUSY only while the kernel handles another process's request about filters. */
	for (int i = 0; i < TRIES && rc == -EBUSY; i++) {
		struct nlmsghdr *nlh;

		if (i > 0)
			nanosleep(&(struct timespec){.tv_nsec = 10000000L << i}, NULL);
		nlh = tc_begin(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &t);
		mnl_attr_put_strz(nlh, TCA_KIND, "ingress");
		rc = nl_talk(nl, NULL, NULL, what, err);
	}
	return rc;
}

/* The filter's one action: out on another interface, and no further here */
static void tc_put_redirect(struct nlmsghdr *nlh, uint16_t type, int to_index)
{
	const struct tc_mirred redirect = {.action = TC_ACT_STOLEN,
					   .eaction = TCA_EGRESS_REDIR,
					   .ifindex = (uint32_t)to_index};
	struct nlattr *list = mnl_attr_nest_start(nlh, type), *action, *options;

	action = mnl_attr_nest_start(nlh, 1); /* a list's attributes are numbered from 1 */
	mnl_attr_put_strz(nlh, TCA_ACT_KIND, "mirred");
	options = mnl_attr_nest_start(nlh, TCA_ACT_OPTIONS);
	mnl_attr_put(nlh, TCA_MIRRED_PARMS, sizeof(redirect), &redirect);
	mnl_attr_nest_end(nlh, options);
	mnl_attr_nest_end(nlh, action);
	mnl_attr_nest_end(nlh, list);
}

static void tc_put_matchall(struct nlmsghdr *nlh, int to_index)
{
	tc_put_redirect(nlh, TCA_MATCHALL_ACT, to_index);
}

static void tc_put_u32(struct nlmsghdr *nlh, int to_index)
{
	struct {
		struct tc_u32_sel sel;
		struct tc_u32_key key; /* mask 0, value 0: any frame */
	} any;

	memset(&any, 0, sizeof(any));
	any.sel.flags = TC_U32_TERMINAL;
	any.sel.nkeys = 1;
	tc_put_redirect(nlh, TCA_U32_ACT, to_index);
	mnl_attr_put(nlh, TCA_U32_SEL, sizeof(any), &any);
}

static const struct {
	const char *kind;
	void (*put)(struct nlmsghdr *nlh, int to_index);
} filters[] = {{"matchall", tc_put_matchall}, {"u32", tc_put_u32}};

static int tc_add_filter(struct nl *nl, int from_index, int to_index, uint16_t mark,
			 struct err *err)
{
	const struct tcmsg t = {.tcm_ifindex = from_index,
				.tcm_parent = INGRESS_HANDLE,
				.tcm_info = (uint32_t)mark << 16 | htons(ETH_P_ALL)};
	char what[WHAT_BYTES];
	int rc = -ENOENT;

	fmt_into(what, sizeof(what), "redirect interface %d to %d", from_index, to_index);
	for (size_t i = 0; i < ARRAY_SIZE(filters) && rc == -ENOENT; i++) {
		struct nlmsghdr *nlh = tc_begin(nl, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &t);
		struct nlattr *options;

		mnl_attr_put_strz(nlh, TCA_KIND, filters[i].kind);
		options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
		filters[i].put(nlh, to_index);
		mnl_attr_nest_end(nlh, options);
		rc = nl_talk(nl, NULL, NULL, what, err);
	}
	return rc;
}

static int tc_remove_ingress(struct nl *nl, int index, struct err *err)
{
	/* By its place, not its handle: if the qdisc is gone the kernel answers ENOENT to the first and
	 * EINVAL to the second. */
	const struct tcmsg t = {.tcm_ifindex = index, .tcm_parent = TC_H_INGRESS};
	char what[WHAT_BYTES];

	fmt_into(what, sizeof(what), "remove ingress qdisc of interface %d", index);
	tc_begin(nl, RTM_DELQDISC, 0, &t);
	return nl_talk(nl, NULL, NULL, what, err);
}

int tc_redirect(struct nl *nl, int from_index, int to_index, uint16_t mark, struct err *err)
{
	struct err ignored;
	int rc = tc_add_ingress(nl, from_index, err);

	if (rc < 0)
		return rc;
	rc = tc_add_filter(nl, from_index, to_index, mark, err);
	if (rc < 0)
		(void)!tc_remove_ingress(nl, from_index, &ignored);
	return rc;
}

/** struct place - What an interface has as ingress qdisc, and whether a filter is not ours */
struct place {
	int index;
	uint16_t mark;
	char kind[16];
	bool foreign;
};

static int tc_see_qdisc(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *tb[TCA_KIND + 1];
	struct place *p = arg;

	if (nlh->nlmsg_type != RTM_NEWQDISC ||
	    nl_attrs(nlh, sizeof(struct tcmsg), tb, ARRAY_SIZE(tb)) < 0 || !tb[TCA_KIND])
		return -EPROTO;
	return nl_get_str(tb[TCA_KIND], p->kind, sizeof(p->kind));
}

static int tc_see_filter(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *t = mnl_nlmsg_get_payload(nlh);
	struct place *p = arg;

	if (nlh->nlmsg_type != RTM_NEWTFILTER || mnl_nlmsg_get_payload_len(nlh) < sizeof(*t))
		return -EPROTO;
	p->foreign |= t->tcm_ifindex != p->index || t->tcm_info >> 16 != p->mark;
	return 0;
}

/* The kind of qdisc, empty if there is none */
static int tc_look_at(struct nl *nl, struct place *p, struct err *err)
{
	const struct tcmsg t = {.tcm_ifindex = p->index, .tcm_parent = TC_H_INGRESS};
	char what[WHAT_BYTES];
	int rc;

	fmt_into(what, sizeof(what), "ask for ingress qdisc of interface %d", p->index);
	/* With NLM_F_ECHO older kernels answer this socket too, and not only listeners. */
	tc_begin(nl, RTM_GETQDISC, NLM_F_ECHO, &t);
	rc = nl_talk(nl, tc_see_qdisc, p, what, err);
	/* The kernel answers EINVAL about a qdisc that was removed. */
	return rc == -ENOENT || rc == -EINVAL ? 0 : rc;
}

int tc_taken(struct nl *nl, int index, struct err *err)
{
	struct place p = {.index = index};
	int rc = tc_look_at(nl, &p, err);

	return rc < 0 ? rc : p.kind[0] != '\0';
}

static int tc_look_at_filters(struct nl *nl, struct place *p, struct err *err)
{
	const struct tcmsg t = {.tcm_ifindex = p->index, .tcm_parent = INGRESS_HANDLE};
	char what[WHAT_BYTES];
	int rc = -EINTR;

	fmt_into(what, sizeof(what), "list filters of interface %d", p->index);
	for (int i = 0; i < TRIES && rc == -EINTR; i++) {
		tc_begin(nl, RTM_GETTFILTER, NLM_F_DUMP, &t);
		rc = nl_talk(nl, tc_see_filter, p, what, err);
	}
	return rc;
}

int tc_clear(struct nl *nl, int index, uint16_t mark, struct err *err)
{
	struct place p = {.index = index, .mark = mark};
	int rc = tc_look_at(nl, &p, err);

	if (rc == 0 && strcmp(p.kind, "ingress") == 0)
		rc = tc_look_at_filters(nl, &p, err);
	else if (rc == 0)
		p.foreign = true;
	if (rc < 0)
		return rc;
	if (p.foreign)
		return err_text(err, ENOENT, "interface %d has no ingress qdisc of ours", index);
	return tc_remove_ingress(nl, index, err);
}
