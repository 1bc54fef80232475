/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: {"type": "net"} of /vm/devices, all properties together
 *
 * net_rules has the modes in which a property has a meaning, and whether those need it. None of it needs the
 * host, so every contradiction is found here, and the error names the property to change.
 */
#include "runtime/config/bundle_net_check.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/config/bundle_ask.h"
#include "runtime/config/bundle_net.h"
#include "runtime/config/bundle_net_addr.h"
#include "runtime/util/addr.h"

/* ---- properties and modes ------------------------------------------------------------------ */

#define IN(m)	  (1U << NET_MODE_##m)
#define HOSTED	  (IN(PRIVATE) | IN(TAP))
#define ADDRESSED (HOSTED | IN(BRIDGE) | IN(MACVTAP) | IN(FD))
#define LINKED	  (ADDRESSED | IN(NETNS))

/* A property without a row is for every mode. In mode netns MAC, MTU and addresses come from the interface, and
 * in mode fd the caller chose the name. */
static const struct {
	const char *name;
	unsigned int modes;
	bool required;
} net_rules[] = {
	{"name", LINKED & ~IN(FD), false},
	{"hostIp", HOSTED, false},
	{"netmask", ADDRESSED, false},
	{"guestIp", ADDRESSED, false},
	{"gateway", ADDRESSED, false},
	{"pool", IN(PRIVATE), false},
	{"mac", ADDRESSED | IN(NONE), false},
	{"mtu", ADDRESSED | IN(NONE), false},
	{"bridge", IN(BRIDGE), true},
	{"parent", IN(MACVTAP), true},
	{"netns", IN(NETNS), false},
	{"hostNetwork", IN(NETNS), false},
	{"fd", IN(FD), true},
	{"masquerade", IN(PRIVATE), false},
	{"dhcp", LINKED, false},
	{"dns", LINKED, false},
	{"backend", LINKED, false},
	{"rateLimit", LINKED, false},
};

static bool bundle_net_check_given(const struct bundle_device *d, const char *property)
{
	unsigned int i = 0;

	while (strcmp(bundle_net_table.field[i].name, property))
		i++;
	return d->net.given & 1U << i;
}

static int bundle_net_check_mode(struct schema_ctx *ctx, const struct bundle_device *d)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(net_rules); i++) {
		bool applies = net_rules[i].modes & 1U << d->net.mode;
		bool there = bundle_net_check_given(d, net_rules[i].name);
		char modes[80] = "";
		size_t n = 0;

		if (applies && net_rules[i].required && !there)
			return bundle_net_fail_at(ctx, d, net_rules[i].name, "required in mode %s",
						  net_mode_names[d->net.mode]);
		if (applies || !there)
			continue;
		for (unsigned int m = 0; m < NET_MODES; m++)
			if (net_rules[i].modes & 1U << m)
				n += fmt_into(modes + n, sizeof(modes) - n, "%s%s", n ? ", " : "",
					      net_mode_names[m]);
		return bundle_net_fail_at(ctx, d, net_rules[i].name,
					  "means nothing in mode %s, only in %s",
					  net_mode_names[d->net.mode], modes);
	}
	return 0;
}

/* podman, containerd and CNI name the namespace only in /linux. */
static int bundle_net_check_resolve_mode(struct schema_ctx *ctx, const struct bundle *b,
					 struct bundle_device *d, bool first)
{
	const char *path = bundle_netns(b, NULL);
	struct bundle_net *net = &d->net;

	if (net->mode == BUNDLE_NET_MODE_UNSET)
		net->mode = first && path ? NET_MODE_NETNS : NET_MODE_PRIVATE;
	if (net->mode != NET_MODE_NETNS || net->netns)
		return 0;
	if (!path)
		return bundle_net_fail_at(
			ctx, d, "netns",
			"required in mode netns, as /linux/namespaces names no network "
			"namespace");
	net->netns = path;
	return 0;
}

/* ---- all together -------------------------------------------------------------------------- */

static int bundle_net_check_rates(struct schema_ctx *ctx, const struct bundle_device *d)
{
	static const char *const ways[] = {"toGuest", "fromGuest"};
	const struct net_rate *rate[] = {&d->net.rate.to_guest, &d->net.rate.from_guest};

	if (d->net.vhost && bundle_net_check_given(d, "rateLimit"))
		return bundle_net_fail_at(ctx, d, "rateLimit",
					  "means nothing with backend vhost, only with user");
	if (d->net.vhost && d->on_failure == BUNDLE_RESTART)
		return bundle_net_fail_at(
			ctx, d, "onFailure",
			"restart is not possible with backend vhost, only with user");
	for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++) {
		bool bytes = rate[i]->burst_bytes && !rate[i]->bytes_per_s;
		bool packets = rate[i]->burst_packets && !rate[i]->packets_per_s;

		if (bytes || packets)
			return err_text(ctx->err, EINVAL, "%s/rateLimit/%s/%s: needs %s",
					d->pointer, ways[i], bytes ? "burstBytes" : "burstPackets",
					bytes ? "bytesPerSecond" : "packetsPerSecond");
	}
	return 0;
}

/* What the device cannot answer its guest; unless it was asked for, it is silent then. */
static int bundle_net_check_dhcp(struct schema_ctx *ctx, struct bundle_device *d)
{
	struct bundle_net *net = &d->net;
	const char *const *dns = net->dns_text.item;
	const char *given = bundle_net_check_given(d, "dns")	? "dns"
			    : bundle_net_check_given(d, "dhcp") ? "dhcp"
								: NULL;

	if (given && net->vhost)
		return bundle_net_fail_at(ctx, d, given,
					  "means nothing with backend vhost, only with user");
	if (given && !net->dhcp)
		return bundle_net_fail_at(ctx, d, "dns", "means nothing without dhcp");
	if (given && !net->guest.bits && !(IN(PRIVATE) & 1U << net->mode) &&
	    !(IN(NETNS) & 1U << net->mode))
		return bundle_net_fail_at(ctx, d, given, "needs guestIp");
	for (; net->nr_dns < net->dns_text.nr; net->nr_dns++)
		if (addr_parse_ip(dns[net->nr_dns], &net->dns[net->nr_dns]) < 0)
			return bundle_net_fail_at(ctx, d, "dns", "is no address");
	return 0;
}

/* Names, fds, MACs and addresses are unique in a VM. */
static int bundle_net_check_twins(struct schema_ctx *ctx, const struct bundle_device *d,
				  const struct bundle_device *before)
{
	static const uint8_t unset[6];
	const struct bundle_net *a = &d->net, *b = &before->net;

	if (a->name && b->name && !strcmp(a->name, b->name))
		return bundle_net_fail_at(ctx, d, "name", "%s is %s's already", a->name,
					  before->pointer);
	if (a->fd && a->fd == b->fd)
		return bundle_net_fail_at(ctx, d, "fd", "%u is %s's already", (unsigned int)a->fd,
					  before->pointer);
	if (memcmp(a->mac, unset, sizeof(unset)) && !memcmp(a->mac, b->mac, sizeof(unset)))
		return bundle_net_fail_at(ctx, d, "mac", "%s is %s's already", a->mac_text,
					  before->pointer);
	if (a->host.bits && a->host.addr == b->host.addr)
		return bundle_net_fail_at(ctx, d, "hostIp", "%s is %s's already", a->host_ip,
					  before->pointer);
	return 0;
}

static int bundle_net_check_device(struct schema_ctx *ctx, struct bundle_device *d)
{
	int rc = bundle_net_check_mode(ctx, d);

	if (rc == 0)
		rc = bundle_net_addr(ctx, d);
	if (rc == 0)
		rc = bundle_net_check_rates(ctx, d);
	if (rc == 0)
		rc = bundle_net_check_dhcp(ctx, d);
	if (rc < 0)
		return rc;
	if (d->net.mac_text && addr_parse_mac(d->net.mac_text, d->net.mac) < 0)
		return bundle_net_fail_at(ctx, d, "mac", "is no MAC");
	if (d->net.mode == NET_MODE_FD && d->queues > 1)
		return bundle_net_fail_at(ctx, d, "queues",
					  "must be 1 in mode fd: one fd is one queue pair");
	return 0;
}

/* The namespace of /linux: its path fits the state file, and a device uses it */
static int bundle_net_check_netns_path(struct schema_ctx *ctx, const struct bundle *b, bool used)
{
	unsigned int index = 0;
	const char *path = bundle_netns(b, &index);

	if (!path || (used && strlen(path) <= BUNDLE_NETNS_MAX))
		return 0;
	ctx->pointer_len = 0;
	schema_push(ctx, "linux");
	schema_push(ctx, "namespaces");
	schema_push_index(ctx, index);
	schema_push(ctx, "path");
	if (used)
		return schema_fail(ctx, "must be at most %d bytes long, is %zu", BUNDLE_NETNS_MAX,
				   strlen(path));
	schema_warn(ctx, "no network device uses this namespace");
	schema_pop(ctx, 0);
	return 0;
}

/* A list of namespaces without a network one says that a container has the host's network, which a VM cannot share. A
 * config.json without a list says nothing: that one has no network. */
static int bundle_net_check_not_hosts(struct schema_ctx *ctx, const struct bundle *b)
{
	if (!b->container || !b->linux_.namespaces.nr || bundle_is_pod(b) ||
	    bundle_namespace(b, BUNDLE_NS_NETWORK, NULL) || bundle_listed(b, KIND_NET) > 0)
		return 0;
	ctx->pointer_len = 0;
	schema_push(ctx, "linux");
	schema_push(ctx, "namespaces");
	return schema_fail(
		ctx, "has no network namespace, and a virtual machine cannot share the "
		     "host's network: list one (podman: --network bridge, slirp4netns or none), "
		     "or a network device in vm.devices");
}

int bundle_net_check(struct schema_ctx *ctx, struct bundle *b)
{
	struct bundle_device *d = b->vm.devices.item;
	const char *path = bundle_netns(b, NULL);
	bool first = true, used = bundle_implied_net(b) || bundle_is_pod(b);
	int rc = bundle_net_check_not_hosts(ctx, b);

	for (unsigned int i = 0; rc == 0 && i < b->vm.devices.nr; i++) {
		if (d[i].type != KIND_NET)
			continue;
		rc = bundle_net_check_resolve_mode(ctx, b, &d[i], first);
		if (rc == 0)
			rc = bundle_net_check_device(ctx, &d[i]);
		for (unsigned int n = 0; rc == 0 && n < i; n++)
			if (d[n].type == KIND_NET)
				rc = bundle_net_check_twins(ctx, &d[i], &d[n]);
		first = false;
		used |= d[i].net.netns && d[i].net.netns == path;
	}
	return rc < 0 ? rc : bundle_net_check_netns_path(ctx, b, used);
}
