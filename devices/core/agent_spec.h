/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The description of a session: what vmrun-init sets up, and the program it runs
 *
 * The host writes it from config.json, only the guest reads it. A sequence of items: a struct agent_item, then its bytes:
 * the struct that the type has, if any, without padding behind it, then as many terminated strings as are named. Items of one
 * type keep their order. Items of different types may come in any order. Each session has the items of a process, session 0
 * those of a container and of networks too.
 *
 * Paths are as a program of the container sees them, and vmrun-init resolves them inside the container's root. Numbers are in
 * the byte order of the guest's architecture. Flags of mounts are Linux's MS_*.
 */
#ifndef VMRUN_DEVICES_CORE_AGENT_SPEC_H
#define VMRUN_DEVICES_CORE_AGENT_SPEC_H

#include <stdint.h>

/** struct agent_item - Head of an item: @bytes follow */
struct agent_item {
	uint16_t type; /* enum agent_item_type */
	uint16_t reserved;
	uint32_t bytes;
};

enum agent_item_type {
	/* of a process */
	AGENT_PROCESS = 1, /* struct agent_process; cwd */
	AGENT_ARG,	   /* string */
	AGENT_ENV,	   /* "NAME=value" */
	AGENT_GROUP,	   /* uint32_t: one of the additional groups */
	AGENT_CAPS,	   /* struct agent_caps; without one the process has no capability */
	AGENT_RLIMIT,	   /* struct agent_rlimit */
	AGENT_FILTER, /* struct agent_filter, then struct sock_filter: its seccomp program; may come several times */
	AGENT_SCHEDULER, /* struct agent_scheduler */

	/* of the container */
	AGENT_ROOT, /* struct agent_root; name of the root in the shared directory, or "/dev/vda" */
	AGENT_MOUNT, /* struct agent_mount; destination, source, type, data. Source of a bind: name in the share */
	AGENT_DEVICE,	  /* struct agent_device; path */
	AGENT_MASKED,	  /* path */
	AGENT_READONLY,	  /* path */
	AGENT_SYSCTL,	  /* name with dots, value */
	AGENT_HOSTNAME,	  /* string */
	AGENT_DOMAINNAME, /* string */
	AGENT_PIDS,	  /* uint64_t: how many processes the container may have; 0: any number */
	AGENT_HOOK,  /* struct agent_hook; path, nr_args strings, nr_env strings: startContainer */
	AGENT_STATE, /* the state, JSON text, which hooks of the container read */

	/* of its networks */
	AGENT_LINK,	 /* struct agent_link; name in the guest */
	AGENT_ADDRESS,	 /* struct agent_address */
	AGENT_ROUTE,	 /* struct agent_route */
	AGENT_NEIGHBOUR, /* struct agent_neighbour */

	/* of a process of exec */
	AGENT_CGROUP, /* path of a cgroup below the container's, which is there already */
	AGENT_ITEM_TYPES
};

#define AGENT_TERMINAL	   (1U << 0) /* standard streams are a terminal, which controls the process */
#define AGENT_NO_NEW_PRIVS (1U << 1)
#define AGENT_UMASK	   (1U << 2) /* umask is set; otherwise 0022 */
#define AGENT_OOM_SCORE	   (1U << 3) /* oom_score_adj is set */
#define AGENT_IOPRIO	   (1U << 4) /* ioprio is set */
#define AGENT_CREATE_CWD   (1U << 5) /* make the working directory if there is none */

/** struct agent_process - @rows, @cols: of the terminal, 0: unknown; @ioprio: as ioprio_set() has it */
struct agent_process {
	uint32_t flags; /* AGENT_TERMINAL ... */
	uint32_t uid, gid;
	uint32_t umask;
	int32_t oom_score_adj;
	uint32_t ioprio;
	uint16_t rows, cols;
};

/** struct agent_caps - Sets of capabilities, a bit each by Linux's number */
struct agent_caps {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

/** struct agent_rlimit - @resource: Linux's number; UINT64_MAX is RLIM_INFINITY */
struct agent_rlimit {
	uint64_t soft, hard;
	uint32_t resource;
	uint32_t reserved;
};

/** struct agent_filter - @flags: of seccomp(SECCOMP_SET_MODE_FILTER); @count instructions follow */
struct agent_filter {
	uint32_t flags;
	uint32_t count;
};

/** struct agent_scheduler - As struct sched_attr */
struct agent_scheduler {
	uint32_t policy, reserved;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

#define AGENT_ROOT_READONLY (1U << 0)
#define AGENT_ROOT_DISK                                                                            \
	(1U << 1) /* a file system on that disk; otherwise the shared directory has it */
#define AGENT_ROOT_OVERLAY                                                                         \
	(1U << 2) /* what is written is kept in the guest's memory, and the disk only read */

/** struct agent_root - @propagation: MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, with MS_REC or not; 0: private */
struct agent_root {
	uint32_t flags;
	uint32_t reserved;
	uint64_t propagation;
};

#define AGENT_MOUNT_BIND    (1U << 0) /* the source is in the shared directory */
#define AGENT_MOUNT_COPY_UP (1U << 1) /* tmpcopyup: the new tmpfs gets a copy of what it covers */
#define AGENT_MOUNT_INSIDE                                                                         \
	(1U << 2) /* the source of a bind is a path of the guest ("/dev/pts/ptmx") */
#define AGENT_MOUNT_FILE                                                                           \
	(1U << 3) /* the source of a bind is no directory: the mount point is a file */

/**
 * struct agent_mount - One mount, carried out in order
 * @set, @clear: MS_* to have, and not to have; MS_BIND is AGENT_MOUNT_BIND's
 * @propagation: As struct agent_root's, several in turn; 0: none
 * @recursive_set, @recursive_clear: MS_* for all mounts below too (rro, rnosuid ...)
 */
struct agent_mount {
	uint32_t flags;
	uint32_t reserved;
	uint64_t set, clear, propagation, recursive_set, recursive_clear;
};

/** struct agent_device - @type: S_IFCHR, S_IFBLK or S_IFIFO */
struct agent_device {
	uint32_t type, major, minor, mode, uid, gid;
};

/** struct agent_hook - @timeout_s: 0: none */
struct agent_hook {
	uint32_t timeout_s, nr_args, nr_env, reserved;
};

#define AGENT_LINK_DOWN	  (1U << 0)
#define AGENT_LINK_NO_ARP (1U << 1)
#define AGENT_LINK_LISTED                                                                          \
	(1U << 2) /* it has no link-local address but a listed one: the kernel makes none */

/**
 * struct agent_link - @mac: which interface it is; all zeros: the loopback device. @mtu 0: as it is
 *
 * Of several with one MAC the first is that of the lowest index.
 */
struct agent_link {
	uint8_t mac[6];
	uint16_t flags; /* AGENT_LINK_* */
	uint32_t mtu;
};

#define AGENT_ADDRESS_NO_ROUTE (1U << 0) /* the kernel makes no route to its network */

/**
 * struct agent_address - Of the link that AGENT_LINK names as number @link; @family AF_INET or AF_INET6
 * @to:		The peer's address, or @addr again
 * @broadcast:	IPv4; all zeros: none
 * @metric:	Of the route to its network, 0: the kernel's choice
 * @label:	IPv4: terminated; empty: the link's name
 */
struct agent_address {
	uint32_t link;
	uint8_t family, bits, scope, flags;
	uint8_t addr[16], to[16], broadcast[4];
	uint32_t metric;
	char label[16];
};

#define AGENT_ROUTE_ONLINK (1U << 0) /* the gateway is on the link, whatever other routes say */

/**
 * struct agent_route - In the main table; @dst_bits 0: the default route
 * @gateway:	All zeros: on the link; @src likewise: none
 * @protocol:	Linux's RTPROT_*: who made it
 * @mtu, @advmss: 0: as the link has it
 */
struct agent_route {
	uint32_t link;
	uint8_t family, dst_bits, scope, protocol;
	uint8_t dst[16], gateway[16], src[16];
	uint32_t metric, mtu, advmss, flags; /* AGENT_ROUTE_* */
};

/** struct agent_neighbour - A permanent one */
struct agent_neighbour {
	uint32_t link;
	uint8_t family, reserved[3];
	uint8_t addr[16], mac[6];
	uint16_t reserved2;
};

#endif
