/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_bind.h"

#include <errno.h>
#include <string.h>

static uint32_t *fs_bind_bucket(const struct fs_nodes *t, uint32_t parent, const char *name,
				size_t bytes)
{
	uint64_t h = parent;

	for (size_t i = 0; i < bytes; i++)
		h = (h ^ (uint8_t)name[i]) * 0x100000001b3ULL;
	h *= 0x9e3779b97f4a7c15ULL;
	return &t->named[(uint32_t)(h >> 32) & t->mask];
}

struct fs_node *fs_bind_find(const struct fs_nodes *t, const struct fs_node *dir, const char *name)
{
	const uint32_t parent = fs_table_number(t, dir);
	struct fs_node *n;

	n = fs_table_node(t, *fs_bind_bucket(t, parent, name, strlen(name)));
	while (n && (n->parent != parent || !fs_label_is(&t->labels, n->label, name)))
		n = fs_table_node(t, n->named_next);
	return n;
}

/* Whether @n is @dir or above it. So deep a tree that this is not known counts as well. */
static bool fs_bind_is_above(const struct fs_nodes *t, const struct fs_node *n,
			     const struct fs_node *dir)
{
	unsigned int depth = 0;

	while (dir && dir != n && depth++ < FS_DEPTH_MAX)
		dir = fs_table_node(t, dir->parent);
	return dir != NULL;
}

int fs_bind_set(struct fs_nodes *t, struct fs_node *n, struct fs_node *dir, const char *name)
{
	uint32_t *bucket;

	if (n == dir || (n->kids > 0 && fs_bind_is_above(t, n, dir)))
		return -ELOOP;
	n->label = fs_label_make(&t->labels, name);
	if (!n->label)
		return -ENFILE;
	n->parent = fs_table_number(t, dir);
	dir->kids++;
	bucket = fs_bind_bucket(t, n->parent, name, strlen(name));
	n->named_next = *bucket;
	*bucket = fs_table_number(t, n);
	return 0;
}

struct fs_node *fs_bind_clear(struct fs_nodes *t, struct fs_node *n)
{
	struct fs_node *parent = fs_table_node(t, n->parent);
	char name[NAME_MAX];
	uint32_t *at;

	if (!parent)
		return NULL;
	at = fs_bind_bucket(t, n->parent, name, fs_label_text(&t->labels, n->label, name));
	while (*at != fs_table_number(t, n))
		at = &t->node[*at - 1].named_next;
	*at = n->named_next;
	fs_label_free(&t->labels, n->label);
	n->parent = n->label = 0;
	parent->kids--;
	return parent;
}

struct fs_node *fs_bind_path(const struct fs_nodes *t, struct fs_node *n, struct fs_node **ret_end,
			     char *ret)
{
	char name[NAME_MAX];
	struct fs_node *top = n;
	size_t bytes = 0, at;

	for (unsigned int depth = 0; top->fd < 0; depth++) {
		if (top->parent == 0 || depth == FS_DEPTH_MAX)
			return NULL;
		bytes += fs_label_text(&t->labels, top->label, name) + 1;
		top = fs_table_node(t, top->parent);
	}
	for (; bytes > PATH_MAX; n = fs_table_node(t, n->parent))
		bytes -= fs_label_text(&t->labels, n->label, name) + 1;
	*ret_end = n;
	at = bytes;
	for (; n != top; n = fs_table_node(t, n->parent)) {
		const size_t len = fs_label_text(&t->labels, n->label, name);

		at -= len + 1;
		ret[at + len] = at + len + 1 == bytes ? '\0' : '/';
		memcpy(ret + at, name, len);
	}
	return top;
}
