/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: struct state as JSON: state.json, and the OCI state
 *
 * Every field is checked when it is read: the file decides what delete kills and removes.
 */
#include "runtime/state/state_json.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/config/bundle.h"
#include "runtime/state/cause.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_net.h"
#include "runtime/state/state_other.h"

static void state_add_string(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value ? value : ""));
}

static void state_add_int(struct json_object *o, const char *key, int64_t value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

static struct json_object *state_json_process(const char *name, const struct process *p,
					      bool with_start)
{
	struct json_object *o = json_object_new_object();

	if (name)
		state_add_string(o, "name", name);
	state_add_int(o, "pid", p->pid);
	if (with_start)
		state_add_int(o, "start", (int64_t)p->start);
	return o;
}

static struct json_object *state_json_processes(const struct state *s, bool with_start)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int i = 0; i < s->nr_procs; i++) {
		const struct state_proc *p = &s->proc[i];
		struct json_object *o = state_json_process(p->name, &p->process, with_start);

		if (p->restarts > 0) {
			state_add_int(o, "restarts", p->restarts);
			state_add_string(o, "lastFailure", p->failure);
		}
		json_object_array_add(a, o);
	}
	return a;
}

static void state_json_add_networks(struct json_object *o, const struct state *s)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int i = 0; i < s->nr_nets; i++)
		json_object_array_add(a, state_net_to_json(&s->net[i]));
	json_object_object_add(o, "networks", a);
}

static void state_json_add_cgroup_dirs(struct json_object *o, const struct state *s)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int i = 0; i < s->nr_cgroup_dirs; i++) {
		const struct plan_cgroup_dir *d = &s->cgroup_dir[i];
		struct json_object *e = json_object_new_object();

		state_add_string(e, "path", d->path);
		state_add_int(e, "device", (int64_t)d->dev);
		state_add_int(e, "inode", (int64_t)d->ino);
		json_object_object_add(e, "leaf", json_object_new_boolean(d->leaf));
		json_object_object_add(e, "made", json_object_new_boolean(d->made));
		json_object_array_add(a, e);
	}
	json_object_object_add(o, "cgroupDirs", a);
}

static void state_json_add_sockets(struct json_object *o, const struct state *s)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int i = 0; i < s->nr_sockets; i++) {
		struct json_object *e = json_object_new_object();

		state_add_string(e, "path", s->socket[i].path);
		state_add_int(e, "device", (int64_t)s->socket[i].dev);
		state_add_int(e, "inode", (int64_t)s->socket[i].ino);
		json_object_array_add(a, e);
	}
	json_object_object_add(o, "sockets", a);
}

struct json_object *state_to_json(const struct state *s)
{
	struct json_object *o = json_object_new_object();

	state_add_string(o, "id", s->id);
	state_add_string(o, "status", state_status_name(s->status));
	json_object_object_add(o, "supervisor", state_json_process(NULL, &s->supervisor, true));
	state_add_string(o, "bundle", s->bundle);
	state_add_string(o, "rootfs", s->rootfs);
	if (s->link)
		state_add_string(o, "link", s->link);
	state_add_string(o, "created", s->created);
	state_add_string(o, "owner", s->owner);
	state_add_int(o, "memoryBytes", (int64_t)s->mem_bytes);
	state_add_int(o, "vcpus", s->nr_vcpus);
	state_add_int(o, "vsockCid", s->cid);
	json_object_object_add(o, "sandboxDisabled", json_object_new_boolean(s->unconfined));
	json_object_object_add(o, "processes", state_json_processes(s, true));
	json_object_object_add(o, "backEnds", state_others_to_json(s));
	state_json_add_cgroup_dirs(o, s);
	state_json_add_networks(o, s);
	state_json_add_sockets(o, s);
	if (s->annotations)
		json_object_object_add(o, "annotations", json_object_get(s->annotations));
	state_add_string(o, "cause", cause_info(s->cause)->name);
	state_add_int(o, "exitCode", s->exit_code);
	state_add_string(o, "detail", s->detail);
	return o;
}

struct json_object *state_to_oci(const struct state *s)
{
	const bool stopped = s->status == STATE_STOPPED;
	struct json_object *o = json_object_new_object();
	struct json_object *vm = json_object_new_object();

	state_add_string(o, "ociVersion", BUNDLE_OCI_VERSION);
	state_add_string(o, "id", s->id);
	state_add_string(o, "status", state_status_name(s->status));
	state_add_int(o, "pid", stopped ? 0 : s->supervisor.pid);
	state_add_string(o, "bundle", s->bundle);
	state_add_string(o, "rootfs", s->rootfs);
	state_add_string(o, "created", s->created);
	state_add_string(o, "owner", s->owner);
	if (s->annotations)
		json_object_object_add(o, "annotations", json_object_get(s->annotations));
	state_add_int(vm, "memoryBytes", (int64_t)s->mem_bytes);
	state_add_int(vm, "vcpus", s->nr_vcpus);
	if (s->link)
		state_add_string(vm, "socket", s->link);
	if (s->unconfined)
		json_object_object_add(vm, "sandboxDisabled", json_object_new_boolean(true));
	if (stopped) {
		state_add_string(vm, "cause", cause_info(s->cause)->name);
		state_add_int(vm, "exitCode", s->exit_code);
		state_add_string(vm, "detail", s->detail);
	} else {
		json_object_object_add(vm, "processes", state_json_processes(s, false));
	}
	if (s->nr_others)
		json_object_object_add(vm, "backEnds", state_others_to_json(s));
	if (s->nr_nets)
		state_json_add_networks(vm, s);
	json_object_object_add(o, "vmrun", vm);
	return o;
}

/* ---- and back ---- */

static struct json_object *state_json_get(struct json_object *o, const char *key,
					  enum json_type type)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, type))
		return NULL;
	return v;
}

static bool state_json_get_text(struct json_object *o, const char *key, char *ret, size_t size)
{
	struct json_object *v = state_json_get(o, key, json_type_string);

	if (!v || (size_t)json_object_get_string_len(v) >= size)
		return false;
	fmt_into(ret, size, "%s", json_object_get_string(v));
	return true;
}

static bool state_json_get_copy(struct json_object *o, const char *key, char **ret)
{
	struct json_object *v = state_json_get(o, key, json_type_string);

	*ret = v ? strdup(json_object_get_string(v)) : NULL;
	return *ret;
}

static bool state_json_get_int(struct json_object *o, const char *key, int64_t max, int64_t *ret)
{
	struct json_object *v = state_json_get(o, key, json_type_int);

	if (!v)
		return false;
	*ret = json_object_get_int64(v);
	return *ret >= 0 && *ret <= max;
}

static bool state_json_get_process(struct json_object *o, struct process *ret)
{
	int64_t pid, start;

	if (!o || !state_json_get_int(o, "pid", INT_MAX, &pid) ||
	    !state_json_get_int(o, "start", INT64_MAX, &start))
		return false;
	*ret = (struct process){(pid_t)pid, (uint64_t)start};
	return true;
}

static bool state_json_get_status(struct json_object *o, enum state_status *ret)
{
	struct json_object *v = state_json_get(o, "status", json_type_string);

	return v && state_status_parse(json_object_get_string(v), ret) == 0;
}

/* Left out by a device that was never started again */
static bool state_json_get_restarts(struct json_object *o, struct state_proc *ret)
{
	int64_t restarts;

	if (!json_object_object_get_ex(o, "restarts", NULL))
		return true;
	if (!state_json_get_int(o, "restarts", UINT_MAX, &restarts))
		return false;
	ret->restarts = (unsigned int)restarts;
	return state_json_get_text(o, "lastFailure", ret->failure, sizeof(ret->failure));
}

static bool state_json_get_processes(struct json_object *o, struct state *s)
{
	struct json_object *a = state_json_get(o, "processes", json_type_array);
	const size_t n = a ? json_object_array_length(a) : 0;

	if (!a || n > PLAN_PROCS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct json_object *p = json_object_array_get_idx(a, i);

		if (!state_json_get_process(p, &s->proc[i].process) ||
		    !state_json_get_text(p, "name", s->proc[i].name, sizeof(s->proc[i].name)) ||
		    !state_json_get_restarts(p, &s->proc[i]))
			return false;
	}
	s->nr_procs = (unsigned int)n;
	return true;
}

static bool state_json_get_bool(struct json_object *o, const char *key, bool *ret)
{
	struct json_object *v = state_json_get(o, key, json_type_boolean);

	*ret = v && json_object_get_boolean(v);
	return v;
}

static bool state_json_is_absolute(const char *path)
{
	const size_t len = strlen(path);

	return *path == '/' && len < PATH_MAX && !strstr(path, "/../") &&
	       (len < 3 || strcmp(path + len - 3, "/..") != 0);
}

/* A file that delete removes: an absolute path and an identity */
static bool state_json_get_file(struct json_object *o, char **ret_path, uint64_t *ret_dev,
				uint64_t *ret_ino)
{
	struct json_object *path = state_json_get(o, "path", json_type_string);
	int64_t dev, ino;

	if (!path || !state_json_is_absolute(json_object_get_string(path)) ||
	    !state_json_get_int(o, "device", INT64_MAX, &dev) ||
	    !state_json_get_int(o, "inode", INT64_MAX, &ino))
		return false;
	*ret_dev = (uint64_t)dev;
	*ret_ino = (uint64_t)ino;
	*ret_path = strdup(json_object_get_string(path));
	return *ret_path;
}

static bool state_json_get_cgroup_dir(struct json_object *o, struct plan_cgroup_dir *ret)
{
	return state_json_get_bool(o, "leaf", &ret->leaf) &&
	       state_json_get_bool(o, "made", &ret->made) &&
	       state_json_get_file(o, &ret->path, &ret->dev, &ret->ino);
}

static bool state_json_get_cgroup_dirs(struct json_object *o, struct state *s)
{
	struct json_object *a = state_json_get(o, "cgroupDirs", json_type_array);
	const size_t n = a ? json_object_array_length(a) : 0;

	if (!a || n > PLAN_CGROUP_DIRS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!state_json_get_cgroup_dir(json_object_array_get_idx(a, i), &s->cgroup_dir[i]))
			return false;
		s->nr_cgroup_dirs++;
	}
	return true;
}

static bool state_json_get_sockets(struct json_object *o, struct state *s)
{
	struct json_object *a = state_json_get(o, "sockets", json_type_array);
	const size_t n = a ? json_object_array_length(a) : 0;

	if (!a || n > STATE_SOCKETS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct state_socket *k = &s->socket[i];

		if (!state_json_get_file(json_object_array_get_idx(a, i), &k->path, &k->dev,
					 &k->ino))
			return false;
		s->nr_sockets++;
	}
	return true;
}

static bool state_json_get_networks(struct json_object *o, struct state *s)
{
	struct json_object *a = state_json_get(o, "networks", json_type_array);
	const size_t n = a ? json_object_array_length(a) : 0;

	if (!a || n > BOOT_DEVICES_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!state_net_from_json(json_object_array_get_idx(a, i), s->id, &s->net[i]))
			return false;
	s->nr_nets = (unsigned int)n;
	return true;
}

/* delete removes it, so it must be what state_link_path() makes. */
static bool state_json_get_link(struct json_object *o, struct state *s)
{
	if (!json_object_object_get_ex(o, "link", NULL))
		return true;
	return state_json_get_copy(o, "link", &s->link) && state_json_is_absolute(s->link);
}

static bool state_json_get_end(struct json_object *o, struct state *s)
{
	struct json_object *cause = state_json_get(o, "cause", json_type_string);
	int64_t code;

	if (!cause || !state_json_get_int(o, "exitCode", 255, &code))
		return false;
	s->cause = cause_from_name(json_object_get_string(cause));
	s->exit_code = (int)code;
	return state_json_get_text(o, "detail", s->detail, sizeof(s->detail));
}

int state_from_json(struct json_object *o, struct state **ret, struct err *err)
{
	struct state *s = calloc(1, sizeof(*s));
	int64_t mem = 0, vcpus = 0, cid = 0;
	struct err ignored;

	if (!s)
		return err_set(err, ENOMEM, "%s", STATE_FILE);
	if (!state_json_get_text(o, "id", s->id, sizeof(s->id)) ||
	    state_check_id(s->id, &ignored) < 0 || !state_json_get_status(o, &s->status) ||
	    !state_json_get_process(state_json_get(o, "supervisor", json_type_object),
				    &s->supervisor) ||
	    !state_json_get_copy(o, "bundle", &s->bundle) ||
	    !state_json_get_copy(o, "rootfs", &s->rootfs) ||
	    !state_json_get_text(o, "created", s->created, sizeof(s->created)) ||
	    !state_json_get_text(o, "owner", s->owner, sizeof(s->owner)) ||
	    !state_json_get_int(o, "memoryBytes", INT64_MAX, &mem) ||
	    !state_json_get_int(o, "vcpus", 1024, &vcpus) ||
	    !state_json_get_int(o, "vsockCid", UINT32_MAX, &cid) ||
	    !state_json_get_bool(o, "sandboxDisabled", &s->unconfined) ||
	    !state_json_get_processes(o, s) ||
	    !state_others_from_json(json_object_object_get(o, "backEnds"), s) ||
	    !state_json_get_link(o, s) || !state_json_get_cgroup_dirs(o, s) ||
	    !state_json_get_networks(o, s) || !state_json_get_sockets(o, s) ||
	    !state_json_get_end(o, s)) {
		state_free(s);
		return err_text(err, EINVAL, "%s: damaged", STATE_FILE);
	}
	s->mem_bytes = (uint64_t)mem;
	s->nr_vcpus = (uint32_t)vcpus;
	s->cid = (uint32_t)cid;
	s->annotations = json_object_get(state_json_get(o, "annotations", json_type_object));
	*ret = s;
	return 0;
}
