/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Descriptions of sessions, which vmrun-init takes apart
 *
 * What is taken is read to its last byte: each struct, each string, as those read it that carry it out.
 * Covers: cmd/vmrun-init/desc.c
 */
#include <string.h>

#include "cmd/vmrun-init/desc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The strings of an item end where it does */
static void walk(const struct desc *d, enum agent_item_type type, uint32_t i)
{
	union {
		struct agent_process process;
		struct agent_mount mount;
		struct agent_hook hook;
		struct agent_route route;
	} u;
	char **list;

	vr_assert(desc_get(d, type, i, &u));
	if (type != AGENT_HOOK)
		return;
	list = desc_list(d, type, i, 1 + u.hook.nr_args, u.hook.nr_env);
	for (uint32_t n = 0; list && n < u.hook.nr_env; n++)
		vr_assert(strlen(list[n]) <= DESC_BYTES_MAX);
	free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* of this size, so that the sanitizer sees what is read behind it */
	uint8_t *bytes = malloc(size ? size : 1);
	struct desc d;

	if (size)
		memcpy(bytes, data, size);
	if (desc_parse(bytes, size, &d) == 0) {
		for (unsigned int t = 1; t < AGENT_ITEM_TYPES; t++)
			for (uint32_t i = 0; i < d.count[t]; i++)
				walk(&d, t, i);
		for (uint32_t i = 0; i < d.count[AGENT_MOUNT]; i++)
			vr_assert(strlen(desc_text(&d, AGENT_MOUNT, i, 3)) < size);
		free(desc_texts(&d, AGENT_ENV));
		desc_done(&d);
	}
	free(bytes);
	return 0;
}
