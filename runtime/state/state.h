/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The state directory ROOT/ID
 *
 *   lock         held by create and then by the supervisor for as long as they live: who gets the
 *                lock, or sees that it is free, knows that no process runs this VM any more, whatever
 *                state.json says
 *   state.json   replaced atomically; there from before anything else of the VM exists, with what is
 *                going to be made, so that delete can clean up after a death at any moment
 *   config.json  the configuration as it was validated; the first to go when the end of the VM finds no room
 *   control      the supervisor's socket
 *
 * A directory without lock file is not ours and left alone, except that an empty one is what a create
 * killed in its first step leaves.
 *
 * ROOT belongs to the caller or to root and only its owner can write to it, or else it is sticky; ROOT/ID
 * and its files belong to the caller alone. Others are not used, not even by root (state_dir.c says why).
 */
#ifndef VMRUN_RUNTIME_STATE_STATE_H
#define VMRUN_RUNTIME_STATE_STATE_H

#include <json-c/json.h>
#include <limits.h>

#include "devices/core/boot.h"
#include "devices/core/err.h"
#include "runtime/net/net.h"
#include "runtime/plan/plan.h"
#include "runtime/util/clock.h"
#include "runtime/util/process.h"

#define STATE_FILE    "state.json"
#define STATE_CONFIG  "config.json"
#define STATE_CONTROL "control"
#define STATE_LOCK    "lock"

#define STATE_ID_MAX  255

enum state_status { STATE_CREATING, STATE_CREATED, STATE_RUNNING, STATE_STOPPED, STATE_STATUSES };

/**
 * struct state - What is known about a VM
 * @supervisor:	The container pid; create's own in its first moments
 * @proc:	VMM and devices
 * @net:	Network devices, by net_plan(); what they are called in proc is in them
 * @cgroup_dir:	Its directories on cgroup file systems, parents first; owned, as @bundle, @rootfs
 * @annotations: Object or NULL; owned
 * @detail:	In words why it ended
 */
struct state {
	char id[PLAN_ID_BYTES];
	enum state_status status;
	struct process supervisor;
	char *bundle;
	char *rootfs;
	char created[CLOCK_TEXT_BYTES];
	char owner[33];
	uint64_t mem_bytes;
	uint32_t nr_vcpus;
	unsigned int nr_procs;
	struct state_proc {
		char name[BOOT_NAME_BYTES];
		struct process process;
	} proc[PLAN_PROCS_MAX];
	unsigned int nr_nets;
	struct net_made net[BOOT_DEVICES_MAX];
	unsigned int nr_cgroup_dirs;
	struct plan_cgroup_dir cgroup_dir[PLAN_CGROUP_DIRS_MAX];
	struct json_object *annotations;
	enum end_cause cause;
	int exit_code;
	char detail[ERR_MSG_BYTES];
};

/** state_free() - Free it and what it owns; fine on NULL */
void state_free(struct state *s);

/** state_free_cgroups() - Forget the directories: they are gone, or never were */
void state_free_cgroups(struct state *s);

/** state_check_id() - runc's rules: [A-Za-z0-9_+.-]+, neither . nor .., at most STATE_ID_MAX bytes */
MUST_CHECK int state_check_id(const char *id, struct err *err);

/**
 * state_default_root() - /run/vmrun, or $XDG_RUNTIME_DIR/vmrun when not root
 * @own_ids:	Root's uid is one of a user namespace (userns_own_ids())
 * @ret:	PATH_MAX bytes
 */
MUST_CHECK int state_default_root(bool own_ids, char *ret, size_t size, struct err *err);

/**
 * state_root() - Open ROOT, to list it
 *
 * Return: 0 with *ret_base (O_PATH) the caller's; -ENOENT; -EPERM when it is another user's; -EACCES when
 * others can write to it
 */
MUST_CHECK int state_root(const char *root, int *ret_base, struct err *err);

/** state_check_free() - What state_reserve() would say right now: -EEXIST, or that ROOT is another user's */
MUST_CHECK int state_check_free(const char *root, const char *id, struct err *err);

/**
 * state_reserve() - Make ROOT/ID and lock it
 * @ret_dir, @ret_lock: Owned by the caller
 *
 * Return: 0, -EEXIST "container with given ID already exists", -EINTR when a delete was faster, or -errno, with
 * nothing of ours left behind
 */
MUST_CHECK int state_reserve(const char *root, const char *id, int *ret_dir, int *ret_lock,
			     struct err *err);

/**
 * state_open() - Open ROOT/ID
 *
 * Return: 0 with *ret_dir (O_PATH) the caller's; -ENOENT "container does not exist"; -EPERM and -EACCES as
 * of state_root()
 */
MUST_CHECK int state_open(const char *root, const char *id, int *ret_dir, struct err *err);

/** state_lock() - Try to get the lock: 0 with *ret_lock the caller's, -EBUSY when it is held */
MUST_CHECK int state_lock(int dir, int *ret_lock);

/** state_locked() - Whether the lock is held, without disturbing who holds or wants it: 0, 1, -errno */
MUST_CHECK int state_locked(int dir);

/** state_save() - Replace state.json */
MUST_CHECK int state_save(int dir, const struct state *s, struct err *err);

/** state_save_text() - Write another file of the directory, whole */
MUST_CHECK int state_save_text(int dir, const char *name, const char *text, struct err *err);

/**
 * state_load() - Read state.json and hold it against reality
 *
 * When the file says that the VM lives and nobody holds the lock, its supervisor was killed: *ret then
 * says stopped, with that cause.
 * Return: 0 with *ret the caller's (state_free); -ENOENT "container does not exist"
 */
MUST_CHECK int state_load(int dir, struct state **ret, struct err *err);

/** state_remove() - Remove our files and the directory; -ENOTEMPTY when it holds others' */
MUST_CHECK int state_remove(const char *root, const char *id, int dir, struct err *err);

/** state_remove_empty() - Remove ROOT/ID if it is @dir, still, and empty */
MUST_CHECK int state_remove_empty(const char *id, int dir);

/** state_to_json() - The file's contents; state_from_json() - back, checking every field */
struct json_object *state_to_json(const struct state *s);
MUST_CHECK int state_from_json(struct json_object *o, struct state **ret, struct err *err);

/** state_to_oci() - The OCI state as `state` and `list` print it; the caller's */
struct json_object *state_to_oci(const struct state *s);

const char *state_status_name(enum state_status s);

#endif
