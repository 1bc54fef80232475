/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/config/bundle_nodes.h"

#include <limits.h>
#include <linux/major.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/core/fmt.h"

#define NODE(member) offsetof(struct bundle_node, member)
#define MAJOR_MAX    4095    /* what Linux has room for */
#define MINOR_MAX    1048575 /* likewise */

/* "u" is a character device without buffers, which Linux does not tell from others. */
static const char *const types[] = {"c", "b", "u", "p", NULL};
static const uint32_t modes[] = {S_IFCHR, S_IFBLK, S_IFCHR, S_IFIFO};

static const struct schema_field node_fields[] = {
	{.name = "path",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_REQUIRED | SCHEMA_ABSOLUTE | SCHEMA_BYTES,
	 .off = NODE(path),
	 .max = PATH_MAX - 1},
	{.name = "type",
	 .kind = SCHEMA_ENUM,
	 .flags = SCHEMA_REQUIRED,
	 .off = NODE(type),
	 .words = types},
	{.name = "major", .kind = SCHEMA_INT, .off = NODE(major), .max = MAJOR_MAX},
	{.name = "minor", .kind = SCHEMA_INT, .off = NODE(minor), .max = MINOR_MAX},
	/* podman writes the bits of the type too. */
	{.name = "fileMode", .kind = SCHEMA_UINT, .off = NODE(mode), .max = S_IFMT | 07777},
	{.name = "uid", .kind = SCHEMA_UINT, .off = NODE(uid), .max = UINT32_MAX - 1},
	{.name = "gid", .kind = SCHEMA_UINT, .off = NODE(gid), .max = UINT32_MAX - 1},
};
static const struct schema_table node_table = {
	.field = node_fields, .nr = ARRAY_SIZE(node_fields), .size = sizeof(struct bundle_node)};

static int bundle_nodes_decode(struct schema_ctx *ctx, struct json_object *value, void *target)
{
	struct bundle_node *n = target;
	const bool given = json_object_object_get(value, "major") ||
			   json_object_object_get(value, "minor");
	int rc;

	if (n)
		n->mode = 0666;
	rc = schema_decode(ctx, value, &node_table, target);
	if (rc < 0 || !n)
		return rc;
	n->mode &= 07777;
	if (modes[n->type] != S_IFIFO && !given) {
		schema_push(ctx, "major");
		return schema_fail(ctx, "required with type %s", types[n->type]);
	}
	return 0;
}

const struct schema_field bundle_node_field = {
	.kind = SCHEMA_OBJECT, .table = &node_table, .decode = bundle_nodes_decode};

uint32_t bundle_nodes_mode(const struct bundle_node *n)
{
	return modes[n->type];
}

/* Devices that are the kernel's own: memory, terminals, miscellaneous */
static bool bundle_nodes_is_virtual(const struct bundle_node *n)
{
	const int64_t m = n->major;

	return modes[n->type] == S_IFIFO ||
	       (modes[n->type] == S_IFCHR &&
		(m == MEM_MAJOR || m == TTYAUX_MAJOR || m == MISC_MAJOR ||
		 (m >= UNIX98_PTY_SLAVE_MAJOR &&
		  m < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT)));
}

void bundle_nodes_warn(struct schema_ctx *ctx, const struct schema_list *nodes)
{
	const struct bundle_node *n = nodes->item;
	char names[SCHEMA_WARNING_BYTES / 2] = "";
	size_t len = 0;

	for (unsigned int i = 0; i < nodes->nr; i++)
		if (!bundle_nodes_is_virtual(&n[i]))
			len += fmt_into(names + len, sizeof(names) - len, "%s%s", len ? ", " : "",
					n[i].path);
	(void)fmt_printable(names);
	if (len > 0)
		schema_warn(ctx,
			    "/linux/devices: nodes are made, but the guest has no hardware of the "
			    "host: %s",
			    names);
}
