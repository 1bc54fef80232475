/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The network device answers its guest's IPv6: advertisements and DHCPv6
 */
#include <arpa/inet.h>

#include "tests/support/dhcp_client.h"
#include "tests/support/net_rig.h"
#include "tests/support/router_client.h"

enum { SOLICIT = 1, ADVERTISE, REQUEST, CONFIRM, RENEW, REBIND, REPLY, RELEASE, DECLINE };
enum { RECONFIGURE = 10, INFORMATION };

#define MAC                                                                                        \
	{                                                                                          \
		2, 0x11, 0x22, 0x33, 0x44, 0x55                                                    \
	}
#define RX_BYTES 2048U
#define L	 NET_PREFIX_ONLINK
#define A	 NET_PREFIX_AUTO
#define R	 NET_PREFIX_ROUTED

static const uint8_t mac[6] = MAC;
static const struct virtio_net_hdr_v1 no_offload;
static uint8_t got[4096];
static unsigned int received;

static void add_prefix(const char *text, uint8_t bits, uint8_t flags)
{
	struct net_lease_prefix *p = &settings.lease.prefix[settings.lease.nr_prefixes++];

	inet_pton(AF_INET6, text, p->addr);
	p->bits = bits;
	p->flags = flags;
}

static void setup_lease(void)
{
	struct net_lease *l = &settings.lease;

	record(1);
	settings.mtu = 1400;
	l->nr_dns6 = 2;
	inet_pton(AF_INET6, "2620:fe::9", l->dns6[0]);
	inet_pton(AF_INET6, "2620:fe::fe", l->dns6[1]);
	inet_pton(AF_INET6, "fe80::1", l->router);
	l->default6 = 1;
	add_prefix("fd00::", 64, L | A);
	received = 0;
}

TestSuite(ra, .init = setup_lease, .fini = teardown);

static void begin(void)
{
	start(0);
	offer(0, 60, RX_BYTES);
}

/* Sends the frame at TX_GPA + HDR; what the guest receives, NULL for nothing */
static const uint8_t *ask(uint32_t bytes, uint32_t *ret_len)
{
	uint32_t head, len;

	transmit(&no_offload, bytes);
	settle();
	if (!vqd_take(&ring[0], &head, &len))
		return NULL;
	*ret_len = len - HDR;
	return at(RX_GPA + (uint64_t)received++ * RX_BYTES + HDR, 1600);
}

static uint8_t *tx(void)
{
	return at(TX_GPA + HDR, 2000);
}

static bool solicit(struct rtc_advert *ret)
{
	uint32_t len;
	const uint8_t *f = ask((uint32_t)rtc_solicit(mac, "fe80::77", NULL, 0, tx()), &len);

	cr_assert_eq(sent(0, false, got, sizeof(got)), -1, "it went to the TAP");
	cr_assert(!f || rtc_read_advert(f, len, ret), "the advertisement is not valid");
	return f;
}

Test(ra, advertises_what_the_lease_says)
{
	struct rtc_advert t;

	add_prefix("fd01::", 80, L);
	add_prefix("fd02::", 16, R);
	add_prefix("fd03::1", 128, R);
	add_prefix("fd04::", 65, L | R);
	begin();
	cr_assert(solicit(&t));
	cr_expect_str_eq(t.from, "fe80::1", "the router's, not the device's");
	cr_expect(t.lifetime == 65535 && t.mtu == 1400 && !t.managed && !t.other);
	cr_assert(t.nr_prefixes == 3 && t.nr_routes == 3 && t.nr_dns == 2);
	cr_expect_str_eq(t.prefix[0], "fd00::/64 LA");
	cr_expect_str_eq(t.prefix[1], "fd01::/80 L");
	cr_expect_str_eq(t.prefix[2], "fd04::/65 L");
	cr_expect_str_eq(t.route[0], "fd02::/16");
	cr_expect_str_eq(t.route[1], "fd03::1/128");
	cr_expect_str_eq(t.route[2], "fd04::/65");
	cr_expect_str_eq(t.dns[0], "2620:fe::9");
	cr_expect_str_eq(t.dns[1], "2620:fe::fe");
}

Test(ra, without_a_router_it_is_none)
{
	struct rtc_advert t;

	memset(settings.lease.router, 0, 16);
	settings.lease.default6 = 0;
	settings.lease.nr_dns6 = 0;
	settings.lease.nr_addrs6 = 1;
	begin();
	cr_assert(solicit(&t));
	cr_expect(t.lifetime == 0 && t.managed && t.nr_dns == 0);
}

Test(ra, the_fullest_lease_fits_a_frame)
{
	struct rtc_advert t;

	settings.lease.nr_prefixes = 0;
	while (settings.lease.nr_prefixes < NET_LEASE_ROUTES)
		add_prefix("fd01::1", 128, L);
	begin();
	cr_assert(solicit(&t));
	cr_expect(t.nr_prefixes == NET_LEASE_ROUTES && t.nr_dns == 2);
}

struct broken {
	const char *what;
	unsigned int at;
	uint8_t byte;
	bool resum;
};

#define ICMP (14 + 40)

static const struct broken broken[] = {
	{"checksum", ICMP + 2, 0x77, false},
	{"code", ICMP + 1, 1, true},
	{"forwarded", 14 + 7, 64, true},
	{"longer than the frame", 14 + 5, 200, true},
	{"shorter than a message", 14 + 5, 7, true},
	{"an option of no bytes", ICMP + 9, 0, true},
	{"an option longer than the rest", ICMP + 9, 2, true},
};

Test(ra, broken_solicitations_get_no_answer)
{
	const uint8_t source[8] = {1, 1, 2, 0x11, 0x22, 0x33, 0x44, 0x55};
	uint32_t len, n;

	begin();
	for (unsigned int i = 0; i < ARRAY_SIZE(broken); i++) {
		n = (uint32_t)rtc_solicit(mac, "fe80::77", source, 8, tx());
		tx()[broken[i].at] = broken[i].byte;
		if (broken[i].resum)
			dhcpc_resum(tx(), n);
		cr_expect_null(ask(n, &len), "%s", broken[i].what);
		cr_expect_eq(sent(0, false, got, sizeof(got)), -1, "%s", broken[i].what);
	}
	cr_expect_null(ask((uint32_t)rtc_solicit(mac, "::", source, 8, tx()), &len),
		       "an address to answer, from nowhere");
	cr_expect(ask((uint32_t)rtc_solicit(mac, "::", NULL, 0, tx()), &len));
	cr_expect(ask((uint32_t)rtc_solicit(mac, "fe80::77", source, 8, tx()), &len));
}

static void passes(const char *what, uint32_t n)
{
	uint32_t len;

	cr_expect_null(ask(n, &len), "%s", what);
	cr_expect_eq(sent(0, true, got, sizeof(got)), HDR + n, "%s", what);
}

Test(ra, other_frames_go_to_the_tap)
{
	const struct rtc_ask a = {.type = SOLICIT, .mac = MAC};
	uint32_t n;

	begin();
	n = (uint32_t)rtc_solicit((const uint8_t[]){2, 9, 9, 9, 9, 9}, "fe80::77", NULL, 0, tx());
	passes("another interface's", n);
	n = (uint32_t)rtc_solicit(mac, "fe80::77", NULL, 0, tx());
	tx()[ICMP] = 135;
	passes("a neighbour's solicitation", n);
	tx()[14 + 6] = 0;
	passes("behind an extension header", n);
	n = (uint32_t)rtc_ask(&a, tx());
	tx()[14 + 24] = 0xfd;
	passes("DHCPv6 to one server", n);
}

Test(ra, without_ipv6_in_the_lease_all_goes_to_the_tap)
{
	const struct rtc_ask a = {.type = SOLICIT, .mac = MAC};

	memset(&settings.lease, 0, sizeof(settings.lease));
	settings.lease.bits = 24;
	settings.lease.addr = settings.lease.server = inet_addr("10.1.2.3");
	begin();
	passes("a solicitation", (uint32_t)rtc_solicit(mac, "fe80::77", NULL, 0, tx()));
	passes("DHCPv6", (uint32_t)rtc_ask(&a, tx()));
}

/* ---- DHCPv6 ---- */

static void add_addr(const char *text)
{
	inet_pton(AF_INET6, text, settings.lease.addr6[settings.lease.nr_addrs6++]);
}

static bool ask6(const struct rtc_ask *a, struct rtc_reply *ret)
{
	struct rtc_ask with_mac = *a;
	const uint8_t *f;
	uint32_t len;

	memcpy(with_mac.mac, mac, 6);
	f = ask((uint32_t)rtc_ask(&with_mac, tx()), &len);
	cr_assert_eq(sent(0, false, got, sizeof(got)), -1, "it went to the TAP");
	cr_assert(!f || (rtc_read_reply(f, len, ret) && ret->ours), "the answer is not valid");
	return f;
}

static bool gives_both(const struct rtc_reply *t)
{
	return t->nr_addrs == 2 && !strcmp(t->addr[0], "fd00::7") &&
	       !strcmp(t->addr[1], "fd01::8") && t->iaid == htonl(0xa1a2a3a4) &&
	       t->client_is_ours && t->nr_dns == 2 && t->status == -1;
}

Test(ra, dhcpv6_gives_all_addresses)
{
	struct rtc_ask a = {.type = SOLICIT};
	struct rtc_reply t, first;

	add_addr("fd00::7");
	add_addr("fd01::8");
	begin();
	cr_assert(ask6(&a, &first));
	cr_expect(first.type == ADVERTISE && gives_both(&first) && !first.rapid);
	cr_expect_str_eq(first.to, "fe80::77");
	a.rapid = true;
	cr_expect(ask6(&a, &t) && t.type == REPLY && t.rapid && gives_both(&t));
	a = (struct rtc_ask){.server = first.server, .server_bytes = first.server_bytes};
	for (a.type = REQUEST; a.type <= RENEW; a.type += RENEW - REQUEST)
		cr_expect(ask6(&a, &t) && t.type == REPLY && gives_both(&t), "%u", a.type);
	a = (struct rtc_ask){.type = REBIND};
	cr_expect(ask6(&a, &t) && t.type == REPLY && gives_both(&t));
	a = (struct rtc_ask){.type = INFORMATION, .no_ia = true, .no_client = true};
	cr_expect(ask6(&a, &t) && t.type == REPLY && t.nr_addrs == 0 && t.nr_dns == 2);
}

Test(ra, dhcpv6_confirms_and_takes_back)
{
	struct rtc_ask a = {.type = SOLICIT};
	struct rtc_reply t, first;

	add_addr("fd00::7");
	begin();
	cr_assert(ask6(&a, &first));
	a = (struct rtc_ask){.type = CONFIRM, .addr = "fd00::7"};
	cr_expect(ask6(&a, &t) && t.type == REPLY && t.status == 0);
	a.addr = "fd00::8";
	cr_expect(ask6(&a, &t) && t.type == REPLY && t.status == 4);
	a = (struct rtc_ask){
		.server = first.server, .server_bytes = first.server_bytes, .addr = "fd00::7"};
	for (a.type = RELEASE; a.type <= DECLINE; a.type++)
		cr_expect(ask6(&a, &t) && t.type == REPLY && t.status == 0 && t.nr_addrs == 0);
}

Test(ra, dhcpv6_without_addresses)
{
	struct rtc_reply t;

	begin();
	cr_expect(ask6(&(struct rtc_ask){.type = SOLICIT}, &t) && t.status == 2 && t.nr_addrs == 0);
}

Test(ra, dhcpv6_messages_that_get_no_answer)
{
	static const uint8_t other[] = {0, 3, 0, 1, 9, 9, 9, 9, 9, 9};
	struct rtc_ask a = {.server = other, .server_bytes = sizeof(other)};
	struct rtc_reply t;
	uint32_t full, len;

	add_addr("fd00::7");
	begin();
	for (a.type = 0; a.type < 14; a.type++)
		cr_expect(!ask6(&a, &t), "%u, for another server", a.type);
	for (a = (struct rtc_ask){.type = 0}; a.type < 14; a.type++)
		if (a.type != SOLICIT && a.type != CONFIRM && a.type != REBIND)
			cr_expect(!ask6(&a, &t), "%u, for no server", a.type);
	for (a = (struct rtc_ask){.no_client = true}; a.type < 14; a.type++)
		cr_expect(!ask6(&a, &t), "%u, of no client", a.type);
	/* Cut anywhere, with lengths that say so */
	full = (uint32_t)rtc_ask(&(struct rtc_ask){.type = SOLICIT, .mac = MAC}, tx());
	for (uint32_t n = 14 + 40 + 8; n < full; n++) {
		const uint16_t bytes = htons((uint16_t)(n - 14 - 40));

		rtc_ask(&(struct rtc_ask){.type = SOLICIT, .mac = MAC}, tx());
		memcpy(tx() + 14 + 4, &bytes, 2);
		memcpy(tx() + 14 + 40 + 4, &bytes, 2);
		dhcpc_resum(tx(), n);
		/* Behind the first option it is a message again, and behind the next. */
		if (ask(n, &len))
			cr_expect(n == full - 6 || n == full - 6 - 16, "%u of %u", n, full);
		cr_expect_eq(sent(0, false, got, sizeof(got)), -1);
	}
}
