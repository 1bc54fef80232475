/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/view.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/host/share.h"
#include "runtime/plan/plan.h"
#include "runtime/util/file.h"
#include "runtime/util/nsfail.h"
#include "runtime/util/spec_items.h"

#define OWN "/proc/thread-self/ns/mnt"

static int view_attach(int tree, int at)
{
	return syscall(SYS_move_mount, tree, "", at, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
		       ? -errno
		       : 0;
}

static bool view_has_mount(int at)
{
	struct statx st;

	return statx(at, "", AT_EMPTY_PATH, 0, &st) < 0 ||
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static const struct plan_source *view_source(const struct plan *p, const char *name)
{
	for (unsigned int i = 0; p->nr_fs > 0 && i < p->fs[0].nr; i++)
		if (p->fs[0].source[i].name && strcmp(p->fs[0].source[i].name, name) == 0)
			return &p->fs[0].source[i];
	return NULL;
}

/* One mount of the container's, if its place is there and nothing is on it */
static void view_add(const struct plan *p, int root, const struct agent_mount *m, const char *path)
{
	const struct plan_source *s = m->flags & AGENT_MOUNT_BIND
					      ? view_source(p, path + strlen(path) + 1)
					      : NULL;
	cleanup_fd int at = file_look_inside(root, path, 0), tree = -1;
	struct err ignored;

	if (at < 0 || view_has_mount(at))
		return;
	/* The layers of an overlay are one mount's at a time, and that is the share's. */
	if (s && s->layers)
		s = NULL;
	tree = s ? share_clone(s, &ignored) : share_empty();
	if (tree >= 0 && view_attach(tree, at) == 0 && s && s->hidden)
		(void)!share_cover(s, tree, &ignored);
}

static void view_add_mounts(const struct plan *p, int root)
{
	struct agent_mount m;
	struct agent_item item;
	const uint8_t *has;

	for (size_t at = 0; (has = spec_items_next(p->spec, p->spec_bytes, &at, &item));) {
		if (item.type != AGENT_MOUNT)
			continue;
		memcpy(&m, has, sizeof(m));
		view_add(p, root, &m, (const char *)has + sizeof(m));
	}
}

/* Over the host's root, which is "/" to this process still. A root in an image is the guest's to read: then it is empty. */
static int view_cover_host(const struct plan *p, struct view *v, struct err *err)
{
	const struct plan_source *s = plan_shared_root(p);
	int rc;

	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_set(err, errno, "a view of the container: mounts");
	v->host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	v->root = s ? share_clone(s, err) : share_empty();
	if (v->root < 0 && s)
		return v->root;
	rc = v->host < 0 || v->root < 0 ? -errno : view_attach(v->root, v->host);
	return rc < 0 ? err_set(err, -rc, "a view of the container: its root") : 0;
}

int view_make(const struct plan *p, struct view *ret, struct err *err)
{
	int rc;

	ret->home = open(OWN, O_RDONLY | O_CLOEXEC);
	if (ret->home < 0)
		return err_set(err, errno, OWN);
	if (unshare(CLONE_NEWNS) < 0) {
		rc = errno == EPERM ? 0 : nsfail_explain(CLONE_NEWNS, errno, "", err);
		close(ret->home);
		return rc;
	}
	rc = view_cover_host(p, ret, err);
	if (rc < 0)
		return rc;
	view_add_mounts(p, ret->root);
	ret->inside = open(OWN, O_RDONLY | O_CLOEXEC);
	ret->made = ret->inside >= 0;
	return ret->made ? 0 : err_set(err, errno, OWN);
}

void view_complete(const struct plan *p, const struct view *v)
{
	if (v->made)
		view_add_mounts(p, v->root);
}

int view_go_home(const struct view *v, struct err *err)
{
	return v->made && setns(v->home, CLONE_NEWNS) < 0
		       ? err_set(err, errno, "enter the mount namespace of the host")
		       : 0;
}

void view_return(const struct view *v)
{
	/* What follows would be done with the container's files. */
	if (v->made)
		vr_assert(setns(v->inside, CLONE_NEWNS) == 0 && fchdir(v->host) == 0 &&
			  chroot(".") == 0);
}
