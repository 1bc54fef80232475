/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The maps of a user namespace, as text (user_namespaces(7))
 *
 * A process that acts for the users of a guest has them in its namespace, beside its own user. The guest's ids are
 * those that a map of config.json says; without one, and if the caller may choose ids, all below USERNS_HOST_BASE,
 * each as itself (rootless podman's users: those of its user namespace); otherwise the caller alone, who is 0 inside.
 *
 * The process itself is USERNS_GUESTS_ID there, unless its own id is one that the map gives the guest.
 */
#ifndef VMRUN_RUNTIME_JAIL_USERNS_MAP_H
#define VMRUN_RUNTIME_JAIL_USERNS_MAP_H

#include <sys/types.h>

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "runtime/util/id_map.h"

#define USERNS_ID	  1 /* not 0: execve would give capabilities to the root of a namespace */
#define USERNS_HOST_BASE  ID_MAP_OWN_FIRST
#define USERNS_HOST_COUNT ID_MAP_OWN_COUNT
#define USERNS_GUESTS_ID  USERNS_HOST_BASE /* instead of USERNS_ID, beside the users of a guest */
#define USERNS_NONE	  ((uid_t)-1)

/**
 * struct userns_ids - The host uid and gid of USERNS_ID
 * @uid:	USERNS_NONE: no uid is mapped, and the process keeps its own
 * @exclusive:	No other process of the host has these ids
 * @several:	The caller may map other ids of its user namespace than its own, too
 * @guests:	The process acts for the users of a guest
 * @uids, @gids: Then: which of the guest's are which outside, borrowed; NULL: all of them
 */
struct userns_ids {
	uid_t uid;
	gid_t gid;
	bool exclusive;
	bool several;
	bool guests;
	const struct id_map *uids, *gids;
};

#define USERNS_MAP_BYTES 4096 /* with its end; the kernel takes less than a page */

/** userns_map_has() - Whether @map, in the form of /proc/PID/uid_map, includes @count ids from @id on, in one line */
bool userns_map_has(const char *map, uint64_t id, uint64_t count);

/** userns_map_has_others() - Whether @map includes other ids than @id */
bool userns_map_has_others(const char *map, uint64_t id);

/** userns_map_own() - The process's own id, as it is inside; @id: as it is outside; @m: NULL, or the guest's */
uint32_t userns_map_own(const struct userns_ids *ids, const struct id_map *m, uint32_t id);

/**
 * userns_map_text() - What to write into a map of the process
 * @file:	"uid_map" or "gid_map"
 *
 * Syscalls: openat read close
 * Return: 0 or -errno
 */
MUST_CHECK int userns_map_text(const struct userns_ids *ids, const struct id_map *m,
			       const char *file, uint32_t id, char ret[USERNS_MAP_BYTES],
			       struct err *err);

/**
 * userns_map_allowed() - Whether the kernel will take the guest's maps of @ids from the caller
 *
 * Syscalls: capget openat read close
 * Return: 0 or -EPERM, with the place of the map at fault
 */
MUST_CHECK int userns_map_allowed(const struct userns_ids *ids, struct err *err);

#endif
