/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Inside cgroup*.c
 *
 * cgroup_mounts.c  the hierarchies of this host
 * cgroup.c         from the plan to a process in the leaf
 * cgroup_limits.c  limits, set and read back
 * cgroup_freeze.c  groups that stand still
 * cgroup_end.c     memory that was not enough; leaving and removing
 */
#ifndef VMRUN_RUNTIME_HOST_CGROUP_PRIV_H
#define VMRUN_RUNTIME_HOST_CGROUP_PRIV_H

#include "runtime/host/cgroup.h"

/** cgroup_find() - Fill in the hierarchies; as cgroup_parse_mounts() */
MUST_CHECK int cgroup_find(bool cpuset, struct cgroup *ret);

/** cgroup_has_controller() - Whether a v1 hierarchy is the one of controller @name */
bool cgroup_has_controller(const struct cgroup_mount *m, const char *name);

/** cgroup_has_word() - Whether @name is one of the blank-separated words of @text */
bool cgroup_has_word(const char *text, const char *name);

/** cgroup_open() - Open directory @path, from @at if it is relative: the fd or -errno */
int cgroup_open(int at, const char *path);

/** cgroup_read() - The first line of a file of the cgroup @dir; false when there is none */
bool cgroup_read(int dir, const char *file, char *ret, size_t size);

/** cgroup_number() - The number behind @key in a file of lines "KEY NUMBER"; 0 when there is none */
uint64_t cgroup_number(int dir, const char *file, const char *key);

/** cgroup_write() - Write @text to a file of the cgroup @dir: 0 or -errno */
int cgroup_write(int dir, const char *file, const char *text);

/** cgroup_limit() - Set the limits of leaves that are there, and read them back */
MUST_CHECK int cgroup_limit(const struct cgroup *c, const struct plan_cgroup *plan,
			    struct err *err);

/** cgroup_is_limited() - Whether the plan asks for a limit */
bool cgroup_is_limited(const struct plan_cgroup *plan);

/** cgroup_dir_frozen() - Whether the cgroup @dir, or for v1 one above it, is frozen */
bool cgroup_dir_frozen(int dir);

/** cgroup_freezer_frozen() - Whether the leaf's place in the freezer's own hierarchy is frozen */
bool cgroup_freezer_frozen(const struct cgroup *c);

/** cgroup_has_children() - Whether there is a cgroup below @dir */
bool cgroup_has_children(int dir);

#endif
