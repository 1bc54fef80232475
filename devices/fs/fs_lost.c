/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_lost.h"

#include <errno.h>

#include "devices/fs/fs_bind.h"
#include "devices/fs/fs_find.h"

/* Directories of one path, and tries: the guest may rename what is being found */
#define FS_LOST_TRIES 512U

/* Operations on open files work on those, and a FORGET on none */
#define FS_LOST_NONE (FS_OP_FIRST | FS_OP_SILENT | FS_OP_FILE | FS_OP_DIR)

/* The first node without an fd that the operation works on, or NULL */
static struct fs_node **fs_lost_first(struct fs_request *r)
{
	struct fs_node **all[] = {&r->node, &r->node2, &r->was[0], &r->was[1]};

	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++)
		if (*all[i] && (*all[i])->fd < 0)
			return all[i];
	return NULL;
}

/* One that is not found is an error; but a name that is about to go was out of date, no more */
static void fs_lost_fail(struct fs *fs, struct fs_request *r, int rc)
{
	struct fs_node **at = fs_lost_first(r);

	if (!at)
		return; /* another request has found it */
	if (rc != -ESTALE || at == &r->node || at == &r->node2) {
		r->rc = rc;
		return;
	}
	(void)fs_node_name(&fs->nodes, *at, NULL, NULL);
	fs_node_put(&fs->nodes, *at);
	*at = NULL;
}

bool fs_lost_next(struct fs *fs, struct fs_request *r)
{
	struct fs_node **at;

	while (r->rc == 0 && !(r->op->flags & FS_LOST_NONE) && (at = fs_lost_first(r))) {
		r->from = fs_bind_path(&fs->nodes, *at, &r->lost, r->path);
		if (r->from && r->tries++ < FS_LOST_TRIES) {
			fs_node_hold(&fs->nodes, r->from);
			fs_node_hold(&fs->nodes, r->lost);
			r->moves = fs->nodes.moves;
			return true;
		}
		r->lost = NULL;
		fs_lost_fail(fs, r, -ESTALE);
	}
	return false;
}

int fs_lost_find(struct fs_request *r, enum fs_wait wait)
{
	return fs_find_again(r->from, r->path, wait, r->lost, &r->found.fd);
}

void fs_lost_end(struct fs *fs, struct fs_request *r, int rc)
{
	if (rc == 0)
		fs_node_open(&fs->nodes, r->lost, TAKE_FD(r->found.fd));
	else if (rc != -ESTALE || r->moves == fs->nodes.moves)
		fs_lost_fail(fs, r, rc);
	fs_node_put(&fs->nodes, r->from);
	fs_node_put(&fs->nodes, r->lost);
	r->lost = NULL;
}
