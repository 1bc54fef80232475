/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_json.h"

#include <string.h>

#include "runtime/plan/plan_fs.h"
#include "runtime/plan/plan_hooks.h"
#include "runtime/plan/plan_namespaces.h"
#include "runtime/plan/plan_settings.h"
#include "runtime/plan/plan_spec_json.h"
#include "runtime/util/fs_cache.h"
#include "runtime/util/json.h"

static const char *const sources[] = {
	[PLAN_FD_NONE] = "none",
	[PLAN_FD_NULL] = "null",
	[PLAN_FD_CONTROL] = "control",
	[PLAN_FD_LOG] = "log",
	[PLAN_FD_RAM] = "ram",
	[PLAN_FD_KVM] = "kvm",
	[PLAN_FD_FILE] = "file",
	[PLAN_FD_CHANNEL] = "link",
	[PLAN_FD_STDIN] = "stdin",
	[PLAN_FD_STDOUT] = "stdout",
	[PLAN_FD_TAP] = "tap",
	[PLAN_FD_VHOST_NET] = "vhost-net",
	[PLAN_FD_VHOST_VSOCK] = "vhost-vsock",
	[PLAN_FD_CONSOLE] = "console",
	[PLAN_FD_INFLIGHT] = "in-flight",
	[PLAN_FD_KEPT] = "kept",
	[PLAN_FD_SOCKET] = "socket",
	[PLAN_FD_SHARE] = "share",
	[PLAN_FD_SELF] = "self",
};

static const char *const files[] = {
	[PLAN_FILE_KERNEL] = "kernel",
	[PLAN_FILE_INITRD] = "initrd",
	[PLAN_FILE_DISK] = "disk",
	[PLAN_FILE_LOG] = "log",
};

static const char *const buses[] = {
	[BOOT_BUS_VIRTIO] = "virtio",
	[BOOT_BUS_SERIAL] = "serial",
};

/* An empty name is left out. */
static void plan_json_add_name(struct json_object *obj, const char *key, const char *s)
{
	if (*s)
		json_add_string(obj, key, s);
}

static void plan_json_add_limit(struct json_object *obj, const char *key, int64_t v)
{
	if (v >= 0)
		json_add(obj, key, json_object_new_int64(v));
}

static struct json_object *plan_json_fd(unsigned int slot, const struct plan_fd *fd)
{
	struct json_object *o = json_object_new_object();

	json_add(o, "fd", json_object_new_uint64(slot));
	json_add_string(o, "source", sources[fd->source]);
	if (fd->source == PLAN_FD_CHANNEL)
		json_add(o, "device", json_object_new_uint64(fd->index));
	if (fd->source == PLAN_FD_TAP || fd->source == PLAN_FD_VHOST_NET)
		json_add(o, "pair", json_object_new_uint64(fd->index));
	if (fd->source == PLAN_FD_FILE)
		json_add_string(o, "file", files[fd->file]);
	json_add_string(o, "path", fd->path);
	if (fd->source == PLAN_FD_FILE)
		json_add(o, "writable", json_object_new_boolean(fd->writable));
	if (fd->direct)
		json_add(o, "direct", json_object_new_boolean(true));
	if (fd->max_bytes)
		json_add(o, "maxBytes", json_object_new_uint64(fd->max_bytes));
	plan_json_add_name(o, "format", disk_format_names[fd->format]);
	json_add_string(o, "from", fd->pointer);
	return o;
}

static void plan_json_add_block_serial(struct json_object *obj, const struct plan_proc *proc)
{
	struct block_settings block;
	char serial[sizeof(block.serial) + 1] = "";

	plan_settings(proc, &block, sizeof(block));
	memcpy(serial, block.serial, sizeof(block.serial));
	plan_json_add_name(obj, "serial", serial);
}

static void plan_json_add_balloon(struct json_object *obj, const struct plan_proc *proc)
{
	struct balloon_settings balloon;

	plan_settings(proc, &balloon, sizeof(balloon));
	json_add_uint(obj, "sizeBytes", balloon.size_bytes);
	json_add(obj, "deflateOnOom", json_object_new_boolean(balloon.deflate_on_oom));
}

static void plan_json_add_console(struct json_object *obj, const struct plan_proc *proc)
{
	struct json_object *ports = json_object_new_array();
	struct console_settings console;

	plan_settings(proc, &console, sizeof(console));
	if (console.cols || console.rows) {
		json_add_uint(obj, "columns", console.cols);
		json_add_uint(obj, "rows", console.rows);
	}
	for (unsigned int i = 1; i < console.nr_ports; i++)
		json_object_array_add(ports, json_object_new_string(console.name[i]));
	json_add(obj, "ports", ports);
}

static void plan_json_add_fs(struct json_object *obj, const struct plan_proc *proc)
{
	struct fs_settings fs;

	plan_settings(proc, &fs, sizeof(fs));
	json_add(obj, "tag",
		 json_object_new_string_len(fs.tag, (int)strnlen(fs.tag, sizeof(fs.tag))));
	json_add_string(obj, "cache", fs_cache_names[fs.cache]);
	json_add(obj, "writeback", json_object_new_boolean((fs.flags & FS_WRITEBACK) != 0));
	json_add(obj, "posixAcl", json_object_new_boolean((fs.flags & FS_POSIX_ACL) != 0));
	json_add(obj, "hostLocks", json_object_new_boolean((fs.flags & FS_HOST_LOCKS) != 0));
	json_add(obj, "securityContext",
		 json_object_new_boolean((fs.flags & FS_SECURITY_CTX) != 0));
}

static struct json_object *plan_json_sources(const struct plan_fs *f)
{
	struct json_object *all = json_object_new_array();

	for (unsigned int i = 0; i < f->nr; i++) {
		struct json_object *o = json_object_new_object();

		json_add_string(o, "source", f->source[i].path);
		json_add_string(o, "name", f->source[i].name);
		json_add_string(o, "layers", f->source[i].layers);
		json_add(o, "readonly", json_object_new_boolean(f->source[i].readonly));
		json_object_array_add(all, o);
	}
	return all;
}

/* What an fs device shares, and with whom */
static void plan_json_add_share(struct json_object *obj, const struct plan_fs *f)
{
	json_add(obj, "sources", plan_json_sources(f));
	if (f->uids.nr == 0)
		return;
	json_add(obj, "uidMappings", id_map_json(&f->uids));
	json_add(obj, "gidMappings", id_map_json(&f->gids));
}

static struct json_object *plan_json_proc(const struct plan *p, unsigned int index)
{
	struct json_object *o = json_object_new_object(), *fds = json_object_new_array();
	const struct plan_proc *proc = &p->proc[index];
	const struct plan_fs *shared = plan_fs_of(p, index);

	json_add_string(o, "name", proc->name);
	json_add_string(o, "program", proc->program);
	json_add_string(o, "policy", proc->policy);
	if (proc->kind) {
		json_add_string(o, "type", proc->kind->name);
		json_add_string(o, "bus", buses[proc->kind->bus]);
		json_add_uint(o, "virtioId", proc->kind->virtio_id);
	}
	json_add_uint(o, "queues", proc->nr_queues);
	if (proc->dev_flags & BOOT_DEV_READONLY)
		json_add(o, "readonly", json_object_new_boolean(true));
	if (proc->kind == &kind_table[KIND_BLOCK])
		plan_json_add_block_serial(o, proc);
	if (proc->kind == &kind_table[KIND_BALLOON])
		plan_json_add_balloon(o, proc);
	if (proc->returns)
		json_add_string(o, "onFailure", "restart");
	if (proc->kind == &kind_table[KIND_CONSOLE])
		plan_json_add_console(o, proc);
	if (proc->kind == &kind_table[KIND_FS])
		plan_json_add_fs(o, proc);
	if (shared)
		plan_json_add_share(o, shared);
	if (proc->writes_file)
		json_add(o, "writesFile", json_object_new_boolean(true));
	for (unsigned int i = 0; i < proc->nr_fds; i++)
		if (proc->fd[i].source != PLAN_FD_NONE)
			json_object_array_add(fds, plan_json_fd(i, &proc->fd[i]));
	json_add(o, "fds", fds);
	return o;
}

/* A device of others; its socket is an fd of the VMM. */
static struct json_object *plan_json_other(const struct plan_other *other)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "name", other->name);
	json_add_string(o, "device", other->kind->name);
	json_add_uint(o, "virtioId", other->kind->virtio_id);
	if (other->config_bytes)
		json_add(o, "tag",
			 json_object_new_string_len(
				 (const char *)other->config,
				 (int)strnlen((const char *)other->config, FS_TAG_BYTES)));
	if (other->returns)
		json_add_string(o, "onFailure", "restart");
	return o;
}

static const char *const limit_names[LIMITS] = {
	[LIMIT_MEMORY] = "memoryMaxBytes",
	[LIMIT_MEMORY_LOW] = "memoryLowBytes",
	[LIMIT_MEMORY_SWAP] = "memoryAndSwapMaxBytes",
	[LIMIT_MEMORY_KERNEL] = "kernelMemoryMaxBytes",
	[LIMIT_MEMORY_TCP] = "tcpMemoryMaxBytes",
	[LIMIT_SWAPPINESS] = "swappiness",
	[LIMIT_NO_OOM_KILLER] = "noOomKiller",
	[LIMIT_HIERARCHY] = "useHierarchy",
	[LIMIT_CPU_SHARES] = "cpuShares",
	[LIMIT_CPU_PERIOD] = "cpuPeriodUs",
	[LIMIT_CPU_QUOTA] = "cpuQuotaUs",
	[LIMIT_CPU_BURST] = "cpuBurstUs",
	[LIMIT_RT_PERIOD] = "realtimePeriodUs",
	[LIMIT_RT_RUNTIME] = "realtimeRuntimeUs",
	[LIMIT_CPU_IDLE] = "cpuIdle",
	[LIMIT_PIDS] = "pidsMax",
};

static struct json_object *plan_json_cgroup(const struct plan_cgroup *cg)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "path", cg->path);
	for (unsigned int i = 0; i < LIMITS; i++)
		plan_json_add_limit(o, limit_names[i], cg->limit[i]);
	json_add_string(o, "cpusetCpus", cg->cpuset_cpus);
	json_add_string(o, "cpusetMems", cg->cpuset_mems);
	if (cg->unified)
		json_add(o, "unified", json_object_get(cg->unified));
	return o;
}

static void plan_json_add_addr(struct json_object *obj, const char *key, struct net_addr a)
{
	char text[ADDR_TEXT_BYTES];

	addr_put(a, text);
	if (a.addr)
		json_add_string(obj, key, text);
}

static void plan_json_add_rate(struct json_object *obj, const char *key, const struct net_rate *r)
{
	struct json_object *o;

	if (!r->bytes_per_s && !r->packets_per_s)
		return;
	o = json_object_new_object();
	json_add_uint(o, "bytesPerSecond", r->bytes_per_s);
	json_add_uint(o, "burstBytes", r->burst_bytes);
	json_add_uint(o, "packetsPerSecond", r->packets_per_s);
	json_add_uint(o, "burstPackets", r->burst_packets);
	json_add(obj, key, o);
}

static void plan_json_add_dns(struct json_object *obj, const struct plan_net *n)
{
	struct json_object *o = json_object_new_array();
	char text[ADDR_IP_TEXT_BYTES];

	for (unsigned int i = 0; i < n->nr_dns; i++) {
		addr_put_ip(&n->dns[i], false, text);
		json_object_array_add(o, json_object_new_string(text));
	}
	json_add(obj, "dns", o);
}

static struct json_object *plan_json_net(const struct plan *p, const struct plan_net *n)
{
	static const uint8_t chosen_later[6];
	struct json_object *o = json_object_new_object();
	struct net_settings settings;
	char mac[ADDR_TEXT_BYTES] = "";

	plan_settings(&p->proc[n->proc], &settings, sizeof(settings));

	if (memcmp(n->mac, chosen_later, sizeof(n->mac)))
		addr_put_mac(n->mac, mac);
	json_add_string(o, "device", p->proc[n->proc].name);
	json_add_string(o, "mode", net_mode_names[n->mode]);
	json_add_string(o, "from", n->pointer);
	plan_json_add_name(o, "name", n->name);
	plan_json_add_name(o, "bridge", n->bridge);
	plan_json_add_name(o, "parent", n->parent);
	json_add_string(o, "netns", n->netns_path);
	if (n->fd >= 0)
		json_add(o, "fd", json_object_new_int(n->fd));
	plan_json_add_addr(o, "host", n->host);
	plan_json_add_addr(o, "guest", n->guest);
	plan_json_add_addr(o, "pool", n->pool);
	plan_json_add_addr(o, "gateway", (struct net_addr){n->gateway, 0});
	plan_json_add_name(o, "mac", mac);
	json_add_uint(o, "mtu", n->mtu);
	json_add_uint(o, "queuePairs", n->queue_pairs);
	json_add_string(o, "backend", n->vhost ? "vhost" : "user");
	if (n->masquerade)
		json_add(o, "masquerade", json_object_new_boolean(true));
	json_add(o, "dhcp", json_object_new_boolean(n->dhcp));
	if (n->nr_dns)
		plan_json_add_dns(o, n);
	if (n->host_network)
		json_add(o, "hostNetwork", json_object_new_boolean(true));
	plan_json_add_rate(o, "toGuest", &settings.to_guest);
	plan_json_add_rate(o, "fromGuest", &settings.from_guest);
	return o;
}

static struct json_object *plan_json_nets(const struct plan *p)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int i = 0; i < p->nr_nets; i++)
		json_object_array_add(a, plan_json_net(p, &p->net[i]));
	return a;
}

static struct json_object *plan_json_vsock(const struct plan *p, const struct plan_vsock *v)
{
	struct json_object *o = json_object_new_object(), *ports = json_object_new_array();

	json_add_string(o, "device", p->proc[v->proc].name);
	json_add_uint(o, "cid", v->cid);
	json_add_string(o, "socket", v->socket.path);
	if (v->agent)
		json_add(o, "agent", json_object_new_boolean(true));
	json_add_string(o, "backend", v->vhost ? "vhost" : "user");
	for (unsigned int i = 0; i < v->nr_listen; i++)
		json_object_array_add(ports, json_object_new_uint64(v->listen[i]));
	if (v->nr_listen)
		json_add(o, "listen", ports);
	else
		json_object_put(ports);
	return o;
}

static struct json_object *plan_json_others(const struct plan *p)
{
	struct json_object *others = json_object_new_array();

	for (unsigned int i = 0; i < p->nr_others; i++)
		json_object_array_add(others, plan_json_other(&p->other[i]));
	return others;
}

struct json_object *plan_to_json(const struct plan *p)
{
	struct json_object *o = json_object_new_object(), *procs = json_object_new_array(),
			   *warnings = json_object_new_array();

	json_add_string(o, "id", p->id);
	json_add_string(o, "bundle", p->bundle_path);
	json_add_uint(o, "memoryBytes", p->mem_bytes);
	json_add_uint(o, "vcpus", p->nr_vcpus);
	json_add_string(o, "cmdline", p->cmdline);
	json_add(o, "terminal", json_object_new_boolean(p->terminal));
	if (p->container)
		json_add(o, "container", plan_spec_to_json(p->spec, p->spec_bytes));
	if (p->unconfined)
		json_add(o, "sandboxDisabled", json_object_new_boolean(true));
	json_add_string(o, "seccompPolicyDir", p->policy_dir);
	if (p->oom_score_adj != PLAN_OOM_UNSET)
		json_add(o, "oomScoreAdj", json_object_new_int(p->oom_score_adj));
	if (p->pod)
		json_add(o, "pod", json_object_new_boolean(true));
	json_add(o, "cgroup", plan_json_cgroup(&p->cgroup));
	plan_namespaces_add_json(p, o);
	for (unsigned int i = 0; i < p->nr_procs; i++)
		json_object_array_add(procs, plan_json_proc(p, i));
	json_add(o, "processes", procs);
	if (p->nr_nets)
		json_add(o, "networks", plan_json_nets(p));
	if (p->vsock.proc)
		json_add(o, "vsock", plan_json_vsock(p, &p->vsock));
	if (p->nr_others)
		json_add(o, "vhostUser", plan_json_others(p));
	plan_hooks_add_json(&p->hooks, o);
	for (unsigned int i = 0; i < p->nr_warnings; i++)
		json_object_array_add(warnings, json_object_new_string(p->warning[i]));
	json_add(o, "warnings", warnings);
	if (p->annotations)
		json_add(o, "annotations", json_object_get(p->annotations));
	return o;
}
