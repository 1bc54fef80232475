/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/net/answer.h"

#include <string.h>

#include "devices/net/dhcp.h"
#include "devices/net/dhcp6.h"
#include "devices/net/limit.h"
#include "devices/net/ra.h"

int answer_init(struct answer *a, const struct net_lease *net, struct err *err)
{
	int rc = lease_check(net, err);

	if (rc < 0)
		return rc;
	*a = (struct answer){.lease.net = *net};
	a->on = net->bits > 0 || lease_has6(&a->lease);
	bucket_init(&a->budget, ANSWER_PER_S, ANSWER_BURST);
	return 0;
}

static bool answer_is_dhcp(const struct answer *a, const struct frame_in *in)
{
	const uint32_t broadcast = UINT32_MAX, server = a->lease.net.server;

	if (in->kind != FRAME_UDP4 || in->ends.dst_port != DHCP_SERVER_PORT)
		return false;
	return memcmp(in->ends.dst, &broadcast, sizeof(broadcast)) == 0 ||
	       memcmp(in->ends.dst, &server, sizeof(server)) == 0;
}

/* ff02::1:2, and what else multicast there may be */
static bool answer_is_dhcp6(const struct frame_in *in)
{
	return in->kind == FRAME_UDP6 && in->ends.dst_port == DHCP6_SERVER_PORT &&
	       in->ends.dst[0] == 0xff;
}

bool answer_is_ours(const struct answer *a, const uint8_t *head, size_t len)
{
	struct frame_in in;

	if (frame_look(head, len, &in) == FRAME_OTHER ||
	    (!a->lease.net.any_mac &&
	     memcmp(in.ends.src_mac, a->lease.mac, sizeof(in.ends.src_mac)) != 0))
		return false;
	if (a->lease.net.bits > 0 && answer_is_dhcp(a, &in))
		return true;
	return lease_has6(&a->lease) && (answer_is_dhcp6(&in) || ra_is_solicitation(&in));
}

static bool answer_by_kind(struct answer *a, const struct frame_in *in)
{
	switch (in->kind) {
	case FRAME_UDP4: return dhcp_answer(&a->lease, in, &a->out);
	case FRAME_UDP6: return dhcp6_answer(&a->lease, in, &a->out);
	case FRAME_ICMP6:
		if (ra_valid(in))
			answer_advertise(a);
		return ra_valid(in);
	case FRAME_OTHER: break;
	}
	return false;
}

bool answer_make(struct answer *a, const uint8_t *frame, size_t len, bool summed)
{
	struct frame_in in;

	if (bucket_ready_ns(&a->budget, limit_now_ns()) || !frame_open(frame, len, summed, &in))
		return false;
	if (a->lease.net.any_mac)
		lease_of(&a->lease, in.ends.src_mac, a->lease.mtu);
	if (!answer_by_kind(a, &in))
		return false;
	bucket_spend(&a->budget, 1);
	if (a->out.full)
		log_limited(&a->cut, LOG_LEVEL_WARN,
			    "the guest's DHCP client takes no message with all its routes");
	return true;
}

void answer_advertise(struct answer *a)
{
	ra_advertise(&a->lease, &a->out);
	a->advertise_ns = limit_now_ns() + RA_EVERY_NS;
}
