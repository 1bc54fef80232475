/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_node.h"

#include <errno.h>

#include "devices/fs/fs_bind.h"

#define FS_NODE_ROOT 1U /* its place, and its number: FUSE_ROOT_ID */

/* Of all fds of nodes, one in so many is for nodes that have no name */
#define FS_ALONE_PART 3U

static bool fs_node_is_root(const struct fs_nodes *t, const struct fs_node *n)
{
	return fs_table_number(t, n) == FS_NODE_ROOT;
}

/* ---- fds: which may go ---- */

static void fs_node_unlist(struct fs_nodes *t, struct fs_node *n)
{
	struct fs_node *older = fs_table_node(t, n->older), *newer = fs_table_node(t, n->newer);

	*(older ? &older->newer : &t->oldest) = n->newer;
	*(newer ? &newer->older : &t->newest) = n->older;
	n->idle = false;
}

static void fs_node_list(struct fs_nodes *t, struct fs_node *n)
{
	const uint32_t number = fs_table_number(t, n);
	struct fs_node *newest = fs_table_node(t, t->newest);

	n->older = t->newest;
	n->newer = 0;
	*(newest ? &newest->newer : &t->oldest) = number;
	t->newest = number;
	n->idle = true;
}

/* Puts a node into the list of idle ones, as the newest, or takes it out, as is due; likewise it counts as alone */
static void fs_node_settle(struct fs_nodes *t, struct fs_node *n)
{
	const bool alone = n->fd >= 0 && n->parent == 0 && !fs_node_is_root(t, n);

	if (n->idle)
		fs_node_unlist(t, n);
	if (n->fd >= 0 && n->parent != 0 && n->busy == 0)
		fs_node_list(t, n);
	t->alone = t->alone + alone - n->alone;
	n->alone = alone;
}

static void fs_node_close(struct fs_nodes *t, struct fs_node *n)
{
	if (n->fd < 0)
		return;
	close(n->fd);
	n->fd = -1;
	t->fds--;
	fs_node_settle(t, n);
}

/* What a node is has changed: it settles, and so many fds go as there are too many */
static void fs_node_changed(struct fs_nodes *t, struct fs_node *n)
{
	fs_node_settle(t, n);
	if (n->alone && n->busy == 0 && t->alone > t->fds_max / FS_ALONE_PART)
		fs_node_close(t, n);
	while (t->fds > t->fds_max && t->oldest != 0)
		fs_node_close(t, fs_table_node(t, t->oldest));
}

/* ---- the life of a node ---- */

static bool fs_node_is_over(const struct fs_nodes *t, const struct fs_node *n)
{
	return n->lookups == 0 && n->busy == 0 && n->kids == 0 && !fs_node_is_root(t, n);
}

/* Removes a node that is over, and what was there only as its parent. Not by recursion: a guest makes it deep. */
static void fs_node_let(struct fs_nodes *t, struct fs_node *n)
{
	while (n && fs_node_is_over(t, n)) {
		const bool alone = n->alone;
		struct fs_node *parent = fs_bind_clear(t, n);

		fs_table_remove(t, n);
		if (alone) { /* this may be the last reference to a large file */
			n->next = t->closing;
			t->closing = fs_table_number(t, n);
		} else {
			fs_node_close(t, n);
			fs_table_free(t, n);
		}
		n = parent;
	}
}

struct fs_node *fs_node_closing(struct fs_nodes *t)
{
	struct fs_node *n = fs_table_node(t, t->closing);

	if (n)
		t->closing = n->next;
	return n;
}

void fs_node_closed(struct fs_nodes *t, struct fs_node *n)
{
	n->fd = -1;
	t->fds--;
	fs_node_settle(t, n);
	fs_table_free(t, n);
}

int fs_node_name(struct fs_nodes *t, struct fs_node *n, struct fs_node *dir, const char *name)
{
	struct fs_node *before = dir ? fs_bind_find(t, dir, name) : NULL;
	int rc = 0;

	if (fs_node_is_root(t, n) || (before == n && dir))
		return 0;
	if (before) {
		(void)fs_bind_clear(t, before); /* @dir stays: it is held */
		fs_node_changed(t, before);
	}
	fs_node_let(t, fs_bind_clear(t, n));
	if (dir)
		rc = fs_bind_set(t, n, dir, name);
	fs_node_changed(t, n);
	return rc == -ELOOP ? 0 : rc;
}

void fs_node_open(struct fs_nodes *t, struct fs_node *n, int fd)
{
	if (n->fd >= 0) {
		close(fd);
		return;
	}
	n->fd = fd;
	t->fds++;
	fs_node_changed(t, n);
}

void fs_node_hold(struct fs_nodes *t, struct fs_node *n)
{
	if (!n)
		return;
	n->busy++;
	if (n->idle)
		fs_node_settle(t, n);
}

void fs_node_put(struct fs_nodes *t, struct fs_node *n)
{
	if (!n)
		return;
	n->busy--;
	if (fs_node_is_over(t, n))
		fs_node_let(t, n);
	else if (n->busy == 0)
		fs_node_changed(t, n);
}

struct fs_node *fs_node_adopt(struct fs_nodes *t, struct fs_node *dir, const char *name,
			      struct fs_found *f)
{
	struct fs_node *n = fs_table_find(t, &f->stat);
	int rc;

	if (!n)
		n = fs_table_add(t, f);
	if (!n) {
		cleanup_close_fd(&f->fd);
		f->fd = -1;
		return NULL;
	}
	n->lookups++;
	fs_node_hold(t, n);
	if (f->fd >= 0)
		fs_node_open(t, n, TAKE_FD(f->fd));
	rc = fs_node_name(t, n, dir, name);
	n->lookups -= rc < 0;
	fs_node_put(t, n);
	return rc < 0 ? NULL : n;
}

void fs_node_forget(struct fs_nodes *t, struct fs_node *n, uint64_t lookups)
{
	n->lookups -= lookups < n->lookups ? lookups : n->lookups;
	fs_node_let(t, n);
}

/* ---- the table ---- */

int fs_nodes_init(struct fs_nodes *t, uint32_t fds_max, const struct fs_found *root,
		  struct err *err)
{
	struct fs_node *n;
	int rc = fs_table_init(t, FS_NODES_MAX, err);

	if (rc < 0)
		return rc;
	t->fds_max = fds_max;
	n = fs_table_add(t, root);
	vr_assert(n && fs_node_is_root(t, n));
	fs_node_open(t, n, root->fd);
	return 0;
}

void fs_nodes_done(struct fs_nodes *t)
{
	fs_table_done(t);
}

void fs_nodes_forget(struct fs_nodes *t)
{
	for (uint32_t i = 0; i < t->fresh; i++)
		if (t->node[i].type != 0)
			fs_node_forget(t, &t->node[i], UINT64_MAX);
}

struct fs_node *fs_node_get(struct fs_nodes *t, uint64_t nodeid)
{
	const uint32_t place = (uint32_t)nodeid - 1;
	struct fs_node *n;

	if (place >= t->fresh)
		return NULL;
	n = &t->node[place];
	if (n->type == 0 || n->uses != nodeid >> 32)
		return NULL;
	/* It may be there only because something holds it. */
	return n->lookups > 0 || fs_node_is_root(t, n) ? n : NULL;
}

uint64_t fs_node_id(const struct fs_nodes *t, const struct fs_node *n)
{
	return (uint64_t)n->uses << 32 | fs_table_number(t, n);
}
