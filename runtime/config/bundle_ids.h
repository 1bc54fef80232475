/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: uidMappings and gidMappings, of /linux and of an fs device
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_IDS_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_IDS_H

#include "runtime/config/bundle_types.h"
#include "runtime/config/schema.h"

/* Their elements, each a struct id_range */
extern const struct schema_field bundle_ids_field;

/* A row for one of both in the table of an object that has a struct bundle_ids at @at */
#define BUNDLE_IDS(property, at, member)                                                           \
	{                                                                                          \
		.name = property, .kind = SCHEMA_ARRAY,                                            \
		.off = (at) + offsetof(struct bundle_ids, member), .max = ID_MAP_MAX,              \
		.elem = &bundle_ids_field                                                          \
	}

/** bundle_ids_same() - No maps, or those of a process in no user namespace of its own: each id is itself */
bool bundle_ids_same(const struct bundle_ids *ids);

/** bundle_ids_check() - Both maps or none, and each can be a map; @pointer: to the object that has them */
MUST_CHECK int bundle_ids_check(const struct bundle_ids *ids, const char *pointer, struct err *err);

#endif
