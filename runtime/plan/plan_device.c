/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_device.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <linux/virtio_fs.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/config/bundle_ask.h"

int plan_no_memory(struct err *err)
{
	return err_set(err, ENOMEM, "memory for the plan");
}

int plan_copy(char **ret, const char *s, struct err *err)
{
	if (!s)
		return 0;
	*ret = strdup(s);
	return *ret ? 0 : plan_no_memory(err);
}

int plan_join(struct plan_build *bd, char **ret, const char *path, const char *pointer)
{
	const char *dir = *path == '/' || !strcmp(bd->b->dir, "/") ? "" : bd->b->dir;
	size_t bytes = strlen(dir) + 1 + strlen(path) + 1;

	if (bytes > PATH_MAX)
		return err_text(bd->err, EINVAL, "%s: the path is longer than %d bytes", pointer,
				PATH_MAX - 1);
	*ret = malloc(bytes);
	if (!*ret)
		return plan_no_memory(bd->err);
	fmt_into(*ret, bytes, "%s%s%s", dir, *path == '/' ? "" : "/", path);
	return 0;
}

int plan_set_path(struct plan_build *bd, struct plan_fd *fd, const char *path, const char *pointer)
{
	const int rc = plan_join(bd, &fd->path, path, pointer);

	return rc < 0 ? rc : plan_copy(&fd->pointer, pointer, bd->err);
}

int plan_set_file(struct plan_build *bd, struct plan_fd *fd, enum plan_file file, const char *path,
		  const char *pointer)
{
	fd->source = PLAN_FD_FILE;
	fd->file = file;
	return plan_set_path(bd, fd, path, pointer);
}

void plan_common_fds(struct plan_proc *proc)
{
	for (int fd = 0; fd <= 2; fd++)
		proc->fd[fd].source = PLAN_FD_NULL;
	proc->fd[BOOT_FD_CONTROL].source = PLAN_FD_CONTROL;
	proc->fd[BOOT_FD_LOG].source = PLAN_FD_LOG;
}

void plan_set_kind(struct plan_proc *proc, enum kind_id id)
{
	proc->kind = &kind_table[id];
	proc->program = proc->kind->program;
	proc->policy = proc->kind->policy;
	proc->early = proc->kind->policy_early;
}

struct plan_proc *plan_add_device(struct plan_build *bd, enum kind_id id)
{
	unsigned int i = bd->p->nr_procs - 1;
	struct plan_proc *vmm = &bd->p->proc[0], *proc = &bd->p->proc[1 + i];

	/* bundle_vm_check() has counted them. */
	vr_assert(i < BOOT_DEVICES_MAX);
	bd->p->nr_procs++;
	plan_set_kind(proc, id);
	fmt_into(proc->name, sizeof(proc->name), "%s%u", proc->kind->name, bd->nr[id]++);
	plan_common_fds(proc);
	proc->fd[BOOT_FD_VMM] = (struct plan_fd){.source = PLAN_FD_CHANNEL, .index = i};
	proc->nr_fds = BOOT_FD_RES;
	vmm->fd[BOOT_FD_DEVICE + i] = (struct plan_fd){.source = PLAN_FD_CHANNEL, .index = i};
	vmm->nr_fds = BOOT_FD_DEVICE + i + 1;
	return proc;
}

void plan_set_returns(struct plan_build *bd, struct plan_proc *proc, const struct bundle_device *d)
{
	proc->returns = d && d->on_failure == BUNDLE_RESTART;
	bd->p->returns |= proc->returns;
}

/* A back-end does not know the name that its file system has in the guest. */
static void plan_name_fs(struct plan_other *o, const char *tag)
{
	struct virtio_fs_config config = {.num_request_queues = htole32(1)};

	_Static_assert(sizeof(config) <= sizeof(o->config) && sizeof(config.tag) == FS_TAG_BYTES,
		       "configuration of a file system");
	memcpy(config.tag, tag, strnlen(tag, sizeof(config.tag)));
	memcpy(o->config, &config, sizeof(config));
	o->config_bytes = sizeof(config);
}

static int plan_add_other(struct plan_build *bd, const struct bundle_device *d)
{
	const struct kind *kind = bundle_kind(d);
	struct plan_proc *vmm = &bd->p->proc[0];
	struct plan_other *o = &bd->p->other[bd->p->nr_others++];
	struct plan_fd *fd = &vmm->fd[vmm->nr_fds++];
	char pointer[SCHEMA_POINTER_BYTES + sizeof("/socket")];

	o->kind = kind;
	fmt_into(o->name, sizeof(o->name), "%s%u", kind->name, bd->nr[kind - kind_table]++);
	o->returns = d->on_failure == BUNDLE_RESTART;
	bd->p->returns |= o->returns;
	if (d->tag)
		plan_name_fs(o, d->tag);
	fd->source = PLAN_FD_SOCKET;
	fmt_into(pointer, sizeof(pointer), "%s/socket", d->pointer);
	return plan_set_path(bd, fd, d->path, pointer);
}

int plan_add_others(struct plan_build *bd)
{
	const struct bundle_device *d = bd->b->vm.devices.item;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < bd->b->vm.devices.nr; i++)
		if (d[i].type == KIND_VHOST_USER)
			rc = plan_add_other(bd, &d[i]);
	return rc;
}

void plan_add_regions(struct plan_build *bd)
{
	struct plan *p = bd->p;
	struct plan_proc *vmm = &p->proc[0];
	const unsigned int ours = p->nr_procs - 1, nr = ours + p->nr_others;

	for (unsigned int i = 0; p->returns && i < nr; i++) {
		const bool returns = i < ours ? p->proc[1 + i].returns : p->other[i - ours].returns;

		vmm->fd[vmm->nr_fds++] = (struct plan_fd){
			.source = returns ? PLAN_FD_INFLIGHT : PLAN_FD_NULL, .index = i};
	}
}

unsigned int plan_nr_plain(const struct bundle *b, enum kind_id id)
{
	const uint32_t flags = kind_table[id].flags;
	const unsigned int listed = bundle_listed(b, id);

	if (!(flags & KIND_TYPE) || id == KIND_SERIAL || id == KIND_BLOCK || id == KIND_NET ||
	    id == KIND_VHOST_USER || id == KIND_BALLOON || id == KIND_VSOCK || id == KIND_CONSOLE ||
	    id == KIND_FS)
		return 0;
	return listed == 0 && flags & KIND_IMPLIED ? 1 : listed;
}
