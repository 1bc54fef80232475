/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_close.h"

#include "devices/fs/fs_lock.h"

#define FS_CLOSE_BATCH 32U

/* What a slot that closes has in its args */
struct fs_close_list {
	uint32_t nr_files, nr_nodes, nr_locks;
	struct fs_file *file[FS_CLOSE_BATCH];
	struct fs_node *node[FS_CLOSE_BATCH];
	struct fs_lock *lock[FS_CLOSE_BATCH];
};

_Static_assert(sizeof(struct fs_close_list) <= FS_ARGS_MAX, "args");

static struct fs_close_list *fs_close_list(struct fs_request *r)
{
	return (struct fs_close_list *)(void *)r->args;
}

bool fs_close_begin(struct fs *fs, struct fs_request *r)
{
	struct fs_close_list *l = fs_close_list(r);

	l->nr_files = l->nr_nodes = l->nr_locks = 0;
	while (l->nr_files < FS_CLOSE_BATCH && (l->file[l->nr_files] = fs_file_closing(&fs->files)))
		l->nr_files++;
	while (l->nr_nodes < FS_CLOSE_BATCH && (l->node[l->nr_nodes] = fs_node_closing(&fs->nodes)))
		l->nr_nodes++;
	while (l->nr_locks < FS_CLOSE_BATCH && (l->lock[l->nr_locks] = fs_lock_closing(&fs->locks)))
		l->nr_locks++;
	r->op = &fs_close_op;
	r->lost = NULL;
	return l->nr_files + l->nr_nodes + l->nr_locks > 0;
}

/* Context: locked.  Syscalls: close */
static int fs_close_run(struct fs *fs UNUSED, struct fs_request *r)
{
	const struct fs_close_list *l = fs_close_list(r);

	for (uint32_t i = 0; i < l->nr_files; i++)
		close(l->file[i]->fd);
	for (uint32_t i = 0; i < l->nr_nodes; i++)
		close(l->node[i]->fd);
	for (uint32_t i = 0; i < l->nr_locks; i++)
		close(l->lock[i]->fd);
	return 0;
}

static int fs_close_end(struct fs *fs, struct fs_request *r)
{
	const struct fs_close_list *l = fs_close_list(r);

	for (uint32_t i = 0; i < l->nr_files; i++)
		fs_file_closed(&fs->files, l->file[i]);
	for (uint32_t i = 0; i < l->nr_nodes; i++)
		fs_node_closed(&fs->nodes, l->node[i]);
	for (uint32_t i = 0; i < l->nr_locks; i++)
		fs_lock_closed(&fs->locks, l->lock[i]);
	return 0;
}

const struct fs_op fs_close_op = {.run = fs_close_run, .end = fs_close_end};
