/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/config/bundle_ids.h"

#include <errno.h>

#include "devices/core/fmt.h"

#define ID(property, member, least)                                                                \
	{                                                                                          \
		.name = property, .kind = SCHEMA_UINT, .flags = SCHEMA_REQUIRED,                   \
		.off = offsetof(struct id_range, member), .min = (least), .max = UINT32_MAX        \
	}

static const struct schema_field range_fields[] = {
	ID("containerID", inside, 0),
	ID("hostID", outside, 0),
	ID("size", count, 1),
};
static const struct schema_table range_table = {
	.field = range_fields, .nr = ARRAY_SIZE(range_fields), .size = sizeof(struct id_range)};
const struct schema_field bundle_ids_field = {.kind = SCHEMA_OBJECT, .table = &range_table};

static bool bundle_ids_are_all(const struct schema_list *l)
{
	const struct id_range *r = l->item;

	return l->nr == 1 && r->inside == 0 && r->outside == 0 && r->count == UINT32_MAX;
}

bool bundle_ids_same(const struct bundle_ids *ids)
{
	return (ids->uids.nr == 0 && ids->gids.nr == 0) ||
	       (bundle_ids_are_all(&ids->uids) && bundle_ids_are_all(&ids->gids));
}

int bundle_ids_check(const struct bundle_ids *ids, const char *pointer, struct err *err)
{
	const struct {
		const char *name;
		const struct schema_list *list, *other;
	} both[] = {{"uidMappings", &ids->uids, &ids->gids},
		    {"gidMappings", &ids->gids, &ids->uids}};
	char from[SCHEMA_POINTER_BYTES + sizeof("/uidMappings")];
	int rc = 0;

	if (bundle_ids_same(ids))
		return 0;
	for (unsigned int i = 0; rc == 0 && i < ARRAY_SIZE(both); i++) {
		fmt_into(from, sizeof(from), "%s/%s", pointer, both[i].name);
		if (both[i].list->nr == 0 && both[i].other->nr > 0)
			return err_text(err, EINVAL, "%s: required with %s", from, both[!i].name);
		rc = id_map_check(both[i].list->item, both[i].list->nr, from, err);
	}
	return rc;
}
