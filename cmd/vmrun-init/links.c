/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/links.h"

#include <errno.h>
#include <linux/if_addr.h>
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

static int links_set(int sock, int index, bool up, const char *name, uint32_t mtu)
{
	struct ifinfomsg family = {
		.ifi_index = index,
		.ifi_flags = up ? IFF_UP : 0,
		.ifi_change = IFF_UP,
	};
	struct rtreq r;

	rtreq_begin(&r, RTM_NEWLINK, 0, &family, sizeof(family));
	if (name)
		rtreq_add(&r, IFLA_IFNAME, name, strlen(name) + 1);
	if (mtu)
		rtreq_add(&r, IFLA_MTU, &mtu, sizeof(mtu));
	return rtreq_send(sock, &r);
}

/* First pass: which it is, and a name that is in no other's way */
static int links_find(struct links *l, uint32_t i)
{
	struct agent_link link;
	char name[IFNAMSIZ];

	(void)desc_get(l->d, AGENT_LINK, i, &link);
	if (memcmp(link.mac, links_zero, sizeof(link.mac)) == 0) {
		l->index[i] = LINKS_LOOPBACK;
		return 0;
	}
	l->index[i] = rtreq_link_of(l->sock, link.mac);
	if (l->index[i] < 0)
		return l->index[i];
	(void)snprintf(name, sizeof(name), "link.%u", i);
	return links_set(l->sock, l->index[i], false, name, 0);
}

static int links_up(const struct links *l, uint32_t i)
{
	struct agent_link link;
	bool loopback = l->index[i] == LINKS_LOOPBACK;

	(void)desc_get(l->d, AGENT_LINK, i, &link);
	return links_set(l->sock, l->index[i], true,
			 loopback ? NULL : desc_text(l->d, AGENT_LINK, i, 0), link.mtu);
}

static int links_address(const struct links *l, uint32_t i)
{
	struct agent_address a;
	struct ifaddrmsg family;
	struct rtreq r;
	size_t bytes;

	(void)desc_get(l->d, AGENT_ADDRESS, i, &a);
	bytes = links_addr_bytes(a.family);
	if (bytes == 0 || a.link >= l->count)
		return -EINVAL;
	family = (struct ifaddrmsg){
		.ifa_family = a.family,
		.ifa_prefixlen = a.bits,
		/* The host has it already, and knows that it is the only one. */
		.ifa_flags = a.family == AF_INET6 ? IFA_F_NODAD : 0,
		.ifa_index = (unsigned int)l->index[a.link],
	};
	rtreq_begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &family, sizeof(family));
	rtreq_add(&r, IFA_LOCAL, a.addr, bytes);
	rtreq_add(&r, IFA_ADDRESS, a.addr, bytes);
	if (a.family == AF_INET && a.bits < 31) {
		uint8_t broadcast[4];

		for (unsigned int n = 0; n < 32; n += 8) {
			unsigned int fixed = a.bits <= n ? 0 : a.bits - n >= 8 ? 8 : a.bits - n;

			broadcast[n / 8] = (uint8_t)(a.addr[n / 8] | 0xff >> fixed);
		}
		rtreq_add(&r, IFA_BROADCAST, broadcast, sizeof(broadcast));
	}
	return rtreq_send(l->sock, &r);
}

static int links_route(const struct links *l, uint32_t i)
{
	struct agent_route a;
	struct rtmsg family;
	struct rtreq r;
	size_t bytes;

	(void)desc_get(l->d, AGENT_ROUTE, i, &a);
	bytes = links_addr_bytes(a.family);
	if (bytes == 0 || a.link >= l->count)
		return -EINVAL;
	family = (struct rtmsg){
		.rtm_family = a.family,
		.rtm_dst_len = a.dst_bits,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = a.scope,
		.rtm_type = RTN_UNICAST,
	};
	rtreq_begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &family, sizeof(family));
	if (a.dst_bits)
		rtreq_add(&r, RTA_DST, a.dst, bytes);
	if (memcmp(a.gateway, links_zero, bytes) != 0)
		rtreq_add(&r, RTA_GATEWAY, a.gateway, bytes);
	if (memcmp(a.src, links_zero, bytes) != 0)
		rtreq_add(&r, RTA_PREFSRC, a.src, bytes);
	if (a.metric)
		rtreq_add(&r, RTA_PRIORITY, &a.metric, sizeof(a.metric));
	rtreq_add(&r, RTA_OIF, &l->index[a.link], sizeof(int));
	return rtreq_send(l->sock, &r);
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
	int rc = links_set(l->sock, LINKS_LOOPBACK, true, NULL, 0);

	for (uint32_t i = 0; rc == 0 && i < l->count; i++)
		rc = links_find(l, f->index = i);
	for (uint32_t i = 0; rc == 0 && i < l->count; i++)
		rc = links_up(l, f->index = i);
	for (uint32_t i = 0; rc == 0 && i < addresses; i++) {
		f->index = l->count + i;
		rc = links_address(l, i);
	}
	for (uint32_t i = 0; rc == 0 && i < routes; i++) {
		f->index = l->count + addresses + i;
		rc = links_route(l, i);
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
