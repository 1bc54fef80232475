/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Netlink through libmnl: one request, its answers, its acknowledgement
 *
 * Nothing in an answer is trusted to be there, of its type or of its size. Truncated answers, answers to
 * another request or port, interrupted dumps and errors are different results. An error names the request; the
 * kernel's text (extended acknowledgement) is appended if there is one.
 */
#ifndef VMRUN_RUNTIME_NETLINK_NL_H
#define VMRUN_RUNTIME_NETLINK_NL_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "devices/core/err.h"

#define NL_BUFFER_BYTES 8192

/** struct nl - One socket; @sock NULL when it is closed */
struct nl {
	struct mnl_socket *sock;
	uint32_t seq;
	uint32_t port;
	struct nlmsghdr *last;	      /* the message that nl_begin() or nl_more() began last */
	char buffer[NL_BUFFER_BYTES]; /* the request being built, then its answers */
};

/**
 * nl_open() - Open a socket in the calling thread's network namespace
 * @family:	NETLINK_ROUTE or NETLINK_NETFILTER
 *
 * Syscalls: socket bind getsockname setsockopt
 */
MUST_CHECK int nl_open(struct nl *nl, int family, struct err *err);
void nl_close(struct nl *nl);

/* struct nl nl = NL_CLOSED */
#define cleanup_nl __attribute__((cleanup(nl_close)))
#define NL_CLOSED                                                                                  \
	{                                                                                          \
		.sock = NULL                                                                       \
	}

/**
 * nl_begin() - Start a request in the buffer
 * @flags:	REQUEST and ACK are added
 *
 * Callers put only items of bounded size into a request, so that it is far smaller than the buffer.
 */
struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, uint16_t flags);

/**
 * nl_more() - Append a message to the request begun: a batch, sent as one
 * @flags:	REQUEST is added
 *
 * All messages of a batch have one sequence number, and nl_talk() waits for one acknowledgement. So exactly
 * one message has ACK: the caller clears it in the first to set it in another. The message begun last must be
 * complete.
 */
struct nlmsghdr *nl_more(struct nl *nl, uint16_t type, uint16_t flags);

/**
 * nl_talk() - Send the request begun last and take its answers
 * @on_answer:	Called for each answer other than acknowledgement and error; returns 0 or -errno; NULL
 *		if no answer is expected
 * @what:	For the error: "add veth to eth0"
 *
 * A kernel that does not answer within 10 s is an error (-ETIMEDOUT). After a failure the socket can be used
 * again: the remaining answers are read and dropped.
 * Context: setup
 * Syscalls: sendto recvmsg poll
 * Return: 0, the kernel's -errno, -EPROTO for malformed answers, -EINTR if a change interrupted the dump
 */
MUST_CHECK int nl_talk(struct nl *nl, int (*on_answer)(const struct nlmsghdr *nlh, void *arg),
		       void *arg, const char *what, struct err *err);

/**
 * nl_run() - Process one datagram: the receiving half of nl_talk(), also for fuzzing
 * @bytes:	One datagram, aligned as struct nlmsghdr
 * @ret_done:	Whether the acknowledgement was among them
 *
 * Context: any
 * Syscalls: none
 */
MUST_CHECK int nl_run(const void *bytes, size_t len, uint32_t seq, uint32_t port,
		      int (*on_answer)(const struct nlmsghdr *nlh, void *arg), void *arg,
		      const char *what, bool *ret_done, struct err *err);

/**
 * nl_attrs() - Sort the attributes of a message by type
 * @header:	Bytes of the message before the attributes
 * @tb:		The last one of each type below @nr, NULL where there is none; borrowed from @nlh
 *
 * Types from @nr on are skipped.
 * Return: 0; -EPROTO if the lengths do not add up
 */
MUST_CHECK int nl_attrs(const struct nlmsghdr *nlh, size_t header, const struct nlattr **tb,
			unsigned int nr);

/** nl_nested() - As nl_attrs(), for the attributes within @a; none if it is NULL */
MUST_CHECK int nl_nested(const struct nlattr *a, const struct nlattr **tb, unsigned int nr);

/** nl_get() - Copy an attribute of exactly @bytes; leaves *ret alone if @a is NULL */
MUST_CHECK int nl_get(const struct nlattr *a, void *ret, size_t bytes);

/** nl_get_str() - Copy a terminated text; leaves *ret alone if @a is NULL; -EPROTO if it is too long */
MUST_CHECK int nl_get_str(const struct nlattr *a, char *ret, size_t size);

#endif
