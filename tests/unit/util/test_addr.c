/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/util/addr.h"

Test(addr, addresses)
{
	static const struct {
		const char *text;
		uint32_t addr;
		uint8_t bits;
	} good[] = {
		{"10.0.0.1", 0x0a000001, 0},
		{"10.0.0.1/24", 0x0a000001, 24},
		{"255.255.255.255/32", 0xffffffff, 32},
		{"0.0.0.0", 0, 0},
		{"192.168.100.9/1", 0xc0a86409, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		char again[ADDR_TEXT_BYTES];
		struct net_addr a;

		cr_assert_eq(addr_parse(good[i].text, &a), 0, "%s", good[i].text);
		cr_expect_eq(ntohl(a.addr), good[i].addr, "%s", good[i].text);
		cr_expect_eq(a.bits, good[i].bits, "%s", good[i].text);
		addr_put(a, again);
		cr_expect_str_eq(again, good[i].text);
	}
}

Test(addr, what_is_not_an_address)
{
	static const char *const bad[] = {
		"",	      "10",	     "10.0.0",	    "10.0.0.",
		"10.0.0.256", "10.0.0.1.2",  "10.0.0.01",   "010.0.0.1",
		"0x0a.0.0.1", " 10.0.0.1",   "10.0.0.1 ",   "10.0.0.1/",
		"10.0.0.1/0", "10.0.0.1/33", "10.0.0.1/a",  "10.0.0.1/024",
		"10..0.1",    "-1.0.0.1",    "10.0.0.1/-1", "1000.0.0.1",
		"::1",	      "localhost",   "10.0.0.1\n",  "10.0.0.1/24/24",
		"10x0.0.1",   "10.0,0.1",    "10.0.0:1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct net_addr a = {7, 7};

		cr_expect_eq(addr_parse(bad[i], &a), -EINVAL, "%s", bad[i]);
		cr_expect(a.addr == 7 && a.bits == 7, "%s wrote", bad[i]);
	}
}

Test(addr, masks)
{
	static const char *const bad[] = {"",
					  "0",
					  "/0",
					  "33",
					  "/",
					  "24 ",
					  "0.0.0.0",
					  "255.0.255.0",
					  "255.255.0",
					  "255.255.255.1",
					  "0.0.0.255",
					  "//24",
					  "255.255.0.0/16"};
	uint8_t bits = 0;

	for (uint8_t n = 1; n <= 32; n++) {
		struct net_addr mask = {addr_netmask(n), 0};
		char text[ADDR_TEXT_BYTES];

		addr_put(mask, text);
		cr_assert_eq(addr_parse_mask(text, &bits), 0, "%s", text);
		cr_expect_eq(bits, n, "%s", text);
	}
	cr_assert_eq(addr_parse_mask("24", &bits), 0);
	cr_expect_eq(bits, 24);
	cr_assert_eq(addr_parse_mask("/8", &bits), 0);
	cr_expect_eq(bits, 8);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(addr_parse_mask(bad[i], &bits), -EINVAL, "%s", bad[i]);
	cr_expect_eq(bits, 8);
	cr_expect_eq(addr_netmask(0), 0);
}

Test(addr, macs)
{
	static const char *const bad[] = {
		"",
		"52:54:00:12:34",
		"52:54:00:12:34:56:78",
		"52-54-00-12-34-56",
		"52:54:00:12:34:5g",
		"52:54:00:12:34:5",
		"52:54:00:12:34:56 ",
		"525400123456",
		"52:54:00:12:34:56\n",
		"5:254:00:12:34:56",
	};
	static const uint8_t want[6] = {0x52, 0x54, 0x00, 0xab, 0xCD, 0xef};
	char text[ADDR_TEXT_BYTES];
	uint8_t mac[6];

	cr_assert_eq(addr_parse_mac("52:54:00:aB:Cd:EF", mac), 0);
	cr_expect(memcmp(mac, want, 6) == 0);
	addr_put_mac(mac, text);
	cr_expect_str_eq(text, "52:54:00:ab:cd:ef");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(addr_parse_mac(bad[i], mac), -EINVAL, "%s", bad[i]);
	cr_expect(memcmp(mac, want, 6) == 0);
}

Test(addr, addresses_of_both_families)
{
	static const struct {
		const char *text, *again;
		uint8_t family, bits;
	} good[] = {
		{"10.0.0.1/24", "10.0.0.1/24", AF_INET, 24},
		{"10.0.0.1", "10.0.0.1/32", AF_INET, 32},
		{"0.0.0.0/0", "0.0.0.0/0", AF_INET, 0},
		{"fd00::1/64", "fd00::1/64", AF_INET6, 64},
		{"::", "::/128", AF_INET6, 128},
		{"::/0", "::/0", AF_INET6, 0},
		{"FE80:0::1/10", "fe80::1/10", AF_INET6, 10},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", AF_INET6, 128},
	};
	static const char *const bad[] = {
		"",
		"/",
		"10.0.0.1/",
		"10.0.0.1/33",
		"10.0.0.1/-1",
		"10.0.0/8",
		"fd00::1/",
		"fd00:1",
		"fd00::1/129",
		"fd00::1/64 ",
		"fd00::g",
		"::%eth0",
		"fe80::1%lo",
		"[::1]",
		"::1/64/64",
		"10.0.0.1/0x8",
		"010.0.0.1",
		":",
		"10.0.0.1::",
		"1::2::3",
		"10.0.0.1/024",
		"0000000000000000000000000000000000000000000000000000000000000000::1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		char again[ADDR_IP_TEXT_BYTES];
		struct net_ip ip;

		cr_assert_eq(addr_parse_ip(good[i].text, &ip), 0, "%s", good[i].text);
		cr_expect_eq(ip.family, good[i].family);
		cr_expect_eq(ip.bits, good[i].bits, "%s", good[i].text);
		addr_put_ip(&ip, true, again);
		cr_expect_str_eq(again, good[i].again);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct net_ip ip = {.family = 7};

		cr_expect_eq(addr_parse_ip(bad[i], &ip), -EINVAL, "%s", bad[i]);
		cr_expect_eq(ip.family, 7, "%s wrote", bad[i]);
	}
}

Test(addr, networks_cover_addresses)
{
	static const struct {
		const char *net, *ip;
		bool covered;
	} cases[] = {
		{"10.1.2.3/20", "10.1.15.255", true},  {"10.1.2.3/20", "10.1.16.0", false},
		{"10.1.2.3/32", "10.1.2.3", true},     {"10.1.2.3/32", "10.1.2.2", false},
		{"0.0.0.0/0", "255.1.2.3", true},      {"0.0.0.0/0", "::1", false},
		{"10.1.2.3/24", "10.1.2.99", true},    {"fd00::1/64", "fd00::ffff:0:0:1", true},
		{"fd00::1/64", "fd00:0:0:1::", false}, {"fd00::/7", "fcff::1", true},
		{"fd00::1/128", "fd00::1", true},      {"fd00::1/127", "fd00::2", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct net_ip net, ip;

		cr_assert_eq(addr_parse_ip(cases[i].net, &net), 0);
		cr_assert_eq(addr_parse_ip(cases[i].ip, &ip), 0);
		cr_expect_eq(addr_ip_covers(&net, &ip), cases[i].covered, "%s %s", cases[i].net,
			     cases[i].ip);
	}
}

Test(addr, what_cannot_be_a_station)
{
	static const struct {
		const char *text, *what;
	} cases[] = {
		{"10.0.0.1/24", NULL},
		{"10.0.0.0/24", "the address of its network"},
		{"10.0.0.255/24", "the broadcast address of its network"},
		{"10.0.0.0/31", NULL},
		{"10.0.0.255/31", NULL},
		{"10.0.0.0/32", NULL},
		{"9.255.255.255/1", NULL},
		{"0.0.0.0/32", "no address"},
		{"0.1.2.3/8", "no address"},
		{"127.0.0.1/8", "a loopback address"},
		{"223.255.255.255/32", NULL},
		{"224.0.0.1/24", "a multicast address"},
		{"240.0.0.1/24", "a reserved address"},
		{"255.255.255.255/32", "a broadcast address"},
		{"fd00::1/64", NULL},
		{"fe80::1", NULL},
		{"fd00::/64", "the address of its network"},
		{"fd00:0:0:8::/64", "the address of its network"},
		{"fd00::8000:0:0:0/64", NULL},
		{"fd00::/126", "the address of its network"},
		{"fd00::/127", NULL},
		{"fd00::", NULL},
		{"::", "no address"},
		{"::/0", "no address"},
		{"::1", "a loopback address"},
		{"ff02::1/64", "a multicast address"},
		{"::ffff:10.0.0.1", "an IPv4 address"},
		{"::2/64", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct net_ip ip;
		const char *what;

		cr_assert_eq(addr_parse_ip(cases[i].text, &ip), 0, "%s", cases[i].text);
		what = addr_ip_not_a_station(&ip);
		cr_expect(what ? cases[i].what && strcmp(what, cases[i].what) == 0 : !cases[i].what,
			  "%s is %s", cases[i].text, what);
	}
}

Test(addr, hostnames)
{
	char text[ADDR_HOSTNAME_MAX + 2] = "";

	cr_expect(addr_is_hostname("a-1.B_2"));
	cr_expect(!addr_is_hostname("") && !addr_is_hostname("a b") && !addr_is_hostname("a/b"));
	memset(text, 'a', ADDR_HOSTNAME_MAX);
	cr_expect(addr_is_hostname(text));
	text[ADDR_HOSTNAME_MAX] = 'a';
	cr_expect(!addr_is_hostname(text));
}

/* Each text ends where memory ends. */
Test(addr, a_mac_is_not_read_behind_its_end)
{
	static const char mac[] = "52:54:00:12:34:56";
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t got[6];

	cr_assert_neq(p, MAP_FAILED);
	cr_assert_eq(mprotect(p + 4096, 4096, PROT_NONE), 0);
	for (size_t len = 0; len < sizeof(mac); len++) {
		char *text = p + 4096 - len - 1;

		memcpy(text, mac, len);
		text[len] = '\0';
		cr_expect_eq(addr_parse_mac(text, got), len == sizeof(mac) - 1 ? 0 : -EINVAL);
	}
}
