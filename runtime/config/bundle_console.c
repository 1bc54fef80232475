/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/config/bundle_console.h"

#include <errno.h>
#include <string.h>

#include "runtime/config/bundle_ask.h"

#define CONSOLE_LOG_MIN_BYTES 4096ULL
#define CONSOLE_LOG_MAX_BYTES (1ULL << 40)
#define CON(member)	      offsetof(struct bundle_device, console.member)

/* It becomes a file name in the guest: /dev/virtio-ports/NAME. */
static int bundle_console_check_name(struct schema_ctx *ctx, struct json_object *value)
{
	static const char letters[] =
		"-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *s = json_object_get_string(value);

	if (s[strspn(s, letters)] || *s == '.')
		return schema_fail(ctx, "must be letters, digits, '-', '_' and '.', which does not "
					"come first");
	return 0;
}

static const struct schema_field port_fields[] = {
	{.name = "name",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_REQUIRED,
	 .off = offsetof(struct bundle_port, name),
	 .max = CONSOLE_NAME_BYTES - 1,
	 .check = bundle_console_check_name},
};
static const struct schema_table port_table = {.field = port_fields,
					       .nr = ARRAY_SIZE(port_fields),
					       .size = sizeof(struct bundle_port),
					       .closed = true};
static const struct schema_field port_field = {.kind = SCHEMA_OBJECT, .table = &port_table};

static const struct schema_field console_fields[] = {
	{.name = "type",
	 .kind = SCHEMA_ENUM,
	 .flags = SCHEMA_REQUIRED,
	 .off = SCHEMA_NOWHERE,
	 .words = kind_types},
	{.name = "log", .kind = SCHEMA_STRING, .off = CON(log), .max = PATH_MAX - 1},
	{.name = "logBytes",
	 .kind = SCHEMA_UINT,
	 .off = CON(log_bytes),
	 .min = CONSOLE_LOG_MIN_BYTES,
	 .max = CONSOLE_LOG_MAX_BYTES},
	BUNDLE_ON_FAILURE(offsetof(struct bundle_device, on_failure)),
	{.name = "ports",
	 .kind = SCHEMA_ARRAY,
	 .off = CON(ports),
	 .max = CONSOLE_PORTS_MAX - 1,
	 .elem = &port_field},
};
const struct schema_table bundle_console_table = {
	.field = console_fields, .nr = ARRAY_SIZE(console_fields), .closed = true};

int bundle_console_check(struct schema_ctx *ctx, const struct bundle_device *d)
{
	const struct bundle_port *port = d->console.ports.item;

	if (d->console.log_bytes && !d->console.log)
		return err_text(ctx->err, EINVAL, "%s/logBytes: goes with a log", d->pointer);
	for (unsigned int i = 0; i < d->console.ports.nr; i++)
		for (unsigned int n = 0; n < i; n++)
			if (strcmp(port[i].name, port[n].name) == 0)
				return err_text(ctx->err, EINVAL, "%s/ports/%u/name: a second %s",
						d->pointer, i, port[i].name);
	return 0;
}
