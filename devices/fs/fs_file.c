/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_file.h"

#include <errno.h>

#include "devices/core/sparse.h"

int fs_files_init(struct fs_files *t, uint32_t max, struct fs_nodes *nodes, struct err *err)
{
	*t = (struct fs_files){
		.nodes = nodes, .max = max, .file = sparse_calloc(max, sizeof(*t->file))};
	return t->file ? 0 : err_set(err, ENOMEM, "a table of %u open files", max);
}

void fs_files_done(struct fs_files *t)
{
	for (uint32_t i = 0; t->file && i < t->fresh; i++)
		cleanup_close_fd(&t->file[i].fd);
	free(t->file);
	*t = (struct fs_files){0};
}

/* The guest is done with it, and so are all requests. A file system that is not quick may wait at a close. */
static void fs_file_remove(struct fs_files *t, struct fs_file *f)
{
	const bool quick = f->node->quick;

	fs_node_put(t->nodes, f->node);
	if (quick) {
		close(f->fd);
		fs_file_closed(t, f);
		return;
	}
	f->next = t->closing;
	t->closing = (uint32_t)(f - t->file) + 1;
}

struct fs_file *fs_file_closing(struct fs_files *t)
{
	struct fs_file *f = t->closing ? &t->file[t->closing - 1] : NULL;

	if (f)
		t->closing = f->next;
	return f;
}

void fs_file_closed(struct fs_files *t, struct fs_file *f)
{
	f->fd = -1;
	f->gone = false;
	f->uses++;
	f->next = t->free;
	t->free = (uint32_t)(f - t->file) + 1;
}

struct fs_file *fs_file_get(struct fs_files *t, uint64_t fh, bool is_dir)
{
	const uint32_t place = (uint32_t)fh - 1;
	struct fs_file *f;

	if (place >= t->fresh)
		return NULL;
	f = &t->file[place];
	return f->fd >= 0 && f->uses == fh >> 32 && f->is_dir == is_dir && !f->gone ? f : NULL;
}

uint64_t fs_file_add(struct fs_files *t, struct fs_node *n, int fd, bool is_dir)
{
	struct fs_file *f;

	if (t->free != 0) {
		f = &t->file[t->free - 1];
		t->free = f->next;
	} else if (t->fresh < t->max) {
		f = &t->file[t->fresh++];
	} else {
		close(fd);
		return 0;
	}
	fs_node_hold(t->nodes, n);
	*f = (struct fs_file){.fd = fd, .uses = f->uses, .node = n, .is_dir = is_dir};
	return (uint64_t)f->uses << 32 | ((uint32_t)(f - t->file) + 1);
}

void fs_file_drop(struct fs_files *t, struct fs_file *f)
{
	f->gone = true;
	if (f->busy == 0)
		fs_file_remove(t, f);
}

void fs_file_hold(struct fs_file *f)
{
	if (f)
		f->busy++;
}

void fs_file_put(struct fs_files *t, struct fs_file *f)
{
	if (!f)
		return;
	f->busy--;
	if (f->gone && f->busy == 0)
		fs_file_remove(t, f);
}

void fs_files_drop(struct fs_files *t)
{
	for (uint32_t i = 0; i < t->fresh; i++)
		if (t->file[i].fd >= 0 && !t->file[i].gone)
			fs_file_drop(t, &t->file[i]);
}
