/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_vsock.h"

#include "devices/core/fmt.h"
#include "runtime/plan/plan_settings.h"

/* The kernel carries the connections: the process lends it the rings. */
static void plan_vsock_set_vhost(struct plan_vsock *v, struct plan_proc *proc,
				 const struct schema_list *listen)
{
	const uint64_t *port = listen->item;

	v->vhost = true;
	plan_set_kind(proc, KIND_VHOST_VSOCK);
	proc->fd[BOOT_FD_RES].source = PLAN_FD_VHOST_VSOCK;
	proc->nr_fds = BOOT_FD_RES + 1;
	for (unsigned int i = 0; i < listen->nr; i++)
		v->listen[v->nr_listen++] = (uint32_t)port[i];
}

static int plan_vsock_fill(struct plan_build *bd, const struct bundle_device *d)
{
	const struct vsock_settings settings = {.cid = d->vsock.cid, .conns = VSOCK_CONNS_MAX};
	struct plan_vsock *v = &bd->p->vsock;
	struct plan_proc *proc;
	char pointer[SCHEMA_POINTER_BYTES + sizeof("/socket")];
	int rc;

	v->proc = bd->p->nr_procs;
	v->cid = (uint32_t)d->vsock.cid;
	proc = plan_add_device(bd, KIND_VSOCK);
	plan_set_settings(proc, &settings, sizeof(settings));
	if (d->vsock.vhost)
		plan_vsock_set_vhost(v, proc, &d->vsock.listen);
	fmt_into(pointer, sizeof(pointer), "%s/socket", d->pointer);
	rc = plan_copy(&v->pointer, d->pointer, bd->err);
	if (rc < 0)
		return rc;
	return d->vsock.socket ? plan_set_path(bd, &v->socket, d->vsock.socket, pointer)
			       : plan_copy(&v->socket.pointer, d->pointer, bd->err);
}

/* Its connections are the supervisor's alone, so a CID that other VMs have as well is as good as any. */
static void plan_vsock_add_implied(struct plan_build *bd)
{
	const struct vsock_settings settings = {.cid = VSOCK_CID_FIRST, .conns = VSOCK_CONNS_MAX};
	struct plan_vsock *v = &bd->p->vsock;
	struct plan_proc *proc;

	v->proc = bd->p->nr_procs;
	v->cid = VSOCK_CID_FIRST;
	v->agent = true;
	proc = plan_add_device(bd, KIND_VSOCK);
	proc->writes_file = true; /* the standard output of a program */
	plan_set_settings(proc, &settings, sizeof(settings));
}

int plan_vsock_add(struct plan_build *bd)
{
	const struct bundle_device *d = bd->b->vm.devices.item;
	int rc = 0;

	if (bd->p->container) {
		plan_vsock_add_implied(bd);
		return 0;
	}

	for (unsigned int i = 0; rc == 0 && i < bd->b->vm.devices.nr; i++)
		if (d[i].type == KIND_VSOCK)
			rc = plan_vsock_fill(bd, &d[i]);
	return rc;
}

void plan_vsock_free(struct plan_vsock *v)
{
	free(v->pointer);
	free(v->socket.path);
	free(v->socket.pointer);
}
