/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_label.h"

#include <errno.h>
#include <string.h>

#include "devices/core/sparse.h"

int fs_labels_init(struct fs_labels *t, uint32_t max, struct err *err)
{
	*t = (struct fs_labels){
		.max = max, .left = max, .cell = sparse_calloc(max, sizeof(*t->cell))};
	return t->cell ? 0 : err_set(err, ENOMEM, "a table of names");
}

void fs_labels_done(struct fs_labels *t)
{
	free(t->cell);
	*t = (struct fs_labels){0};
}

/* The number of a free cell; there is one */
static uint32_t fs_label_cell(struct fs_labels *t)
{
	const uint32_t number = t->free ? t->free : ++t->fresh;

	if (t->free)
		t->free = t->cell[number - 1].next;
	t->left--;
	return number;
}

uint32_t fs_label_make(struct fs_labels *t, const char *name)
{
	size_t left = strlen(name);
	uint32_t first = 0, *at = &first;

	if ((left + FS_CELL_TEXT - 1) / FS_CELL_TEXT > t->left)
		return 0;
	while (left > 0) {
		const size_t n = left < FS_CELL_TEXT ? left : FS_CELL_TEXT;
		struct fs_cell *c;

		*at = fs_label_cell(t);
		c = &t->cell[*at - 1];
		*c = (struct fs_cell){0};
		memcpy(c->text, name, n);
		at = &c->next;
		name += n;
		left -= n;
	}
	return first;
}

void fs_label_free(struct fs_labels *t, uint32_t label)
{
	while (label) {
		struct fs_cell *c = &t->cell[label - 1];
		const uint32_t next = c->next;

		c->next = t->free;
		t->free = label;
		t->left++;
		label = next;
	}
}

bool fs_label_is(const struct fs_labels *t, uint32_t label, const char *name)
{
	while (label) {
		const struct fs_cell *c = &t->cell[label - 1];
		const size_t n = strnlen(c->text, FS_CELL_TEXT);

		if (strncmp(name, c->text, n) != 0)
			return false;
		name += n;
		label = c->next;
	}
	return *name == '\0';
}

size_t fs_label_text(const struct fs_labels *t, uint32_t label, char *ret)
{
	size_t bytes = 0;

	while (label) {
		const struct fs_cell *c = &t->cell[label - 1];
		const size_t n = strnlen(c->text, FS_CELL_TEXT);

		memcpy(ret + bytes, c->text, n);
		bytes += n;
		label = c->next;
	}
	return bytes;
}
