/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: /mounts of a config.json: OCI config.md
 *
 * An option is a word of the table below, or else data for the file system.
 */
#include "runtime/config/bundle_mount.h"

#include <errno.h>
#include <limits.h>
#include <linux/mount.h>
#include <string.h>

#define OPTIONS_MAX 256
#define MNT(member) offsetof(struct bundle_mount, member)

/* ---- the words of options ------------------------------------------------------------------ */

/** struct word - What an option does to a mount; those that are @refused come last */
struct word {
	const char *name;
	uint64_t set, clear, propagation, recursive_set, recursive_clear;
	uint32_t flags;
	bool refused;
};

#define SETS(n, bit)                                                                               \
	{                                                                                          \
		.name = n, .set = (bit)                                                            \
	}
#define CLEARS(n, bit)                                                                             \
	{                                                                                          \
		.name = n, .clear = (bit)                                                          \
	}
#define PROPAGATES(n, as)                                                                          \
	{                                                                                          \
		.name = n, .propagation = (as)                                                     \
	}
/* "noexec", "exec" and both for everything below the mount too: "rnoexec", "rexec" */
#define PAIR(sets, clears, bit)                                                                    \
	SETS(sets, bit), CLEARS(clears, bit),                                                      \
		{.name = "r" sets, .set = (bit), .recursive_set = (bit)},                          \
	{                                                                                          \
		.name = "r" clears, .clear = (bit), .recursive_clear = (bit)                       \
	}

static const struct word words[] = {
	{.name = "defaults"},
	{.name = "bind", .flags = AGENT_MOUNT_BIND},
	{.name = "rbind", .set = MS_REC, .flags = AGENT_MOUNT_BIND},
	{.name = "tmpcopyup", .flags = AGENT_MOUNT_COPY_UP},
	PAIR("ro", "rw", MS_RDONLY),
	PAIR("nosuid", "suid", MS_NOSUID),
	PAIR("nodev", "dev", MS_NODEV),
	PAIR("noexec", "exec", MS_NOEXEC),
	PAIR("nodiratime", "diratime", MS_NODIRATIME),
	PAIR("noatime", "atime", MS_NOATIME),
	PAIR("relatime", "norelatime", MS_RELATIME),
	PAIR("strictatime", "nostrictatime", MS_STRICTATIME),
	PAIR("nosymfollow", "symfollow", MS_NOSYMFOLLOW),
	SETS("sync", MS_SYNCHRONOUS),
	CLEARS("async", MS_SYNCHRONOUS),
	SETS("dirsync", MS_DIRSYNC),
	SETS("remount", MS_REMOUNT),
	SETS("mand", MS_MANDLOCK),
	CLEARS("nomand", MS_MANDLOCK),
	SETS("iversion", MS_I_VERSION),
	CLEARS("noiversion", MS_I_VERSION),
	SETS("lazytime", MS_LAZYTIME),
	CLEARS("nolazytime", MS_LAZYTIME),
	SETS("silent", MS_SILENT),
	CLEARS("loud", MS_SILENT),
	PROPAGATES("private", MS_PRIVATE),
	PROPAGATES("rprivate", MS_PRIVATE | MS_REC),
	PROPAGATES("shared", MS_SHARED),
	PROPAGATES("rshared", MS_SHARED | MS_REC),
	PROPAGATES("slave", MS_SLAVE),
	PROPAGATES("rslave", MS_SLAVE | MS_REC),
	PROPAGATES("unbindable", MS_UNBINDABLE),
	PROPAGATES("runbindable", MS_UNBINDABLE | MS_REC),
	{.name = "idmap", .refused = true},
	{.name = "ridmap", .refused = true},
};

const char *const bundle_propagations[] = {
	"",	 "private", "rprivate",	  "shared",	 "rshared",
	"slave", "rslave",  "unbindable", "runbindable", NULL};
const uint64_t bundle_propagation_flags[] = {0,
					     MS_PRIVATE,
					     MS_PRIVATE | MS_REC,
					     MS_SHARED,
					     MS_SHARED | MS_REC,
					     MS_SLAVE,
					     MS_SLAVE | MS_REC,
					     MS_UNBINDABLE,
					     MS_UNBINDABLE | MS_REC};

const char *bundle_mount_word(unsigned int i)
{
	return i < ARRAY_SIZE(words) && !words[i].refused ? words[i].name : NULL;
}

static const struct word *bundle_mount_find(const char *option)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].name, option) == 0)
			return &words[i];
	return NULL;
}

/* Of words that contradict each other the last one counts. */
static void bundle_mount_apply(struct bundle_mount *m, const struct word *w)
{
	m->set = (m->set & ~w->clear) | w->set;
	m->clear = (m->clear & ~w->set) | w->clear;
	m->recursive_set = (m->recursive_set & ~w->recursive_clear) | w->recursive_set;
	m->recursive_clear = (m->recursive_clear & ~w->recursive_set) | w->recursive_clear;
	m->flags |= w->flags;
	m->propagation |= w->propagation;
}

/* Joins the options that no word of the table is */
static int bundle_mount_join_data(struct schema_ctx *ctx, struct bundle_mount *m)
{
	const char *const *option = m->options.item;
	size_t bytes = 0;
	char *data;

	for (unsigned int i = 0; i < m->options.nr; i++)
		if (option[i] && !bundle_mount_find(option[i]))
			bytes += strlen(option[i]) + 1;
	if (bytes == 0)
		return 0;
	data = arena_alloc(ctx->arena, bytes);
	if (!data)
		return err_set(ctx->err, ENOMEM, "%s", ctx->pointer);
	m->data = data;
	for (unsigned int i = 0; i < m->options.nr; i++) {
		if (!option[i] || bundle_mount_find(option[i]))
			continue;
		if (data != m->data)
			*data++ = ',';
		strcpy(data, option[i]);
		data += strlen(data);
	}
	return 0;
}

static int bundle_mount_read_options(struct schema_ctx *ctx, struct bundle_mount *m)
{
	const char *const *option = m->options.item;
	const size_t mark = schema_push(ctx, "options");

	for (unsigned int i = 0; i < m->options.nr; i++) {
		const struct word *w = option[i] ? bundle_mount_find(option[i]) : NULL;

		if (w && w->refused) {
			schema_push_index(ctx, i);
			return schema_fail(ctx, "mounts with maps of ids are not possible: %s",
					   w->name);
		}
		if (w)
			bundle_mount_apply(m, w);
	}
	schema_pop(ctx, mark);
	return bundle_mount_join_data(ctx, m);
}

/* ---- a mount ------------------------------------------------------------------------------- */

static int bundle_mount_check_ids(struct schema_ctx *ctx, struct json_object *value)
{
	return schema_empty(value)
		       ? 0
		       : schema_fail(ctx, "mounts with maps of ids are not possible: leave it out");
}

static const struct schema_field mount_fields[] = {
	{.name = "destination",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_REQUIRED | SCHEMA_BYTES,
	 .off = MNT(destination),
	 .max = PATH_MAX - 2},
	{.name = "type", .kind = SCHEMA_STRING, .off = MNT(type), .max = 255},
	{.name = "source",
	 .kind = SCHEMA_STRING,
	 .flags = SCHEMA_BYTES,
	 .off = MNT(source),
	 .max = PATH_MAX - 1},
	{.name = "options",
	 .kind = SCHEMA_ARRAY,
	 .off = MNT(options),
	 .max = OPTIONS_MAX,
	 .elem = &schema_string_field},
	{.name = "uidMappings",
	 .kind = SCHEMA_ARRAY,
	 .off = SCHEMA_NOWHERE,
	 .check = bundle_mount_check_ids},
	{.name = "gidMappings",
	 .kind = SCHEMA_ARRAY,
	 .off = SCHEMA_NOWHERE,
	 .check = bundle_mount_check_ids},
};
static const struct schema_table mount_table = {
	.field = mount_fields, .nr = ARRAY_SIZE(mount_fields), .size = sizeof(struct bundle_mount)};

static int bundle_mount_require(struct schema_ctx *ctx, const char *property, const char *why)
{
	schema_push(ctx, property);
	return schema_fail(ctx, "%s", why);
}

static int bundle_mount_decode(struct schema_ctx *ctx, struct json_object *value, void *target)
{
	struct bundle_mount *m = target;
	int rc = schema_decode(ctx, value, &mount_table, target);

	if (rc < 0 || !target)
		return rc;
	rc = bundle_mount_read_options(ctx, m);
	if (rc < 0)
		return rc;
	/* Callers write the type and leave the option out, and the other way round. */
	if (m->type && strcmp(m->type, "bind") == 0)
		m->flags |= AGENT_MOUNT_BIND;
	if (m->flags & AGENT_MOUNT_BIND && !m->source)
		return bundle_mount_require(ctx, "source",
					    "required: the directory or file to bind");
	if (!(m->flags & AGENT_MOUNT_BIND) && !m->type && !(m->set & MS_REMOUNT))
		return bundle_mount_require(ctx, "type", "required, unless options has \"bind\"");
	return 0;
}

const struct schema_field bundle_mount_field = {
	.kind = SCHEMA_OBJECT, .table = &mount_table, .decode = bundle_mount_decode};

void bundle_mount_warn(struct schema_ctx *ctx, const struct schema_list *mounts)
{
	const struct bundle_mount *m = mounts->item;

	for (unsigned int i = 0; i < mounts->nr; i++) {
		const size_t mark = schema_push(ctx, "mounts");

		schema_push_index(ctx, i);
		if (m[i].flags & AGENT_MOUNT_BIND && m[i].propagation & (MS_SHARED | MS_SLAVE))
			schema_warn(ctx,
				    "%s: host and guest do not see each other's mounts that come "
				    "later",
				    m[i].propagation & MS_SHARED ? "shared" : "slave");
		schema_pop(ctx, mark);
	}
}
