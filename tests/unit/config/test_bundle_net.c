/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/config/bundle_ask.h"
#include "runtime/config/bundle_types.h"
#include "runtime/net/net.h"
#include "tests/support/bundle_rig.h"

#define HEAD "{\"ociVersion\":\"1.2.0\",\"vm\":{\"kernel\":{\"path\":\"/k\"},\"devices\":["
#define NETNS                                                                                      \
	"{\"ociVersion\":\"1.2.0\",\"linux\":{\"namespaces\":[{\"type\":\"pid\"},"                 \
	"{\"type\":\"network\",\"path\":\"/run/netns/a\"}]},"                                      \
	"\"vm\":{\"kernel\":{\"path\":\"/k\"},\"devices\":["
#define TAIL	"]}}"
#define PATH_50 "/123456789/123456789/123456789/123456789/123456789"

/* In these texts ' stands for " */
static int load_with(const char *head, const char *devices, struct bundle **ret, struct err *err)
{
	static char text[8192];

	cr_assert(strlen(head) + strlen(devices) + sizeof(TAIL) <= sizeof(text));
	strcpy(text, head);
	strcat(text, devices);
	strcat(text, TAIL);
	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	return load(text, ret, err);
}

static struct bundle *good_with(const char *head, const char *devices)
{
	struct bundle *b = NULL;
	struct err err;

	cr_assert(load_with(head, devices, &b, &err) == 0, "%s: %s", devices, err.msg);
	return b;
}

static const struct bundle_net *net(const struct bundle *b, unsigned int i)
{
	const struct bundle_device *d = b->vm.devices.item;

	cr_assert(i < b->vm.devices.nr);
	return &d[i].net;
}

/* Properties of the first device, and the whole of what is said about it */
static const struct {
	const char *properties, *msg;
} wrong[] = {
	/* one property */
	{"'mode':'nat'",
	 "/mode: must be private, tap, bridge, netns, macvtap, fd or none, is \"nat\""},
	{"'mode':''", "/mode: must be private, tap, bridge, netns, macvtap, fd or none, is \"\""},
	{"'Mode':'tap'",
	 "/Mode: unknown property, known are type, mode, name, hostIp, netmask, "
	 "guestIp, gateway, pool, mac, mtu, bridge, parent, netns, fd, hostNetwork, masquerade, "
	 "dhcp, dns, queues, backend, rateLimit, onFailure"},
	{"'onFailure':'again'", "/onFailure: must be stop or restart, is \"again\""},
	{"'backend':'vhost','onFailure':'restart'",
	 "/onFailure: restart is not possible with backend vhost, only with user"},
	{"'backend':'kernel'", "/backend: must be user or vhost, is \"kernel\""},
	{"'name':'sixteen-bytes-xx'", "/name: must be at most 15 bytes long, is 16"},
	{"'name':'a/b'", "/name: must not hold a blank, '/', ':' or '%'"},
	{"'name':'a b'", "/name: must not hold a blank, '/', ':' or '%'"},
	{"'name':'tap%d'", "/name: must not hold a blank, '/', ':' or '%'"},
	{"'name':'a\\tb'", "/name: must be printable ASCII"},
	{"'name':'..'", "/name: must be the name of an interface, is \"..\""},
	{"'name':'all'", "/name: must be the name of an interface, is \"all\""},
	{"'mode':'macvtap','parent':'default'",
	 "/parent: must be the name of an interface, is \"default\""},
	{"'mode':'bridge','bridge':'br:0'", "/bridge: must not hold a blank, '/', ':' or '%'"},
	{"'mac':'52:54:00:12:34'", "/mac: must be a MAC such as 52:54:00:12:34:56, is "
				   "\"52:54:00:12:34\""},
	{"'mac':'01:00:5e:00:00:01'",
	 "/mac: must be the MAC of one station, is multicast: 01:00:5e:00:00:01"},
	{"'mac':'ff:ff:ff:ff:ff:ff'",
	 "/mac: must be the MAC of one station, is multicast: ff:ff:ff:ff:ff:ff"},
	{"'mac':'00:00:00:00:00:00'", "/mac: must not be all zeros"},
	{"'mtu':67", "/mtu: must be 68 to 65521, is 67"},
	{"'mtu':65522", "/mtu: must be 68 to 65521, is 65522"},
	{"'mtu':0", "/mtu: must be 68 to 65521, is 0"},
	{"'mtu':'1500'", "/mtu: must be a whole number, is a string"},
	{"'queues':0", "/queues: must be 1 to 4, is 0"},
	{"'queues':5", "/queues: must be 1 to 4, is 5"},
	{"'mode':'fd','fd':2", "/fd: must be 3 to 1048575, is 2"},
	{"'mode':'fd','fd':-1", "/fd: must be 3 to 1048575, is -1"},
	{"'mode':'netns','netns':'run/x'", "/netns: must be an absolute path"},
	{"'mode':'netns','netns':'" PATH_50 PATH_50 PATH_50 PATH_50 PATH_50 "/12345'",
	 "/netns: must be at most 255 bytes long, is 256"},
	{"'hostIp':'10.0.0.1/32'", "/hostIp: must be /1 to /31, is /32"},
	{"'hostIp':'10.0.0'",
	 "/hostIp: must be an IPv4 address such as 10.0.0.1 or 10.0.0.1/24, is "
	 "\"10.0.0\""},
	{"'hostIp':'10.0.0.1','netmask':'255.0.255.0'",
	 "/netmask: must be a mask such as 255.255.255.0 or 24, is \"255.0.255.0\""},
	{"'hostIp':'10.0.0.1','netmask':24", "/netmask: must be a string, is a number"},
	{"'hostIp':'10.0.0.1/24','gateway':'10.0.0.1/24'",
	 "/gateway: must be an IPv4 address such as 10.0.0.1, is \"10.0.0.1/24\""},
	/* properties and modes */
	{"'mode':'bridge'", "/bridge: required in mode bridge"},
	{"'mode':'bridge','bridge':''", "/bridge: required in mode bridge"},
	{"'mode':'macvtap'", "/parent: required in mode macvtap"},
	{"'mode':'fd'", "/fd: required in mode fd"},
	{"'mode':'netns'", "/netns: required in mode netns, as /linux/namespaces names no network "
			   "namespace"},
	{"'bridge':'br0'", "/bridge: means nothing in mode private, only in bridge"},
	{"'mode':'tap','parent':'eth0'", "/parent: means nothing in mode tap, only in macvtap"},
	{"'netns':'/run/netns/x'", "/netns: means nothing in mode private, only in netns"},
	{"'fd':3", "/fd: means nothing in mode private, only in fd"},
	{"'mode':'tap','pool':'10.123.0.0/16'",
	 "/pool: means nothing in mode tap, only in private"},
	{"'pool':'10.123.0.0'",
	 "/pool: must be a network of /8 to /30 such as 10.123.0.0/16, is \"10.123.0.0\""},
	{"'pool':'10.0.0.0/7'",
	 "/pool: must be a network of /8 to /30 such as 10.123.0.0/16, is \"10.0.0.0/7\""},
	{"'pool':'10.0.0.0/31'",
	 "/pool: must be a network of /8 to /30 such as 10.123.0.0/16, is \"10.0.0.0/31\""},
	{"'pool':'10.123.0.1/16'", "/pool: has bits behind its prefix: 10.123.0.1/16"},
	{"'pool':'127.0.0.0/8'", "/pool: 127.0.0.0/8 is a loopback address"},
	{"'pool':'224.0.0.0/8'", "/pool: 224.0.0.0/8 is a multicast address"},
	{"'pool':'10.123.0.0/16','hostIp':'10.0.0.1/24'",
	 "/pool: means nothing with hostIp, which says the network"},
	{"'hostNetwork':true", "/hostNetwork: means nothing in mode private, only in netns"},
	{"'mode':'tap','masquerade':true",
	 "/masquerade: means nothing in mode tap, only in private"},
	{"'mode':'none','backend':'vhost'",
	 "/backend: means nothing in mode none, only in private, tap, bridge, netns, macvtap, fd"},
	{"'mode':'fd','fd':3,'name':'t'", "/name: means nothing in mode fd, only in private, tap, "
					  "bridge, netns, macvtap"},
	{"'mode':'netns','netns':'/n','mac':'52:54:00:12:34:56'",
	 "/mac: means nothing in mode netns, only in private, tap, bridge, macvtap, fd, none"},
	{"'mode':'bridge','bridge':'b','hostIp':'10.0.0.1/24'",
	 "/hostIp: means nothing in mode bridge, only in private, tap"},
	{"'mode':'fd','fd':3,'queues':2",
	 "/queues: must be 1 in mode fd: one fd is one queue pair"},
	/* addresses */
	{"'netmask':'24'", "/netmask: given without hostIp"},
	{"'mode':'tap','netmask':'24'", "/netmask: given without hostIp or guestIp"},
	{"'hostIp':'10.0.0.1'",
	 "/netmask: required with hostIp (or write the prefix there: 10.0.0.1/24)"},
	{"'mode':'tap','guestIp':'10.0.0.1'",
	 "/netmask: required with guestIp (or write the prefix there: 10.0.0.1/24)"},
	{"'hostIp':'10.0.0.1/24','netmask':'255.255.0.0'",
	 "/netmask: contradicts hostIp, which says /24"},
	{"'hostIp':'10.0.0.0/24'", "/hostIp: 10.0.0.0/24 is the address of its network"},
	{"'hostIp':'10.0.0.255','netmask':'24'",
	 "/hostIp: 10.0.0.255/24 is the broadcast address of its network"},
	{"'hostIp':'224.0.0.1/24'", "/hostIp: 224.0.0.1/24 is a multicast address"},
	{"'hostIp':'255.255.255.255/24'", "/hostIp: 255.255.255.255/24 is a broadcast address"},
	{"'hostIp':'250.1.1.1/24'", "/hostIp: 250.1.1.1/24 is a reserved address"},
	{"'hostIp':'127.0.0.1/8'", "/hostIp: 127.0.0.1/8 is a loopback address"},
	{"'hostIp':'0.0.0.1/8'", "/hostIp: 0.0.0.1/8 is no address"},
	{"'guestIp':'10.0.0.2/24'", "/guestIp: needs hostIp in mode private"},
	{"'hostIp':'10.0.0.1/24','guestIp':'10.0.0.1'", "/guestIp: is the host's own address"},
	{"'hostIp':'10.0.0.1/24','guestIp':'10.0.1.1'",
	 "/guestIp: must be in the network 10.0.0.0/24"},
	{"'hostIp':'10.0.0.1/24','guestIp':'10.0.0.2/16'",
	 "/guestIp: must have the host's prefix, /24, has /16"},
	{"'hostIp':'10.0.0.1/24','guestIp':'10.0.0.255'",
	 "/guestIp: 10.0.0.255/24 is the broadcast address of its network"},
	{"'gateway':'10.0.0.1'", "/gateway: needs hostIp"},
	{"'mode':'tap','gateway':'10.0.0.1'", "/gateway: needs guestIp"},
	{"'hostIp':'10.0.0.1/24','gateway':'10.0.1.1'",
	 "/gateway: must be in the network 10.0.0.0/24"},
	{"'hostIp':'10.0.0.1/24','gateway':'10.0.0.2'", "/gateway: is the guest's own address"},
	{"'hostIp':'10.0.0.1/24','gateway':'10.0.0.0'",
	 "/gateway: 10.0.0.0/24 is the address of its network"},
	/* rates */
	{"'rateLimit':{'both':{}}",
	 "/rateLimit/both: unknown property, known are toGuest, fromGuest"},
	{"'rateLimit':{'toGuest':{'bytes':1}}",
	 "/rateLimit/toGuest/bytes: unknown property, known are bytesPerSecond, burstBytes, "
	 "packetsPerSecond, burstPackets"},
	{"'rateLimit':{'toGuest':{'bytesPerSecond':0}}",
	 "/rateLimit/toGuest/bytesPerSecond: must be 1 to 17179869184, is 0"},
	{"'rateLimit':{'fromGuest':{'bytesPerSecond':9,'burstBytes':0}}",
	 "/rateLimit/fromGuest/burstBytes: must be 1 to 1099511627776, is 0"},
	{"'rateLimit':{'toGuest':{'burstBytes':70000}}",
	 "/rateLimit/toGuest/burstBytes: needs bytesPerSecond"},
	{"'rateLimit':{'fromGuest':{'bytesPerSecond':1,'burstPackets':1}}",
	 "/rateLimit/fromGuest/burstPackets: needs packetsPerSecond"},
	{"'backend':'vhost','rateLimit':{'toGuest':{'bytesPerSecond':1}}",
	 "/rateLimit: means nothing with backend vhost, only with user"},
	/* answers to the guest */
	{"'dhcp':1", "/dhcp: must be true or false, is a number"},
	{"'mode':'none','dhcp':true",
	 "/dhcp: means nothing in mode none, only in private, tap, bridge, netns, macvtap, fd"},
	{"'backend':'vhost','dhcp':true",
	 "/dhcp: means nothing with backend vhost, only with user"},
	{"'backend':'vhost','dns':['9.9.9.9']",
	 "/dns: means nothing with backend vhost, only with user"},
	{"'dhcp':false,'dns':['9.9.9.9']", "/dns: means nothing without dhcp"},
	{"'mode':'bridge','bridge':'b','dhcp':true", "/dhcp: needs guestIp"},
	{"'mode':'tap','dns':['9.9.9.9']", "/dns: needs guestIp"},
	{"'dns':['9.9.9.9','1.1.1.1','8.8.8.8','8.8.4.4']",
	 "/dns: must have at most 3 elements, has 4"},
	{"'dns':['9.9.9.9/24']",
	 "/dns/0: must be an address such as 9.9.9.9 or 2620:fe::9, is \"9.9.9.9/24\""},
	{"'dns':['9.9.9.9','0.0.0.0']", "/dns/1: 0.0.0.0 is no address"},
	{"'dns':['255.255.255.255']", "/dns/0: 255.255.255.255 is a broadcast address"},
	{"'dns':['127.0.0.53']", "/dns/0: 127.0.0.53 is a loopback address"},
	{"'dns':['::']", "/dns/0: :: is no address"},
	{"'dns':['ff02::1']", "/dns/0: ff02::1 is a multicast address"},
	{"'dns':['']", "/dns/0: must be an address such as 9.9.9.9 or 2620:fe::9, is \"\""},
};

Test(bundle_net, names_what_is_wrong)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char devices[1024] = "{'type':'rng'},{'type':'net',";
		char msg[512] = "/vm/devices/1";
		struct bundle *b = NULL;
		struct err err;

		strcat(devices, wrong[i].properties);
		strcat(devices, "}");
		strcat(msg, wrong[i].msg);
		cr_expect_eq(load_with(HEAD, devices, &b, &err), -EINVAL, "%s", devices);
		cr_expect_null(b);
		msg[ERR_MSG_BYTES - 1] = '\0';
		cr_expect(!strcmp(err.msg, msg), "%s\n  wanted %s\n  got    %s", devices, msg,
			  err.msg);
		bundle_free(b);
	}
}

/* Two devices that share what they may not */
static const struct {
	const char *first, *second, *msg;
} twins[] = {
	{"'name':'t'", "'mode':'tap','name':'t'", "/name: t is /vm/devices/0's already"},
	{"'mode':'fd','fd':5", "'mode':'fd','fd':5", "/fd: 5 is /vm/devices/0's already"},
	{"'mac':'52:54:00:00:00:aa'", "'mac':'52:54:00:00:00:AA'",
	 "/mac: 52:54:00:00:00:AA is /vm/devices/0's already"},
	{"'mode':'tap','hostIp':'10.0.0.1/8'", "'hostIp':'10.0.0.1/24'",
	 "/hostIp: 10.0.0.1/24 is /vm/devices/0's already"},
};

Test(bundle_net, devices_share_nothing)
{
	for (size_t i = 0; i < ARRAY_SIZE(twins); i++) {
		char devices[512] = "{'type':'net',", msg[256] = "/vm/devices/2";
		struct bundle *b = NULL;
		struct err err;

		strcat(devices, twins[i].first);
		strcat(devices, "},{'type':'net'},{'type':'net',");
		strcat(devices, twins[i].second);
		strcat(devices, "}");
		strcat(msg, twins[i].msg);
		cr_expect_eq(load_with(HEAD, devices, &b, &err), -EINVAL, "%s", devices);
		cr_expect_str_eq(err.msg, msg);
		bundle_free(b);
	}
}

Test(bundle_net, modes_have_one_name)
{
	for (unsigned int m = 0; m < NET_MODES; m++)
		cr_expect_str_eq(net_mode_names[m], net_mode_names[(enum net_mode)m]);
	cr_expect_null(net_mode_names[NET_MODES]);
}

Test(bundle_net, defaults)
{
	struct bundle *b = good_with(HEAD, "{'type':'net'}");
	const struct bundle_device *d = b->vm.devices.item;
	const struct bundle_net *n = net(b, 0);

	cr_expect_eq(n->mode, NET_MODE_PRIVATE);
	cr_expect_eq(d->queues, 1);
	cr_expect_eq(n->vhost, 0);
	cr_expect_eq(n->mtu, 0);
	cr_expect_eq(n->host.bits, 0);
	cr_expect_eq(n->guest.bits, 0);
	cr_expect_not(n->masquerade);
	cr_expect(n->dhcp && n->nr_dns == 0);
	cr_expect_null(n->name);
	cr_expect_eq(b->nr_warnings, 0);
	bundle_free(b);
}

Test(bundle_net, addresses_are_completed)
{
	static const struct {
		const char *properties;
		uint32_t guest;
		uint8_t bits;
	} cases[] = {
		{"'hostIp':'10.0.0.1/24'", 0x0a000002, 24},
		{"'hostIp':'10.0.0.254','netmask':'255.255.255.0'", 0x0a0000fd, 24},
		{"'hostIp':'10.0.0.1/30'", 0x0a000002, 30},
		{"'hostIp':'10.0.0.2','netmask':'30'", 0x0a000001, 30},
		{"'hostIp':'10.0.0.0/31'", 0x0a000001, 31},
		{"'hostIp':'10.0.0.3/31'", 0x0a000002, 31},
		{"'hostIp':'10.0.0.1/24','guestIp':'10.0.0.77/24'", 0x0a00004d, 24},
		{"'mode':'tap','guestIp':'10.0.0.5','netmask':'255.0.0.0'", 0x0a000005, 8},
		{"'mode':'bridge','bridge':'b','guestIp':'10.0.0.5/16','netmask':'16'", 0x0a000005,
		 16},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char devices[256] = "{'type':'net',";
		struct bundle *b;

		strcat(devices, cases[i].properties);
		strcat(devices, "}");
		b = good_with(HEAD, devices);
		cr_expect_eq(ntohl(net(b, 0)->guest.addr), cases[i].guest, "%s: %x", devices,
			     ntohl(net(b, 0)->guest.addr));
		cr_expect_eq(net(b, 0)->guest.bits, cases[i].bits, "%s", devices);
		bundle_free(b);
	}
}

Test(bundle_net, name_servers_of_both_families)
{
	struct bundle *b = good_with(HEAD, "{'type':'net','dns':['9.9.9.9','2620:fe::9']},"
					   "{'type':'net','dhcp':false}");

	cr_expect_eq(net(b, 0)->nr_dns, 2);
	cr_expect_eq(net(b, 0)->dns[0].family, AF_INET);
	cr_expect_eq(net(b, 0)->dns[1].family, AF_INET6);
	cr_expect_not(net(b, 1)->dhcp);
	bundle_free(b);
}

Test(bundle_net, empty_values_contradict_nothing)
{
	struct bundle *b = good_with(HEAD,
				     "{'type':'net','name':'','bridge':null,'parent':'','netns':'',"
				     "'hostIp':'','netmask':'','mac':'','guestIp':null,'dns':[],"
				     "'rateLimit':{'toGuest':{}}},"
				     "{'type':'net','mode':'none','masquerade':false}");

	cr_expect_eq(net(b, 0)->mode, NET_MODE_PRIVATE);
	cr_expect_eq(net(b, 1)->mode, NET_MODE_NONE);
	bundle_free(b);
}

Test(bundle_net, a_given_namespace_is_the_first_devices)
{
	struct bundle *b = good_with(NETNS, "{'type':'rng'},{'type':'net'},{'type':'net'},"
					    "{'type':'net','mode':'netns'},"
					    "{'type':'net','mode':'netns','netns':'/run/netns/b'}");

	cr_expect_eq(net(b, 1)->mode, NET_MODE_NETNS);
	cr_expect_str_eq(net(b, 1)->netns, "/run/netns/a");
	cr_expect_eq(net(b, 2)->mode, NET_MODE_PRIVATE);
	cr_expect_str_eq(net(b, 3)->netns, "/run/netns/a");
	cr_expect_str_eq(net(b, 4)->netns, "/run/netns/b");
	cr_expect_not(bundle_implied_net(b));
	cr_expect_eq(b->nr_warnings, 0);
	bundle_free(b);
	b = good_with(NETNS, "{'type':'rng'}");
	cr_expect(bundle_implied_net(b));
	cr_expect_eq(b->nr_warnings, 0);
	bundle_free(b);
}

/* What holds a pod: by the words of containerd and of CRI-O, and only where it is a container */
Test(bundle_net, what_holds_a_pod_has_no_network_device)
{
	static const struct {
		const char *annotation, *kernel;
		bool pod;
	} table[] = {
		{"'io.kubernetes.cri.container-type':'sandbox'", "", true},
		{"'io.kubernetes.cri-o.ContainerType':'sandbox'", "", true},
		{"'io.kubernetes.cri.container-type':'container'", "'kernel':{'path':'/k'},",
		 false},
		{"'io.kubernetes.cri.container-type':'sandbox'", "'kernel':{'path':'/k'},", false},
		{"'io.container.manager':'libpod'},'process':{'cwd':'/','args':['/catatonit','-P']",
		 "", true},
		{"'io.container.manager':'libpod'},'process':{'cwd':'/','args':['/catatonit','sh']",
		 "", false},
		{"'io.container.manager':'me'},'process':{'cwd':'/','args':['/catatonit','-P']", "",
		 false},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		char head[512];
		struct bundle *b;

		snprintf(head, sizeof(head),
			 "{'ociVersion':'1.2.0','root':{'path':'r'},'annotations':{%s},"
			 "'linux':{'namespaces':[{'type':'network','path':'/run/netns/a'}]},"
			 "'vm':{%s'devices':[",
			 table[i].annotation, table[i].kernel);
		b = good_with(head, "");
		cr_expect_eq(bundle_is_pod(b), table[i].pod, "%u", i);
		cr_expect_eq(bundle_implied_net(b), !table[i].pod, "%u", i);
		for (unsigned int w = 0; w < b->nr_warnings; w++)
			cr_expect(!strstr(b->warning[w], "this namespace"), "%s", b->warning[w]);
		bundle_free(b);
	}
}

/* "--network=host": a VM has no such thing */
Test(bundle_net, the_hosts_network_is_refused)
{
	static const char head[] =
		"{'ociVersion':'1.2.0','root':{'path':'r'},'linux':{'namespaces':["
		"{'type':'pid'}]},'vm':{'devices':[";
	static const char none[] = "{'ociVersion':'1.2.0','root':{'path':'r'},'vm':{'devices':[";
	struct bundle *b = NULL;
	struct err err;

	cr_expect_eq(load_with(head, "", &b, &err), -EINVAL);
	cr_expect_str_eq(err.msg,
			 "/linux/namespaces: has no network namespace, and a virtual machine "
			 "cannot share the host's network: list one (podman: --network bridge, "
			 "slirp4netns or none), or a network device in vm.devices");
	bundle_free(good_with(head, "{'type':'net','mode':'none'}"));
	b = good_with(none, "");
	cr_expect_not(bundle_implied_net(b), "nothing is asked for, so there is none");
	bundle_free(b);
}

/* "--pid=host", "--ipc=host" */
Test(bundle_net, other_namespaces_of_the_host_get_a_warning)
{
	static const struct {
		const char *list, *warns;
	} rows[] = {
		{"{'type':'network'},{'type':'pid'},{'type':'ipc'}", NULL},
		{"{'type':'network'},{'type':'ipc'}",
		 "/linux/namespaces: has no pid namespace, but a virtual machine has processes of "
		 "its own, and does not see the host's"},
		{"{'type':'network'},{'type':'pid'}", "/linux/namespaces: has no ipc namespace, "
						      "but a virtual machine has IPC of its own, "
						      "and not the host's"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char head[512];
		struct bundle *b;

		snprintf(head, sizeof(head),
			 "{'ociVersion':'1.2.0','root':{'path':'r'},'linux':{'namespaces':[%s]},"
			 "'vm':{'devices':[",
			 rows[i].list);
		b = good_with(head, "");
		cr_expect_eq(b->nr_warnings, rows[i].warns ? 1 : 0, "%s", rows[i].list);
		if (b->nr_warnings && rows[i].warns)
			cr_expect(strstr(b->warning[0], rows[i].warns), "%s", b->warning[0]);
		bundle_free(b);
	}
}

Test(bundle_net, an_unused_namespace_gets_a_warning)
{
	struct bundle *b = good_with(NETNS, "{'type':'net','mode':'private'},"
					    "{'type':'net','mode':'netns','netns':'/run/netns/b'}");

	cr_assert_eq(b->nr_warnings, 1);
	cr_expect_str_eq(b->warning[0],
			 "/linux/namespaces/1/path: no network device uses this namespace");
	bundle_free(b);
}

Test(bundle_net, an_implied_device_counts)
{
	char devices[BOOT_DEVICES_MAX * 16] = "{'type':'serial'}";
	struct bundle *b = NULL;
	struct err err;

	for (int i = 0; i < BOOT_DEVICES_MAX - 2; i++)
		strcat(devices, ",{'type':'rng'}");
	bundle_free(good_with(NETNS, devices));
	strcat(devices, ",{'type':'rng'}");
	bundle_free(good_with(HEAD, devices));
	cr_expect_eq(load_with(NETNS, devices, &b, &err), -EINVAL);
	cr_expect_str_eq(err.msg,
			 "/vm/devices: must be at most 24 devices with those implied, are 25");
}

Test(bundle_net, the_path_of_an_implied_namespace_fits_the_state_file)
{
	static const char head[] =
		"{'ociVersion':'1.2.0','linux':{'namespaces':[{'type':'network','path':'" PATH_50
			PATH_50 PATH_50 PATH_50 PATH_50 "/12345'}]},"
		"'vm':{'kernel':{'path':'/k'},'devices':[";
	struct bundle *b = NULL;
	struct err err;

	cr_expect_eq(load_with(head, "", &b, &err), -EINVAL);
	cr_expect_str_eq(err.msg,
			 "/linux/namespaces/0/path: must be at most 255 bytes long, is 256");
	cr_expect_eq(load_with(head, "{'type':'net'}", &b, &err), -EINVAL);
	/* not checked here */
	bundle_free(good_with(head, "{'type':'net','mode':'none'}"));
}
