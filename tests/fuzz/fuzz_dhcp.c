/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Frames of a guest that the network device answers itself: DHCP, DHCPv6, router solicitations
 *
 * The first byte says: 1 the guest's checksums are made right, 2 the driver left them to the device, 4 the
 * lease has no IPv4, 8 no IPv6, 16 no DHCPv6, 32 many routes, 64 any MAC is answered. Then frames, a length
 * (u16, little endian) before each.
 *
 * An answer must be one that a client written without the device's code accepts, and have room in a frame.
 * Covers: devices/net/answer.c devices/net/dhcp.c devices/net/dhcp6.c devices/net/frame.c devices/net/ra.c
 */
#include <arpa/inet.h>
#include <string.h>

#include "devices/net/answer.h"
#include "tests/support/dhcp_client.h"
#include "tests/support/router_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t mac[6] = {2, 0x11, 0x22, 0x33, 0x44, 0x55};

static void add_prefix(struct net_lease *l, const char *text, uint8_t bits, uint8_t flags)
{
	struct net_lease_prefix *p = &l->prefix[l->nr_prefixes++];

	vr_assert(inet_pton(AF_INET6, text, p->addr) == 1);
	p->bits = bits;
	p->flags = flags;
}

static void make_lease(struct net_lease *l, unsigned int how)
{
	*l = (struct net_lease){.any_mac = how & 64 ? 1 : 0, .hostname = "guest"};
	if (!(how & 4)) {
		l->bits = 24;
		l->addr = inet_addr("10.1.2.3");
		l->server = l->gateway = inet_addr("10.1.2.1");
		l->nr_dns = 1;
		l->dns[0] = inet_addr("9.9.9.9");
		l->nr_routes = how & 32 ? NET_LEASE_ROUTES : 1;
		for (unsigned int i = 0; i < l->nr_routes; i++)
			l->route[i] = (struct net_lease_route){inet_addr("10.7.0.0"), 0,
							       16 + i % 17};
	}
	if (how & 8)
		return;
	vr_assert(inet_pton(AF_INET6, "fe80::1", l->router) == 1);
	l->default6 = 1;
	l->nr_dns6 = 1;
	add_prefix(l, "fd00::", 64, 3);
	add_prefix(l, "fd01::", 48, 4);
	if (how & 16)
		return;
	l->nr_addrs6 = how & 32 ? NET_LEASE_ADDRS : 1;
	vr_assert(inet_pton(AF_INET6, "fd00::7", l->addr6[0]) == 1);
}

static void check_answer(const struct frame_out *f)
{
	static union {
		struct dhcpc_told dhcp;
		struct rtc_advert advert;
		struct rtc_reply reply;
	} told;

	vr_assert(f->len <= FRAME_MAX && f->len <= f->max);
	if (f->byte[12] == 0x08)
		vr_assert(dhcpc_read(f->byte, f->len, &told.dhcp));
	else if (f->byte[14 + 6] == 58)
		vr_assert(rtc_read_advert(f->byte, f->len, &told.advert));
	else
		vr_assert(rtc_read_reply(f->byte, f->len, &told.reply));
}

static void one_frame(struct answer *a, const uint8_t *frame, size_t len, unsigned int how)
{
	const bool ours = answer_is_ours(a, frame, len < FRAME_HEAD ? len : FRAME_HEAD);
	const bool made = answer_make(a, frame, len, !(how & 2));

	/* Nothing is answered that would not have been taken from the guest. */
	if (made && ours)
		check_answer(&a->out);
	a->budget.credit = ANSWER_BURST;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct answer a;
	static uint8_t frame[FRAME_MAX];
	struct net_lease lease;
	unsigned int how;
	struct err err;

	if (size == 0)
		return 0;
	how = *data++;
	size--;
	make_lease(&lease, how);
	vr_assert(answer_init(&a, &lease, &err) == 0);
	lease_of(&a.lease, mac, 1400);
	while (size >= 2) {
		size_t len = (size_t)(data[0] | data[1] << 8);

		data += 2;
		size -= 2;
		len = len < size ? len : size;
		if (len > sizeof(frame))
			return 0;
		memcpy(frame, data, len);
		/* Behind the end nothing of the frame before */
		memset(frame + len, 0xa5, sizeof(frame) - len);
		if (how & 1 && len > 14 + 20 + 8)
			dhcpc_resum(frame, len);
		one_frame(&a, frame, len, how);
		data += len;
		size -= len;
	}
	return 0;
}
