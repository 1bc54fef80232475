/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Names, in cells of one size
 *
 * A name takes as many cells as it needs, each with the number of the next. So names of any length share one
 * piece of memory that never grows, and what one frees every other can use.
 */
#ifndef VMRUN_DEVICES_FS_FS_LABEL_H
#define VMRUN_DEVICES_FS_FS_LABEL_H

#include "devices/core/base.h"
#include "devices/core/err.h"

#define FS_CELL_TEXT 28U

/**
 * struct fs_cell - A piece of a name, or a free place
 * @next:	The next: its index + 1; 0: none
 * @text:	Zeros behind the end of the name
 */
struct fs_cell {
	uint32_t next;
	char text[FS_CELL_TEXT];
};

/**
 * struct fs_labels - All of them
 * @fresh:	Cells from here on were never used
 * @free:	First free cell below @fresh: its index + 1
 * @left:	How many are free
 */
struct fs_labels {
	struct fs_cell *cell;
	uint32_t max, fresh, free, left;
};

/** fs_labels_init() - Room for @max cells.  Context: setup.  Syscalls: mmap madvise.  Return: 0 or -ENOMEM */
MUST_CHECK int fs_labels_init(struct fs_labels *t, uint32_t max, struct err *err);

/** fs_labels_done() - Free them.  Context: setup.  Syscalls: munmap */
void fs_labels_done(struct fs_labels *t);

/** fs_label_make() - A copy of @name: its number, or 0 when there is no room */
uint32_t fs_label_make(struct fs_labels *t, const char *name);

/** fs_label_free() - @label is no more; 0 is ignored */
void fs_label_free(struct fs_labels *t, uint32_t label);

/** fs_label_is() - Whether it is @name */
bool fs_label_is(const struct fs_labels *t, uint32_t label, const char *name);

/** fs_label_text() - Its bytes into @ret, which has room for NAME_MAX, not terminated: how many */
size_t fs_label_text(const struct fs_labels *t, uint32_t label, char *ret);

#endif
