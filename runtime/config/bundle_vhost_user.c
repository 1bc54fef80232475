/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/config/bundle_vhost_user.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "runtime/config/bundle_ask.h"

#define DEV(member) offsetof(struct bundle_device, member)

static int bundle_vhost_user_check_kind(struct schema_ctx *ctx, struct json_object *value)
{
	char kinds[128];

	if (kind_find(json_object_get_string(value), KIND_OTHERS))
		return 0;
	kind_list(KIND_OTHERS, kinds, sizeof(kinds));
	return schema_fail(ctx, "must be one of %s, is \"%s\"", kinds,
			   json_object_get_string(value));
}

static const struct schema_field fields[] = {
	{.name = "type", .kind = SCHEMA_STRING, .flags = SCHEMA_REQUIRED, .off = SCHEMA_NOWHERE},
	{.name = "device",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_REQUIRED | SCHEMA_PLAIN,
	 .off = DEV(device),
	 .check = bundle_vhost_user_check_kind},
	{.name = "socket",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_REQUIRED,
	 .off = DEV(path),
	 .max = PATH_MAX - 1},
	{.name = "tag",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_PLAIN,
	 .off = DEV(tag),
	 .max = FS_TAG_BYTES},
	BUNDLE_ON_FAILURE(DEV(on_failure)),
};

const struct schema_table bundle_vhost_user_table = {
	.field = fields, .nr = ARRAY_SIZE(fields), .closed = true};

int bundle_vhost_user_check(const struct bundle_device *d, struct err *err)
{
	const bool fs = strcmp(d->device, kind_table[KIND_FS].name) == 0;

	if (fs && !d->tag)
		return err_text(err, EINVAL,
				"%s/tag: required: the name by which the guest mounts it",
				d->pointer);
	if (!fs && d->tag)
		return err_text(err, EINVAL, "%s/tag: is for a file system (\"device\": \"fs\")",
				d->pointer);
	if (fs && d->on_failure == BUNDLE_RESTART)
		return err_text(err, EINVAL,
				"%s/onFailure: must be stop: the next back-end of a file system "
				"would not know what the guest has open",
				d->pointer);
	return 0;
}
