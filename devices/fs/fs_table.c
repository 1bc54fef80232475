/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_table.h"

#include <errno.h>
#include <sys/stat.h>

#include "devices/core/sparse.h"

#define FS_PLACES_PER_BUCKET 4U

/* Whatever the host's numbers look like, neighbours land in different buckets. */
static uint32_t *fs_table_bucket(const struct fs_nodes *t, uint64_t ino, uint64_t mnt)
{
	uint64_t h = (ino ^ mnt << 40) * 0x9e3779b97f4a7c15ULL;

	return &t->bucket[(uint32_t)(h >> 32) & t->mask];
}

bool fs_table_is(const struct fs_node *n, const struct fs_stat *s)
{
	if (n->ino != s->attr.ino || n->mnt != s->mnt || n->dev_major != s->dev_major ||
	    n->dev_minor != s->dev_minor || n->type != (s->attr.mode & S_IFMT))
		return false;
	/* While it is open its number is not given to another. */
	return n->fd >= 0 || n->birth == s->birth;
}

struct fs_node *fs_table_find(const struct fs_nodes *t, const struct fs_stat *s)
{
	struct fs_node *n = fs_table_node(t, *fs_table_bucket(t, s->attr.ino, s->mnt));

	while (n && !fs_table_is(n, s))
		n = fs_table_node(t, n->next);
	return n;
}

/* A place for one more, or NULL */
static struct fs_node *fs_table_place(struct fs_nodes *t)
{
	struct fs_node *n;

	if (t->free != 0) {
		n = fs_table_node(t, t->free);
		t->free = n->next;
		return n;
	}
	return t->fresh < t->max ? &t->node[t->fresh++] : NULL;
}

struct fs_node *fs_table_add(struct fs_nodes *t, const struct fs_found *f)
{
	struct fs_node *n = fs_table_place(t);
	uint32_t *bucket;

	if (!n)
		return NULL;
	*n = (struct fs_node){
		.fd = -1,
		.uses = n->uses,
		.ino = f->stat.attr.ino,
		.mnt = f->stat.mnt,
		.birth = f->stat.birth,
		.dev_major = f->stat.dev_major,
		.dev_minor = f->stat.dev_minor,
		.type = f->stat.attr.mode & S_IFMT,
		.quick = f->quick,
		.born = f->born,
	};
	bucket = fs_table_bucket(t, n->ino, n->mnt);
	n->next = *bucket;
	*bucket = fs_table_number(t, n);
	t->known++;
	return n;
}

void fs_table_remove(struct fs_nodes *t, struct fs_node *n)
{
	const uint32_t number = fs_table_number(t, n);
	uint32_t *at = fs_table_bucket(t, n->ino, n->mnt);

	while (*at != number)
		at = &t->node[*at - 1].next;
	*at = n->next;
	n->type = 0;
	t->known--;
}

void fs_table_free(struct fs_nodes *t, struct fs_node *n)
{
	n->uses++;
	n->next = t->free;
	t->free = fs_table_number(t, n);
}

int fs_table_init(struct fs_nodes *t, uint32_t max, struct err *err)
{
	uint32_t buckets = 1024;

	while (buckets < max / FS_PLACES_PER_BUCKET)
		buckets *= 2;
	*t = (struct fs_nodes){.max = max, .mask = buckets - 1};
	t->node = sparse_calloc(max, sizeof(*t->node));
	t->bucket = sparse_calloc(buckets, sizeof(*t->bucket));
	t->named = sparse_calloc(buckets, sizeof(*t->named));
	if (!t->node || !t->bucket || !t->named)
		return err_set(err, ENOMEM, "a table of %u inodes", max);
	/* Names of up to 28 bytes need one cell, most need no more. */
	return fs_labels_init(&t->labels, 2 * max, err);
}

void fs_table_done(struct fs_nodes *t)
{
	for (uint32_t i = 0; t->node && i < t->fresh; i++)
		cleanup_close_fd(&t->node[i].fd);
	free(t->node);
	free(t->bucket);
	free(t->named);
	fs_labels_done(&t->labels);
	*t = (struct fs_nodes){0};
}
