/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The description of a session (devices/core/agent_spec.h), taken apart
 *
 * desc_parse() checks every item by a table: its struct, how many strings follow, how many of it there may be.
 * What it hands out lies inside the caller's bytes.
 */
#ifndef VMRUN_CMD_VMRUN_INIT_DESC_H
#define VMRUN_CMD_VMRUN_INIT_DESC_H

#include "devices/core/agent_spec.h"
#include "devices/core/base.h"

#define DESC_BYTES_MAX (32U << 20)

/**
 * struct desc_item - One item
 * @data:	Its struct, not aligned
 * @tail:	What follows: strings, or a filter's instructions
 */
struct desc_item {
	const uint8_t *data;
	const char *tail;
};

/**
 * struct desc - A whole description; zeroed: an empty one
 * @item:	By type, in the order of the description
 */
struct desc {
	uint32_t count[AGENT_ITEM_TYPES];
	struct desc_item *item[AGENT_ITEM_TYPES];
	struct desc_item *all;
};

/**
 * desc_parse() - Take a description apart
 * @bytes:	Borrowed as long as the description is used
 * @ret:	Overwritten whole; empty after a failure
 *
 * Return: 0; -EINVAL: a rule is broken; -E2BIG: over DESC_BYTES_MAX; -ENOMEM
 */
MUST_CHECK int desc_parse(const uint8_t *bytes, size_t len, struct desc *ret);

/** desc_done() - Free what desc_parse() allocated; safe on an empty one */
void desc_done(struct desc *d);

/**
 * desc_get() - The struct of an item, copied
 * @i:		Any number
 * @ret:	sizeof() its type; unchanged where there is no such item
 *
 * Return: whether there is one
 */
bool desc_get(const struct desc *d, enum agent_item_type type, uint32_t i, void *ret);

/**
 * desc_text() - A string of an item
 * @i:		Below the type's count
 * @n:		Which of its strings; there must be as many
 */
const char *desc_text(const struct desc *d, enum agent_item_type type, uint32_t i, uint32_t n);

/**
 * desc_texts() - All strings of a type that has one each, terminated by NULL, as execve() wants them
 *
 * Return: to be freed; NULL: no memory
 */
char **desc_texts(const struct desc *d, enum agent_item_type type);

/**
 * desc_list() - @count strings of an item, from number @first on, terminated by NULL
 *
 * Return: to be freed; NULL: no memory
 */
char **desc_list(const struct desc *d, enum agent_item_type type, uint32_t i, uint32_t first,
		 uint32_t count);

#endif
