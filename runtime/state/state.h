/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What is known about a VM
 *
 * state_dir.h has the directory it lies in, state_file.h saves and loads it.
 */
#ifndef VMRUN_RUNTIME_STATE_STATE_H
#define VMRUN_RUNTIME_STATE_STATE_H

#include <limits.h>

#include "devices/core/boot.h"
#include "devices/core/ctl.h"
#include "devices/core/err.h"
#include "runtime/net/record.h"
#include "runtime/plan/plan_types.h"
#include "runtime/util/clock.h"
#include "runtime/util/process.h"

#define STATE_ID_MAX	  255
#define STATE_SOCKETS_MAX 2
#define STATE_FAILURE_BYTES 224

enum state_status {
	STATE_CREATING,
	STATE_CREATED,
	STATE_RUNNING,
	STATE_PAUSED, /* by `vmrun pause`; as runc has it, beyond the runtime-spec */
	STATE_STOPPED,
	STATE_STATUSES
};

/**
 * struct state - What is known about a VM
 * @supervisor:	The container pid; that of create at first
 * @proc:	VMM and devices. @restarts: how often a device was started again, @failure: how it died the last time
 * @other:	Devices that back-ends of others serve. @restarts: how often one came back
 * @net:	Network devices, as net_plan() made them; each has the name of its process
 * @link:	Of state_link.h, absolute; NULL: none; owned
 * @cgroup_dir:	Its directories on cgroup file systems, parents first; owned, as @bundle, @rootfs
 * @socket:	Listening sockets outside its directory, by absolute path and identity; paths owned
 * @annotations: Object or NULL; owned
 * @cid:	Of its vsock device; 0: it has none
 * @unconfined:	It runs without jails
 * @detail:	Why it ended, in words
 */
struct state {
	char id[PLAN_ID_BYTES];
	enum state_status status;
	struct process supervisor;
	char *bundle;
	char *rootfs;
	char *link;
	char created[CLOCK_TEXT_BYTES];
	char owner[33];
	uint64_t mem_bytes;
	uint32_t nr_vcpus;
	uint32_t cid;
	unsigned int nr_procs;
	struct state_proc {
		char name[BOOT_NAME_BYTES];
		struct process process;
		unsigned int restarts;
		char failure[STATE_FAILURE_BYTES];
	} proc[PLAN_PROCS_MAX];
	unsigned int nr_others;
	struct state_other {
		char name[BOOT_NAME_BYTES];
		unsigned int restarts;
	} other[BOOT_DEVICES_MAX];
	unsigned int nr_nets;
	struct net_record net[BOOT_DEVICES_MAX];
	unsigned int nr_cgroup_dirs;
	struct plan_cgroup_dir cgroup_dir[PLAN_CGROUP_DIRS_MAX];
	unsigned int nr_sockets;
	struct state_socket {
		char *path;
		uint64_t dev, ino;
	} socket[STATE_SOCKETS_MAX];
	struct json_object *annotations;
	bool unconfined;
	enum end_cause cause;
	int exit_code;
	char detail[ERR_MSG_BYTES];
};

/** state_free() - Free it and what it owns; fine on NULL */
void state_free(struct state *s);

/** state_free_cgroups() - Forget the cgroup directories */
void state_free_cgroups(struct state *s);

/** state_check_id() - runc's rules: [A-Za-z0-9_+.-]+, neither . nor .., at most STATE_ID_MAX bytes */
MUST_CHECK int state_check_id(const char *id, struct err *err);

/** state_status_name() - As state.json and the OCI state have it */
const char *state_status_name(enum state_status s);

/** state_status_parse() - And back: 0, or -EINVAL for a name that is none */
MUST_CHECK int state_status_parse(const char *name, enum state_status *ret);

#endif
