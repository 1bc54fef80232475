/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: One device, jailed, without a VM of vmrun's: a vhost-user back-end for any VMM
 *
 * Program, policy and jail are those of a device in a VM; instead of an inherited socket it has one that
 * listens. It runs in the foreground.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_STANDALONE_H
#define VMRUN_RUNTIME_SUPERVISOR_STANDALONE_H

#include "devices/core/err.h"
#include "devices/core/kind.h"
#include "devices/core/log.h"
#include "runtime/supervisor/programs.h"
#include "runtime/util/addr.h"
#include "runtime/util/disk_format.h"
#include "runtime/util/id_map.h"
#include "runtime/util/oci_log.h"

/**
 * struct standalone_net - What a network device answers its guest, whatever MAC that has
 * @mtu:	0: the usual
 * @guest, @gateway: @guest.bits 0: no IPv4; @gateway 0: none
 * @guest6, @gateway6: Family 0: none; @gateway6 is link-local
 * @hostname:	Or NULL
 */
struct standalone_net {
	uint16_t mtu;
	struct net_addr guest;
	uint32_t gateway;
	struct net_ip guest6, gateway6;
	struct net_ip dns[NET_LEASE_DNS];
	unsigned int nr_dns;
	const char *hostname;
};

/**
 * struct standalone - What to run
 * @kind:	One with KIND_ALONE
 * @socket:	Path to listen on, if @fd is 0
 * @fd:		Inherited, listening
 * @path, @format, @readonly, @direct: block: the image, what it is, refuse writes, O_DIRECT
 * @tap:	net: name of the TAP
 * @size_bytes:	balloon: what its guests are asked to give up
 * @net:	net: what it answers its guest
 * @cid, @host_socket: vsock: its guests' CID, where programs of the host connect
 * @source, @tag, @cache: fs: the directory, its name in the guest, enum fs_cache; @readonly as for block
 * @uids, @gids: fs: which of the guest's are which of the host, both or neither; as long as the program lives
 * @queues:	block: queues, net: pairs; 0: the default
 * @policies:	Its policy, if it is not the one compiled in
 * @log_level:	Of the device
 */
struct standalone {
	const struct kind *kind;
	const char *socket;
	int fd;
	const char *path;
	enum disk_format format;
	bool readonly, direct;
	const char *tap;
	uint64_t size_bytes;
	struct standalone_net net;
	uint64_t cid;
	const char *host_socket;
	const char *source, *tag;
	struct id_map uids, gids;
	enum fs_cache cache;
	unsigned int queues;
	struct programs_policies policies;
	enum log_level log_level;
};

/**
 * standalone_run() - Run a device until SIGTERM, SIGINT or SIGHUP, or until it ends
 * @log:	Gets its lines; the caller's
 *
 * Return: 0 after a signal, and -errno when it could not start or ended by itself
 */
MUST_CHECK int standalone_run(const struct standalone *d, struct oci_log *log, struct err *err);

#endif
