/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a struct bundle holds; for config/ and plan/
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_TYPES_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_TYPES_H

#include <limits.h>

#include "devices/core/kind.h"
#include "devices/core/settings.h"
#include "runtime/config/bundle_inside.h"
#include "runtime/config/schema.h"
#include "runtime/util/addr.h"
#include "runtime/util/arena.h"
#include "runtime/util/id_map.h"
#include "runtime/util/limits.h"
#include "runtime/util/net_mode.h"
#include "runtime/util/warn.h"

#define BUNDLE_MEM_MIN_BYTES	 (32ULL << 20)
#define BUNDLE_MEM_MAX_BYTES	 (1ULL << 40)
#define BUNDLE_MEM_BYTES	 (256ULL << 20) /* default */
#define BUNDLE_ARENA_BYTES	 (12UL << 20) /* for the lists of a text */

#define BUNDLE_CONTAINER_DEVICES 2 /* its shared directory and its vsock device */
#define BUNDLE_NET_MODE_UNSET	 (-1)
#define BUNDLE_NETNS_MAX	 255 /* bytes of a namespace's path in the state file */

/** bundle_arena_bytes() - Address space for what is read from a text: its lists, and its strings as JSON and decoded */
static inline size_t bundle_arena_bytes(size_t text_len)
{
	return BUNDLE_ARENA_BYTES + 13 * text_len;
}

/**
 * struct bundle_net - A network device's own properties
 * @mode:	enum net_mode, or BUNDLE_NET_MODE_UNSET until bundle_net_check()
 * @given:	Properties that are not empty, as bits by index of bundle_net_table's fields
 * @vhost:	Index into {"user", "vhost"}
 * @host, @guest, @pool, @gateway, @mac: The parsed texts, set by bundle_net_check(); @guest also if only
 *		@host_ip is given
 * @dns:	Likewise, @nr_dns
 */
struct bundle_net {
	int mode;
	int vhost;
	uint32_t given;
	const char *name, *bridge, *parent, *netns;
	const char *host_ip, *netmask, *guest_ip, *gateway_ip, *pool_text, *mac_text;
	uint64_t mtu;
	uint64_t fd;
	bool masquerade, host_network, dhcp;
	struct {
		struct net_rate to_guest, from_guest;
	} rate;
	struct net_addr host, guest, pool;
	uint32_t gateway;
	uint8_t mac[6];
	struct schema_list dns_text; /* const char * */
	unsigned int nr_dns;
	struct net_ip dns[NET_LEASE_DNS];
};

/**
 * struct bundle_balloon - A balloon's own properties
 * @size_bytes:	What the guest is asked to give up at first
 * @deflate_on_oom: The guest may take it back when it runs out of memory
 */
struct bundle_balloon {
	uint64_t size_bytes;
	bool deflate_on_oom;
};

/**
 * struct bundle_vsock - A vsock device's own properties
 * @socket:	NULL: in the VM's state directory
 * @vhost:	Index into {"user", "vhost"}
 * @listen:	uint64_t: the host's ports at which connections of the guest arrive; only with vhost
 */
struct bundle_vsock {
	uint64_t cid;
	const char *socket;
	int vhost;
	struct schema_list listen;
};

/** enum bundle_on_failure - What follows when a device's process dies */
enum bundle_on_failure { BUNDLE_STOP, BUNDLE_RESTART };

/** struct bundle_port - A named port of a console */
struct bundle_port {
	const char *name;
};

/**
 * struct bundle_console - A console's own properties
 * @log:	Path, or NULL
 * @log_bytes:	0: the default
 * @ports:	struct bundle_port
 */
struct bundle_console {
	const char *log;
	uint64_t log_bytes;
	struct schema_list ports;
};

/** struct bundle_ids - Maps of a guest's users and groups, checked: struct id_range; both are there, or none */
struct bundle_ids {
	struct schema_list uids, gids;
};

/** struct bundle_source - One directory or file of several that an fs device shares */
struct bundle_source {
	const char *path, *name;
	bool readonly;
};

/**
 * struct bundle_fs - An fs device's own properties
 * @sources:	struct bundle_source; none if the device has one @path
 * @ids:	Of its own; none: /linux's
 * @cache:	enum fs_cache
 */
struct bundle_fs {
	struct schema_list sources;
	struct bundle_ids ids;
	int cache;
	bool writeback, posix_acl, host_locks, security_ctx;
};

/**
 * struct bundle_device - One element of /vm/devices
 * @pointer:	JSON pointer of the element
 * @format:	enum disk_format
 * @on_failure:	enum bundle_on_failure
 * @queues:	block: queues; net: queue pairs
 * @path:	block: the image; vhost-user: the socket; fs: the directory
 * @serial, @direct: block only
 * @readonly:	block and fs
 * @device:	vhost-user only: the name of a kind with KIND_OTHERS
 * @tag:	Of a file system
 * @vsock:	vsock only
 * @net:	net only
 * @balloon:	balloon only
 * @console:	console only
 * @fs:		fs only
 */
struct bundle_device {
	enum kind_id type;
	const char *pointer;
	const char *path;
	const char *serial;
	const char *device;
	const char *tag;
	bool readonly;
	bool direct;
	int format;
	int on_failure;
	uint64_t queues;
	struct bundle_vsock vsock;
	struct bundle_net net;
	struct bundle_balloon balloon;
	struct bundle_console console;
	struct bundle_fs fs;
};

/** struct bundle_vm - /vm; of @hw 0: not given, in the bundle of a container only */
struct bundle_vm {
	struct {
		const char *path;
		const char *initrd;
		struct schema_list parameters; /* const char * */
	} kernel;
	struct {
		const char *path;
		bool direct, overlay;
		int format;
		int on_failure;
	} image;
	struct {
		uint64_t vcpus;
		uint64_t mem_bytes;
	} hw;
	const char *policy_dir;
	struct schema_list devices; /* struct bundle_device */
};

/**
 * struct bundle_cgroup - /linux/resources
 * @limit:	By enum resource_limit; BUNDLE_UNSET, or OCI's number: 0 and -1 often mean none
 * @unified:	Owned; may be NULL
 */
struct bundle_cgroup {
	int64_t limit[LIMITS];
	bool no_oom_killer;
	bool hierarchy;
	const char *cpus;
	const char *mems;
	struct json_object *unified;
};

enum bundle_namespace_type {
	BUNDLE_NS_PID,
	BUNDLE_NS_NETWORK,
	BUNDLE_NS_MOUNT,
	BUNDLE_NS_IPC,
	BUNDLE_NS_UTS,
	BUNDLE_NS_USER,
	BUNDLE_NS_CGROUP,
	BUNDLE_NS_TIME,
	BUNDLE_NS_TYPES
};

/**
 * struct bundle_namespace - One element of /linux/namespaces
 * @type:	enum bundle_namespace_type
 * @path:	NULL = a new one
 */
struct bundle_namespace {
	int type;
	const char *path;
};

struct bundle_linux {
	struct schema_list namespaces; /* struct bundle_namespace */
	const char *cgroups_path;
	struct bundle_ids ids;
	struct bundle_cgroup resources;
	struct bundle_inside inside;
};

/**
 * struct bundle - A validated config.json
 *
 * Lies in its own arena, which is read-only once the bundle is complete.
 * @container:	It has a root and no kernel of its own: the guest runs @process in that root
 * @mounts:	struct bundle_mount
 * @process_given: config.json has /process
 * @annotations: Owned; may be NULL
 */
struct bundle {
	struct arena arena;
	const char *dir;
	const char *text;
	const char *oci_version;
	bool container;
	const char *hostname, *domainname;
	struct {
		const char *path;
		bool readonly;
	} root;
	bool process_given;
	struct bundle_process process;
	struct schema_list mounts;
	struct bundle_hooks hooks;
	struct bundle_linux linux_;
	struct bundle_vm vm;
	struct json_object *annotations;
	unsigned int nr_warnings;
	const char *warning[WARN_LINES_MAX];
};

#endif
