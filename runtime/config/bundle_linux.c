/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: /linux of a config.json: OCI config-linux.md
 *
 * Every VM gets namespaces of its own, whether or not they are listed. Limits apply to the cgroup of the VM's
 * processes. Properties for the inside of the guest are a container's.
 */
#include "runtime/config/bundle_linux.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "runtime/config/bundle_ids.h"
#include "runtime/config/bundle_mount.h"
#include "runtime/config/bundle_nodes.h"
#include "runtime/config/bundle_seccomp.h"

#define LATER .flags = SCHEMA_LATER, .off = SCHEMA_NOWHERE

/* ---- namespaces ---------------------------------------------------------------------------- */

static const char *const namespace_types[] = {
	[BUNDLE_NS_PID] = "pid",       [BUNDLE_NS_NETWORK] = "network", [BUNDLE_NS_MOUNT] = "mount",
	[BUNDLE_NS_IPC] = "ipc",       [BUNDLE_NS_UTS] = "uts",		[BUNDLE_NS_USER] = "user",
	[BUNDLE_NS_CGROUP] = "cgroup", [BUNDLE_NS_TIME] = "time",	[BUNDLE_NS_TYPES] = NULL,
};

/* Whether a VM can join a namespace by path. Network devices join the network namespace, the supervisor of a container
 * joins what a pod shares. */
static const enum {
	NEVER,
	CONTAINERS,
	JOINED
} joining[BUNDLE_NS_TYPES] = {
	[BUNDLE_NS_NETWORK] = JOINED,
	[BUNDLE_NS_IPC] = CONTAINERS,
	[BUNDLE_NS_UTS] = CONTAINERS,
};

static const struct schema_field namespace_fields[] = {
	{.name = "type",
	 .kind = SCHEMA_ENUM,
	 .flags = SCHEMA_REQUIRED,
	 .off = offsetof(struct bundle_namespace, type),
	 .words = namespace_types},
	{.name = "path",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_ABSOLUTE,
	 .off = offsetof(struct bundle_namespace, path),
	 .max = PATH_MAX - 1},
};
static const struct schema_table namespace_table = {.field = namespace_fields,
						    .nr = ARRAY_SIZE(namespace_fields),
						    .size = sizeof(struct bundle_namespace)};

static const char *bundle_linux_member_string(struct json_object *obj, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(obj, name, &value);
	return value ? json_object_get_string(value) : "";
}

static int bundle_linux_check_namespace(struct schema_ctx *ctx, struct json_object *value)
{
	const char *type = bundle_linux_member_string(value, "type"),
		   *path = bundle_linux_member_string(value, "path");
	unsigned int i = 0;
	size_t mark;

	if (!*path)
		return 0;
	while (strcmp(namespace_types[i], type))
		i++;
	mark = schema_push(ctx, "path");
	if (joining[i] == NEVER)
		return schema_fail(ctx, "a virtual machine cannot join a %s namespace", type);
	if (joining[i] == CONTAINERS && !ctx->container)
		schema_warn(ctx, "only the VM of a container joins a %s namespace", type);
	schema_pop(ctx, mark);
	return 0;
}

static int bundle_linux_check_namespaces(struct schema_ctx *ctx, struct json_object *value)
{
	unsigned int seen = 0;

	for (size_t n = 0; n < json_object_array_length(value); n++) {
		const char *type = bundle_linux_member_string(json_object_array_get_idx(value, n),
							      "type");
		unsigned int i = 0;

		while (strcmp(namespace_types[i], type))
			i++;
		if (seen & (1U << i)) {
			schema_push_index(ctx, n);
			return schema_fail(ctx, "a second %s namespace", type);
		}
		seen |= 1U << i;
	}
	return 0;
}

static const struct schema_field namespace_field = {
	.kind = SCHEMA_OBJECT, .table = &namespace_table, .check = bundle_linux_check_namespace};

/* ---- resources ----------------------------------------------------------------------------- */

#define LX(member)   offsetof(struct bundle_linux, member)
#define LIMIT(which) .off = LX(resources.limit[which])

/* Callers write zeros for what they do not want: {"weight": 0} */
static bool bundle_linux_asks_for_nothing(struct json_object *value)
{
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			if (!bundle_linux_asks_for_nothing(member))
				return false;
		}
		return true;
	}
	return schema_empty(value) ||
	       (json_object_is_type(value, json_type_int) && json_object_get_int64(value) == 0);
}

/* The specification wants an error for a property that cannot be carried out. */
static int bundle_linux_check_nothing(struct schema_ctx *ctx, struct json_object *value)
{
	return bundle_linux_asks_for_nothing(value)
		       ? 0
		       : schema_fail(ctx, "vmrun cannot set this limit: leave it out");
}

#define REFUSED .off = SCHEMA_NOWHERE, .check = bundle_linux_check_nothing

/* checkBeforeUpdate is always met: a VM's cgroup is empty when it gets its limit. */
static const struct schema_field memory_fields[] = {
	{.name = "limit", .kind = SCHEMA_INT, LIMIT(LIMIT_MEMORY), .imin = -1},
	{.name = "reservation", .kind = SCHEMA_INT, LIMIT(LIMIT_MEMORY_LOW), .imin = -1},
	{.name = "swap", .kind = SCHEMA_INT, LIMIT(LIMIT_MEMORY_SWAP), .imin = -1},
	{.name = "kernel", .kind = SCHEMA_INT, LIMIT(LIMIT_MEMORY_KERNEL), .imin = -1},
	{.name = "kernelTCP", .kind = SCHEMA_INT, LIMIT(LIMIT_MEMORY_TCP), .imin = -1},
	{.name = "swappiness", .kind = SCHEMA_INT, LIMIT(LIMIT_SWAPPINESS), .max = 100},
	{.name = "disableOOMKiller", .kind = SCHEMA_BOOL, .off = LX(resources.no_oom_killer)},
	{.name = "useHierarchy", .kind = SCHEMA_BOOL, .off = LX(resources.hierarchy)},
	{.name = "checkBeforeUpdate", .kind = SCHEMA_BOOL, .off = SCHEMA_NOWHERE},
};
static const struct schema_table memory_table = {.field = memory_fields,
						 .nr = ARRAY_SIZE(memory_fields)};

/* The kernel takes a period of 1 ms to 1 s and a quota of 1 ms or more; 0 is "not set". */
static int bundle_linux_check_period(struct schema_ctx *ctx, struct json_object *value)
{
	uint64_t v = json_object_get_uint64(value);

	return v == 0 || v >= 1000 ? 0 : schema_fail(ctx, "must be 1000 to 1000000, or 0");
}

static int bundle_linux_check_quota(struct schema_ctx *ctx, struct json_object *value)
{
	int64_t v = json_object_get_int64(value);

	return v <= 0 || v >= 1000 ? 0 : schema_fail(ctx, "must be 1000 or more, or 0, or -1");
}

static int bundle_linux_check_shares(struct schema_ctx *ctx, struct json_object *value)
{
	return json_object_get_uint64(value) == 1 ? schema_fail(ctx, "must be 2 to 262144, or 0")
						  : 0;
}

/* The kernel's syntax without its words "all" and "N", but with blanks and strides ("0-31:2/8"). */
static int bundle_linux_check_list(struct schema_ctx *ctx, struct json_object *value)
{
	const char *s = json_object_get_string(value);

	/* To the kernel only blanks and commas are an empty list, on which no process can run. */
	return s[strspn(s, "0123456789,-:/ \t\n")] || (*s && !s[strspn(s, ", \t\n")])
		       ? schema_fail(ctx, "must be a list such as 0-3,7")
		       : 0;
}

static const struct schema_field cpu_fields[] = {
	{.name = "shares",
	 .kind = SCHEMA_INT,
	 LIMIT(LIMIT_CPU_SHARES),
	 .max = 262144,
	 .check = bundle_linux_check_shares},
	{.name = "quota",
	 .kind = SCHEMA_INT,
	 LIMIT(LIMIT_CPU_QUOTA),
	 .imin = -1,
	 .check = bundle_linux_check_quota},
	{.name = "period",
	 .kind = SCHEMA_INT,
	 LIMIT(LIMIT_CPU_PERIOD),
	 .max = 1000000,
	 .check = bundle_linux_check_period},
	{.name = "cpus",
	 .kind = SCHEMA_STRING,
	 .off = LX(resources.cpus),
	 .max = 1024,
	 .check = bundle_linux_check_list},
	{.name = "mems",
	 .kind = SCHEMA_STRING,
	 .off = LX(resources.mems),
	 .max = 1024,
	 .check = bundle_linux_check_list},
	{.name = "burst", .kind = SCHEMA_INT, LIMIT(LIMIT_CPU_BURST)},
	{.name = "realtimeRuntime", .kind = SCHEMA_INT, LIMIT(LIMIT_RT_RUNTIME), .imin = -1},
	{.name = "realtimePeriod", .kind = SCHEMA_INT, LIMIT(LIMIT_RT_PERIOD)},
	{.name = "idle", .kind = SCHEMA_INT, LIMIT(LIMIT_CPU_IDLE), .max = 1},
};
static const struct schema_table cpu_table = {.field = cpu_fields, .nr = ARRAY_SIZE(cpu_fields)};

static const struct schema_field pids_fields[] = {
	{.name = "limit", .kind = SCHEMA_INT, LIMIT(LIMIT_PIDS), .imin = -1},
};
static const struct schema_table pids_table = {.field = pids_fields, .nr = ARRAY_SIZE(pids_fields)};

/* The jail meets "devices": a process of a VM has no device node and cannot make one. All tables of /linux
 * count offsets from struct bundle_linux, so nested objects are at offset 0. */
static const struct schema_field resources_fields[] = {
	{.name = "memory", .kind = SCHEMA_OBJECT, .table = &memory_table},
	{.name = "cpu", .kind = SCHEMA_OBJECT, .table = &cpu_table},
	{.name = "pids", .kind = SCHEMA_OBJECT, .table = &pids_table},
	{.name = "devices", .kind = SCHEMA_ARRAY, .off = SCHEMA_NOWHERE},
	{.name = "blockIO", .kind = SCHEMA_OBJECT, REFUSED},
	{.name = "hugepageLimits", .kind = SCHEMA_ARRAY, REFUSED},
	{.name = "network", .kind = SCHEMA_OBJECT, REFUSED},
	{.name = "rdma", .kind = SCHEMA_OBJECT, REFUSED},
	{.name = "unified",
	 .kind = SCHEMA_MAP,
	 .off = LX(resources.unified),
	 .elem = &schema_string_field},
};
static const struct schema_table resources_table = {.field = resources_fields,
						    .nr = ARRAY_SIZE(resources_fields)};

/* ---- /linux -------------------------------------------------------------------------------- */

static int bundle_linux_check_cgroups_path(struct schema_ctx *ctx, struct json_object *value)
{
	const char *p = json_object_get_string(value);

	for (; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.')
			return schema_fail(ctx, "must not hold \"..\"");
		p += n;
	}
	return 0;
}

/* As the kernel's files under /proc/sys: vmrun-init opens them by these names. */
static int bundle_linux_check_sysctl(struct schema_ctx *ctx, struct json_object *value)
{
	json_object_object_foreach(value, key, member)
	{
		(void)member;
		if (*key != '/' && *key != '.' && !strstr(key, "..") && strlen(key) < 256)
			continue;
		schema_push(ctx, key);
		return schema_fail(ctx, "is no name of a sysctl");
	}
	return 0;
}

static const struct schema_field path_field = {.kind = SCHEMA_STRING,
					       .flags = SCHEMA_REQUIRED | SCHEMA_ABSOLUTE |
							SCHEMA_BYTES,
					       .max = PATH_MAX - 1};

#define INSIDE(member) .flags = SCHEMA_INSIDE, .off = LX(inside.member)

static const struct schema_field linux_fields[] = {
	{.name = "namespaces",
	 .kind = SCHEMA_ARRAY,
	 .off = LX(namespaces),
	 .elem = &namespace_field,
	 .check = bundle_linux_check_namespaces},
	{.name = "cgroupsPath",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_PLAIN,
	 .off = LX(cgroups_path),
	 .max = 1024,
	 .check = bundle_linux_check_cgroups_path},
	{.name = "resources", .kind = SCHEMA_OBJECT, .table = &resources_table},
	BUNDLE_IDS("uidMappings", LX(ids), uids),
	BUNDLE_IDS("gidMappings", LX(ids), gids),
	{.name = "devices",
	 .kind = SCHEMA_ARRAY,
	 INSIDE(nodes),
	 .max = 1024,
	 .elem = &bundle_node_field},
	{.name = "sysctl",
	 .kind = SCHEMA_MAP,
	 INSIDE(sysctl),
	 .elem = &schema_string_field,
	 .check = bundle_linux_check_sysctl},
	{.name = "seccomp",
	 .kind = SCHEMA_OBJECT,
	 .flags = SCHEMA_INSIDE,
	 .decode = bundle_seccomp_decode},
	{.name = "maskedPaths", .kind = SCHEMA_ARRAY, INSIDE(masked), .elem = &path_field},
	{.name = "readonlyPaths", .kind = SCHEMA_ARRAY, INSIDE(readonly), .elem = &path_field},
	{.name = "rootfsPropagation",
	 .kind = SCHEMA_ENUM,
	 INSIDE(propagation),
	 .words = bundle_propagations},
	{.name = "netDevices", .kind = SCHEMA_OBJECT, LATER},
	{.name = "mountLabel", .kind = SCHEMA_STRING, LATER},
	{.name = "intelRdt", .kind = SCHEMA_OBJECT, LATER},
	{.name = "memoryPolicy", .kind = SCHEMA_OBJECT, LATER},
	{.name = "personality", .kind = SCHEMA_OBJECT, LATER},
	{.name = "timeOffsets", .kind = SCHEMA_OBJECT, LATER},
};
const struct schema_table bundle_linux_table = {.field = linux_fields,
						.nr = ARRAY_SIZE(linux_fields),
						.size = sizeof(struct bundle_linux),
						.later = "not carried out"};

int bundle_linux_check(const struct bundle_linux *l, struct err *err)
{
	const struct bundle_namespace *ns = l->namespaces.item;
	unsigned int i = 0;

	while (i < l->namespaces.nr && ns[i].type != BUNDLE_NS_USER)
		i++;
	if (l->ids.uids.nr + l->ids.gids.nr > 0 && i == l->namespaces.nr)
		return err_text(err, EINVAL, "/linux/%s: needs a user namespace in namespaces",
				l->ids.uids.nr ? "uidMappings" : "gidMappings");
	return bundle_ids_check(&l->ids, "/linux", err);
}

void bundle_linux_warn(struct schema_ctx *ctx, const struct bundle_linux *l)
{
	static const struct {
		enum bundle_namespace_type type;
		const char *has;
	} own[] = {
		{BUNDLE_NS_PID, "has processes of its own, and does not see the host's"},
		{BUNDLE_NS_IPC, "has IPC of its own, and not the host's"},
	};
	const struct bundle_namespace *ns = l->namespaces.item;

	for (unsigned int i = 0; l->namespaces.nr > 0 && i < ARRAY_SIZE(own); i++) {
		unsigned int n = 0;

		while (n < l->namespaces.nr && ns[n].type != (int)own[i].type)
			n++;
		if (n == l->namespaces.nr)
			schema_warn(
				ctx,
				"/linux/namespaces: has no %s namespace, but a virtual machine %s",
				namespace_types[own[i].type], own[i].has);
	}
}
