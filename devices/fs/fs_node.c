/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_node.h"

#include <errno.h>
#include <sys/stat.h>

#define FS_NODE_ROOT 0U /* its place; its number is 1, FUSE_ROOT_ID */

/* Whatever the host's numbers look like, neighbours land in different buckets. */
static uint32_t *fs_node_bucket(const struct fs_nodes *t, uint64_t ino, uint64_t mnt)
{
	uint64_t h = (ino ^ mnt << 40) * 0x9e3779b97f4a7c15ULL;

	return &t->bucket[(uint32_t)(h >> 32) & t->mask];
}

static uint32_t *fs_node_bucket_of(const struct fs_nodes *t, const struct fs_node *n)
{
	return fs_node_bucket(t, n->ino, n->mnt);
}

static bool fs_node_is(const struct fs_node *n, const struct fs_stat *s)
{
	return n->ino == s->attr.ino && n->mnt == s->mnt && n->dev_major == s->dev_major &&
	       n->dev_minor == s->dev_minor && n->type == (s->attr.mode & S_IFMT);
}

static struct fs_node *fs_node_find(struct fs_nodes *t, const struct fs_stat *s)
{
	uint32_t at = *fs_node_bucket(t, s->attr.ino, s->mnt);

	while (at != 0 && !fs_node_is(&t->node[at - 1], s))
		at = t->node[at - 1].next;
	return at != 0 ? &t->node[at - 1] : NULL;
}

/* A place for one more, or NULL */
static struct fs_node *fs_node_place(struct fs_nodes *t)
{
	struct fs_node *n;

	if (t->free != 0) {
		n = &t->node[t->free - 1];
		t->free = n->next;
		return n;
	}
	return t->fresh < t->max ? &t->node[t->fresh++] : NULL;
}

static struct fs_node *fs_node_add(struct fs_nodes *t, const struct fs_found *f)
{
	struct fs_node *n = fs_node_place(t);
	uint32_t *bucket;

	if (!n)
		return NULL;
	*n = (struct fs_node){
		.fd = f->fd,
		.uses = n->uses,
		.ino = f->stat.attr.ino,
		.mnt = f->stat.mnt,
		.dev_major = f->stat.dev_major,
		.dev_minor = f->stat.dev_minor,
		.type = f->stat.attr.mode & S_IFMT,
		.quick = f->quick,
	};
	bucket = fs_node_bucket_of(t, n);
	n->next = *bucket;
	*bucket = (uint32_t)(n - t->node) + 1;
	t->known++;
	return n;
}

static void fs_node_remove(struct fs_nodes *t, struct fs_node *n)
{
	const uint32_t number = (uint32_t)(n - t->node) + 1;
	uint32_t *at = fs_node_bucket_of(t, n);

	while (*at != number)
		at = &t->node[*at - 1].next;
	*at = n->next;
	close(n->fd);
	n->fd = -1;
	n->uses++;
	n->next = t->free;
	t->free = number;
	t->known--;
}

int fs_nodes_init(struct fs_nodes *t, uint32_t max, const struct fs_found *root, struct err *err)
{
	uint32_t buckets = 1024;

	while (buckets < max && buckets < 1U << 30)
		buckets *= 2;
	*t = (struct fs_nodes){.max = max, .mask = buckets - 1};
	t->node = calloc(max, sizeof(*t->node));
	t->bucket = calloc(buckets, sizeof(*t->bucket));
	if (!t->node || !t->bucket)
		return err_set(err, ENOMEM, "a table of %u inodes", max);
	vr_assert(fs_node_add(t, root) == &t->node[FS_NODE_ROOT]);
	return 0;
}

void fs_nodes_done(struct fs_nodes *t)
{
	for (uint32_t i = 0; t->node && i < t->fresh; i++)
		cleanup_close_fd(&t->node[i].fd);
	free(t->node);
	free(t->bucket);
	*t = (struct fs_nodes){0};
}

struct fs_node *fs_node_get(struct fs_nodes *t, uint64_t nodeid)
{
	const uint32_t place = (uint32_t)nodeid - 1;
	struct fs_node *n;

	if (place >= t->fresh)
		return NULL;
	n = &t->node[place];
	return n->fd >= 0 && n->uses == nodeid >> 32 ? n : NULL;
}

uint64_t fs_node_id(const struct fs_nodes *t, const struct fs_node *n)
{
	return (uint64_t)n->uses << 32 | ((uint32_t)(n - t->node) + 1);
}

/* Whether it may go */
static bool fs_node_is_over(const struct fs_nodes *t, const struct fs_node *n)
{
	return n->lookups == 0 && n->busy == 0 && n != &t->node[FS_NODE_ROOT];
}

void fs_node_hold(struct fs_node *n)
{
	if (n)
		n->busy++;
}

void fs_node_put(struct fs_nodes *t, struct fs_node *n)
{
	if (!n)
		return;
	n->busy--;
	if (fs_node_is_over(t, n))
		fs_node_remove(t, n);
}

struct fs_node *fs_node_adopt(struct fs_nodes *t, struct fs_found *f)
{
	struct fs_node *n = fs_node_find(t, &f->stat);

	if (!n) {
		n = fs_node_add(t, f);
		if (n)
			f->fd = -1;
	}
	cleanup_close_fd(&f->fd);
	f->fd = -1;
	if (n)
		n->lookups++;
	return n;
}

void fs_node_forget(struct fs_nodes *t, struct fs_node *n, uint64_t lookups)
{
	n->lookups -= lookups < n->lookups ? lookups : n->lookups;
	if (fs_node_is_over(t, n))
		fs_node_remove(t, n);
}

void fs_nodes_forget(struct fs_nodes *t)
{
	for (uint32_t i = 0; i < t->fresh; i++)
		if (t->node[i].fd >= 0)
			fs_node_forget(t, &t->node[i], UINT64_MAX);
}
