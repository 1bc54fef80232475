/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The files of a cgroup
 */
#ifndef VMRUN_RUNTIME_HOST_CGROUP_FILES_H
#define VMRUN_RUNTIME_HOST_CGROUP_FILES_H

#include "devices/core/base.h"

/** cgroup_has_word() - Whether the blank-separated words of @text include @name */
bool cgroup_has_word(const char *text, const char *name);

/** cgroup_open() - Open directory @path, relative to @at; the fd or -errno */
int cgroup_open(int at, const char *path);

/** cgroup_read() - Read the first line of a file of the cgroup @dir; false if that fails */
bool cgroup_read(int dir, const char *file, char *ret, size_t size);

/** cgroup_number() - Read the number behind @key in a file of lines "KEY NUMBER"; 0 without such a line */
uint64_t cgroup_number(int dir, const char *file, const char *key);

/** cgroup_write() - Write @text to a file of the cgroup @dir; 0 or -errno */
int cgroup_write(int dir, const char *file, const char *text);

/** cgroup_has_children() - Whether a cgroup is below @dir */
bool cgroup_has_children(int dir);

#endif
