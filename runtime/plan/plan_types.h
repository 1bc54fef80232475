/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The types of a plan
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_TYPES_H
#define VMRUN_RUNTIME_PLAN_PLAN_TYPES_H

#include <json-c/json.h>

#include "devices/core/boot.h"
#include "devices/core/kind.h"
#include "runtime/util/addr.h"
#include "runtime/util/disk_format.h"
#include "runtime/util/hook_kind.h"
#include "runtime/util/id_map.h"
#include "runtime/util/limits.h"
#include "runtime/util/net_mode.h"
#include "runtime/util/netns_id.h"
#include "runtime/util/warn.h"

#define PLAN_ID_BYTES	    256
#define PLAN_HOSTNAME_BYTES 65 /* Linux takes 64 */
#define PLAN_PROCS_MAX	    (1 + BOOT_DEVICES_MAX)
#define PLAN_FDS_MAX	    (BOOT_FD_DEVICE + 2 * BOOT_DEVICES_MAX)
#define PLAN_OOM_UNSET	    1001 /* larger than any value */

struct host_config;

/**
 * struct plan_look - What is at a path of the host
 * @mode:	As stat's
 * @tmpfs, @bytes: Of a directory: whether it is in a tmpfs, and how large that may get
 */
struct plan_look {
	uint32_t mode;
	bool tmpfs;
	uint64_t bytes;
};

/**
 * struct plan_host - What a plan asks of the host; each may be NULL
 * @interfaces:	Counts the interfaces to join in a network namespace (@whole: of a container) and identifies it;
 *		NULL counts as none. Without a path: 0 if the caller cannot make a network namespace
 * @look:	Looks at the source of a bind; 0 or -errno. NULL: each is a directory
 * @config:	Of containers; borrowed
 */
struct plan_host {
	unsigned int (*interfaces)(const char *netns, bool whole, struct netns_id *ret_id);
	int (*look)(const char *path, struct plan_look *ret);
	const struct host_config *config;
};

/**
 * enum plan_fd_source - The source of an inherited fd
 */
enum plan_fd_source {
	PLAN_FD_NONE,
	PLAN_FD_NULL,	     /* /dev/null */
	PLAN_FD_CONTROL,     /* the process's end of its control socketpair */
	PLAN_FD_LOG,	     /* the write end of its log pipe */
	PLAN_FD_RAM,	     /* guest RAM (runtime/host/ram.h) */
	PLAN_FD_KVM,	     /* /dev/kvm */
	PLAN_FD_FILE,	     /* @path, opened by assets_open() */
	PLAN_FD_CHANNEL,     /* an end of the channel VMM <-> device number @index */
	PLAN_FD_STDIN,	     /* create's standard input; a terminal or pipe is opened again */
	PLAN_FD_STDOUT,	     /* create's standard output, likewise */
	PLAN_FD_TAP,	     /* queue pair @index of its TAP, made by net_setup() */
	PLAN_FD_VHOST_NET,   /* /dev/vhost-net for queue pair @index */
	PLAN_FD_VHOST_VSOCK, /* /dev/vhost-vsock, which has the guest's CID */
	PLAN_FD_CONSOLE,     /* the slave of a pty; its master goes to --console-socket */
	PLAN_FD_INFLIGHT,    /* memory in which device @index notes what is in flight */
	PLAN_FD_KEPT,	     /* memory that a console leaves to its next process */
	PLAN_FD_SHARE,	/* what an fs device shares: the root of a mount (runtime/host/share.h) */
	PLAN_FD_SELF,	/* the process's own /proc/self/fd */
	PLAN_FD_SOCKET, /* connected to @path, where a back-end of others listens */
};

/**
 * enum plan_file - The kind of a PLAN_FD_FILE, which decides how it is checked when opened
 */
enum plan_file { PLAN_FILE_KERNEL, PLAN_FILE_INITRD, PLAN_FILE_DISK, PLAN_FILE_LOG };

struct plan_fd {
	enum plan_fd_source source;
	enum plan_file file;
	bool writable;
	bool direct;		 /* a disk: O_DIRECT */
	enum disk_format format; /* of a disk */
	unsigned int index;
	uint64_t max_bytes; /* a log: what it may grow to */
	char *path;	    /* absolute; NULL unless PLAN_FD_FILE or PLAN_FD_SOCKET */
	char *pointer;	    /* its JSON pointer, for errors; NULL likewise */
};

/**
 * struct plan_other - A virtio device that a back-end of others serves: it has no process in the plan
 * @name:	"fs0"; unique among all devices
 * @config:	Its configuration space, @config_bytes of it, where the VMM gives that; 0: the back-end does
 */
struct plan_other {
	char name[BOOT_NAME_BYTES];
	const struct kind *kind;
	uint8_t config[BOOT_CONFIG_MAX];
	uint16_t config_bytes;
	bool returns; /* when its connection has ended, there will be another one */
};

/**
 * struct plan_proc - One process to spawn
 * @name:	"vmm", "block0", "rng0", "serial0"
 * @program:	File name in the libexec directory
 * @policy:	Name in the policy table; NULL: it runs without a jail
 * @early:	Of the policy until it has its memory; NULL: it has @policy from the first
 * @kind:	Of a device; NULL for the VMM
 * @dev_flags:	BOOT_DEV_*; assets_open() adds those that depend on the file
 * @settings:	The device's own, @settings_bytes of them (plan_settings.h)
 * @fd:		fd[n] becomes fd n of the process
 * @returns:	It is started again when it has died
 * @writes_file: It may write to a regular file; otherwise its RLIMIT_FSIZE is 0
 */
struct plan_proc {
	char name[BOOT_NAME_BYTES];
	const char *program;
	const char *policy, *early;
	const struct kind *kind;
	uint16_t nr_queues;
	uint32_t dev_flags;
	uint8_t settings[BOOT_SETTINGS_MAX];
	size_t settings_bytes;
	unsigned int nr_fds;
	struct plan_fd fd[PLAN_FDS_MAX];
	bool writes_file, returns;
};

/**
 * struct plan_namespace - A namespace that the supervisor of a container enters
 * @flag:	CLONE_NEWNET, CLONE_NEWIPC or CLONE_NEWUTS
 * @path:	NULL: a new one; owned, as is @pointer
 */
struct plan_namespace {
	int flag;
	char *path, *pointer;
};

#define PLAN_NAMESPACES_MAX 3

/**
 * struct plan_net - One network device
 * @proc:	Its process in plan->proc
 * @name:	The TAP's or macvtap's name on the host; empty = net_plan() picks one
 * @host, @guest: Addresses of the two ends of the link. @host.bits 0 in private mode = a free /30 of @pool
 *		(none: of 100.64.0.0/10); @guest.bits 0 = the next address of @host's network
 * @gateway:	The guest's; 0 = @host
 * @mac:	All zero = a locally administered one, made from id and device name
 * @mtu:	0 = 1500, or the MTU of the bridge, the parent or the namespace's interface
 * @bridge, @parent: Of NET_MODE_BRIDGE and NET_MODE_MACVTAP
 * @netns_path:	Of NET_MODE_NETNS; NULL: the new one of a container; owned
 * @alone:	Of NET_MODE_NETNS: no other container may have a VM in that namespace
 * @host_network: Of NET_MODE_NETNS: the caller's own namespace is allowed
 * @fd:		Of NET_MODE_FD: its number in create's process
 * @dhcp:	The device answers its guest's DHCP messages, if it knows an address (net_lease())
 */
struct plan_net {
	unsigned int proc;
	enum net_mode mode;
	char name[16];
	char bridge[16];
	char parent[16];
	char *netns_path;
	char *pointer; /* JSON pointer of the device, for errors; owned */
	int fd;
	struct net_addr host, guest, pool;
	uint32_t gateway;
	uint8_t mac[6];
	uint16_t mtu;
	uint16_t queue_pairs; /* 1 to NET_PAIRS_MAX */
	bool masquerade;
	bool host_network, alone;
	bool vhost;
	bool dhcp;
	unsigned int nr_dns;
	struct net_ip dns[NET_LEASE_DNS];
};

#define PLAN_LIMIT_LIFTED INT64_MAX

/**
 * struct plan_cgroup - Placement and limits
 * @path:	Below the cgroup mount, starts with '/'
 * @limit:	-1 = none, or "no limit" in the config; PLAN_LIMIT_LIFTED: one that is there goes
 * @cpuset_cpus, @cpuset_mems: NULL = none
 * @unified:	Files of v2 and the text for each, or NULL; owned
 */
struct plan_cgroup {
	char *path;
	int64_t limit[LIMITS];
	char *cpuset_cpus;
	char *cpuset_mems;
	struct json_object *unified;
};

/**
 * struct plan_vsock - The vsock device, if the VM has one
 * @proc:	Its process in plan->proc; 0: there is none
 * @cid:	The guest's
 * @pointer:	To the device in config.json; owned
 * @socket:	Path of its socket and the pointer to that; a NULL path: in the VM's state directory
 * @agent:	It is for vmrun-init alone: no socket of the host's, and any other VM may have the CID
 * @vhost:	The kernel carries the connections
 * @listen:	Then: the host's ports at which those of the guest arrive, @nr_listen
 */
struct plan_vsock {
	unsigned int proc;
	uint32_t cid;
	char *pointer;
	struct plan_fd socket;
	bool agent, vhost;
	unsigned int nr_listen;
	uint32_t listen[VSOCK_LISTEN_MAX];
};

/**
 * struct plan_source - A directory or file that is shared
 * @path:	Absolute; owned, as are all strings here
 * @name:	Its name in the root; NULL: it is the root, a directory, and the only source
 * @pointer:	For errors
 * @layers:	It is an overlay of directories, of which @path is one: its options, with commas between them; NULL: it is not
 * @hidden:	A directory below it in whose place guests see an empty one, relative; NULL: none
 */
struct plan_source {
	char *path, *name, *pointer, *layers, *hidden;
	bool readonly;
};

/**
 * struct plan_fs - What one fs device shares
 * @proc:	Its process in plan->proc
 * @source:	@nr of them
 * @uids, @gids: Which of the guest's ids are which of the host; empty: no map
 */
struct plan_fs {
	unsigned int proc, nr;
	struct plan_source *source;
	struct id_map uids, gids;
};

/**
 * struct plan_hook - A program that is run at a moment of the VM's life
 * @path:	Absolute; owned, as all here
 * @argv, @env:	For execve(); a NULL @env is that of the verb that runs it
 * @timeout_s:	0: none
 */
struct plan_hook {
	char *path;
	char **argv, **env;
	unsigned int timeout_s;
};

/** struct plan_hooks - By enum hook_kind: how many there are, and which */
struct plan_hooks {
	unsigned int nr[HOOK_KINDS];
	struct plan_hook *hook[HOOK_KINDS];
};

#define PLAN_CGROUP_DIRS_MAX 48 /* of one VM */

/**
 * struct plan_cgroup_dir - A directory of a VM on a cgroup file system, planned or made
 * @path:	Absolute, at the time it was made; owned
 * @dev, @ino:	Its identity; 0: not known yet
 * @leaf:	It holds the VM's processes; otherwise it is above the leaf
 * @made:	It is removed with the VM; otherwise it existed before
 */
struct plan_cgroup_dir {
	char *path;
	uint64_t dev, ino;
	bool leaf;
	bool made;
};

/**
 * struct plan - One VM
 * @proc:	[0] is the VMM, [1 + i] is device i: the serial port, the disks (the image, then
 *		/vm/devices in its order), the network devices, the console, the entropy sources
 * @other:	The VMM's devices after those with a process; plan_other_fd() has their sockets
 * @returns:	Of a device: any of them does
 * @net:	In the order of their processes
 * @hostname:	The guest's: from the bundle, or the VM's id
 * @joins_name:	A container's is that of the uts namespace that its supervisor is in
 * @oom_score_adj: Of the jailed processes; PLAN_OOM_UNSET: the caller's
 * @unconfined:	No process has a jail (plan_disable_sandbox())
 * @policy_dir:	Where the text of its policies is, absolute; NULL: those compiled in
 * @container:	vmrun-init runs the bundle's process in the guest; @spec describes it
 * @has_process: config.json has a process; without one a container cannot start
 * @spec:	Items of devices/core/agent_spec.h, @spec_bytes of them: those of the container and its process. Those of its
 *		networks are known when it starts. Owned
 * @pod:	It holds what the containers of a pod share: it has no processes, no VM, and is no @container
 * @namespace:	Of a container, @nr_namespaces of them
 * @warning:	One line for each request of the config that this version does not carry out
 */
struct plan {
	char id[PLAN_ID_BYTES];
	char *bundle_path; /* absolute */
	char *policy_dir;
	uint64_t mem_bytes;
	uint32_t nr_vcpus;
	char cmdline[BOOT_CMDLINE_MAX];
	char hostname[PLAN_HOSTNAME_BYTES];
	bool joins_name;
	bool has_initrd;
	bool terminal;
	bool unconfined;
	bool container, has_process, pod;
	uint8_t *spec;
	size_t spec_bytes;
	uint16_t cols, rows; /* of the terminal; 0: not known */
	int oom_score_adj;
	struct plan_cgroup cgroup;
	unsigned int nr_namespaces;
	struct plan_namespace namespace[PLAN_NAMESPACES_MAX];
	unsigned int nr_procs;
	struct plan_proc *proc;
	unsigned int nr_others;
	struct plan_other other[BOOT_DEVICES_MAX];
	bool returns;
	unsigned int nr_nets;
	struct plan_net net[BOOT_DEVICES_MAX];
	struct plan_vsock vsock;
	unsigned int nr_fs;
	struct plan_fs fs[BOOT_DEVICES_MAX];
	struct plan_hooks hooks;
	unsigned int nr_warnings;
	char *warning[WARN_LINES_MAX];
	struct json_object *annotations; /* object or NULL; owned */
};

#endif
