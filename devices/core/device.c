/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/device.h"

#include <errno.h>

#include "devices/core/sparse.h"
#include "devices/core/vu_msg.h"

int device_init(struct device *d, const struct device_ops *ops, struct loop *loop, struct err *err)
{
	d->ops = ops;
	d->loop = loop;
	d->config_fd = -1;
	for (unsigned int q = 0; q < BOOT_QUEUES_MAX; q++)
		d->kick_fd[q] = d->call_fd[q] = d->err_fd[q] = -1;
	d->state = sparse_calloc(1, ops->state_size);
	return d->state ? 0 : err_set(err, ENOMEM, "state of device %s", ops->kind->name);
}

void device_done(struct device *d)
{
	for (unsigned int q = 0; d->ops && q < BOOT_QUEUES_MAX; q++) {
		cleanup_close_fd(&d->kick_fd[q]);
		cleanup_close_fd(&d->call_fd[q]);
		cleanup_close_fd(&d->err_fd[q]);
	}
	gmem_done(&d->mem);
	if (d->ops && d->ops->done)
		d->ops->done(d);
	free(d->state);
	*d = (struct device){0};
}

/*
 * Adds one to an eventfd of the front-end. It fails when the fd is no eventfd, which is the front-end's
 * fault, or when the counter is full, and then the event is still pending.
 */
static void device_event(int fd)
{
	const uint64_t one = 1;

	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		return;
}

void device_signal(struct device *d, unsigned int q)
{
	if (vq_should_signal(&d->vq[q]))
		device_event(d->call_fd[q]);
}

void device_again(struct device *d, unsigned int q)
{
	device_event(d->kick_fd[q]);
}

void device_broken(struct device *d, unsigned int q, const char *why)
{
	d->vq[q].broken = true;
	d->vq[q].why = why;
	device_event(d->err_fd[q]);
	log_limited(&d->broken_limit, LOG_LEVEL_WARN, "%s: the driver broke queue %u: %s",
		    d->ops->kind->name, q, why);
	if (d->err_fd[q] >= 0)
		return;
	log_limited(&d->broken_limit, LOG_LEVEL_WARN,
		    "%s: the front-end gave no eventfd for that: the connection ends",
		    d->ops->kind->name);
	loop_stop(d->loop);
}

void device_end_turn(struct device *d, unsigned int q, enum vq_result last)
{
	device_signal(d, q);
	if (last == VQ_BROKEN)
		device_broken(d, q, d->vq[q].why);
	else if (last == VQ_CHAIN)
		device_again(d, q);
}

void device_config_changed(struct device *d)
{
	static const struct vu_hdr hdr = {VU_CONFIG_CHANGE, VU_VERSION, 0};
	int rc = d->config_fd >= 0 ? fd_try_send(d->config_fd, &hdr, sizeof(hdr)) : 0;

	/* A full channel holds earlier changes: the driver reads this one with them. */
	if (rc < 0 && rc != -EAGAIN)
		d->config_fd = -1;
}

static void device_dispatch(void *arg, int fd, uint32_t events)
{
	struct device_watch *w = arg;

	(void)fd;
	w->d->ops->event(w->d, w->slot, events);
}

int device_watch(struct device *d, unsigned int slot, int fd, uint32_t events, struct err *err)
{
	vr_assert(slot < BOOT_RES_MAX && d->ops->event);
	d->watch[slot] = (struct device_watch){.d = d, .slot = slot};
	return loop_add(d->loop, fd, events, device_dispatch, &d->watch[slot], err);
}
