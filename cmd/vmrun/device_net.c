/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/device_net.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/util/net_mode.h"

#define IP6_MTU_MIN 1280 /* RFC 8200 section 5 */

static int device_net_fail(struct err *err, const char *option, const char *text, const char *is)
{
	return err_text(err, EINVAL, "device net: --%s: %s is %s", option, text, is);
}

/* An address of @family (0: of either), with a prefix or without one */
static int device_net_parse(const char *option, const char *text, uint8_t family, bool prefix,
			    struct net_ip *ret, struct err *err)
{
	const char *const like = family == AF_INET6 ? "fd00::2" : "10.0.0.2", *what;

	if (addr_parse_ip(text, ret) < 0 || (family && ret->family != family) ||
	    (strchr(text, '/') != NULL) != prefix)
		return err_text(err, EINVAL, "device net: --%s: must be like %s%s, is \"%s\"",
				option, like,
				!prefix		     ? ""
				: family == AF_INET6 ? "/64"
						     : "/24",
				text);
	if (prefix && (ret->bits == 0 || (family == AF_INET && ret->bits > ADDR_PREFIX_MAX)))
		return err_text(err, EINVAL, "device net: --%s: must be /1 to /%d, is /%u", option,
				family == AF_INET ? ADDR_PREFIX_MAX : 128, ret->bits);
	what = addr_ip_not_a_station(ret);
	return what ? device_net_fail(err, option, text, what) : 0;
}

static void device_net_take_ip4(const struct net_ip *ip, struct net_addr *ret)
{
	memcpy(&ret->addr, ip->addr, sizeof(ret->addr));
	ret->bits = ip->bits;
}

static int device_net_ip4(const struct device_net_options *o, struct standalone_net *ret,
			  struct err *err)
{
	struct net_addr gateway;
	struct net_ip ip;
	const char *what;
	int rc = device_net_parse("guest-ip", o->guest_ip, AF_INET, true, &ip, err);

	if (rc < 0)
		return rc;
	device_net_take_ip4(&ip, &ret->guest);
	if (!o->gateway)
		return 0;
	rc = device_net_parse("gateway", o->gateway, AF_INET, false, &ip, err);
	if (rc < 0)
		return rc;
	device_net_take_ip4(&ip, &gateway);
	gateway.bits = ret->guest.bits;
	ret->gateway = gateway.addr;
	what = gateway.addr == ret->guest.addr		? "the guest's own address"
	       : !addr_in_net(ret->guest, gateway.addr) ? "outside the guest's network"
							: addr_not_a_station(gateway);
	return what ? device_net_fail(err, "gateway", o->gateway, what) : 0;
}

static bool device_net_is_link_local(const struct net_ip *ip)
{
	return ip->addr[0] == 0xfe && (ip->addr[1] & 0xc0) == 0x80;
}

static int device_net_ip6(const struct device_net_options *o, struct standalone_net *ret,
			  struct err *err)
{
	int rc = device_net_parse("guest-ip6", o->guest_ip6, AF_INET6, true, &ret->guest6, err);

	if (rc < 0)
		return rc;
	if (device_net_is_link_local(&ret->guest6))
		return device_net_fail(err, "guest-ip6", o->guest_ip6,
				       "a link-local address, of which guests make one themselves");
	if (ret->mtu && ret->mtu < IP6_MTU_MIN)
		return err_text(err, EINVAL, "device net: --mtu: must be %d or more with IPv6",
				IP6_MTU_MIN);
	if (!o->gateway6)
		return 0;
	rc = device_net_parse("gateway6", o->gateway6, AF_INET6, false, &ret->gateway6, err);
	if (rc == 0 && !device_net_is_link_local(&ret->gateway6))
		return device_net_fail(err, "gateway6", o->gateway6,
				       "no link-local address, by which routers are known");
	return rc;
}

static int device_net_names(const struct device_net_options *o, struct standalone_net *ret,
			    struct err *err)
{
	int rc = 0;

	if (o->dns.nr > NET_LEASE_DNS)
		return err_text(err, EINVAL, "device net: --dns: up to %d", NET_LEASE_DNS);
	for (; rc == 0 && ret->nr_dns < o->dns.nr; ret->nr_dns++) {
		struct net_ip *dns = &ret->dns[ret->nr_dns];

		rc = device_net_parse("dns", o->dns.item[ret->nr_dns], 0, false, dns, err);
		if (rc == 0 && !(dns->family == AF_INET ? o->guest_ip : o->guest_ip6))
			rc = err_text(err, EINVAL, "device net: --dns %s needs --guest-ip%s",
				      o->dns.item[ret->nr_dns], dns->family == AF_INET ? "" : "6");
	}
	if (rc == 0 && o->hostname && !addr_is_hostname(o->hostname))
		return err_text(err, EINVAL,
				"device net: --hostname: must be 1 to %d letters, digits, '-', "
				"'.' and '_'",
				ADDR_HOSTNAME_MAX);
	ret->hostname = o->hostname;
	return rc;
}

/* An option without the address that it goes with */
static int device_net_check_alone(const struct device_net_options *o, struct err *err)
{
	const char *option = o->gateway && !o->guest_ip	    ? "gateway needs --guest-ip"
			     : o->hostname && !o->guest_ip  ? "hostname needs --guest-ip"
			     : o->gateway6 && !o->guest_ip6 ? "gateway6 needs --guest-ip6"
							    : NULL;

	return option ? err_text(err, EINVAL, "device net: --%s", option) : 0;
}

int device_net(const struct device_net_options *o, const struct kind *k, struct standalone_net *ret,
	       struct err *err)
{
	const char *given = o->guest_ip	   ? "guest-ip"
			    : o->gateway   ? "gateway"
			    : o->guest_ip6 ? "guest-ip6"
			    : o->gateway6  ? "gateway6"
			    : o->hostname  ? "hostname"
			    : o->dns.nr	   ? "dns"
			    : o->mtu	   ? "mtu"
					   : NULL;
	int rc;

	if (given && k != &kind_table[KIND_NET])
		return err_text(err, EINVAL, "device %s: --%s is for net devices", k->name, given);
	if (o->mtu && (o->mtu < NET_MTU_MIN || o->mtu > NET_MTU_MAX))
		return err_text(err, EINVAL, "device net: --mtu: must be %d to %d", NET_MTU_MIN,
				NET_MTU_MAX);
	ret->mtu = (uint16_t)o->mtu;
	rc = device_net_check_alone(o, err);
	if (rc == 0 && o->guest_ip)
		rc = device_net_ip4(o, ret, err);
	if (rc == 0 && o->guest_ip6)
		rc = device_net_ip6(o, ret, err);
	return rc < 0 ? rc : device_net_names(o, ret, err);
}
