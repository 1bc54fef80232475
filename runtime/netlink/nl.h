/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Talking netlink through libmnl: one request, its answers, its acknowledgement
 *
 * Answers are hostile in so far as nothing in them is trusted to be there, of its type or of its size:
 * truncated, out of order (sequence, port), interrupted dumps and errors are told apart. An error names
 * what was asked for; the kernel's own words (extended acknowledgement) are appended where it has any.
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
	struct nlmsghdr *last; /* message of the request that nl_begin() or nl_more() began last */
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
 * Requests are far smaller than the buffer: nothing of unbounded size is put into one.
 */
struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, uint16_t flags);

/**
 * nl_more() - Append a message to the request begun: a batch, sent as one
 * @flags:	REQUEST is added
 *
 * All messages of a batch have one sequence number, and nl_talk() waits for one acknowledgement: ACK
 * belongs to one of them, and is taken from the first if it is another. The message begun last must
 * be whole.
 */
struct nlmsghdr *nl_more(struct nl *nl, uint16_t type, uint16_t flags);

/**
 * nl_talk() - Send the request begun last and take its answers
 * @on_answer:	Called for each answer that is no acknowledgement or error; its 0 or -errno; NULL
 *		when none is expected
 * @what:	For the error: "add veth to eth0"
 *
 * Bounded: a kernel that does not answer within 10 s is an error (-ETIMEDOUT). After any failure
 * the socket is as new: what was still coming is thrown away.
 * Context: setup.  Syscalls: sendto recvmsg poll
 * Return: 0, the kernel's -errno, -EPROTO for answers that make no sense, -EINTR for a dump that
 * something changed under
 */
MUST_CHECK int nl_talk(struct nl *nl, int (*on_answer)(const struct nlmsghdr *nlh, void *arg),
		       void *arg, const char *what, struct err *err);

/**
 * nl_run() - The receiving half, on bytes already received: for nl_talk() and fuzzing
 * @bytes:	One datagram, aligned as struct nlmsghdr
 * @ret_done:	Whether the acknowledgement was among them
 *
 * Context: any.  Syscalls: none
 */
MUST_CHECK int nl_run(const void *bytes, size_t len, uint32_t seq, uint32_t port,
		      int (*on_answer)(const struct nlmsghdr *nlh, void *arg), void *arg,
		      const char *what, bool *ret_done, struct err *err);

/**
 * nl_attrs() - Sort the attributes of a message by type
 * @header:	Bytes of the message before them
 * @tb:		The last one of each type below @nr, NULL where there is none; borrowed from @nlh
 *
 * Types from @nr on are skipped. Return: 0; -EPROTO when the list does not add up
 */
MUST_CHECK int nl_attrs(const struct nlmsghdr *nlh, size_t header, const struct nlattr **tb,
			unsigned int nr);

/** nl_nested() - As nl_attrs(), of the attributes within @a; none when it is NULL */
MUST_CHECK int nl_nested(const struct nlattr *a, const struct nlattr **tb, unsigned int nr);

/** nl_get() - Copy an attribute of exactly @bytes; *ret is left alone when @a is NULL */
MUST_CHECK int nl_get(const struct nlattr *a, void *ret, size_t bytes);

/** nl_get_str() - Copy a terminated text; *ret is left alone when @a is NULL, -EPROTO if it is too long */
MUST_CHECK int nl_get_str(const struct nlattr *a, char *ret, size_t size);

#endif
