/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/config/bundle_fs.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "runtime/config/bundle_ask.h"
#include "runtime/config/bundle_ids.h"
#include "runtime/util/fs_cache.h"

#define DEV(member) offsetof(struct bundle_device, member)
#define SRC(member) offsetof(struct bundle_source, member)

/* It becomes a name in the root of the file system. */
static int bundle_fs_check_name(struct schema_ctx *ctx, struct json_object *value)
{
	const char *s = json_object_get_string(value);

	if (!*s || strchr(s, '/') || strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return schema_fail(ctx, "must be the name of a file, without slashes");
	return 0;
}

static const struct schema_field source_fields[] = {
	{.name = "source",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_REQUIRED,
	 .off = SRC(path),
	 .max = PATH_MAX - 1},
	{.name = "name",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_REQUIRED,
	 .off = SRC(name),
	 .max = NAME_MAX,
	 .check = bundle_fs_check_name},
	{.name = "readonly", .kind = SCHEMA_BOOL, .off = SRC(readonly)},
};
static const struct schema_table source_table = {.field = source_fields,
						 .nr = ARRAY_SIZE(source_fields),
						 .size = sizeof(struct bundle_source),
						 .closed = true};
static const struct schema_field source_field = {.kind = SCHEMA_OBJECT, .table = &source_table};

static const struct schema_field fs_fields[] = {
	{.name = "type",
	 .kind = SCHEMA_ENUM,
	 .flags = SCHEMA_REQUIRED,
	 .off = SCHEMA_NOWHERE,
	 .words = kind_types},
	{.name = "tag",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_REQUIRED | SCHEMA_PLAIN,
	 .off = DEV(tag),
	 .max = FS_TAG_BYTES},
	{.name = "source", .kind = SCHEMA_STRING, .off = DEV(path), .max = PATH_MAX - 1},
	{.name = "sources",
	 .kind = SCHEMA_ARRAY,
	 .off = DEV(fs.sources),
	 .max = FS_SOURCES_MAX,
	 .elem = &source_field},
	{.name = "readonly", .kind = SCHEMA_BOOL, .off = DEV(readonly)},
	BUNDLE_IDS("uidMappings", DEV(fs.ids), uids),
	BUNDLE_IDS("gidMappings", DEV(fs.ids), gids),
	{.name = "cache", .kind = SCHEMA_ENUM, .off = DEV(fs.cache), .words = fs_cache_names},
	{.name = "writeback", .kind = SCHEMA_BOOL, .off = DEV(fs.writeback)},
	{.name = "securityContext", .kind = SCHEMA_BOOL, .off = DEV(fs.security_ctx)},
	{.name = "hostLocks", .kind = SCHEMA_BOOL, .off = DEV(fs.host_locks)},
	{.name = "posixAcl", .kind = SCHEMA_BOOL, .off = DEV(fs.posix_acl)},
	BUNDLE_ON_FAILURE(DEV(on_failure)),
};
const struct schema_table bundle_fs_table = {
	.field = fs_fields, .nr = ARRAY_SIZE(fs_fields), .closed = true};

int bundle_fs_check(const struct bundle_device *d, struct err *err)
{
	const struct bundle_source *source = d->fs.sources.item;

	if (!d->path == !d->fs.sources.nr)
		return err_text(err, EINVAL,
				"%s: one of source and sources is required, and not empty",
				d->pointer);
	if (d->on_failure == BUNDLE_RESTART)
		return err_text(err, EINVAL,
				"%s/onFailure: must be stop: another process would not know what "
				"the guest has open",
				d->pointer);
	for (unsigned int i = 0; i < d->fs.sources.nr; i++)
		for (unsigned int n = 0; n < i; n++)
			if (strcmp(source[i].name, source[n].name) == 0)
				return err_text(err, EINVAL, "%s/sources/%u/name: a second %s",
						d->pointer, i, source[i].name);
	return bundle_ids_check(&d->fs.ids, d->pointer, err);
}

int bundle_fs_check_tag(const struct bundle_device *d, const struct bundle_device *first,
			struct err *err)
{
	for (const struct bundle_device *o = first; d->tag && o < d; o++)
		if (o->tag && strcmp(o->tag, d->tag) == 0)
			return err_text(err, EINVAL, "%s/tag: %s is %s's already", d->pointer,
					d->tag, o->pointer);
	return 0;
}
