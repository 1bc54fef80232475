/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/config/bundle.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/config/bundle_ask.h"
#include "runtime/config/bundle_hooks.h"
#include "runtime/config/bundle_linux.h"
#include "runtime/config/bundle_mount.h"
#include "runtime/config/bundle_net_check.h"
#include "runtime/config/bundle_nodes.h"
#include "runtime/config/bundle_process.h"
#include "runtime/config/bundle_vm.h"
#include "runtime/util/json.h"

#define MOUNTS_MAX  1024
#define TOP(member) offsetof(struct bundle, member)

static void bundle_done(struct bundle **b)
{
	bundle_free(*b);
}

#define cleanup_bundle __attribute__((cleanup(bundle_done)))

/* ---- the top level ------------------------------------------------------------------------- */

/* SemVer 2.0, major version 1: "1.2.0", "1.0.2-dev", "1.3.0+rc.1" */
static int bundle_check_version(struct schema_ctx *ctx, struct json_object *value)
{
	const char *s = json_object_get_string(value), *p = s;

	for (int part = 0; part < 3; part++) {
		size_t n = strspn(p, "0123456789");

		if (n == 0 || n > 9 || (n > 1 && *p == '0') || (part < 2 && p[n] != '.'))
			return schema_fail(ctx, "must be a version such as 1.2.0, is \"%s\"", s);
		p += part < 2 ? n + 1 : n;
	}
	if (*p &&
	    ((*p != '-' && *p != '+') || !p[1] ||
	     p[strspn(p, "-+.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")]))
		return schema_fail(ctx, "must be a version such as 1.2.0, is \"%s\"", s);
	if (strncmp(s, "1.", 2))
		return schema_fail(ctx, "must be 1.x of the OCI runtime specification, is %s", s);
	return 0;
}

/* It becomes a word of the kernel command line, so it holds nothing that ends the word. */
static int bundle_check_hostname(struct schema_ctx *ctx, struct json_object *value)
{
	const char *s = json_object_get_string(value);

	return *s && !addr_is_hostname(s)
		       ? schema_fail(ctx, "must be letters, digits, '-', '.' and '_'")
		       : 0;
}

static const struct schema_field root_fields[] = {
	{.name = "path",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_REQUIRED,
	 .off = TOP(root.path),
	 .max = PATH_MAX - 1},
	{.name = "readonly", .kind = SCHEMA_BOOL, .off = TOP(root.readonly)},
};
static const struct schema_table root_table = {.field = root_fields, .nr = ARRAY_SIZE(root_fields)};

static const struct schema_field top_fields[] = {
	{.name = "ociVersion",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_REQUIRED | SCHEMA_PLAIN,
	 .off = TOP(oci_version),
	 .max = 64,
	 .check = bundle_check_version},
	{.name = "root", .kind = SCHEMA_OBJECT, .table = &root_table},
	{.name = "hostname",
	 .kind = SCHEMA_STRING,
	 .off = TOP(hostname),
	 .max = ADDR_HOSTNAME_MAX,
	 .check = bundle_check_hostname},
	{.name = "domainname",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_INSIDE,
	 .off = TOP(domainname),
	 .max = 64},
	{.name = "process",
	 .kind = SCHEMA_OBJECT,
	 .off = TOP(process),
	 .table = &bundle_process_table},
	{.name = "mounts",
	 .kind = SCHEMA_ARRAY,
	 .flags = SCHEMA_INSIDE,
	 .off = TOP(mounts),
	 .max = MOUNTS_MAX,
	 .elem = &bundle_mount_field},
	{.name = "hooks", .kind = SCHEMA_OBJECT, .off = TOP(hooks), .table = &bundle_hooks_table},
	{.name = "linux", .kind = SCHEMA_OBJECT, .off = TOP(linux_), .table = &bundle_linux_table},
	{.name = "vm", .kind = SCHEMA_OBJECT, .off = TOP(vm), .table = &bundle_vm_table},
	{.name = "annotations",
	 .kind = SCHEMA_MAP,
	 .off = TOP(annotations),
	 .elem = &schema_string_field},
};
static const struct schema_table top_table = {.field = top_fields,
					      .nr = ARRAY_SIZE(top_fields),
					      .size = sizeof(struct bundle),
					      .later = "not carried out"};

/* ---- making one ---------------------------------------------------------------------------- */

static void bundle_add_warning(void *arg, const char *line)
{
	struct bundle *b = arg;
	char *copy;

	if (b->nr_warnings == WARN_LINES_MAX)
		return;
	copy = arena_strndup(&b->arena, line, strlen(line));
	if (copy)
		b->warning[b->nr_warnings++] = copy;
}

/* Warns about valid values that may not mean what the user thinks. */
static void bundle_warn_about(struct schema_ctx *ctx, const struct bundle *b)
{
	int64_t limit = b->linux_.resources.limit[LIMIT_MEMORY];

	if (b->container) {
		bundle_nodes_warn(ctx, &b->linux_.inside.nodes);
		if (!bundle_is_pod(b)) {
			bundle_linux_warn(ctx, &b->linux_);
			bundle_mount_warn(ctx, &b->mounts);
		}
		return;
	}
	if (b->process.args.nr > 0 || (b->root.path && !b->vm.image.path))
		schema_warn(ctx,
			    "/vm/kernel: with a kernel of the bundle's own, the guest runs what is "
			    "in its initrd and disks; without one, /process in /root/path");
	if (limit > 0 && (uint64_t)limit < b->vm.hw.mem_bytes)
		schema_warn(
			ctx,
			"/linux/resources/memory/limit is %lld bytes and the guest's memory %llu: "
			"the host may kill the VM",
			(long long)limit, (unsigned long long)b->vm.hw.mem_bytes);
}

/* Decided before decoding, which warns of what is for the inside of a container elsewhere */
static bool bundle_describes_container(struct json_object *root)
{
	struct json_object *o = NULL;

	if (schema_empty(json_object_object_get(root, "root")))
		return false;
	return !json_object_object_get_ex(root, "vm", &o) ||
	       !json_object_object_get_ex(o, "kernel", &o) ||
	       schema_empty(json_object_object_get(o, "path"));
}

static int bundle_check(struct schema_ctx *ctx, struct bundle *b, struct json_object *vm)
{
	size_t mark = schema_push(ctx, "vm");
	int rc = vm ? bundle_check_hwconfig(ctx, vm) : 0;

	if (rc < 0)
		return rc;
	schema_pop(ctx, mark);
	mark = schema_push(ctx, "process");
	rc = b->process_given ? bundle_process_check(ctx, &b->process) : 0;
	if (rc < 0)
		return rc;
	schema_pop(ctx, mark);
	rc = bundle_linux_check(&b->linux_, ctx->err);
	if (rc == 0)
		rc = bundle_vm_check(ctx, b);
	return rc < 0 ? rc : bundle_net_check(ctx, b);
}

static int bundle_decode(struct bundle *b, struct json_object *root, struct err *err)
{
	struct schema_ctx ctx = {
		.arena = &b->arena, .err = err, .warn = bundle_add_warning, .warn_arg = b};
	int rc;

	if (!json_object_is_type(root, json_type_object))
		return schema_fail(&ctx, "must be an object");
	ctx.container = b->container = bundle_describes_container(root);
	if (!b->container) {
		b->vm.hw.vcpus = 1;
		b->vm.hw.mem_bytes = BUNDLE_MEM_BYTES;
	}
	b->process_given = json_object_object_get(root, "process");
	rc = schema_decode(&ctx, root, &top_table, b);
	if (rc == 0)
		rc = bundle_check(&ctx, b, json_object_object_get(root, "vm"));
	if (rc < 0)
		return rc;
	bundle_warn_about(&ctx, b);
	return 0;
}

/* Makes an empty bundle in an arena of its own, with all defaults */
static int bundle_new(const char *dir, const char *text, struct bundle **ret, struct err *err)
{
	struct arena arena = {0};
	struct bundle *b;
	int rc = arena_init(&arena, bundle_arena_bytes(strlen(text)));

	if (rc < 0)
		return err_set(err, -rc, "memory for the bundle");
	b = arena_alloc(&arena, sizeof(*b));
	vr_assert(b);
	b->arena = arena;
	b->dir = arena_strndup(&b->arena, dir, strlen(dir));
	b->text = arena_strndup(&b->arena, text, strlen(text));
	bundle_process_init(&b->process);
	b->linux_.inside.seccomp.action = -1;
	for (unsigned int i = 0; i < LIMITS; i++)
		b->linux_.resources.limit[i] = BUNDLE_UNSET;
	if (!b->dir || !b->text) {
		bundle_free(b);
		return err_text(err, EFBIG, "config.json: too large");
	}
	*ret = b;
	return 0;
}

/* Maps are borrowed from the text's objects so far. */
static void bundle_own_maps(struct bundle *b)
{
	struct json_object **const maps[] = {&b->annotations, &b->linux_.resources.unified,
					     &b->linux_.inside.sysctl};

	for (unsigned int i = 0; i < ARRAY_SIZE(maps); i++) {
		if (*maps[i] && json_object_object_length(*maps[i]) == 0)
			*maps[i] = NULL;
		json_object_get(*maps[i]);
	}
}

static int bundle_make(struct json_object *root, const char *text, const char *dir,
		       struct bundle **ret, struct err *err)
{
	cleanup_bundle struct bundle *b = NULL;
	int rc = bundle_new(dir, text, &b, err);

	if (rc < 0)
		return rc;
	rc = bundle_decode(b, root, err);
	bundle_own_maps(b);
	if (rc < 0)
		return rc;
	rc = arena_freeze(&b->arena);
	if (rc < 0)
		return err_set(err, -rc, "freezing the bundle");
	*ret = TAKE_PTR(b);
	return 0;
}

int bundle_from_json(struct json_object *root, const char *dir, struct bundle **ret,
		     struct err *err)
{
	if (*dir != '/' || strlen(dir) >= PATH_MAX)
		return err_text(err, EINVAL, "%s: the bundle's directory must be an absolute path",
				dir);
	return bundle_make(root,
			   json_object_to_json_string_ext(root, JSON_C_TO_STRING_NOSLASHESCAPE),
			   dir, ret, err);
}

int bundle_load(const char *dir, const char *config, struct bundle **ret, struct err *err)
{
	cleanup_json struct json_object *root = NULL;
	char absolute[PATH_MAX], path[PATH_MAX + sizeof("/config.json")];
	cleanup_free char *text = NULL;
	size_t len;
	int rc;

	if (!realpath(dir, absolute))
		return err_set(err, errno, "bundle %s", dir);
	fmt_into(path, sizeof(path), "%s/config.json", strcmp(absolute, "/") ? absolute : "");
	rc = json_read_text(config ? config : path, &text, &len, err);
	if (rc < 0)
		return rc;
	rc = json_parse(text, len, config ? config : path, &root, err);
	if (rc < 0)
		return rc;
	return bundle_make(root, text, absolute, ret, err);
}

const char *bundle_text(const struct bundle *b)
{
	return b->text;
}

bool bundle_is_container(const struct bundle *b)
{
	return b->container;
}

void bundle_free(struct bundle *b)
{
	struct arena arena;

	if (!b)
		return;
	json_object_put(b->annotations);
	json_object_put(b->linux_.resources.unified);
	json_object_put(b->linux_.inside.sysctl);
	/* The struct lies in the arena that it owns. */
	arena = b->arena;
	arena_done(&arena);
}
