/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/spec_items.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 4096

/* Room for @more bytes behind those that are written; false if there is none, or was none before */
static bool spec_items_grow(struct spec_items *s, size_t more)
{
	size_t size = s->size ? s->size : FIRST_BYTES;
	uint8_t *bytes;

	if (!s->failure && more > SPEC_ITEMS_MAX - s->len)
		s->failure = -E2BIG;
	if (s->failure)
		return false;
	while (size - s->len < more)
		size *= 2;
	if (size == s->size)
		return true;
	bytes = realloc(s->bytes, size);
	if (!bytes) {
		s->failure = -ENOMEM;
		return false;
	}
	s->bytes = bytes;
	s->size = size;
	return true;
}

void spec_items_begin(struct spec_items *s, enum agent_item_type type)
{
	const struct agent_item head = {.type = (uint16_t)type};

	if (!spec_items_grow(s, sizeof(head)))
		return;
	s->item = s->len;
	memcpy(s->bytes + s->len, &head, sizeof(head));
	s->len += sizeof(head);
}

void spec_items_add(struct spec_items *s, const void *bytes, size_t len)
{
	struct agent_item head;

	if (len == 0 || !spec_items_grow(s, len))
		return;
	memcpy(s->bytes + s->len, bytes, len);
	s->len += len;
	/* Items follow each other without padding, so a head may be at any address. */
	memcpy(&head, s->bytes + s->item, sizeof(head));
	head.bytes += (uint32_t)len;
	memcpy(s->bytes + s->item, &head, sizeof(head));
}

void spec_items_text(struct spec_items *s, const char *text)
{
	spec_items_add(s, text, strlen(text) + 1);
}

void spec_items_put(struct spec_items *s, enum agent_item_type type, const void *bytes, size_t len,
		    const char *text)
{
	spec_items_begin(s, type);
	spec_items_add(s, bytes, len);
	if (text)
		spec_items_text(s, text);
}

void spec_items_string(struct spec_items *s, enum agent_item_type type, const char *text)
{
	spec_items_put(s, type, NULL, 0, text ? text : "");
}

const uint8_t *spec_items_next(const uint8_t *spec, size_t bytes, size_t *at,
			       struct agent_item *ret)
{
	const size_t begin = *at + sizeof(*ret);

	if (!spec || bytes - *at < sizeof(*ret))
		return NULL;
	memcpy(ret, spec + *at, sizeof(*ret));
	if (ret->bytes > bytes - begin)
		return NULL;
	*at = begin + ret->bytes;
	return spec + begin;
}

int spec_items_check(const struct spec_items *s, struct err *err)
{
	if (s->failure == -E2BIG)
		return err_text(err, E2BIG,
				"the description of the container is longer than %u MiB",
				SPEC_ITEMS_MAX >> 20);
	return s->failure ? err_set(err, -s->failure, "description of the container") : 0;
}

void spec_items_done(struct spec_items *s)
{
	free(s->bytes);
	*s = (struct spec_items){.bytes = NULL};
}
