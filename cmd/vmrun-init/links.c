/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/links.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cmd/vmrun-init/rtreq.h"

#define LINKS_LOOPBACK 1 /* in every network namespace */

/**
 * struct links - The links that the description numbers
 * @index:	The kernel's, by number
 */
struct links {
	const struct desc *d;
	int sock;
	int *index;
	uint32_t count;
};

static const uint8_t links_zero[16];

static size_t links_addr_bytes(uint8_t family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

/* @flags: IFF_UP, IFF_NOARP */
static int links_set(int sock, int index, unsigned int flags, const char *name, uint32_t mtu)
{
	struct ifinfomsg family = {
		.ifi_index = index,
		.ifi_flags = flags,
		.ifi_change = IFF_UP | IFF_NOARP,
	};
	struct rtreq r;

	rtreq_begin(&r, RTM_NEWLINK, 0, &family, sizeof(family));
	if (name)
		rtreq_add(&r, IFLA_IFNAME, name, strlen(name) + 1);
	if (mtu)
		rtreq_add(&r, IFLA_MTU, &mtu, sizeof(mtu));
	return rtreq_send(sock, &r);
}

/* Whether the kernel makes a link-local address when the link comes up. Without IPv6 it makes none anyway. */
static int links_make_local(int sock, int index, bool make)
{
	const uint8_t mode = make ? IN6_ADDR_GEN_MODE_EUI64 : IN6_ADDR_GEN_MODE_NONE;
	struct ifinfomsg family = {.ifi_index = index};
	struct {
		struct rtattr family, mode;
		uint8_t value, pad[3];
	} spec = {
		.family = {RTA_LENGTH(RTA_LENGTH(sizeof(mode))), AF_INET6},
		.mode = {RTA_LENGTH(sizeof(mode)), IFLA_INET6_ADDR_GEN_MODE},
		.value = mode,
	};
	struct rtreq r;
	int rc;

	rtreq_begin(&r, RTM_NEWLINK, 0, &family, sizeof(family));
	rtreq_add(&r, IFLA_AF_SPEC, &spec, sizeof(spec));
	rc = rtreq_send(sock, &r);
	return rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP ? 0 : rc;
}

/* Several links may have one MAC: their order tells which it is. */
static int links_index_of(const struct links *l, uint32_t i, const uint8_t mac[6])
{
	int behind = 0;

	for (uint32_t k = 0; k < i; k++) {
		struct agent_link before;

		(void)desc_get(l->d, AGENT_LINK, k, &before);
		if (memcmp(before.mac, mac, sizeof(before.mac)) == 0)
			behind = l->index[k];
	}
	return rtreq_link_of(l->sock, mac, behind);
}

/* First pass: which it is, and a name that is in no other's way */
static int links_find(struct links *l, uint32_t i)
{
	struct agent_link link;
	char name[IFNAMSIZ];
	int rc;

	(void)desc_get(l->d, AGENT_LINK, i, &link);
	if (memcmp(link.mac, links_zero, sizeof(link.mac)) == 0) {
		l->index[i] = LINKS_LOOPBACK;
		return 0;
	}
	l->index[i] = links_index_of(l, i, link.mac);
	if (l->index[i] < 0)
		return l->index[i];
	(void)snprintf(name, sizeof(name), "link.%u", i);
	rc = links_set(l->sock, l->index[i], 0, name, 0);
	return rc == 0 ? links_make_local(l->sock, l->index[i], false) : rc;
}

/* A link-local address that is listed is there without a wait; the kernel makes it anew when the link comes up again. */
static int links_up(const struct links *l, uint32_t i)
{
	struct agent_link link;
	bool loopback = l->index[i] == LINKS_LOOPBACK;
	unsigned int flags;
	int rc;

	(void)desc_get(l->d, AGENT_LINK, i, &link);
	flags = (link.flags & AGENT_LINK_DOWN ? 0 : IFF_UP) |
		(link.flags & AGENT_LINK_NO_ARP ? IFF_NOARP : 0);
	rc = links_set(l->sock, l->index[i], flags,
		       loopback ? NULL : desc_text(l->d, AGENT_LINK, i, 0), link.mtu);
	if (rc == 0 && !loopback && !(link.flags & AGENT_LINK_LISTED))
		rc = links_make_local(l->sock, l->index[i], true);
	return rc;
}

static int links_address(const struct links *l, uint32_t i)
{
	struct agent_address a;
	struct ifaddrmsg family;
	struct rtreq r;
	uint32_t flags;
	size_t bytes;
	int rc;

	(void)desc_get(l->d, AGENT_ADDRESS, i, &a);
	bytes = links_addr_bytes(a.family);
	if (bytes == 0 || a.link >= l->count)
		return -EINVAL;
	/* The host has an IPv6 one already, and knows that it is the only one. */
	flags = (a.family == AF_INET6 ? IFA_F_NODAD : 0U) |
		(a.flags & AGENT_ADDRESS_NO_ROUTE ? IFA_F_NOPREFIXROUTE : 0U);
	family = (struct ifaddrmsg){
		.ifa_family = a.family,
		.ifa_prefixlen = a.bits,
		.ifa_scope = a.scope,
		.ifa_index = (unsigned int)l->index[a.link],
	};
	rtreq_begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &family, sizeof(family));
	rtreq_add(&r, IFA_LOCAL, a.addr, bytes);
	rtreq_add(&r, IFA_ADDRESS, a.to, bytes);
	rtreq_add(&r, IFA_FLAGS, &flags, sizeof(flags));
	if (memcmp(a.broadcast, links_zero, sizeof(a.broadcast)) != 0)
		rtreq_add(&r, IFA_BROADCAST, a.broadcast, sizeof(a.broadcast));
	if (a.metric)
		rtreq_add(&r, IFA_RT_PRIORITY, &a.metric, sizeof(a.metric));
	if (a.label[0])
		rtreq_add(&r, IFA_LABEL, a.label, strnlen(a.label, sizeof(a.label) - 1) + 1);
	rc = rtreq_send(l->sock, &r);
	return rc == -EEXIST ? 0 : rc; /* the loopback device's */
}

static void links_route_metrics(struct rtreq *r, const struct agent_route *a)
{
	struct {
		struct rtattr head;
		uint32_t value;
	} metric[2];
	const struct {
		uint16_t type;
		uint32_t value;
	} wanted[] = {{RTAX_MTU, a->mtu}, {RTAX_ADVMSS, a->advmss}};
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (!wanted[i].value)
			continue;
		metric[nr].head = (struct rtattr){RTA_LENGTH(sizeof(uint32_t)), wanted[i].type};
		metric[nr++].value = wanted[i].value;
	}
	if (nr)
		rtreq_add(r, RTA_METRICS, metric, nr * sizeof(metric[0]));
}

static int links_add_route(const struct links *l, const struct agent_route *a, bool onlink)
{
	const size_t bytes = links_addr_bytes(a->family);
	const struct rtmsg family = {
		.rtm_family = a->family,
		.rtm_dst_len = a->dst_bits,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = a->protocol,
		.rtm_scope = a->scope,
		.rtm_type = RTN_UNICAST,
		.rtm_flags = onlink ? RTNH_F_ONLINK : 0,
	};
	struct rtreq r;
	int rc;

	rtreq_begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, &family, sizeof(family));
	if (a->dst_bits)
		rtreq_add(&r, RTA_DST, a->dst, bytes);
	if (memcmp(a->gateway, links_zero, bytes) != 0)
		rtreq_add(&r, RTA_GATEWAY, a->gateway, bytes);
	if (memcmp(a->src, links_zero, bytes) != 0)
		rtreq_add(&r, RTA_PREFSRC, a->src, bytes);
	if (a->metric)
		rtreq_add(&r, RTA_PRIORITY, &a->metric, sizeof(a->metric));
	rtreq_add(&r, RTA_OIF, &l->index[a->link], sizeof(int));
	links_route_metrics(&r, a);
	rc = rtreq_send(l->sock, &r);
	return rc == -EEXIST ? 0 : rc; /* the kernel made it for an address */
}

/* A route stays when the one to its gateway goes: so that one is no condition here. */
static int links_route(const struct links *l, uint32_t i, bool by_gateway)
{
	struct agent_route a;
	bool has_gateway;
	int rc;

	(void)desc_get(l->d, AGENT_ROUTE, i, &a);
	if (links_addr_bytes(a.family) == 0 || a.link >= l->count)
		return -EINVAL;
	has_gateway = memcmp(a.gateway, links_zero, links_addr_bytes(a.family)) != 0;
	if (has_gateway != by_gateway)
		return 0;
	rc = links_add_route(l, &a, a.flags & AGENT_ROUTE_ONLINK);
	return has_gateway && (rc == -ENETUNREACH || rc == -EHOSTUNREACH || rc == -EINVAL)
		       ? links_add_route(l, &a, true)
		       : rc;
}

static int links_neighbour(const struct links *l, uint32_t i)
{
	struct agent_neighbour a;
	struct ndmsg family;
	struct rtreq r;
	size_t bytes;

	(void)desc_get(l->d, AGENT_NEIGHBOUR, i, &a);
	bytes = links_addr_bytes(a.family);
	if (bytes == 0 || a.link >= l->count)
		return -EINVAL;
	family = (struct ndmsg){
		.ndm_family = a.family,
		.ndm_ifindex = l->index[a.link],
		.ndm_state = NUD_PERMANENT,
	};
	rtreq_begin(&r, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &family, sizeof(family));
	rtreq_add(&r, NDA_DST, a.addr, bytes);
	rtreq_add(&r, NDA_LLADDR, a.mac, sizeof(a.mac));
	return rtreq_send(l->sock, &r);
}

static int links_all(struct links *l, struct fault *f)
{
	uint32_t addresses = l->d->count[AGENT_ADDRESS], routes = l->d->count[AGENT_ROUTE];
	int rc = links_set(l->sock, LINKS_LOOPBACK, IFF_UP, NULL, 0);

	for (uint32_t i = 0; rc == 0 && i < l->count; i++)
		rc = links_find(l, f->index = i);
	for (uint32_t i = 0; rc == 0 && i < l->count; i++)
		rc = links_up(l, f->index = i);
	for (uint32_t i = 0; rc == 0 && i < addresses; i++) {
		f->index = l->count + i;
		rc = links_address(l, i);
	}
	for (uint32_t i = 0; rc == 0 && i < 2 * routes; i++) {
		f->index = l->count + addresses + i % routes;
		rc = links_route(l, i % routes, i >= routes);
	}
	for (uint32_t i = 0; rc == 0 && i < l->d->count[AGENT_NEIGHBOUR]; i++) {
		f->index = l->count + addresses + routes + i;
		rc = links_neighbour(l, i);
	}
	return rc;
}

int links_apply(const struct desc *d, struct fault *f)
{
	cleanup_fd int sock = rtreq_open();
	struct links l = {.d = d, .sock = sock, .count = d->count[AGENT_LINK]};
	int rc = sock < 0 ? sock : 0;

	(void)fault_step(f, AGENT_STEP_NETWORK, 0);
	l.index = calloc((size_t)l.count + 1, sizeof(int));
	if (rc == 0)
		rc = l.index ? links_all(&l, f) : -ENOMEM;
	free(l.index);
	return rc;
}
