/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/standalone_vsock.h"

#include <errno.h>

#include "runtime/util/clock.h"

static int standalone_vsock_hand(void *arg, const struct ctl_msg *m, int fd)
{
	struct standalone_vsock *v = arg;
	const int rc = *v->control < 0 ? -EPIPE : ctl_send_whole(*v->control, m, fd);

	if (rc < 0)
		return rc;
	vr_assert(v->nr < STANDALONE_VSOCK_OPEN);
	v->found[(v->first + v->nr++) % STANDALONE_VSOCK_OPEN] = m->type == CTL_VSOCK_FOUND;
	return 0;
}

int standalone_vsock_new(struct standalone_vsock **ret, const char *path, const int *control,
			 struct err *err)
{
	struct standalone_vsock *v = calloc(1, sizeof(*v));
	int rc = v ? loop_init(&v->loop, err) : err_set(err, ENOMEM, "memory for vsock");

	if (!v)
		return rc;
	v->control = control;
	bridge_init(&v->bridge);
	if (rc == 0)
		rc = bridge_open(&v->bridge, path, &v->loop, standalone_vsock_hand, v, err);
	if (rc == 0)
		*ret = v;
	else
		standalone_vsock_free(v);
	return rc;
}

void standalone_vsock_free(struct standalone_vsock *v)
{
	if (!v)
		return;
	bridge_done(&v->bridge);
	loop_done(&v->loop);
	free(v);
}

bool standalone_vsock_heard(struct standalone_vsock *v, const struct ctl_msg *m)
{
	if (v && m->type == CTL_VSOCK_ASK && bridge_may_ask(&v->bridge)) {
		bridge_asked(&v->bridge, m);
		return true;
	}
	if (!v || m->type != CTL_DONE || v->nr == 0)
		return false;
	v->nr--;
	bridge_answered(&v->bridge, v->found[v->first]);
	v->first = (v->first + 1) % STANDALONE_VSOCK_OPEN;
	return true;
}

int standalone_vsock_turn(struct standalone_vsock *v, struct err *err)
{
	if (!v)
		return 0;
	if (v->bridge.at_ns && clock_ns() >= v->bridge.at_ns)
		bridge_late(&v->bridge);
	return loop_once(&v->loop, 0, err);
}
