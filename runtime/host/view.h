/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What those see who join the mount namespace of a container's process
 *
 * Callers know a container by one pid, the supervisor's, and enter its mount namespace to find the container's files there:
 * podman copies files so, and would write to the host's. So the supervisor has a mount namespace of its own, at whose root
 * the container's root and what is bound into it are mounted, over the host's. What the guest mounts itself (/proc, /dev, a
 * tmpfs), and an overlay, is covered by an empty directory that is read-only, so that nothing is written where the guest does
 * not see it.
 *
 * A mount on "/" does not change the root of those who have it already: the supervisor itself still finds the host's files
 * by their paths. It counts as one in a chroot, though, who may not make user namespaces: it goes home to start a process.
 */
#ifndef VMRUN_RUNTIME_HOST_VIEW_H
#define VMRUN_RUNTIME_HOST_VIEW_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "runtime/plan/plan_types.h"

/**
 * struct view - Of one container
 * @made:	The others are open; this process is in @inside
 * @home:	The mount namespace that it came from
 * @inside:	The one that has the view
 * @host:	The host's root in there
 * @root:	The container's root, O_PATH
 */
struct view {
	bool made;
	int home, inside, host, root;
};

/**
 * view_make() - Move the calling process into a mount namespace with the view of @p
 * @ret:	Its fds are open as long as the process lives
 *
 * Who may not make a mount namespace has no caller who may join it: it stays where it is.
 * Context: one thread
 * Syscalls: openat unshare mount open_tree mount_setattr move_mount fsopen fsconfig fsmount fstat statx close
 */
MUST_CHECK int view_make(const struct plan *p, struct view *ret, struct err *err);

/** view_complete() - Add the mounts whose places the guest has made meanwhile; those that cannot be added are left out */
void view_complete(const struct plan *p, const struct view *v);

/**
 * view_go_home() - Back into the namespace that view_make() came from, for a moment
 *
 * Syscalls: setns
 */
MUST_CHECK int view_go_home(const struct view *v, struct err *err);

/**
 * view_return() - Into the view's again, with the host's root
 *
 * Syscalls: setns fchdir chroot
 */
void view_return(const struct view *v);

#endif
