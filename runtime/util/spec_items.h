/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Writing the description of a session, item by item (devices/core/agent_spec.h)
 *
 * Writers need not check each step: what does not fit, or finds no memory, is noted, and spec_items_check() says so
 * once, at the end.
 */
#ifndef VMRUN_RUNTIME_UTIL_SPEC_ITEMS_H
#define VMRUN_RUNTIME_UTIL_SPEC_ITEMS_H

#include "devices/core/agent_spec.h"
#include "devices/core/base.h"
#include "devices/core/err.h"

#define SPEC_ITEMS_MAX (16U << 20) /* bytes; a config.json, from which they are made, is smaller */

/**
 * struct spec_items - A description; all zeros: an empty one
 * @bytes:	@len of them are written; owned, spec_items_done() frees them
 * @item:	Where the last item starts
 * @failure:	0, or the first errno
 */
struct spec_items {
	uint8_t *bytes;
	size_t len, size, item;
	int failure;
};

/** spec_items_begin() - Begin an item; what is added up to the next one belongs to it */
void spec_items_begin(struct spec_items *s, enum agent_item_type type);

/** spec_items_add() - Add bytes to the item: its struct, or a part of its text */
void spec_items_add(struct spec_items *s, const void *bytes, size_t len);

/** spec_items_text() - Add a terminated string to the item */
void spec_items_text(struct spec_items *s, const char *text);

/** spec_items_put() - An item that is one struct and, with a @text that is not NULL, one string */
void spec_items_put(struct spec_items *s, enum agent_item_type type, const void *bytes, size_t len,
		    const char *text);

/** spec_items_string() - An item that is one string; NULL is an empty one */
void spec_items_string(struct spec_items *s, enum agent_item_type type, const char *text);

/**
 * spec_items_next() - Look at a description that was written here
 * @at:		0 at first; the next item's place afterwards
 * @ret:	Its head
 *
 * Return: what the item has, NULL behind the last one
 */
const uint8_t *spec_items_next(const uint8_t *spec, size_t bytes, size_t *at, struct agent_item *ret);

/** spec_items_check() - Whether all of it was written: 0, -ENOMEM, or -E2BIG behind SPEC_ITEMS_MAX */
MUST_CHECK int spec_items_check(const struct spec_items *s, struct err *err);

void spec_items_done(struct spec_items *s);
#define cleanup_spec_items __attribute__((cleanup(spec_items_done)))

#endif
