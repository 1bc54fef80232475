/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Settings of devices: what a boot record carries for one kind of device
 *
 * The plan makes them, the supervisor copies them into a boot record as bytes, and the device's own init
 * checks them (boot_settings()). A kind without settings has nothing here.
 */
#ifndef VMRUN_DEVICES_CORE_SETTINGS_H
#define VMRUN_DEVICES_CORE_SETTINGS_H

#include <stdint.h>

#define BLOCK_SERIAL_BYTES 20 /* virtio-blk's device id string, not terminated when full */

/**
 * struct block_settings - Of a disk
 * @capacity_bytes: A multiple of 512
 * @serial:	Padded with zeros
 * @qcow2:	Bit i: resource i is a qcow2 image, and those behind it are its backing files
 * @direct_mem, @direct_off: The image is open with O_DIRECT, which wants memory, and offsets and sizes, to be multiples
 *		of these powers of two; 0: it is not
 * @unit_bytes:	The host's smallest block, a power of two from 512 on
 * @physical_exp, @offset, @io_min, @io_opt, @discard: The host's preferences, in sectors of 512, as
 *		struct virtio_blk_config has them; 0 = unknown
 */
struct block_settings {
	uint64_t capacity_bytes;
	uint8_t serial[BLOCK_SERIAL_BYTES];
	uint32_t unit_bytes;
	uint8_t physical_exp, offset;
	uint16_t io_min;
	uint32_t io_opt, discard;
	uint32_t qcow2;
	uint32_t direct_mem, direct_off;
};

#define FS_TAG_BYTES   36    /* the name of a virtio-fs, not terminated when full */
#define FS_SOURCES_MAX 256U  /* directories and files that one shares under names of their own */
#define FS_FDS_MIN     1024U /* file descriptors that the device of one has at least */
#define FS_FDS_MAX     (1U << 20)

/** enum fs_cache - What the guest may believe of what it has seen: what it likes for a second, nothing, all */
enum fs_cache { FS_CACHE_AUTO, FS_CACHE_NONE, FS_CACHE_ALWAYS, FS_CACHES };

#define FS_WRITEBACK	(1U << 0) /* the guest may hold writes back */
#define FS_POSIX_ACL	(1U << 1) /* the guest obeys access control lists */
#define FS_HOST_LOCKS	(1U << 2) /* locks of its processes are taken on the host */
#define FS_SECURITY_CTX (1U << 3) /* the guest labels what it makes */

/**
 * struct fs_settings - Of a shared directory
 * @tag:	Padded with zeros
 * @cache:	enum fs_cache
 * @flags:	FS_*
 *
 * Resources: the directory, O_PATH; /proc/self/fd of the device itself.
 */
struct fs_settings {
	char tag[FS_TAG_BYTES];
	uint32_t cache;
	uint32_t flags;
};

#define NET_PAIRS_MAX 4 /* queue pairs of one network device */

/** struct net_rate - What may pass in one direction; a pair of zeros: unlimited */
struct net_rate {
	uint64_t bytes_per_s, burst_bytes;
	uint64_t packets_per_s, burst_packets;
};

#define NET_LEASE_HOSTNAME 64 /* bytes */
#define NET_LEASE_DNS	   3
#define NET_LEASE_ROUTES   32
#define NET_LEASE_ADDRS	   16

/** enum net_prefix_flags - What is said of an IPv6 prefix in router advertisements */
enum net_prefix_flags {
	NET_PREFIX_ONLINK = 1, /* its addresses are on the link */
	NET_PREFIX_AUTO = 2,   /* the guest makes its address of it: of /64, and of its MAC */
	NET_PREFIX_ROUTED = 4, /* it is reached by way of the router */
};

/**
 * struct net_lease - What a network device answers its guest, by DHCP and as an IPv6 router; all zeros: nothing
 * @bits:	Prefix of @addr; 0: no DHCPv4
 * @any_mac:	The front-end chooses the interface's MAC and the device does not know it: any is answered
 * @default6:	@router is the guest's IPv6 default route
 * @addr, @gateway, @server: IPv4, network byte order like all addresses here; @gateway 0: none. @server names
 *		the server, and frames to its DHCP port go no further
 * @dns, @dns6:	The first nr_dns, nr_dns6
 * @route:	Each route beside the one of @addr; @gateway 0: on the link
 * @hostname:	Padded with zeros; empty: none
 * @router:	Link-local address of the IPv6 router; all zeros: none
 * @addr6:	For DHCPv6. None, and no @prefix: no IPv6
 * @prefix:	@flags are NET_PREFIX_*
 */
struct net_lease {
	uint8_t bits;
	uint8_t nr_dns, nr_dns6, nr_routes, nr_addrs6, nr_prefixes, default6;
	uint8_t any_mac;
	uint32_t addr, gateway, server;
	uint32_t dns[NET_LEASE_DNS];
	struct net_lease_route {
		uint32_t dst, gateway;
		uint32_t bits;
	} route[NET_LEASE_ROUTES];
	char hostname[NET_LEASE_HOSTNAME];
	uint8_t router[16];
	uint8_t dns6[NET_LEASE_DNS][16];
	uint8_t addr6[NET_LEASE_ADDRS][16];
	struct net_lease_prefix {
		uint8_t addr[16];
		uint8_t bits, flags;
	} prefix[NET_LEASE_ROUTES];
};

/**
 * struct net_settings - Of a network device
 * @mtu:	0: the usual 1500, until CTL_NET says otherwise
 * @tun_flags:	TUN_F_* that the TAP can take; 0 without offloads
 * @lease:	Only for the user back-end
 *
 * Resources: a TAP per queue pair, then with vhost-net a /dev/vhost-net each.
 */
struct net_settings {
	uint8_t mac[6];
	uint16_t mtu;
	uint32_t tun_flags;
	uint32_t reserved;
	struct net_rate to_guest, from_guest;
	struct net_lease lease;
};

/**
 * struct balloon_settings - Of a balloon
 * @size_bytes:	What the guest is asked to give up at first
 * @deflate_on_oom: 1: it may take that back when it runs out of memory; else 0
 */
struct balloon_settings {
	uint64_t size_bytes;
	uint32_t deflate_on_oom;
	uint32_t reserved;
};

#define VSOCK_CONNS_MAX	 4096 /* connections of one vsock device at a time */
#define VSOCK_CID_FIRST	 3    /* of those a guest may have: 2 is the host */
#define VSOCK_CID_LAST	 0xfffffffeULL
#define VSOCK_PORT_MAX	 0xfffffffeULL
#define VSOCK_LISTEN_MAX 16 /* ports of the host that a VM's supervisor listens on, with vhost */

/**
 * struct vsock_settings - Of a vsock device, with either back-end
 * @cid:	The guest's, from 3 on
 * @conns:	How many connections it has room for, 1 to VSOCK_CONNS_MAX; each may take two fds
 *
 * Resources: none; with vhost /dev/vhost-vsock, which knows the CID.
 */
struct vsock_settings {
	uint64_t cid;
	uint32_t conns;
	uint32_t reserved;
};

#define CONSOLE_PORTS_MAX  6	      /* of one console: its queues are 2, or 2 + 2 a port */
#define CONSOLE_NAME_BYTES 32	      /* of a port, terminated */
#define CONSOLE_KEPT_BYTES (1U << 19) /* what a console leaves to its next process */
#define CONSOLE_LOG_BYTES                                                                          \
	(1U << 20) /* what a log file may grow to, unless config.json says otherwise */

/**
 * struct console_settings - Of a console
 * @log_bytes:	What the log file, resource 2, may grow to; 0: there is none
 * @cols, @rows: The terminal's size; 0: not known
 * @nr_ports:	1 to CONSOLE_PORTS_MAX
 * @keeps:	1: the last resource is memory of CONSOLE_KEPT_BYTES that outlives the process; else 0
 * @name:	Of each port, terminated; the first, which is hvc0, has none
 *
 * Resources: input, output, a log file if there is one, and that memory.
 */
struct console_settings {
	uint64_t log_bytes;
	uint16_t cols, rows;
	uint16_t nr_ports, keeps;
	char name[CONSOLE_PORTS_MAX][CONSOLE_NAME_BYTES];
};

#endif
