/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a network device without a VM answers its guest: options of `vmrun device`
 */
#ifndef VMRUN_CMD_VMRUN_DEVICE_NET_H
#define VMRUN_CMD_VMRUN_DEVICE_NET_H

#include "cmd/vmrun/options.h"
#include "devices/core/kind.h"
#include "runtime/supervisor/standalone.h"

/**
 * struct device_net_options - As they are spelled, NULL or 0 where not given; device.c's table parses into it
 */
struct device_net_options {
	const char *guest_ip, *gateway, *guest_ip6, *gateway6, *hostname;
	struct option_list dns;
	uint64_t mtu;
};

/* Rows of the table of a struct that has a struct device_net_options at @at */
#define DEVICE_NET_AT(at, f) ((at) + offsetof(struct device_net_options, f))
#define DEVICE_NET_TEXT(at, name, f, value, help)                                                  \
	{                                                                                          \
		name, 0, OPTION_STRING, value, help, DEVICE_NET_AT(at, f), NULL                    \
	}
#define DEVICE_NET_OPTIONS(at)                                                                     \
	DEVICE_NET_TEXT(at, "guest-ip", guest_ip, "ADDRESS/PREFIX",                                \
			"net: answer the guest's DHCP messages with this IPv4 address"),           \
		DEVICE_NET_TEXT(at, "gateway", gateway, "ADDRESS",                                 \
				"net: its IPv4 default route, with --guest-ip"),                   \
		DEVICE_NET_TEXT(at, "guest-ip6", guest_ip6, "ADDRESS/PREFIX",                      \
				"net: advertise a router, answer DHCPv6 with this address"),       \
		DEVICE_NET_TEXT(at, "gateway6", gateway6, "ADDRESS",                               \
				"net: its IPv6 default route, link-local (the TAP's)"),            \
		{"dns",                                                                            \
		 0,                                                                                \
		 OPTION_LIST,                                                                      \
		 "ADDRESS",                                                                        \
		 "net: a name server, with an address; up to " OPTION_NUMERAL(NET_LEASE_DNS),      \
		 DEVICE_NET_AT(at, dns),                                                           \
		 NULL},                                                                            \
		DEVICE_NET_TEXT(at, "hostname", hostname, "NAME",                                  \
				"net: the guest's, with --guest-ip"),                              \
	{                                                                                          \
		"mtu", 0, OPTION_COUNT, "N", "net: what the guest sends at most; 1500",            \
			DEVICE_NET_AT(at, mtu), NULL                                               \
	}

/**
 * device_net() - Check the options and fill in what the device works with
 * @k:		The kind of the device; other kinds than net take none of these options
 * @ret:	Zeroed; borrows strings of @o
 */
MUST_CHECK int device_net(const struct device_net_options *o, const struct kind *k,
			  struct standalone_net *ret, struct err *err);

#endif
