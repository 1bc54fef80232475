/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The network device answers DHCP: what it says, to which messages, and what goes to the TAP instead
 */
#include <arpa/inet.h>
#include <sys/mman.h>

#include "devices/core/ctl.h"
#include "devices/net/net_port.h"
#include "tests/support/dhcp_client.h"
#include "tests/support/net_rig.h"

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM };

#define MAC                                                                                        \
	{                                                                                          \
		2, 0x11, 0x22, 0x33, 0x44, 0x55                                                    \
	}
#define RX_BYTES 2048U

static const struct virtio_net_hdr_v1 no_offload;
static uint8_t got[4096];
static unsigned int offered; /* buffers, of 64 */

static void setup_lease(void)
{
	struct net_lease *l = &settings.lease;

	record(1);
	settings.mtu = 1400;
	l->bits = 24;
	l->addr = inet_addr("10.1.2.3");
	l->gateway = l->server = inet_addr("10.1.2.1");
	l->nr_dns = 2;
	l->dns[0] = inet_addr("9.9.9.9");
	l->dns[1] = inet_addr("1.1.1.1");
	memcpy(l->hostname, "guest", 5);
	offered = 0;
}

TestSuite(dhcp, .init = setup_lease, .fini = teardown);

static void begin(uint64_t leave)
{
	start(leave);
	offer(0, 60, RX_BYTES);
}

/* Sends the frame that lies at TX_GPA + HDR; the length of what the guest receives, 0 for nothing */
static uint32_t ask_raw(uint32_t bytes)
{
	uint32_t head, len;

	transmit(&no_offload, bytes);
	settle();
	return vqd_take(&ring[0], &head, &len) ? (offered++, len - HDR) : 0;
}

static const uint8_t *received(void)
{
	return at(RX_GPA + (uint64_t)(offered - 1) * RX_BYTES + HDR, 1500);
}

static bool ask_told(const struct dhcpc_ask *a, struct dhcpc_told *ret)
{
	const uint32_t len = ask_raw((uint32_t)dhcpc_write(a, at(TX_GPA + HDR, 1024)));

	cr_assert_eq(sent(0, false, got, sizeof(got)), -1, "it went to the TAP");
	if (len == 0)
		return false;
	cr_assert(dhcpc_read(received(), len, ret), "the answer is no valid message");
	cr_assert(ret->xid == DHCPC_XID);
	return true;
}

static void expect_settings(const struct dhcpc_told *t)
{
	cr_expect_str_eq(t->server, "10.1.2.1");
	cr_expect_str_eq(t->from, "10.1.2.1");
	cr_expect_str_eq(t->router, "10.1.2.1");
	cr_expect(t->bits == 24 && t->mtu == 1400 && t->nr_dns == 2);
	cr_expect_str_eq(t->dns[0], "9.9.9.9");
	cr_expect_str_eq(t->dns[1], "1.1.1.1");
	cr_expect_str_eq(t->hostname, "guest");
}

Test(dhcp, offers_and_acknowledges_what_the_lease_says)
{
	static const uint8_t mac[] = MAC;
	struct dhcpc_ask a = {.type = DISCOVER, .mac = MAC, .id_bytes = 7};
	struct dhcpc_told t;

	begin(0);
	cr_assert(ask_told(&a, &t));
	cr_expect_eq(t.type, OFFER);
	cr_expect_str_eq(t.yiaddr, "10.1.2.3");
	cr_expect_str_eq(t.to, "10.1.2.3", "unicast to a client that did not ask for broadcast");
	cr_expect_eq(memcmp(t.to_mac, mac, 6), 0);
	cr_expect(t.lease == UINT32_MAX && t.nr_routes == 0 && t.id_bytes == 7);
	expect_settings(&t);
	a = (struct dhcpc_ask){
		.type = REQUEST, .mac = MAC, .wanted = "10.1.2.3", .server = "10.1.2.1"};
	cr_assert(ask_told(&a, &t));
	cr_expect_eq(t.type, ACK);
	cr_expect_str_eq(t.yiaddr, "10.1.2.3");
	cr_expect(t.lease == UINT32_MAX && t.id_bytes == 0);
	expect_settings(&t);
}

struct kind_case {
	const char *what;
	struct dhcpc_ask a;
	uint8_t answer; /* 0: none */
	const char *to;
};

static const struct kind_case kinds[] = {
	{"broadcast is asked for", {.type = DISCOVER, .flags = 0x8000}, OFFER, "255.255.255.255"},
	{"after a boot", {.type = REQUEST, .wanted = "10.1.2.3"}, ACK, "10.1.2.3"},
	{"renewing", {.type = REQUEST, .ciaddr = "10.1.2.3", .to = "10.1.2.1"}, ACK, "10.1.2.3"},
	{"rebinding", {.type = REQUEST, .ciaddr = "10.1.2.3"}, ACK, "10.1.2.3"},
	{"another address", {.type = REQUEST, .wanted = "10.1.2.9"}, NAK, "255.255.255.255"},
	{"another network", {.type = REQUEST, .ciaddr = "10.7.7.7"}, NAK, "255.255.255.255"},
	{"another server", {.type = REQUEST, .wanted = "10.1.2.3", .server = "10.1.2.2"}, 0, NULL},
	{"overloaded",
	 {.type = REQUEST, .wanted = "10.1.2.3", .server = "10.1.2.1", .overload = 3},
	 ACK,
	 "10.1.2.3"},
	{"overloaded, another address",
	 {.type = REQUEST, .wanted = "10.1.2.9", .overload = 1},
	 NAK,
	 "255.255.255.255"},
	{"overloaded, another server",
	 {.type = REQUEST, .wanted = "10.1.2.3", .server = "10.1.2.2", .overload = 2},
	 0,
	 NULL},
	{"inform", {.type = INFORM, .ciaddr = "10.1.2.77"}, ACK, "10.1.2.77"},
	{"inform without an address", {.type = INFORM}, 0, NULL},
	{"release", {.type = RELEASE, .ciaddr = "10.1.2.3", .server = "10.1.2.1"}, 0, NULL},
	{"decline", {.type = DECLINE, .wanted = "10.1.2.3", .server = "10.1.2.1"}, 0, NULL},
	{"a server's message", {.type = OFFER}, 0, NULL},
	{"a type that is none", {.type = 99}, 0, NULL},
	{"BOOTP", {.type = 0}, 0, NULL},
	{"for another interface", {.type = DISCOVER, .chaddr = {2, 9}}, 0, NULL},
};

Test(dhcp, answers_each_kind_of_message)
{
	begin(0);
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct dhcpc_ask a = kinds[i].a;
		struct dhcpc_told t = {.type = 0};

		memcpy(a.mac, (const uint8_t[])MAC, 6);
		cr_assert_eq(ask_told(&a, &t), kinds[i].answer != 0, "%s", kinds[i].what);
		cr_expect_eq(t.type, kinds[i].answer, "%s", kinds[i].what);
		if (kinds[i].answer)
			cr_expect_str_eq(t.to, kinds[i].to, "%s", kinds[i].what);
		if (a.type == INFORM && kinds[i].answer)
			cr_expect(t.lease == 0 && strcmp(t.yiaddr, "0.0.0.0") == 0, "no lease");
		if (t.type == NAK)
			cr_expect(t.bits == 0 && t.mtu == 0 && !t.router[0], "no settings");
	}
}

/* ---- routes ---- */

static void add_route(const char *dst, uint8_t bits, const char *gateway)
{
	struct net_lease_route *r = &settings.lease.route[settings.lease.nr_routes++];

	*r = (struct net_lease_route){inet_addr(dst), gateway ? inet_addr(gateway) : 0, bits};
}

Test(dhcp, routes_come_with_the_default_one)
{
	const struct dhcpc_ask a = {.type = DISCOVER, .mac = MAC};
	static const char *const expected[] = {"0.0.0.0/0 10.1.2.1", "169.254.1.1/32 0.0.0.0",
					       "10.128.0.0/9 10.1.2.7", "172.16.5.0/25 10.1.2.8"};
	struct dhcpc_told t;

	add_route("169.254.1.1", 32, NULL);
	add_route("10.128.0.0", 9, "10.1.2.7");
	add_route("172.16.5.0", 25, "10.1.2.8");
	begin(0);
	cr_assert(ask_told(&a, &t));
	cr_assert_eq(t.nr_routes, ARRAY_SIZE(expected));
	for (unsigned int i = 0; i < ARRAY_SIZE(expected); i++)
		cr_expect_str_eq(t.route[i], expected[i]);
}

/* More than an option holds; and a client that takes no such message gets all else */
Test(dhcp, many_routes_come_whole_or_not_at_all)
{
	struct dhcpc_ask a = {.type = DISCOVER, .mac = MAC, .size = 1400};
	struct dhcpc_told t;

	for (unsigned int i = 0; i < NET_LEASE_ROUTES; i++)
		add_route("10.200.0.1", 32, "10.1.2.9");
	begin(0);
	cr_assert(ask_told(&a, &t));
	cr_expect(t.nr_routes == 1 + NET_LEASE_ROUTES && t.ip_bytes > 576);
	expect_settings(&t);
	for (unsigned int size = 0; size < 600; size += 300) {
		a.size = (uint16_t)size;
		cr_assert(ask_told(&a, &t));
		cr_expect(t.nr_routes == 0 && t.ip_bytes <= 576, "%u", size);
		expect_settings(&t);
	}
}

Test(dhcp, an_address_without_network_or_gateway)
{
	const struct dhcpc_ask a = {.type = DISCOVER, .mac = MAC};
	struct dhcpc_told t;

	settings.lease.bits = 32;
	settings.lease.gateway = 0;
	settings.lease.server = inet_addr("192.0.0.8");
	settings.lease.nr_dns = 0;
	memset(settings.lease.hostname, 0, sizeof(settings.lease.hostname));
	begin(0);
	cr_assert(ask_told(&a, &t));
	cr_expect(t.bits == 32 && !t.router[0] && t.nr_dns == 0 && !t.hostname[0]);
	cr_expect_str_eq(t.server, "192.0.0.8");
}

/* ---- messages that are broken ---- */

#define IP  14
#define UDP (IP + 20)
#define MSG (UDP + 8)
#define OPT (MSG + 240)

/** struct broken - Bytes to change in a DISCOVER; @resum: its checksums are right again */
struct broken {
	const char *what;
	unsigned int at;
	uint8_t bytes[4];
	unsigned int nr;
	bool resum;
};

static const struct broken broken[] = {
	{"IP checksum", IP + 10, {0xde, 0xad}, 2, false},
	{"UDP checksum", UDP + 6, {0xde, 0xad}, 2, false},
	{"the first fragment", IP + 6, {0x20, 0}, 2, true},
	{"longer than the frame", IP + 2, {0x05, 0xdc}, 2, true},
	{"shorter than its header", IP + 2, {0, 19}, 2, true},
	{"IP too short for UDP", IP + 2, {0, 27}, 2, true},
	{"UDP longer than IP", UDP + 4, {0x05, 0}, 2, true},
	{"UDP shorter than its header", UDP + 4, {0, 7}, 2, true},
	{"UDP too short for a message", UDP + 4, {0, 8 + 239}, 2, true},
	{"an answer", MSG, {2}, 1, true},
	{"not Ethernet", MSG + 1, {6}, 1, true},
	{"a longer hardware address", MSG + 2, {16}, 1, true},
	{"by a relay", MSG + 24, {10, 0, 0, 1}, 4, true},
	{"without the cookie", MSG + 236, {0}, 1, true},
	{"type of two bytes", OPT + 1, {2}, 1, true},
	{"type of no bytes", OPT + 1, {0}, 1, true},
	{"an option longer than all", OPT + 1, {255}, 1, true},
	{"client id of no bytes", OPT, {61, 0, 53, 0}, 4, true},
	{"an address of one byte", OPT, {50, 1}, 2, true},
	{"a size of one byte", OPT, {57, 1}, 2, true},
	{"overload of two bytes", OPT, {52, 2}, 2, true},
	{"an address of one byte behind the type", OPT + 3, {50, 1, 10, 255}, 4, true},
	{"an option longer than what is left", OPT + 3, {60, 255}, 2, true},
	{"no type", OPT, {0, 0, 0}, 3, true},
	{"the end comes first", OPT, {255}, 1, true},
};

Test(dhcp, broken_messages_get_no_answer_and_go_nowhere)
{
	const struct dhcpc_ask a = {.type = DISCOVER, .mac = MAC};
	struct dhcpc_told t;
	uint8_t *f;

	begin(0);
	f = at(TX_GPA + HDR, 1024);
	for (unsigned int i = 0; i < ARRAY_SIZE(broken); i++) {
		const size_t len = dhcpc_write(&a, f);

		memcpy(f + broken[i].at, broken[i].bytes, broken[i].nr);
		if (broken[i].resum)
			dhcpc_resum(f, len);
		cr_expect_eq(ask_raw((uint32_t)len), 0, "%s", broken[i].what);
		cr_expect_eq(sent(0, false, got, sizeof(got)), -1, "%s", broken[i].what);
	}
	for (uint8_t part = 1; part <= 2; part++) {
		const struct dhcpc_ask in_parts = {.type = DISCOVER,
						   .mac = MAC,
						   .wanted = "10.1.2.3",
						   .server = "10.1.2.1",
						   .overload = part};
		const size_t len = dhcpc_write(&in_parts, f);

		f[MSG + (part == 1 ? 108 : 44) + 1] = 3;
		dhcpc_resum(f, len);
		cr_expect_eq(ask_raw((uint32_t)len), 0, "an address of three bytes in %u", part);
	}
	/* Cut anywhere behind the headers that say whose they are */
	for (uint32_t len = MSG; len < dhcpc_write(&a, f); len++)
		cr_assert_eq(ask_raw(len), 0, "%u bytes", len);
	cr_expect_eq(ask_raw(1515), 0, "longer than any");
	cr_expect_eq(sent(0, false, got, sizeof(got)), -1);
	cr_expect(ask_told(&a, &t), "the device is alive");
}

/* ---- what is not ours ---- */

static void passes(const char *what, uint32_t len)
{
	cr_expect_eq(ask_raw(len), 0, "%s", what);
	cr_expect_eq(sent(0, true, got, sizeof(got)), HDR + len, "%s", what);
	cr_expect_eq(memcmp(got + HDR, at(TX_GPA + HDR, len), len), 0, "%s", what);
}

Test(dhcp, other_frames_go_to_the_tap_unchanged)
{
	const struct dhcpc_ask a = {.type = DISCOVER, .mac = MAC},
			       other_mac = {.type = DISCOVER, .mac = {2, 9}},
			       other_server = {.type = REQUEST, .mac = MAC, .to = "10.1.2.2"};
	uint32_t len;
	uint8_t *f;

	begin(0);
	f = at(TX_GPA + HDR, 2000);
	passes("another interface behind this one", (uint32_t)dhcpc_write(&other_mac, f));
	passes("another server", (uint32_t)dhcpc_write(&other_server, f));
	len = (uint32_t)dhcpc_write(&a, f);
	f[UDP + 3] = 68;
	passes("another port", len);
	f[UDP + 3] = 67;
	f[IP + 9] = 6;
	passes("TCP", len);
	f[IP + 9] = 17;
	f[IP + 7] = 1;
	passes("a later fragment", len);
	f[IP + 7] = 0;
	passes("cut within the UDP header", MSG - 1);
	passes("cut within the IP header", UDP - 1);
	f[IP] = 0x44;
	passes("an IP header of 16 bytes", len);
	f[IP] = 0x65;
	passes("version 6 by the wrong Ethernet type", len);
	f[IP] = 0x45;
	memmove(f + 16, f + 12, len - 12);
	memcpy(f + 12, (const uint8_t[]){0x81, 0, 0, 7}, 4);
	passes("a VLAN's", len + 4);
}

Test(dhcp, without_a_lease_all_goes_to_the_tap)
{
	const struct dhcpc_ask a = {.type = DISCOVER, .mac = MAC};

	memset(&settings.lease, 0, sizeof(settings.lease));
	begin(0);
	passes("DHCP", (uint32_t)dhcpc_write(&a, at(TX_GPA + HDR, 1024)));
}

/* ---- rings ---- */

Test(dhcp, the_checksum_may_be_missing)
{
	const struct dhcpc_ask a = {.type = DISCOVER, .mac = MAC};
	struct frame_in in;
	uint32_t len;
	uint8_t *f;

	begin(0);
	f = at(TX_GPA + HDR, 1024);
	len = (uint32_t)dhcpc_write(&a, f);
	f[UDP + 6] = f[UDP + 7] = 0;
	cr_expect_gt(ask_raw(len), 0, "in IPv4 a checksum of 0 is none");
	/* A driver with offloads leaves the sum of the pseudo header there, for the device to go on. */
	f[UDP + 6] = 0x12;
	cr_expect(!frame_open(f, len, true, &in));
	cr_expect(frame_open(f, len, false, &in) && in.len == len - MSG);
}

Test(dhcp, an_answer_without_a_buffer_is_lost)
{
	const struct dhcpc_ask a = {.type = DISCOVER, .mac = MAC};
	uint8_t *f;

	start(BIT(MRG_RXBUF));
	f = at(TX_GPA + HDR, 1024);
	cr_expect_eq(ask_raw((uint32_t)dhcpc_write(&a, f)), 0, "no buffer");
	offer(0, 1, 200);
	cr_expect_eq(ask_raw((uint32_t)dhcpc_write(&a, f)), 0, "too small a buffer");
	arrive(0, 100);
	cr_expect_eq(take(0), HDR + 100, "which stays for what fits");
	offer(0, 1, 1500);
	cr_expect_gt(ask_raw((uint32_t)dhcpc_write(&a, f)), 0);
}

/* Small mergeable buffers take it in pieces. */
Test(dhcp, an_answer_may_take_several_buffers)
{
	const struct dhcpc_ask a = {.type = DISCOVER, .mac = MAC};
	struct virtio_net_hdr_v1 h;
	uint32_t all = 0, len, head;
	struct dhcpc_told t;

	start(0);
	offer(0, 40, 64);
	transmit(&no_offload, (uint32_t)dhcpc_write(&a, at(TX_GPA + HDR, 1024)));
	settle();
	while (vqd_take(&ring[0], &head, &len)) {
		memcpy(got + all, at(RX_GPA + all, len), len);
		all += len;
	}
	memcpy(&h, got, sizeof(h));
	cr_expect_eq(h.num_buffers, (all + 63) / 64);
	cr_expect(dhcpc_read(got + HDR, all - HDR, &t) && t.type == OFFER);
}

Test(dhcp, a_guest_that_asks_without_end_gets_so_many_answers)
{
	const struct dhcpc_ask a = {.type = DISCOVER, .mac = MAC};
	unsigned int answers = 0;

	begin(0);
	for (unsigned int i = 0; i < 59; i++)
		answers += ask_raw((uint32_t)dhcpc_write(&a, at(TX_GPA + HDR, 1024))) > 0;
	/* A second and more may pass meanwhile on a busy machine. */
	cr_expect(answers >= 20 && answers < 59, "%u", answers);
	cr_expect_eq(sent(0, false, got, sizeof(got)), -1);
}

/* ---- leases that come later, and leases that are none ---- */

static struct device dev;

static int init_device(struct err *err)
{
	static struct loop loop;

	rec.nr_res = 0;
	boot_set_settings(&rec, &settings, sizeof(settings));
	cr_assert_eq(loop_init(&loop, err), 0);
	cr_assert_eq(device_init(&dev, &net_device, &loop, err), 0);
	return net_device.init(&dev, &rec, err);
}

static int control(const struct net_lease *l, size_t bytes, uint32_t mtu)
{
	struct ctl_msg m = {.type = CTL_NET, .arg = 0x021122334466, .code = mtu};
	struct err err;
	int fd = memfd_create("lease", MFD_CLOEXEC), rc;

	cr_assert_eq(write(fd, l, bytes), (ssize_t)bytes);
	lseek(fd, 0, SEEK_SET);
	rc = net_device.control(&dev, &m, &fd, &err);
	close(fd);
	return rc;
}

static bool is_answered(void)
{
	const struct dhcpc_ask a = {.type = DISCOVER, .mac = {2, 0x11, 0x22, 0x33, 0x44, 0x66}};
	const struct net *n = dev.state;
	uint8_t f[1024];

	return n->answer.on && answer_is_ours(&n->answer, f, dhcpc_write(&a, f));
}

Test(dhcp_lease, a_lease_may_come_at_the_start, .init = setup_lease)
{
	struct net_lease l = settings.lease;
	struct err err;

	memset(&settings.lease, 0, sizeof(settings.lease));
	cr_assert_eq(init_device(&err), 0);
	cr_expect(!is_answered());
	cr_expect_eq(control(&l, sizeof(l) - 1, 1400), -EPROTO, "half a lease ends the program");
	cr_expect_eq(control(&l, sizeof(l), 67), -EINVAL);
	cr_expect(!is_answered(), "with an MTU that is none");
	l.bits = 33;
	cr_expect_eq(control(&l, sizeof(l), 1400), -EINVAL);
	cr_expect(!is_answered());
	l.bits = 24;
	cr_expect_eq(control(&l, sizeof(l), 1400), 0);
	cr_expect(is_answered());
	memset(&l, 0, sizeof(l));
	cr_expect_eq(control(&l, sizeof(l), 1400), 0);
	cr_expect(!is_answered());
}

/* A front-end that chooses the MAC: the first that asks is answered, and each after it. */
Test(dhcp, any_mac_if_it_is_not_known)
{
	struct dhcpc_ask a = {.type = DISCOVER, .mac = {2, 9, 9, 9, 9, 9}};
	struct dhcpc_told t;

	settings.lease.any_mac = 1;
	begin(0);
	cr_expect(ask_told(&a, &t) && memcmp(t.to_mac, a.mac, 6) == 0);
	a.mac[5] = 8;
	cr_expect(ask_told(&a, &t) && memcmp(t.to_mac, a.mac, 6) == 0);
	a.chaddr[0] = 4;
	cr_expect(!ask_told(&a, &t), "but not one for another");
}

struct lease_case {
	const char *what;
	size_t off;
	uint8_t value;
};

#define LEASE(member) offsetof(struct net_lease, member)

static const struct lease_case leases[] = {
	{"/33", LEASE(bits), 33},
	{"an address without a prefix", LEASE(bits), 0},
	{"name servers", LEASE(nr_dns), NET_LEASE_DNS + 1},
	{"IPv6 name servers", LEASE(nr_dns6), NET_LEASE_DNS + 1},
	{"routes", LEASE(nr_routes), NET_LEASE_ROUTES + 1},
	{"IPv6 addresses", LEASE(nr_addrs6), NET_LEASE_ADDRS + 1},
	{"prefixes", LEASE(nr_prefixes), NET_LEASE_ROUTES + 1},
	{"a default route without a router", LEASE(default6), 1},
	{"a router that is not link-local", LEASE(router), 0x20},
	{"behind the hostname", LEASE(hostname) + 8, 'x'},
	{"any MAC", LEASE(any_mac), 2},
};

Test(dhcp_lease, networks_of_a_lease_are_networks, .init = setup_lease)
{
	struct err err;

	settings.lease.nr_routes = NET_LEASE_ROUTES;
	settings.lease.nr_prefixes = NET_LEASE_ROUTES;
	cr_expect_eq(init_device(&err), 0, "%s", err.msg);
	device_done(&dev);
	settings.lease.route[NET_LEASE_ROUTES - 1].bits = 33;
	cr_expect_eq(init_device(&err), -EINVAL);
	device_done(&dev);
	settings.lease.route[NET_LEASE_ROUTES - 1].bits = 32;
	settings.lease.prefix[NET_LEASE_ROUTES - 1].bits = 129;
	cr_expect_eq(init_device(&err), -EINVAL);
	device_done(&dev);
	settings.lease.prefix[NET_LEASE_ROUTES - 1].bits = 128;
	settings.lease.prefix[NET_LEASE_ROUTES - 1].flags = 8;
	cr_expect_eq(init_device(&err), -EINVAL);
	device_done(&dev);
}

Test(dhcp_lease, a_lease_that_is_none_is_refused, .init = setup_lease)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(leases); i++) {
		struct err err;

		setup_lease();
		((uint8_t *)&settings.lease)[leases[i].off] = leases[i].value;
		cr_expect_eq(init_device(&err), -EINVAL, "%s", leases[i].what);
		device_done(&dev);
	}
}

Test(dhcp_lease, more_pairs_than_a_device_has, .init = setup_lease)
{
	struct err err;

	cr_assert_eq(init_device(&err), 0);
	device_done(&dev);
	cr_assert_eq(device_init(&dev, &net_device, NULL, &err), 0);
	rec.nr_res = NET_PAIRS_MAX + 1;
	cr_expect_eq(net_device.init(&dev, &rec, &err), -EINVAL);
	cr_expect(strstr(err.msg, "resources"), "%s", err.msg);
	device_done(&dev);
}
