/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_fs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/core/agent_msg.h"
#include "devices/core/fmt.h"
#include "runtime/config/bundle_ids.h"
#include "runtime/plan/plan_inside.h"
#include "runtime/plan/plan_mount.h"
#include "runtime/plan/plan_settings.h"

static int plan_fs_set_source(struct plan_build *bd, struct plan_source *s, const char *path,
			      const char *name, bool readonly, const char *pointer)
{
	struct plan_fd file = {.path = NULL};
	int rc = plan_set_path(bd, &file, path, pointer);

	*s = (struct plan_source){.path = file.path, .pointer = file.pointer, .readonly = readonly};
	return rc < 0 ? rc : plan_copy(&s->name, name, bd->err);
}

static int plan_fs_set_sources(struct plan_build *bd, struct plan_fs *f,
			       const struct bundle_device *d)
{
	const struct bundle_source *source = d->fs.sources.item;
	char pointer[SCHEMA_POINTER_BYTES + sizeof("/sources/99/source")];
	int rc = 0;

	f->source = calloc(d->path ? 1 : d->fs.sources.nr, sizeof(*f->source));
	if (!f->source)
		return plan_no_memory(bd->err);
	fmt_into(pointer, sizeof(pointer), "%s/source", d->pointer);
	f->nr = d->path != NULL;
	if (d->path)
		return plan_fs_set_source(bd, f->source, d->path, NULL, d->readonly, pointer);
	for (unsigned int i = 0; rc == 0 && i < d->fs.sources.nr; i++) {
		fmt_into(pointer, sizeof(pointer), "%s/sources/%u/source", d->pointer, i);
		f->nr = i + 1;
		rc = plan_fs_set_source(bd, &f->source[i], source[i].path, source[i].name,
					d->readonly || source[i].readonly, pointer);
	}
	return rc;
}

/* Those of the device at @pointer, or else those of the whole bundle */
static int plan_fs_set_ids(struct plan_build *bd, struct plan_fs *f, const struct bundle_ids *given,
			   const char *pointer)
{
	const bool own = given && given->uids.nr > 0;
	const struct bundle_ids *ids = own ? given : &bd->b->linux_.ids;
	char from[SCHEMA_POINTER_BYTES + sizeof("/uidMappings")];
	int rc;

	if (bundle_ids_same(ids))
		return 0;
	fmt_into(from, sizeof(from), "%s/uidMappings", own ? pointer : "/linux");
	rc = id_map_set(&f->uids, ids->uids.item, ids->uids.nr, from, bd->err);
	if (rc < 0)
		return rc;
	fmt_into(from, sizeof(from), "%s/gidMappings", own ? pointer : "/linux");
	return id_map_set(&f->gids, ids->gids.item, ids->gids.nr, from, bd->err);
}

static struct plan_fs *plan_fs_add_device(struct plan_build *bd, const struct fs_settings *settings,
					  bool readonly)
{
	struct plan_fs *f = &bd->p->fs[bd->p->nr_fs++];
	struct plan_proc *proc;

	f->proc = bd->p->nr_procs;
	proc = plan_add_device(bd, KIND_FS);
	plan_set_settings(proc, settings, sizeof(*settings));
	proc->dev_flags = readonly ? BOOT_DEV_READONLY : 0;
	proc->fd[BOOT_FD_RES].source = PLAN_FD_SHARE;
	proc->fd[BOOT_FD_RES + 1].source = PLAN_FD_SELF;
	proc->nr_fds = BOOT_FD_RES + 2;
	proc->writes_file = !readonly;
	return f;
}

static int plan_fs_add_listed(struct plan_build *bd, const struct bundle_device *d)
{
	struct fs_settings settings = {
		.cache = (uint32_t)d->fs.cache,
		.flags = (d->fs.writeback ? FS_WRITEBACK : 0) |
			 (d->fs.posix_acl ? FS_POSIX_ACL : 0) |
			 (d->fs.host_locks ? FS_HOST_LOCKS : 0) |
			 (d->fs.security_ctx ? FS_SECURITY_CTX : 0),
	};
	struct plan_fs *f;
	int rc;

	memcpy(settings.tag, d->tag, strnlen(d->tag, sizeof(settings.tag)));
	f = plan_fs_add_device(bd, &settings, d->readonly);
	rc = plan_fs_set_sources(bd, f, d);
	return rc < 0 ? rc : plan_fs_set_ids(bd, f, &d->fs.ids, d->pointer);
}

/* Those of /mounts that are shared, as m0, m1 ... */
static int plan_fs_set_mounts(struct plan_build *bd, struct plan_fs *f)
{
	cleanup_free struct plan_mount *m = malloc(sizeof(*m));
	int rc = m ? 0 : plan_no_memory(bd->err);

	for (unsigned int i = 0; rc == 0 && i < bd->b->mounts.nr; i++) {
		char pointer[sizeof("/mounts/4294967295/source")];

		fmt_into(pointer, sizeof(pointer), "/mounts/%u/source", i);
		rc = plan_mount_decide(bd, i, m);
		if (rc < 0 || !m->share)
			continue;
		if (f->nr == FS_SOURCES_MAX)
			return err_text(bd->err, EINVAL,
					"%s: a container can have %u directories and files of the "
					"host, and its root",
					pointer, FS_SOURCES_MAX - 1);
		rc = plan_fs_set_source(bd, &f->source[f->nr++], m->share, m->name, m->readonly,
					pointer);
		if (rc == 0 && m->layers)
			rc = plan_copy(&f->source[f->nr - 1].layers, m->layers, bd->err);
	}
	return rc;
}

static int plan_fs_set_root(struct plan_build *bd, struct plan_fs *f)
{
	struct plan_source *root = &f->source[f->nr++];
	struct plan_look look = {.mode = S_IFDIR};
	int rc = plan_fs_set_source(bd, root, bd->b->root.path, PLAN_INSIDE_ROOT,
				    bd->b->root.readonly, "/root/path");

	/* One that is missing is share_open()'s error. */
	if (rc < 0 || !bd->host->look || bd->host->look(root->path, &look) < 0)
		return rc;
	return S_ISDIR(look.mode) ? 0
				  : err_text(bd->err, ENOTDIR, "%s: %s: is not a directory",
					     root->pointer, root->path);
}

/* What a container has of the host: its root, unless that is a disk, and the sources of its binds. Without any of these
 * there is no device. */
static int plan_fs_add_implied(struct plan_build *bd)
{
	const struct fs_settings settings = {.cache = FS_CACHE_AUTO, .tag = AGENT_TAG};
	struct plan_fs f = {.source = calloc(FS_SOURCES_MAX, sizeof(*f.source))}, *to;
	int rc = f.source ? 0 : plan_no_memory(bd->err);

	if (rc == 0 && !bd->b->vm.image.path)
		rc = plan_fs_set_root(bd, &f);
	if (rc == 0)
		rc = plan_fs_set_mounts(bd, &f);
	if (rc == 0)
		rc = plan_fs_set_ids(bd, &f, NULL, NULL);
	if (rc < 0 || f.nr == 0) {
		plan_fs_free(&f);
		return rc;
	}
	to = plan_fs_add_device(bd, &settings, false);
	f.proc = to->proc;
	*to = f;
	return 0;
}

int plan_fs_add(struct plan_build *bd)
{
	const struct bundle_device *d = bd->b->vm.devices.item;
	int rc = bd->p->container ? plan_fs_add_implied(bd) : 0;

	for (unsigned int i = 0; rc == 0 && i < bd->b->vm.devices.nr; i++)
		if (d[i].type == KIND_FS)
			rc = plan_fs_add_listed(bd, &d[i]);
	return rc;
}

const struct plan_fs *plan_fs_of(const struct plan *p, unsigned int proc)
{
	for (unsigned int i = 0; i < p->nr_fs; i++)
		if (p->fs[i].proc == proc)
			return &p->fs[i];
	return NULL;
}

void plan_fs_free(struct plan_fs *f)
{
	for (unsigned int i = 0; i < f->nr; i++) {
		free(f->source[i].path);
		free(f->source[i].name);
		free(f->source[i].pointer);
		free(f->source[i].layers);
		free(f->source[i].hidden);
	}
	free(f->source);
	id_map_done(&f->uids);
	id_map_done(&f->gids);
}
