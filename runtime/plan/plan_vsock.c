/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_vsock.h"

#include "devices/core/fmt.h"
#include "runtime/plan/plan_settings.h"

static int plan_vsock_fill(struct plan_build *bd, const struct bundle_device *d)
{
	const struct vsock_settings settings = {.cid = d->cid, .conns = VSOCK_CONNS_MAX};
	struct plan_vsock *v = &bd->p->vsock;
	char pointer[SCHEMA_POINTER_BYTES + sizeof("/socket")];
	int rc;

	v->proc = bd->p->nr_procs;
	v->cid = (uint32_t)d->cid;
	plan_set_settings(plan_add_device(bd, KIND_VSOCK), &settings, sizeof(settings));
	fmt_into(pointer, sizeof(pointer), "%s/socket", d->pointer);
	rc = plan_copy(&v->pointer, d->pointer, bd->err);
	if (rc < 0)
		return rc;
	return d->socket ? plan_set_path(bd, &v->socket, d->socket, pointer)
			 : plan_copy(&v->socket.pointer, d->pointer, bd->err);
}

int plan_vsock_add(struct plan_build *bd)
{
	const struct bundle_device *d = bd->b->vm.devices.item;
	int rc = 0;

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
