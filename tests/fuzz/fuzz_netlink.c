/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Netlink answers from a hostile kernel
 *
 * The first byte is a set of flags, the rest one datagram as nl_run() gets it:
 *
 *   1  sequence and port stay as they are; otherwise each header whose length leads to it gets the
 *      right ones, so that mutations reach what stands behind them
 *   2  an answer that no parser takes ends the run, as it does in a dump; otherwise it goes on
 *   4  no answer is expected
 *
 * Every answer is given to the parsers of all dumps; what they make of it is held against what their
 * callers rely on. tests/fuzz/seeds_netlink writes the corpus; dump-* were recorded from Linux 6.18.
 * Covers: runtime/netlink/rtnl_parse.c runtime/netlink/rtnl_dump.c
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "runtime/netlink/rtnl.h"

#define SEQ	    7
#define PORT	    4242

#define FLAG_KEEP   1U
#define FLAG_STRICT 2U
#define FLAG_NONE   4U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rely_on_prefix(int index, uint8_t family, unsigned int bits)
{
	vr_assert(index > 0);
	vr_assert((family == AF_INET && bits <= 32) || (family == AF_INET6 && bits <= 128));
}

static void rely_on(enum rtnl_kind kind, const union rtnl_item *item)
{
	const struct rtnl_link *l = &item->link;

	switch (kind) {
	case RTNL_LINK:
		vr_assert(l->index > 0 && l->name[0]);
		vr_assert(memchr(l->name, 0, sizeof(l->name)));
		vr_assert(memchr(l->kind, 0, sizeof(l->kind)));
		break;
	case RTNL_ADDR: rely_on_prefix(item->addr.index, item->addr.family, item->addr.bits); break;
	case RTNL_ROUTE:
		rely_on_prefix(item->route.out_index, item->route.family, item->route.bits);
		break;
	case RTNL_NEIGH: rely_on_prefix(item->neigh.index, item->neigh.family, 0); break;
	case RTNL_NET: vr_assert(item->net.net.bits <= 32); break;
	case RTNL_LEFT_ROUTE:
	case RTNL_LEFT_RULE:
	case RTNL_KINDS: break;
	}
}

static int on_answer(const struct nlmsghdr *nlh, void *arg)
{
	const bool strict = *(const bool *)arg;
	int all = -EPROTO;

	for (enum rtnl_kind kind = 0; kind < RTNL_KINDS; kind++) {
		union rtnl_item item;
		int rc;

		memset(&item, 0xaa, sizeof(item));
		rc = rtnl_parse(kind, nlh, &item);
		vr_assert(rc == 1 || rc == 0 || rc == -EPROTO);
		if (rc == 1)
			rely_on(kind, &item);
		if (rc >= 0)
			all = 0;
	}
	return strict ? all : 0;
}

static void fix_headers(char *at, size_t left)
{
	while (left >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr *nlh = (void *)at;
		size_t step = MNL_ALIGN((size_t)nlh->nlmsg_len);

		nlh->nlmsg_seq = SEQ;
		nlh->nlmsg_pid = PORT;
		if (step < sizeof(*nlh) || step > left)
			return;
		at += step;
		left -= step;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {.code = 0};
	bool done = false, strict;
	unsigned int flags;
	char *bytes;
	int rc;

	if (size == 0)
		return 0;
	flags = *data++;
	size--;
	/* Of exactly its size, for the sanitizers, and aligned as a socket's buffer is */
	bytes = malloc(size ? size : 1);
	vr_assert(bytes);
	memcpy(bytes, data, size);
	if (!(flags & FLAG_KEEP))
		fix_headers(bytes, size);
	strict = flags & FLAG_STRICT;
	rc = nl_run(bytes, size, SEQ, PORT, flags & FLAG_NONE ? NULL : on_answer, &strict, "fuzz",
		    &done, &err);
	vr_assert(rc <= 0 && rc >= -4095 && (rc == 0) == (err.code == 0) && (rc == 0 || !done));
	vr_assert(memchr(err.msg, 0, sizeof(err.msg)) && !strchr(err.msg, '\n'));
	free(bytes);
	return 0;
}
