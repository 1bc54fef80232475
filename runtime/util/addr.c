/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"

#define OCTETS	 4
#define MAC_TEXT 17

/* Parses a decimal number of at most @max without leading zeros; returns the end of its digits, or NULL. */
static const char *addr_decimal(const char *s, unsigned int max, unsigned int *ret)
{
	size_t digits = strspn(s, "0123456789");
	unsigned int v = 0;

	if (digits == 0 || digits > 3 || (digits > 1 && *s == '0'))
		return NULL;
	for (size_t i = 0; i < digits; i++)
		v = v * 10 + (unsigned int)(s[i] - '0');
	*ret = v;
	return v <= max ? s + digits : NULL;
}

static const char *addr_octets(const char *s, uint32_t *ret)
{
	uint32_t addr = 0;

	for (int i = 0; i < OCTETS; i++) {
		unsigned int v;

		if (i > 0 && *s++ != '.')
			return NULL;
		s = addr_decimal(s, 255, &v);
		if (!s)
			return NULL;
		addr = addr << 8 | v;
	}
	*ret = htonl(addr);
	return s;
}

int addr_parse(const char *s, struct net_addr *ret)
{
	struct net_addr a = {0};
	unsigned int bits = 0;

	s = addr_octets(s, &a.addr);
	if (s && *s == '/') {
		s = addr_decimal(s + 1, 32, &bits);
		if (bits == 0)
			return -EINVAL;
	}
	if (!s || *s)
		return -EINVAL;
	a.bits = (uint8_t)bits;
	*ret = a;
	return 0;
}

uint32_t addr_netmask(uint8_t bits)
{
	/* C does not define a shift by 32. */
	return bits ? htonl(UINT32_MAX << (32 - bits)) : 0;
}

int addr_parse_mask(const char *s, uint8_t *ret_bits)
{
	unsigned int n = 0;
	const char *end;
	uint32_t mask = 0;

	if (!strchr(s, '.')) {
		end = addr_decimal(s + (*s == '/'), 32, &n);
		if (!end || *end || n == 0)
			return -EINVAL;
		*ret_bits = (uint8_t)n;
		return 0;
	}
	end = addr_octets(s, &mask);
	while (n <= 32 && addr_netmask((uint8_t)n) != mask)
		n++;
	if (!end || *end || n == 0 || n > 32)
		return -EINVAL;
	*ret_bits = (uint8_t)n;
	return 0;
}

static int addr_hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

int addr_parse_mac(const char *s, uint8_t ret[6])
{
	uint8_t mac[6];

	if (strlen(s) != MAC_TEXT)
		return -EINVAL;
	for (int i = 0; i < 6; i++, s += 3) {
		int high = addr_hex_digit(s[0]), low = addr_hex_digit(s[1]);

		if (high < 0 || low < 0 || s[2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret, mac, sizeof(mac));
	return 0;
}

bool addr_is_hostname(const char *s)
{
	const size_t len = strspn(
		s, "-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return len > 0 && len <= ADDR_HOSTNAME_MAX && !s[len];
}

void addr_put(struct net_addr a, char ret[ADDR_TEXT_BYTES])
{
	uint32_t addr = ntohl(a.addr);
	size_t n = fmt_into(ret, ADDR_TEXT_BYTES, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 0xff,
			    addr >> 8 & 0xff, addr & 0xff);

	if (a.bits)
		fmt_into(ret + n, ADDR_TEXT_BYTES - n, "/%u", a.bits);
}

void addr_put_mac(const uint8_t mac[6], char ret[ADDR_TEXT_BYTES])
{
	fmt_into(ret, ADDR_TEXT_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
}

uint8_t addr_ip_bits(uint8_t family)
{
	return family == AF_INET6 ? 128 : 32;
}

int addr_parse_ip(const char *s, struct net_ip *ret)
{
	struct net_ip ip = {.family = strchr(s, ':') ? AF_INET6 : AF_INET};
	const char *slash = strchr(s, '/'), *end;
	char addr[ADDR_IP_TEXT_BYTES];
	unsigned int bits = addr_ip_bits(ip.family);
	size_t len = slash ? (size_t)(slash - s) : strlen(s);

	if (len >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, s, len);
	addr[len] = '\0';
	if (inet_pton(ip.family, addr, ip.addr) != 1)
		return -EINVAL;
	if (slash) {
		end = addr_decimal(slash + 1, bits, &bits);
		if (!end || *end)
			return -EINVAL;
	}
	ip.bits = (uint8_t)bits;
	*ret = ip;
	return 0;
}

void addr_put_ip(const struct net_ip *ip, bool prefix, char ret[ADDR_IP_TEXT_BYTES])
{
	char text[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(ip->family, ip->addr, text, sizeof(text));
	if (prefix)
		fmt_into(ret, ADDR_IP_TEXT_BYTES, "%s/%u", text, ip->bits);
	else
		fmt_into(ret, ADDR_IP_TEXT_BYTES, "%s", text);
}

bool addr_same_ip(const struct net_ip *a, const struct net_ip *b)
{
	return a->family == b->family && a->bits == b->bits &&
	       memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

bool addr_ip_covers(const struct net_ip *net, const struct net_ip *ip)
{
	const unsigned int whole = net->bits / 8, rest = net->bits % 8;
	const uint8_t mask = (uint8_t)(0xff00 >> rest);

	return net->family == ip->family && memcmp(net->addr, ip->addr, whole) == 0 &&
	       (!rest || ((net->addr[whole] ^ ip->addr[whole]) & mask) == 0);
}

bool addr_in_net(struct net_addr net, uint32_t addr)
{
	return ((net.addr ^ addr) & addr_netmask(net.bits)) == 0;
}

const char *addr_not_a_station(struct net_addr a)
{
	const uint32_t mask = addr_netmask(a.bits), first = ntohl(a.addr) >> 24;

	if (first == 0)
		return "no address";
	if (first == 127)
		return "a loopback address";
	if (first >= 240)
		return a.addr == UINT32_MAX ? "a broadcast address" : "a reserved address";
	if (first >= 224)
		return "a multicast address";
	/* RFC 3021: a /31 has neither a network address nor a broadcast address. */
	if (a.bits == 0 || a.bits >= ADDR_PREFIX_MAX)
		return NULL;
	if ((a.addr & ~mask) == 0)
		return "the address of its network";
	return (a.addr & ~mask) == ~mask ? "the broadcast address of its network" : NULL;
}

static bool addr_has_no_bits_behind(const struct net_ip *ip, unsigned int bits)
{
	while (bits < 128 && !(ip->addr[bits / 8] & 0x80 >> bits % 8))
		bits++;
	return bits == 128;
}

const char *addr_ip_not_a_station(const struct net_ip *ip)
{
	static const uint8_t loopback[16] = {[15] = 1}, mapped[16] = {[10] = 0xff, [11] = 0xff};
	struct net_addr a = {.bits = ip->bits};

	if (ip->family == AF_INET) {
		memcpy(&a.addr, ip->addr, sizeof(a.addr));
		return addr_not_a_station(a);
	}
	if (addr_has_no_bits_behind(ip, 0))
		return "no address";
	if (memcmp(ip->addr, loopback, sizeof(loopback)) == 0)
		return "a loopback address";
	if (ip->addr[0] == 0xff)
		return "a multicast address";
	if (memcmp(ip->addr, mapped, 12) == 0)
		return "an IPv4 address";
	/* RFC 4291 section 2.6.1; RFC 6164: not where there are only two */
	return ip->bits < 127 && addr_has_no_bits_behind(ip, ip->bits)
		       ? "the address of its network"
		       : NULL;
}

struct net_addr addr_next(struct net_addr a)
{
	const uint32_t addr = ntohl(a.addr);
	const uint32_t hosts = a.bits < 32 ? UINT32_MAX >> a.bits : 0;

	/* A /31 has exactly two addresses (RFC 3021), a /32 only one. */
	if (a.bits == 31)
		return (struct net_addr){htonl(addr ^ 1), 31};
	if (a.bits == 0 || a.bits == 32)
		return (struct net_addr){0};
	if ((addr & hosts) + 1 < hosts)
		return (struct net_addr){htonl(addr + 1), a.bits};
	return (struct net_addr){htonl(addr - 1), a.bits};
}
