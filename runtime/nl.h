/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Talking netlink through libmnl: one request, its answers, its acknowledgement
 *
 * Answers are hostile in so far as nothing in them is trusted to be there, of its type or of its size:
 * truncated, out of order (sequence, port), interrupted dumps and errors are told apart. An error names
 * what was asked for; the kernel's own words (extended acknowledgement) are appended where it has any.
 */
#ifndef VMRUN_RUNTIME_NL_H
#define VMRUN_RUNTIME_NL_H

#include <libmnl/libmnl.h>

#include "devices/core/err.h"

#define NL_BUFFER_BYTES 8192

/** struct nl - One socket; @sock NULL when it is closed */
struct nl {
	struct mnl_socket *sock;
	uint32_t seq;
	uint32_t port;
	char buffer[NL_BUFFER_BYTES]; /* the request being built, then its answers */
};

/**
 * nl_open() - Open a socket in the calling thread's network namespace
 * @bus:	NETLINK_ROUTE or NETLINK_NETFILTER
 *
 * Syscalls: socket bind getsockname setsockopt
 */
MUST_CHECK int nl_open(struct nl *nl, int bus, struct err *err);
void nl_close(struct nl *nl);

/** nl_begin() - Start a request in the buffer; REQUEST and ACK are added to @flags */
struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, uint16_t flags);

/**
 * nl_talk() - Send the request begun last and take its answers
 * @on_answer:	Called for each answer that is no acknowledgement or error; its 0 or -errno; NULL
 *		when none is expected
 * @what:	For the error: "add veth to eth0"
 *
 * Bounded: a kernel that does not answer within 10 s is an error (-ETIMEDOUT).
 * Return: 0, the kernel's -errno, -EPROTO for answers that make no sense
 */
MUST_CHECK int nl_talk(struct nl *nl, int (*on_answer)(const struct nlmsghdr *nlh, void *arg), void *arg,
		       const char *what, struct err *err);

/**
 * nl_run() - The receiving half, on bytes already received: for nl_talk() and fuzzing
 * @ret_done:	Whether the acknowledgement was among them
 */
MUST_CHECK int nl_run(const void *bytes, size_t len, uint32_t seq, uint32_t port,
		      int (*on_answer)(const struct nlmsghdr *nlh, void *arg), void *arg,
		      const char *what, bool *ret_done, struct err *err);

#endif
