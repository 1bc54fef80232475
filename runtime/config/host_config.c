/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/config/host_config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "devices/core/fmt.h"
#include "runtime/config/bundle_types.h"
#include "runtime/util/beside.h"
#include "runtime/util/json.h"

#define PARAMETERS_MAX 512
#define HOST(member)   offsetof(struct host_config, member)

const char *const host_config_annotations[] = {
	[HOST_CONFIG_KERNEL] = "org.vmrun.kernel",
	[HOST_CONFIG_INITRD] = "org.vmrun.initrd",
	[HOST_CONFIG_VCPUS] = "org.vmrun.vcpus",
	[HOST_CONFIG_MEMORY] = "org.vmrun.memory",
	[HOST_CONFIG_PARAMETERS] = "org.vmrun.parameters",
	[HOST_CONFIG_ANNOTATIONS] = NULL,
};

static const struct schema_field parameter_field = {
	.kind = SCHEMA_STRING, .flags = SCHEMA_PLAIN, .max = BOOT_CMDLINE_MAX - 1};
static const struct schema_field annotation_field = {.kind = SCHEMA_ENUM,
						     .words = host_config_annotations};

static const struct schema_field fields[] = {
	{.name = "kernel",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_ABSOLUTE,
	 .off = HOST(kernel),
	 .max = PATH_MAX - 1},
	{.name = "initrd",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_ABSOLUTE,
	 .off = HOST(initrd),
	 .max = PATH_MAX - 1},
	{.name = "parameters",
	 .kind = SCHEMA_ARRAY,
	 .off = HOST(parameters),
	 .max = PARAMETERS_MAX,
	 .elem = &parameter_field},
	{.name = "memory",
	 .kind = SCHEMA_UINT,
	 .off = HOST(mem_bytes),
	 .min = BUNDLE_MEM_MIN_BYTES,
	 .max = BUNDLE_MEM_MAX_BYTES,
	 .step = 4096},
	{.name = "vcpus", .kind = SCHEMA_UINT, .off = HOST(vcpus), .min = 1, .max = BOOT_VCPUS_MAX},
	{.name = "annotations",
	 .kind = SCHEMA_ARRAY,
	 .off = HOST(annotations),
	 .max = 64,
	 .elem = &annotation_field},
};
static const struct schema_table table = {.field = fields,
					  .nr = ARRAY_SIZE(fields),
					  .size = sizeof(struct host_config),
					  .closed = true};

/* Installed they are in share/vmrun, in a build tree in its guest. Where both lack it, errors name the former. */
static int host_config_find(struct host_config *c, const char *name, const char **ret,
			    struct err *err)
{
	char installed[64], built[64], path[PATH_MAX], other[PATH_MAX];
	const char *found = path;
	int rc;

	fmt_into(installed, sizeof(installed), "../share/vmrun/%s", name);
	fmt_into(built, sizeof(built), "../guest/%s", name);
	rc = beside_program(installed, path, err);
	if (rc == 0)
		rc = beside_program(built, other, err);
	if (rc < 0)
		return rc;
	if (access(path, F_OK) < 0 && access(other, F_OK) == 0)
		found = other;
	*ret = arena_strndup(&c->arena, found, strlen(found));
	return *ret ? 0 : err_set(err, ENOMEM, "memory for %s", c->file);
}

/* The file's, with its place there, or else the one that belongs to this program */
static int host_config_settle(struct host_config *c, const char *property, const char *name,
			      const char **path, const char **ret_at, struct err *err)
{
	char at[PATH_MAX + 16];

	*ret_at = HOST_CONFIG_MADE;
	if (!*path)
		return host_config_find(c, name, path, err);
	fmt_into(at, sizeof(at), "%s: /%s", c->file, property);
	*ret_at = arena_strndup(&c->arena, at, strlen(at));
	return *ret_at ? 0 : err_set(err, ENOMEM, "memory for %s", c->file);
}

static int host_config_read(struct host_config *c, bool required, struct err *err)
{
	struct schema_ctx ctx = {.arena = &c->arena, .err = err};
	cleanup_json struct json_object *root = NULL;
	cleanup_free char *text = NULL;
	size_t len = 0;
	int rc = json_read_text(c->file, &text, &len, err);

	if (rc == -ENOENT && !required)
		return 0;
	if (rc == 0)
		rc = json_parse(text, len, c->file, &root, err);
	if (rc < 0)
		return rc;
	if (!json_object_is_type(root, json_type_object))
		return err_text(err, EINVAL, "%s: must be an object", c->file);
	rc = schema_decode(&ctx, root, &table, c);
	return rc < 0 ? err_wrap(err, "%s", c->file) : 0;
}

int host_config_load(const char *file, struct host_config *ret, struct err *err)
{
	struct host_config *c = ret;
	int rc;

	*c = (struct host_config){.file = file ? file : HOST_CONFIG_FILE,
				  .mem_bytes = HOST_CONFIG_MEM_BYTES,
				  .vcpus = 1};
	rc = arena_init(&c->arena, BUNDLE_ARENA_BYTES);
	if (rc < 0)
		return err_set(err, -rc, "memory for %s", c->file);
	rc = host_config_read(c, file, err);
	if (rc < 0)
		return rc;
	rc = host_config_settle(c, "kernel", "vmlinuz", &c->kernel, &c->kernel_at, err);
	return rc < 0 ? rc
		      : host_config_settle(c, "initrd", "initrd", &c->initrd, &c->initrd_at, err);
}

void host_config_done(struct host_config *c)
{
	arena_done(&c->arena);
}

bool host_config_allows(const struct host_config *c, enum host_config_annotation a)
{
	const int *allowed = c->annotations.item;

	for (unsigned int i = 0; i < c->annotations.nr; i++)
		if (allowed[i] == (int)a)
			return true;
	return false;
}
