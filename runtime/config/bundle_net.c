/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: {"type": "net"} of /vm/devices, one property at a time
 *
 * bundle_net_check.c looks at all of them together. runtime/net/README.md's table of network properties says the
 * same to users.
 */
#include "runtime/config/bundle_net.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <string.h>

#include "devices/core/bucket.h"
#include "devices/core/fmt.h"
#include "runtime/config/bundle_ask.h"
#include "runtime/util/addr.h"

#define FD_MIN 3 /* the first after standard input, output and error */
#define FD_MAX 1048575

static const char *const types[] = {"net", NULL};
static const char *const backends[] = {"user", "vhost", NULL};

/* As the kernel takes it. '%' would make it choose a number; "all" and "default" have their own meaning below
 * /proc/sys/net. */
static int bundle_net_valid_ifname(struct schema_ctx *ctx, struct json_object *value)
{
	static const char *const none[] = {".", "..", "all", "default"};
	const char *s = json_object_get_string(value);

	for (unsigned int i = 0; i < ARRAY_SIZE(none); i++)
		if (!strcmp(s, none[i]))
			return schema_fail(ctx, "must be the name of an interface, is \"%s\"", s);
	return s[strcspn(s, " /:%")] ? schema_fail(ctx, "must not hold a blank, '/', ':' or '%%'")
				     : 0;
}

static int bundle_net_valid_addr(struct schema_ctx *ctx, struct json_object *value)
{
	const char *s = json_object_get_string(value);
	struct net_addr a;

	if (*s && addr_parse(s, &a) < 0)
		return schema_fail(ctx,
				   "must be an IPv4 address such as 10.0.0.1 or 10.0.0.1/24, "
				   "is \"%s\"",
				   s);
	return *s && a.bits > ADDR_PREFIX_MAX
		       ? schema_fail(ctx, "must be /1 to /%d, is /%u", ADDR_PREFIX_MAX, a.bits)
		       : 0;
}

static int bundle_net_valid_gateway(struct schema_ctx *ctx, struct json_object *value)
{
	const char *s = json_object_get_string(value);
	struct net_addr a;

	return *s && (addr_parse(s, &a) < 0 || a.bits)
		       ? schema_fail(ctx, "must be an IPv4 address such as 10.0.0.1, is \"%s\"", s)
		       : 0;
}

static int bundle_net_valid_mask(struct schema_ctx *ctx, struct json_object *value)
{
	const char *s = json_object_get_string(value);
	uint8_t bits;

	return *s && (addr_parse_mask(s, &bits) < 0 || bits > ADDR_PREFIX_MAX)
		       ? schema_fail(ctx, "must be a mask such as 255.255.255.0 or 24, is \"%s\"",
				     s)
		       : 0;
}

static int bundle_net_valid_pool(struct schema_ctx *ctx, struct json_object *value)
{
	const char *s = json_object_get_string(value);
	struct net_addr a;

	if (!*s)
		return 0;
	if (addr_parse(s, &a) < 0 || a.bits < ADDR_POOL_BITS_MIN || a.bits > ADDR_POOL_BITS_MAX)
		return schema_fail(
			ctx, "must be a network of /%d to /%d such as 10.123.0.0/16, is \"%s\"",
			ADDR_POOL_BITS_MIN, ADDR_POOL_BITS_MAX, s);
	return a.addr & ~addr_netmask(a.bits)
		       ? schema_fail(ctx, "has bits behind its prefix: %s", s)
		       : 0;
}

static int bundle_net_valid_dns(struct schema_ctx *ctx, struct json_object *value)
{
	const char *s = json_object_get_string(value);
	struct net_ip ip;
	const char *what;

	if (strchr(s, '/') || addr_parse_ip(s, &ip) < 0)
		return schema_fail(
			ctx, "must be an address such as 9.9.9.9 or 2620:fe::9, is \"%s\"", s);
	what = addr_ip_not_a_station(&ip);
	return what ? schema_fail(ctx, "%s is %s", s, what) : 0;
}

static int bundle_net_valid_mac(struct schema_ctx *ctx, struct json_object *value)
{
	const char *s = json_object_get_string(value);
	static const uint8_t zero[6];
	uint8_t mac[6];

	if (!*s)
		return 0;
	if (addr_parse_mac(s, mac) < 0)
		return schema_fail(ctx, "must be a MAC such as 52:54:00:12:34:56, is \"%s\"", s);
	if (mac[0] & 1)
		return schema_fail(ctx, "must be the MAC of one station, is multicast: %s", s);
	return memcmp(mac, zero, sizeof(mac)) ? 0 : schema_fail(ctx, "must not be all zeros");
}

#define RATE(member) offsetof(struct net_rate, member)

#define RATE_FIELD(n, member, limit)                                                               \
	{                                                                                          \
		.name = n, .kind = SCHEMA_UINT, .off = RATE(member), .min = 1, .max = limit        \
	}

static const struct schema_field rate_fields[] = {
	RATE_FIELD("bytesPerSecond", bytes_per_s, BUCKET_RATE_MAX),
	RATE_FIELD("burstBytes", burst_bytes, BUCKET_BURST_MAX),
	RATE_FIELD("packetsPerSecond", packets_per_s, BUCKET_RATE_MAX),
	RATE_FIELD("burstPackets", burst_packets, BUCKET_BURST_MAX),
};
static const struct schema_table rate_table = {
	.field = rate_fields, .nr = ARRAY_SIZE(rate_fields), .closed = true};

#define NET(member) offsetof(struct bundle_device, net.member)
#define TEXT(n, member, func)                                                                      \
	{                                                                                          \
		.name = n, .kind = SCHEMA_STRING, .flags = SCHEMA_PLAIN, .off = NET(member),       \
		.max = 64, .check = func                                                           \
	}
#define IFNAME(n)                                                                                  \
	{                                                                                          \
		.name = #n, .kind = SCHEMA_STRING, .flags = SCHEMA_PLAIN, .off = NET(n),           \
		.max = IF_NAMESIZE - 1, .check = bundle_net_valid_ifname                           \
	}

static const struct schema_field rate_limit_fields[] = {
	{.name = "toGuest",
	 .kind = SCHEMA_OBJECT,
	 .off = NET(rate.to_guest) - NET(rate),
	 .table = &rate_table},
	{.name = "fromGuest",
	 .kind = SCHEMA_OBJECT,
	 .off = NET(rate.from_guest) - NET(rate),
	 .table = &rate_table},
};
static const struct schema_table rate_limit_table = {
	.field = rate_limit_fields, .nr = ARRAY_SIZE(rate_limit_fields), .closed = true};

static const struct schema_field dns_field = {
	.kind = SCHEMA_STRING, .flags = SCHEMA_PLAIN, .max = 64, .check = bundle_net_valid_dns};

static const struct schema_field net_fields[] = {
	{.name = "type",
	 .kind = SCHEMA_ENUM,
	 .flags = SCHEMA_REQUIRED,
	 .off = SCHEMA_NOWHERE,
	 .words = types},
	{.name = "mode", .kind = SCHEMA_ENUM, .off = NET(mode), .words = net_mode_names},
	IFNAME(name),
	TEXT("hostIp", host_ip, bundle_net_valid_addr),
	TEXT("netmask", netmask, bundle_net_valid_mask),
	TEXT("guestIp", guest_ip, bundle_net_valid_addr),
	TEXT("gateway", gateway_ip, bundle_net_valid_gateway),
	TEXT("pool", pool_text, bundle_net_valid_pool),
	TEXT("mac", mac_text, bundle_net_valid_mac),
	{.name = "mtu",
	 .kind = SCHEMA_UINT,
	 .off = NET(mtu),
	 .min = NET_MTU_MIN,
	 .max = NET_MTU_MAX},
	IFNAME(bridge),
	IFNAME(parent),
	{.name = "netns",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_PLAIN | SCHEMA_ABSOLUTE,
	 .off = NET(netns),
	 .max = BUNDLE_NETNS_MAX},
	{.name = "fd", .kind = SCHEMA_UINT, .off = NET(fd), .min = FD_MIN, .max = FD_MAX},
	{.name = "hostNetwork", .kind = SCHEMA_BOOL, .off = NET(host_network)},
	{.name = "masquerade", .kind = SCHEMA_BOOL, .off = NET(masquerade)},
	{.name = "dhcp", .kind = SCHEMA_BOOL, .off = NET(dhcp)},
	{.name = "dns",
	 .kind = SCHEMA_ARRAY,
	 .off = NET(dns_text),
	 .max = NET_LEASE_DNS,
	 .elem = &dns_field},
	{.name = "queues",
	 .kind = SCHEMA_UINT,
	 .off = offsetof(struct bundle_device, queues),
	 .min = 1,
	 .max = NET_PAIRS_MAX},
	{.name = "backend", .kind = SCHEMA_ENUM, .off = NET(vhost), .words = backends},
	{.name = "rateLimit", .kind = SCHEMA_OBJECT, .off = NET(rate), .table = &rate_limit_table},
	BUNDLE_ON_FAILURE(offsetof(struct bundle_device, on_failure)),
};
const struct schema_table bundle_net_table = {
	.field = net_fields, .nr = ARRAY_SIZE(net_fields), .closed = true};

void bundle_net_init(struct bundle_net *net, struct json_object *value)
{
	net->mode = BUNDLE_NET_MODE_UNSET;
	net->dhcp = true;
	for (unsigned int i = 0; i < ARRAY_SIZE(net_fields); i++) {
		struct json_object *property = NULL;

		json_object_object_get_ex(value, net_fields[i].name, &property);
		if (!schema_empty(property))
			net->given |= 1U << i;
	}
}

int bundle_net_fail_at(struct schema_ctx *ctx, const struct bundle_device *d, const char *property,
		       const char *fmt, ...)
{
	char text[ERR_MSG_BYTES];
	va_list ap;

	va_start(ap, fmt);
	fmt_vinto(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_text(ctx->err, EINVAL, "%s/%s: %s", d->pointer, property, text);
}
