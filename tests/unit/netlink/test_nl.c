/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "runtime/netlink/nl.h"
#include "tests/support/private_net.h"

#define SEQ  7
#define PORT 4242

static struct err err;

/** struct msgs - Answers, put together by hand */
struct msgs {
	size_t len;
	_Alignas(8) uint8_t bytes[4096];
};

static struct nlmsghdr *add(struct msgs *m, uint16_t type, uint16_t flags, const void *payload,
			    size_t len)
{
	struct nlmsghdr *nlh = (void *)(m->bytes + m->len);

	*nlh = (struct nlmsghdr){.nlmsg_len = (uint32_t)(sizeof(*nlh) + len),
				 .nlmsg_type = type,
				 .nlmsg_flags = flags,
				 .nlmsg_seq = SEQ,
				 .nlmsg_pid = PORT};
	memcpy(nlh + 1, payload, len);
	m->len += (sizeof(*nlh) + len + 3) & ~3UL;
	return nlh;
}

static struct nlmsghdr *add_error(struct msgs *m, int code)
{
	struct nlmsgerr e = {.error = code, .msg = {.nlmsg_len = sizeof(struct nlmsghdr)}};

	return add(m, NLMSG_ERROR, NLM_F_CAPPED, &e, sizeof(e));
}

static struct nlmsghdr *add_done(struct msgs *m, int code)
{
	return add(m, NLMSG_DONE, NLM_F_MULTI, &code, sizeof(code));
}

static int count(const struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	++*(unsigned int *)arg;
	return 0;
}

/** struct run - What nl_run() made of them */
struct run {
	int rc;
	bool done;
	unsigned int answers;
};

static struct run run(const struct msgs *m)
{
	struct run s = {0};

	s.rc = nl_run(m->bytes, m->len, SEQ, PORT, count, &s.answers, "ask", &s.done, &err);
	return s;
}

Test(nl, answers_then_the_acknowledgement)
{
	struct msgs m = {0};
	struct run s;

	add(&m, RTM_NEWLINK, 0, "abcde", 5); /* its padding counts for nothing */
	add(&m, NLMSG_NOOP, 0, "", 0);
	add(&m, RTM_NEWLINK, 0, "", 0);
	s = run(&m);
	cr_expect_eq(s.rc, 0);
	cr_expect_not(s.done);
	cr_expect_eq(s.answers, 2);
	add_error(&m, 0);
	s = run(&m);
	cr_expect(s.rc == 0 && s.done && s.answers == 2);
	m = (struct msgs){0};
	add_done(&m, 0);
	s = run(&m);
	cr_expect(s.rc == 0 && s.done);
	m.len = 0;
	s = run(&m);
	cr_expect(s.rc == 0 && !s.done, "an empty datagram says nothing");
}

Test(nl, errors_are_the_kernels)
{
	struct msgs m = {0};

	add_error(&m, -EEXIST);
	cr_expect_eq(run(&m).rc, -EEXIST);
	cr_expect_str_eq(err.msg, "ask: File exists");
	m = (struct msgs){0};
	add_done(&m, -EMSGSIZE);
	cr_expect_eq(run(&m).rc, -EMSGSIZE, "a dump's end has one too");
	m = (struct msgs){0};
	add(&m, RTM_NEWLINK, NLM_F_MULTI | NLM_F_DUMP_INTR, "", 0);
	add_done(&m, 0);
	cr_expect_eq(run(&m).rc, -EINTR);
	m = (struct msgs){0};
	add_error(&m, -524); /* ENOTSUPP, which only the kernel knows */
	cr_expect_eq(run(&m).rc, -524);
}

static size_t put_text(uint8_t *at, uint16_t type, const char *text, size_t len)
{
	struct nlattr a = {.nla_len = (uint16_t)(sizeof(a) + len), .nla_type = type};

	memcpy(at, &a, sizeof(a));
	memcpy(at + sizeof(a), text, len);
	return (sizeof(a) + len + 3) & ~3UL;
}

Test(nl, errors_come_with_the_kernels_words)
{
	static const struct {
		const char *text;
		size_t len; /* with the terminator, if there is one */
		uint16_t flags, type;
		uint32_t request; /* bytes of it that stand before the words */
		const char *want;
	} table[] = {
		{"so it is", 9, NLM_F_CAPPED | NLM_F_ACK_TLVS, NLMSGERR_ATTR_MSG, 0,
		 "ask: Invalid argument (so it is)"},
		{"so it is", 9, NLM_F_ACK_TLVS, NLMSGERR_ATTR_MSG, 20,
		 "ask: Invalid argument (so it is)"},
		{"two\nlines", 10, NLM_F_CAPPED | NLM_F_ACK_TLVS, NLMSGERR_ATTR_MSG, 0,
		 "ask: Invalid argument (two?lines)"},
		{"so it is", 9, NLM_F_CAPPED, NLMSGERR_ATTR_MSG, 0, "ask: Invalid argument"},
		{"so it is", 8, NLM_F_CAPPED | NLM_F_ACK_TLVS, NLMSGERR_ATTR_MSG, 0,
		 "ask: Invalid argument"},
		{"so it is", 9, NLM_F_CAPPED | NLM_F_ACK_TLVS, NLMSGERR_ATTR_OFFS, 0,
		 "ask: Invalid argument"},
		{"so it is", 9, NLM_F_ACK_TLVS, NLMSGERR_ATTR_MSG, 0x7fffff00,
		 "ask: Invalid argument"},
		{"", 0, NLM_F_ACK_TLVS, NLMSGERR_ATTR_MSG, 100, "ask: Invalid argument"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		uint8_t payload[256] = {0};
		struct nlmsgerr e = {.error = -EINVAL, .msg.nlmsg_len = 16 + table[i].request};
		size_t len = sizeof(e);
		struct msgs m = {0};

		memcpy(payload, &e, sizeof(e));
		if (table[i].request < 100)
			len += table[i].request;
		len += put_text(payload + len, table[i].type, table[i].text, table[i].len);
		add(&m, NLMSG_ERROR, table[i].flags, payload, len);
		cr_expect_eq(run(&m).rc, -EINVAL);
		cr_expect_str_eq(err.msg, table[i].want, "row %zu: %s", i, err.msg);
	}
}

static void short_header(struct msgs *m)
{
	add_error(m, 0);
	m->len = sizeof(struct nlmsghdr) - 1;
}

static void shorter_than_it_says(struct msgs *m)
{
	add(m, RTM_NEWLINK, 0, "12345678", 8);
	m->len -= 4;
}

static void length_below_a_header(struct msgs *m)
{
	add_error(m, 0)->nlmsg_len = sizeof(struct nlmsghdr) - 1;
}

static void length_of_nothing(struct msgs *m)
{
	add(m, NLMSG_NOOP, 0, "", 0)->nlmsg_len = 0;
}

static void length_with_the_top_bit(struct msgs *m)
{
	add_error(m, 0)->nlmsg_len = 0x80000014;
}

static void length_that_wraps(struct msgs *m)
{
	add_error(m, 0)->nlmsg_len = 0xffffffff;
}

static void crumbs_behind_a_message(struct msgs *m)
{
	add(m, RTM_NEWLINK, 0, "", 0);
	m->len += 5;
}

static void another_sequence(struct msgs *m)
{
	add_error(m, 0)->nlmsg_seq = SEQ - 1;
}

static void no_sequence(struct msgs *m)
{
	add_error(m, 0)->nlmsg_seq = 0;
}

static void another_port(struct msgs *m)
{
	add_error(m, 0)->nlmsg_pid = PORT + 1;
}

static void positive_error(struct msgs *m)
{
	add_error(m, 5);
}

static void error_beyond_all(struct msgs *m)
{
	add_error(m, -4096);
}

static void smallest_error(struct msgs *m)
{
	add_error(m, INT32_MIN);
}

static void truncated_error(struct msgs *m)
{
	add(m, NLMSG_ERROR, 0, "\0\0\0\0", 4);
}

static void truncated_done(struct msgs *m)
{
	add(m, NLMSG_DONE, 0, "\0\0", 2);
}

static void overrun(struct msgs *m)
{
	add(m, NLMSG_OVERRUN, 0, "", 0);
}

static void more_after_the_end(struct msgs *m)
{
	add_done(m, 0);
	add(m, RTM_NEWLINK, 0, "", 0);
}

static void two_ends(struct msgs *m)
{
	add_error(m, 0);
	add_error(m, 0);
}

Test(nl, answers_that_make_no_sense)
{
	static const struct {
		const char *name;
		void (*make)(struct msgs *m);
	} table[] = {
		{"short header", short_header},
		{"shorter than it says", shorter_than_it_says},
		{"length below a header", length_below_a_header},
		{"length of nothing", length_of_nothing},
		{"length with the top bit", length_with_the_top_bit},
		{"length that wraps", length_that_wraps},
		{"crumbs", crumbs_behind_a_message},
		{"another sequence", another_sequence},
		{"no sequence", no_sequence},
		{"another port", another_port},
		{"positive error", positive_error},
		{"error beyond all", error_beyond_all},
		{"smallest error", smallest_error},
		{"truncated error", truncated_error},
		{"truncated done", truncated_done},
		{"overrun", overrun},
		{"more after the end", more_after_the_end},
		{"two ends", two_ends},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct msgs m = {0};
		struct run s;

		table[i].make(&m);
		s = run(&m);
		cr_expect_eq(s.rc, -EPROTO, "%s: %d", table[i].name, s.rc);
		cr_expect_not(s.done, "%s", table[i].name);
		cr_expect(strncmp(err.msg, "ask: ", 5) == 0, "%s", err.msg);
	}
}

static int refuse(const struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	return *(int *)arg;
}

Test(nl, an_answer_without_a_callback)
{
	int code = -ENOMEM;
	struct msgs m = {0};
	bool done = false;

	add(&m, RTM_NEWLINK, 0, "", 0);
	add_error(&m, 0);
	cr_expect_eq(nl_run(m.bytes, m.len, SEQ, PORT, NULL, NULL, "ask", &done, &err), -EPROTO);
	cr_expect_eq(nl_run(m.bytes, m.len, SEQ, PORT, refuse, &code, "ask", &done, &err), -ENOMEM);
	code = -EPROTO;
	cr_expect_eq(nl_run(m.bytes, m.len, SEQ, PORT, refuse, &code, "ask", &done, &err), -EPROTO);
	cr_expect_not(done, "outputs are untouched on failure");
}

Test(nl, attributes_add_up)
{
	const struct nlattr *tb[4], *nested[4];
	_Alignas(8) uint8_t payload[64] = {0};
	struct msgs m = {0};
	struct nlmsghdr *nlh;
	uint32_t value = 77;
	char text[4] = "old";
	size_t len = 16;

	len += put_text(payload + len, 1, "abc", 4);
	len += put_text(payload + len, 2, "\4\0\3\0", 4);
	len += put_text(payload + len, 9, "?", 1);
	nlh = add(&m, RTM_NEWLINK, 0, payload, len);
	cr_assert_eq(nl_attrs(nlh, 16, tb, ARRAY_SIZE(tb)), 0);
	cr_expect(!tb[0] && tb[1] && tb[2] && !tb[3]);
	cr_expect_eq(nl_nested(tb[2], nested, ARRAY_SIZE(nested)), 0);
	cr_expect(!nested[2] && nested[3]);
	cr_expect_eq(nl_nested(tb[1], nested, ARRAY_SIZE(nested)), -EPROTO, "a text is no list");
	cr_expect_eq(nl_nested(NULL, nested, ARRAY_SIZE(nested)), 0);
	cr_expect_not(nested[3]);

	cr_expect_eq(nl_get_str(tb[1], text, 3), -EPROTO, "too long");
	cr_expect_str_eq(text, "old");
	cr_expect_eq(nl_get_str(tb[1], text, 4), 0);
	cr_expect_str_eq(text, "abc");
	cr_expect_eq(nl_get(tb[1], &value, 3), -EPROTO);
	cr_expect_eq(nl_get(tb[3], &value, 4), 0);
	cr_expect_eq(value, 77, "left alone");
	cr_expect_eq(nl_get(tb[2], &value, 4), 0);
	cr_expect_eq(value, 0x00030004);
	cr_expect_eq(nl_get_str(nested[3], text, 4), 0, "none");

	cr_expect_eq(nl_attrs(nlh, len, tb, ARRAY_SIZE(tb)), 0);
	cr_expect_eq(nl_attrs(nlh, len + 1, tb, ARRAY_SIZE(tb)), -EPROTO, "header is truncated");
	nlh->nlmsg_len -= 5;
	cr_expect_eq(nl_attrs(nlh, 16, tb, ARRAY_SIZE(tb)), -EPROTO, "attribute is truncated");
}

Test(nl, a_kernel_that_explains_itself)
{
	static struct nl nl;
	struct nlmsghdr *nlh;
	struct nlattr *info;

	private_net_open(&nl);
	nlh = nl_begin(&nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "unheard-of");
	mnl_attr_nest_end(nlh, info);
	cr_expect_eq(nl_talk(&nl, NULL, NULL, "add link", &err), -EOPNOTSUPP);
	cr_expect_str_eq(err.msg, "add link: Operation not supported (Unknown device type)");

	/* A dump left in its first answer does not get into the way of what comes next. */
	for (int i = 0; i < 3; i++) {
		int code = -ENOSPC;

		nlh = nl_begin(&nl, RTM_GETLINK, NLM_F_DUMP);
		mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
		cr_expect_eq(nl_talk(&nl, refuse, &code, "list", &err), -ENOSPC);
	}
	nl_close(&nl);
	nl_close(&nl);
}
