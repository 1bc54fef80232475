/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/netlink/nl.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "devices/core/fmt.h"
#include "runtime/util/clock.h"

#define TIMEOUT_NS  10000000000ULL
#define ERRNO_LIMIT 4095 /* the kernel's MAX_ERRNO */
#define TEXT_BYTES  120	 /* of the kernel's text */

int nl_open(struct nl *nl, int family, struct err *err)
{
	const char *name = family == NETLINK_NETFILTER ? "netfilter" : "route";
	int on = 1, rc;

	nl->seq = 0;
	nl->last = NULL;
	nl->sock = mnl_socket_open2(family, SOCK_CLOEXEC);
	if (!nl->sock)
		return err_set(err, errno, "open a netlink socket (%s)", name);
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		rc = err_set(err, errno, "bind a netlink socket (%s)", name);
		nl_close(nl);
		return rc;
	}
	nl->port = mnl_socket_get_portid(nl->sock);
	/* Kernels before 4.12 know neither: their errors have no text, and carry the request. */
	(void)mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &on, sizeof(on));
	return 0;
}

void nl_close(struct nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

static struct nlmsghdr *nl_put_header(struct nl *nl, void *at, uint16_t type, uint16_t flags)
{
	nl->last = mnl_nlmsg_put_header(at);
	nl->last->nlmsg_type = type;
	nl->last->nlmsg_flags = flags | NLM_F_REQUEST;
	nl->last->nlmsg_seq = nl->seq;
	return nl->last;
}

struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, uint16_t flags)
{
	nl->seq++;
	return nl_put_header(nl, nl->buffer, type, flags | NLM_F_ACK);
}

struct nlmsghdr *nl_more(struct nl *nl, uint16_t type, uint16_t flags)
{
	return nl_put_header(nl, mnl_nlmsg_get_payload_tail(nl->last), type, flags);
}

/* One datagram of the kernel; its size, or -errno */
static ssize_t nl_receive(struct nl *nl, int flags)
{
	struct iovec iov = {nl->buffer, sizeof(nl->buffer)};
	struct sockaddr_nl from = {0};
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	do
		n = recvmsg(mnl_socket_get_fd(nl->sock), &msg, flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (msg.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	/* Privileged processes may send to this port too: only the kernel's answers count. */
	if (msg.msg_namelen != sizeof(from) || from.nl_pid != 0)
		return -EAGAIN;
	return n;
}

static ssize_t nl_receive_until(struct nl *nl, uint64_t deadline_ns)
{
	struct pollfd p = {.fd = mnl_socket_get_fd(nl->sock), .events = POLLIN};

	for (;;) {
		ssize_t n = nl_receive(nl, MSG_DONTWAIT);
		uint64_t now = clock_ns();

		if (n != -EAGAIN)
			return n;
		if (now >= deadline_ns)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)((deadline_ns - now) / 1000000) + 1) < 0 && errno != EINTR)
			return -errno;
	}
}

/* The kernel makes the rest of a dump while it is read, so this ends. */
static void nl_drain(struct nl *nl)
{
	const uint64_t deadline_ns = clock_ns() + TIMEOUT_NS;
	ssize_t n;

	do
		n = nl_receive(nl, MSG_DONTWAIT);
	while ((n >= 0 || n == -EMSGSIZE || n == -ENOBUFS) && clock_ns() < deadline_ns);
}

static int nl_take_answers(struct nl *nl, int (*on_answer)(const struct nlmsghdr *nlh, void *arg),
			   void *arg, const char *what, struct err *err)
{
	const uint64_t deadline_ns = clock_ns() + TIMEOUT_NS;
	bool done = false;

	while (!done) {
		ssize_t n = nl_receive_until(nl, deadline_ns);
		int rc;

		if (n < 0)
			return err_set(err, (int)-n, "%s: netlink answer", what);
		rc = nl_run(nl->buffer, (size_t)n, nl->seq, nl->port, on_answer, arg, what, &done,
			    err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int nl_talk(struct nl *nl, int (*on_answer)(const struct nlmsghdr *nlh, void *arg), void *arg,
	    const char *what, struct err *err)
{
	const char *end = mnl_nlmsg_get_payload_tail(nl->last);
	ssize_t n;
	int rc;

	vr_assert(end <= nl->buffer + sizeof(nl->buffer));
	do
		n = mnl_socket_sendto(nl->sock, nl->buffer, (size_t)(end - nl->buffer));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err, errno, "%s: netlink request", what);
	rc = nl_take_answers(nl, on_answer, arg, what, err);
	if (rc < 0)
		nl_drain(nl);
	return rc;
}

static int nl_nonsense(const char *what, const char *why, struct err *err)
{
	return err_text(err, EPROTO, "%s: netlink answer makes no sense: %s", what, why);
}

static int nl_sort_attrs(const char *at, size_t left, const struct nlattr **tb, unsigned int nr)
{
	memset(tb, 0, nr * sizeof(tb[0]));
	while (left > 0) {
		const struct nlattr *a = (const void *)at;
		size_t step;

		if (left < sizeof(*a) || !mnl_attr_ok(a, (int)left))
			return -EPROTO;
		if (mnl_attr_get_type(a) < nr)
			tb[mnl_attr_get_type(a)] = a;
		step = MNL_ALIGN(mnl_attr_get_len(a));
		if (step > left)
			step = left; /* the last one needs no padding */
		at += step;
		left -= step;
	}
	return 0;
}

/* The kernel's text in an extended acknowledgement, whose attributes begin @off bytes into the payload */
static void nl_ext_ack_text(const struct nlmsghdr *nlh, size_t off, char text[TEXT_BYTES])
{
	const struct nlattr *tb[NLMSGERR_ATTR_MSG + 1];

	text[0] = '\0';
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || nl_attrs(nlh, off, tb, ARRAY_SIZE(tb)) < 0 ||
	    !tb[NLMSGERR_ATTR_MSG])
		return;
	if (nl_get_str(tb[NLMSGERR_ATTR_MSG], text, TEXT_BYTES) < 0)
		text[0] = '\0';
	/* A message stays one line. */
	for (char *p = text; *p; p++)
		*p = fmt_plain(*p) ? *p : '?';
}

/* NLMSG_ERROR and NLMSG_DONE begin with 0 or a negative errno; the text is @off bytes after it. */
static int nl_result(const struct nlmsghdr *nlh, size_t off, const char *what, struct err *err)
{
	const int code = *(const int *)mnl_nlmsg_get_payload(nlh);
	char text[TEXT_BYTES];

	if (code > 0 || code < -ERRNO_LIMIT)
		return nl_nonsense(what, "no valid errno", err);
	if (code == 0)
		return 0;
	nl_ext_ack_text(nlh, off, text);
	if (!text[0])
		return err_set(err, -code, "%s", what);
	return err_text(err, -code, "%s: %s (%s)", what, err_describe(-code), text);
}

static int nl_on_error(const struct nlmsghdr *nlh, const char *what, struct err *err)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	size_t off = sizeof(*e);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
		return nl_nonsense(what, "a truncated acknowledgement", err);
	/* Without NLM_F_CAPPED the request stands between the error and its text. */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > sizeof(e->msg))
		off = offsetof(struct nlmsgerr, msg) + (size_t)e->msg.nlmsg_len;
	return nl_result(nlh, off, what, err);
}

static int nl_on_done(const struct nlmsghdr *nlh, const char *what, struct err *err)
{
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(int))
		return nl_nonsense(what, "a truncated end", err);
	return nl_result(nlh, sizeof(int), what, err);
}

/* The rule for all messages that this one breaks, or NULL */
static const char *nl_broken_rule(const struct nlmsghdr *nlh, size_t left, uint32_t seq,
				  uint32_t port)
{
	/* Not mnl_nlmsg_ok(): it takes a length above INT_MAX for a negative one, so for a small one. */
	if (left < sizeof(*nlh) || nlh->nlmsg_len < sizeof(*nlh) || nlh->nlmsg_len > left)
		return "truncated";
	if (nlh->nlmsg_seq != seq)
		return "to another request";
	if (nlh->nlmsg_pid != port)
		return "to another port";
	return NULL;
}

int nl_run(const void *bytes, size_t len, uint32_t seq, uint32_t port,
	   int (*on_answer)(const struct nlmsghdr *nlh, void *arg), void *arg, const char *what,
	   bool *ret_done, struct err *err)
{
	const char *at = bytes;
	bool done = false;
	int rc;

	for (size_t step; len > 0; at += step, len -= step) {
		const struct nlmsghdr *nlh = (const void *)at;
		const char *rule = nl_broken_rule(nlh, len, seq, port);

		if (rule || done)
			return nl_nonsense(what, rule ? rule : "more after the end", err);
		step = MNL_ALIGN((size_t)nlh->nlmsg_len);
		step = step < len ? step : len;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			return err_text(err, EINTR, "%s: changed while it was listed", what);
		if (nlh->nlmsg_type == NLMSG_NOOP)
			continue;
		if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
			rc = nlh->nlmsg_type == NLMSG_ERROR ? nl_on_error(nlh, what, err)
							    : nl_on_done(nlh, what, err);
			if (rc < 0)
				return rc;
			done = true;
			continue;
		}
		if (nlh->nlmsg_type < NLMSG_MIN_TYPE || !on_answer)
			return nl_nonsense(what, "of an unexpected type", err);
		rc = on_answer(nlh, arg);
		if (rc < 0)
			return rc == -EPROTO ? nl_nonsense(what, "attributes", err)
					     : err_set(err, -rc, "%s", what);
	}
	*ret_done = done;
	return 0;
}

int nl_attrs(const struct nlmsghdr *nlh, size_t header, const struct nlattr **tb, unsigned int nr)
{
	const size_t have = mnl_nlmsg_get_payload_len(nlh);

	if (have < header)
		return -EPROTO;
	header = MNL_ALIGN(header);
	if (have <= header)
		return nl_sort_attrs(NULL, 0, tb, nr);
	return nl_sort_attrs((const char *)mnl_nlmsg_get_payload(nlh) + header, have - header, tb,
			     nr);
}

int nl_nested(const struct nlattr *a, const struct nlattr **tb, unsigned int nr)
{
	if (!a)
		return nl_sort_attrs(NULL, 0, tb, nr);
	return nl_sort_attrs(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a), tb, nr);
}

int nl_get(const struct nlattr *a, void *ret, size_t bytes)
{
	if (!a)
		return 0;
	if (mnl_attr_get_payload_len(a) != bytes)
		return -EPROTO;
	memcpy(ret, mnl_attr_get_payload(a), bytes);
	return 0;
}

int nl_get_str(const struct nlattr *a, char *ret, size_t size)
{
	size_t len;

	if (!a)
		return 0;
	len = strnlen(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));
	if (len == mnl_attr_get_payload_len(a) || len >= size)
		return -EPROTO;
	memcpy(ret, mnl_attr_get_payload(a), len + 1);
	return 0;
}
