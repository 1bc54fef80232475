/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/state/state_other.h"

#include <limits.h>

#include "devices/core/fmt.h"

struct json_object *state_others_to_json(const struct state *s)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int i = 0; i < s->nr_others; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "name", json_object_new_string(s->other[i].name));
		json_object_object_add(o, "restarts", json_object_new_int64(s->other[i].restarts));
		json_object_array_add(a, o);
	}
	return a;
}

static bool state_other_from_json(struct json_object *o, struct state_other *ret)
{
	struct json_object *name, *restarts;
	int64_t nr;

	if (!json_object_object_get_ex(o, "name", &name) ||
	    !json_object_object_get_ex(o, "restarts", &restarts) ||
	    !json_object_is_type(name, json_type_string) ||
	    !json_object_is_type(restarts, json_type_int) ||
	    (size_t)json_object_get_string_len(name) >= sizeof(ret->name))
		return false;
	nr = json_object_get_int64(restarts);
	if (nr < 0 || nr > UINT_MAX)
		return false;
	fmt_into(ret->name, sizeof(ret->name), "%s", json_object_get_string(name));
	ret->restarts = (unsigned int)nr;
	return true;
}

bool state_others_from_json(struct json_object *a, struct state *s)
{
	const size_t n = a && json_object_is_type(a, json_type_array) ? json_object_array_length(a)
								      : 0;

	if ((a && !json_object_is_type(a, json_type_array)) || n > BOOT_DEVICES_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!state_other_from_json(json_object_array_get_idx(a, i), &s->other[i]))
			return false;
	s->nr_others = (unsigned int)n;
	return true;
}
