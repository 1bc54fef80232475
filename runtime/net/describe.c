/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/describe.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/net/whole.h"

/* What the other modes know: one address, one gateway */
static void describe_planned_address(const struct net_record *m, uint32_t link,
				     struct spec_items *to)
{
	const uint32_t broadcast = m->guest.addr | ~addr_netmask(m->guest.bits);
	struct agent_address a = {.link = link, .family = AF_INET, .bits = m->guest.bits};
	struct agent_route r = {.link = link, .family = AF_INET, .protocol = RTPROT_BOOT};

	if (!m->guest.bits)
		return;
	memcpy(a.addr, &m->guest.addr, sizeof(m->guest.addr));
	memcpy(a.to, &m->guest.addr, sizeof(m->guest.addr));
	if (a.bits < 31)
		memcpy(a.broadcast, &broadcast, sizeof(broadcast));
	spec_items_put(to, AGENT_ADDRESS, &a, sizeof(a), NULL);
	memcpy(r.gateway, &m->gateway, sizeof(m->gateway));
	if (m->gateway)
		spec_items_put(to, AGENT_ROUTE, &r, sizeof(r), NULL);
}

static void describe_planned(const struct net_record *m, unsigned int device, uint32_t link,
			     struct spec_items *to)
{
	struct agent_link l = {.mtu = m->mtu};
	char name[sizeof(m->joined)];

	memcpy(l.mac, m->mac, sizeof(l.mac));
	fmt_into(name, sizeof(name), "eth%u", device);
	spec_items_put(to, AGENT_LINK, &l, sizeof(l), name);
	describe_planned_address(m, link, to);
}

int net_describe(const struct net_record *record, unsigned int nr, struct spec_items *to,
		 struct err *err)
{
	uint32_t link = 0;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < nr; i++) {
		if (record[i].mode == NET_MODE_NETNS)
			rc = net_whole_describe(record, i, &link, to, err);
		else if (record[i].mode != NET_MODE_NONE)
			describe_planned(&record[i], i, link++, to);
	}
	return rc;
}
