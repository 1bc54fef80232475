/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_spec_json.h"

#include <string.h>

#include "devices/core/agent_spec.h"
#include "devices/core/fmt.h"
#include "runtime/util/json.h"

#define FIELDS_MAX 12
#define TEXTS_MAX  4

/** struct field - A number of an item's struct; flags and sets are shown with base 16 */
struct field {
	const char *name;
	unsigned char off, bytes;
	enum { UNSIGNED, SIGNED, HEX } shown;
};

/** struct layout - An item: its struct, and the names of its strings; the last one is for all further ones */
struct layout {
	const char *name;
	size_t bytes;
	struct field field[FIELDS_MAX];
	const char *text[TEXTS_MAX];
};

#define FIELD(type, member, as)                                                                    \
	{                                                                                          \
#member, offsetof(struct type, member), sizeof(((struct type *)NULL)->member), as  \
	}
#define F(type, member) FIELD(type, member, UNSIGNED)
#define X(type, member) FIELD(type, member, HEX)
#define P(m)		F(agent_process, m)
#define C(m)		X(agent_caps, m)
#define R(m)		F(agent_rlimit, m)
#define S(m)		F(agent_scheduler, m)
#define M(m)		X(agent_mount, m)
#define D(m)		F(agent_device, m)
#define H(m)		F(agent_hook, m)

static const struct layout layouts[AGENT_ITEM_TYPES] = {
	[AGENT_PROCESS] = {"process",
			   sizeof(struct agent_process),
			   {X(agent_process, flags), P(uid), P(gid), P(umask),
			    FIELD(agent_process, oom_score_adj, SIGNED), P(ioprio), P(rows),
			    P(cols)},
			   {"cwd"}},
	[AGENT_ARG] = {"arg", 0, {{NULL}}, {"value"}},
	[AGENT_ENV] = {"env", 0, {{NULL}}, {"value"}},
	[AGENT_GROUP] = {"group",
			 sizeof(uint32_t),
			 {{"gid", 0, sizeof(uint32_t), UNSIGNED}},
			 {NULL}},
	[AGENT_CAPS] = {"capabilities",
			sizeof(struct agent_caps),
			{C(bounding), C(effective), C(inheritable), C(permitted), C(ambient)},
			{NULL}},
	[AGENT_RLIMIT] = {"rlimit",
			  sizeof(struct agent_rlimit),
			  {R(resource), R(soft), R(hard)},
			  {NULL}},
	[AGENT_FILTER] = {"filter",
			  sizeof(struct agent_filter),
			  {X(agent_filter, flags), F(agent_filter, count)},
			  {NULL}},
	[AGENT_SCHEDULER] = {"scheduler",
			     sizeof(struct agent_scheduler),
			     {S(policy), X(agent_scheduler, flags),
			      FIELD(agent_scheduler, nice, SIGNED), S(priority), S(runtime),
			      S(deadline), S(period)},
			     {NULL}},
	[AGENT_CGROUP] = {"cgroup", 0, {{NULL}}, {"path"}},
	[AGENT_ROOT] = {"root",
			sizeof(struct agent_root),
			{X(agent_root, flags), X(agent_root, propagation)},
			{"name"}},
	[AGENT_MOUNT] = {"mount",
			 sizeof(struct agent_mount),
			 {M(flags), M(set), M(clear), M(propagation), M(recursive_set),
			  M(recursive_clear)},
			 {"destination", "source", "type", "data"}},
	[AGENT_DEVICE] = {"device",
			  sizeof(struct agent_device),
			  {X(agent_device, type), D(major), D(minor), D(mode), D(uid), D(gid)},
			  {"path"}},
	[AGENT_MASKED] = {"masked", 0, {{NULL}}, {"path"}},
	[AGENT_READONLY] = {"readonly", 0, {{NULL}}, {"path"}},
	[AGENT_SYSCTL] = {"sysctl", 0, {{NULL}}, {"name", "value"}},
	[AGENT_HOSTNAME] = {"hostname", 0, {{NULL}}, {"name"}},
	[AGENT_DOMAINNAME] = {"domainname", 0, {{NULL}}, {"name"}},
	[AGENT_PIDS] = {"pids", sizeof(uint64_t), {{"max", 0, sizeof(uint64_t), UNSIGNED}}, {NULL}},
	[AGENT_HOOK] = {"hook",
			sizeof(struct agent_hook),
			{H(timeout_s), H(nr_args), H(nr_env)},
			{"path", "value"}},
};

static void plan_spec_json_add_number(struct json_object *o, const struct field *f,
				      const uint8_t *head)
{
	char hex[24];
	uint64_t v = 0;
	int32_t small;

	/* The byte order is this machine's; of signed ones there are only int32_t. */
	memcpy(&v, head + f->off, f->bytes);
	memcpy(&small, &v, sizeof(small));
	if (v == 0)
		return;
	fmt_into(hex, sizeof(hex), "0x%lx", v);
	json_add(o, f->name,
		 f->shown == HEX      ? json_object_new_string(hex)
		 : f->shown == SIGNED ? json_object_new_int(small)
				      : json_object_new_uint64(v));
}

/* Adds the terminated strings of [@at, @end), those of one name as an array */
static void plan_spec_json_add_texts(struct json_object *o, const struct layout *l, const char *at,
				     const char *end)
{
	struct json_object *rest = NULL;
	unsigned int i = 0;

	for (; at < end; at += strlen(at) + 1) {
		cleanup_free char *text = strdup(at);
		const bool last = i + 1 == TEXTS_MAX || !l->text[i + 1];

		if (!text || !l->text[0])
			return;
		(void)fmt_printable(text);
		if (rest)
			json_object_array_add(rest, json_object_new_string(text));
		else if (last && at + strlen(at) + 1 < end) {
			rest = json_object_new_array();
			json_object_array_add(rest, json_object_new_string(text));
			json_add(o, l->text[i], rest);
		} else if (*text || l->bytes == 0)
			json_add_string(o, l->text[i], text);
		i += !last;
	}
}

static struct json_object *plan_spec_json_item(const struct agent_item *item, const uint8_t *bytes)
{
	const struct layout *l = &layouts[item->type];
	struct json_object *o = json_object_new_object();

	json_add_string(o, "item", l->name);
	for (unsigned int i = 0; i < FIELDS_MAX && l->field[i].name; i++)
		plan_spec_json_add_number(o, &l->field[i], bytes);
	if (l->text[0])
		plan_spec_json_add_texts(o, l, (const char *)bytes + l->bytes,
					 (const char *)bytes + item->bytes);
	return o;
}

struct json_object *plan_spec_to_json(const uint8_t *spec, size_t bytes)
{
	struct json_object *all = json_object_new_array();
	struct agent_item item;

	for (size_t at = 0; at < bytes; at += sizeof(item) + item.bytes) {
		memcpy(&item, spec + at, sizeof(item));
		json_object_array_add(all, plan_spec_json_item(&item, spec + at + sizeof(item)));
	}
	return all;
}
