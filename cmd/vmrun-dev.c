/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: main() of every device program
 *
 * Compiled once for each device: DEVICE names its table (-DDEVICE=block_device, see the Makefile). The
 * steps from the boot record to the first byte from the guest:
 *
 *   1. receive the boot record on the control socket
 *   2. give up all that is not open; make the event loop, allocate the device's state, let the device take over its resources
 *   3. watch the front-end's connection, the socket to the VMM; not with BOOT_DEV_ALONE
 *   4. lock down; from here on nothing is opened, allocated or looked up
 *   5. send CTL_READY and serve; when the VMM has sent all of the memory, lock down further
 *
 * A VMM may have sent messages long before: they wait in the socket until after step 4. The program
 * ends when the supervisor closes the control socket, or when the VMM, its one front-end, is gone. A
 * stand-alone device waits for the next front-end instead: the supervisor accepts them, and hands in one at
 * a time (CTL_FRONT_END).
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "devices/core/boot.h"
#include "devices/core/ctl.h"
#include "devices/core/device.h"
#include "devices/core/lockdown.h"
#include "devices/core/log.h"
#include "devices/core/vu_backend.h"

extern const struct device_ops DEVICE;
static const struct device_ops *const dev_ops = &DEVICE;

/**
 * struct program - What the program consists of
 * @quit:	The supervisor closed the control socket
 * @front_end:	With BOOT_DEV_ALONE the connection being served; -1: none
 */
struct program {
	struct boot_dev boot;
	struct loop loop;
	struct device dev;
	struct vu_backend backend;
	bool quit;
	int front_end;
};

/* The requests that devices take. With @idle only before the guest has started to use the device: what it has
 * read of the configuration it does not read again. */
static const struct {
	bool known, idle, brings_file;
} dev_requests[CTL_TYPES] = {
	[CTL_NET] = {.known = true, .idle = true, .brings_file = true},
	[CTL_BALLOON] = {.known = true},
	[CTL_BALLOON_STATS] = {.known = true},
	[CTL_VSOCK_CONNECT] = {.known = true, .brings_file = true},
	[CTL_VSOCK_FOUND] = {.known = true, .brings_file = true},
	[CTL_VSOCK_END] = {.known = true},
	[CTL_CONSOLE_ATTACH] = {.known = true, .brings_file = true},
	[CTL_CONSOLE_SIZE] = {.known = true},
	[CTL_CONSOLE_LOG] = {.known = true, .brings_file = true},
};

/* Carries out a request of the supervisor; -errno when @m is none that this device takes */
static int dev_control(struct program *p, struct ctl_msg *m, int *fd)
{
	struct err err = {0};
	int rc;

	if (!dev_requests[m->type].known || !dev_ops->control ||
	    (*fd >= 0 && !dev_requests[m->type].brings_file))
		return -EPROTO;
	if (dev_requests[m->type].idle && p->backend.running > 0)
		rc = err_text(&err, EBUSY, "the guest uses the device already");
	else
		rc = dev_ops->control(&p->dev, m, fd, &err);
	return rc == -EPROTO ? rc : ctl_answer(BOOT_FD_CONTROL, m, rc, &err);
}

/* A device that passes no fd on has its supervisor answer GET_INFLIGHT_FD. */
static int dev_ask_region(const struct vu_msg *asked, struct err *err)
{
	const struct ctl_msg m = {.type = CTL_REGION,
				  .value = {[CTL_REGION_QUEUES] = asked->inflight.nr_queues,
					    [CTL_REGION_ENTRIES] = asked->inflight.queue_size,
					    [CTL_REGION_PAYLOAD] = asked->hdr.bytes}};
	const int rc = ctl_send_whole(BOOT_FD_CONTROL, &m, -1);

	return rc < 0 ? err_set(err, -rc, "control socket") : 1;
}

/* Serves a front-end; -errno when none may come now */
static int dev_front_end(struct program *p, int *fd)
{
	struct err err = {0};
	int rc;

	if (!(p->boot.flags & BOOT_DEV_ALONE) || *fd < 0 || p->front_end >= 0)
		return -EPROTO;
	p->front_end = TAKE_FD(*fd);
	rc = vu_backend_init(&p->backend, &p->dev, p->front_end, &err);
	if (rc < 0)
		log_err("%s", err.msg);
	p->backend.region = dev_ask_region;
	return rc;
}

/* A front-end or a request; anything else ends the program, as does the end of the control socket */
static void dev_control_ready(void *arg, int control, uint32_t events)
{
	struct program *p = arg;
	cleanup_fd int fd = -1;
	struct ctl_msg m;

	(void)events;
	if (ctl_recv_fd(control, &m, &fd) == 1 &&
	    (m.type == CTL_FRONT_END ? dev_front_end(p, &fd) : dev_control(p, &m, &fd)) == 0)
		return;
	p->quit = true;
	loop_stop(&p->loop);
}

static int dev_watch_vmm(struct program *p, struct err *err)
{
	int rc;

	/* What is not virtio watches the socket in its init. */
	if (dev_ops->kind->virtio_id == 0 || p->boot.flags & BOOT_DEV_ALONE)
		return 0;
	rc = vu_backend_init(&p->backend, &p->dev, BOOT_FD_VMM, err);
	p->backend.filter = &p->boot.filter;
	return rc;
}

/* Steps 1 to 4 */
static int dev_prepare(struct program *p, struct err *err)
{
	int rc = boot_recv_dev(BOOT_FD_CONTROL, &p->boot, err);

	if (rc < 0)
		return rc;
	/* Ignores SIGPIPE too: a write to a sink or front-end that is gone fails, and the program goes on. */
	log_init(BOOT_FD_LOG, (enum log_level)p->boot.hdr.log_level);
	/* A write beyond RLIMIT_FSIZE, the disk's size or the caller's, fails likewise. */
	(void)signal(SIGXFSZ, SIG_IGN);
	if (strcmp(p->boot.type, dev_ops->kind->name) != 0)
		return err_text(err, EINVAL, "%s: this program is for %s devices, not for %s",
				p->boot.name, dev_ops->kind->name, p->boot.type);
	rc = lockdown_files(&p->boot.filter, dev_ops->opens ? BOOT_FD_RES : -1, err);
	if (rc == 0)
		rc = loop_init(&p->loop, err);
	if (rc == 0)
		rc = loop_add(&p->loop, BOOT_FD_CONTROL, EPOLLIN, dev_control_ready, p, err);
	if (rc == 0)
		rc = device_init(&p->dev, dev_ops, &p->loop, err);
	if (rc == 0)
		rc = dev_ops->init(&p->dev, &p->boot, err);
	if (rc == 0)
		rc = dev_watch_vmm(p, err);
	return rc == 0 ? lockdown(&p->boot.filter, err) : rc;
}

/* Frees the place of a front-end that left */
static int dev_next_front_end(struct program *p)
{
	vu_backend_done(&p->backend);
	if (dev_ops->left)
		dev_ops->left(&p->dev);
	cleanup_close_fd(&p->front_end);
	p->front_end = -1;
	p->loop.stop = false;
	return ctl_send(BOOT_FD_CONTROL, CTL_LEFT, 0, 0, NULL);
}

/* Step 5, until no front-end is left */
static int dev_serve(struct program *p, struct err *err)
{
	int rc = loop_run(&p->loop, err);

	while (rc == 0 && !p->quit && p->boot.flags & BOOT_DEV_ALONE) {
		rc = dev_next_front_end(p);
		if (rc == 0)
			rc = loop_run(&p->loop, err);
	}
	vu_backend_done(&p->backend);
	if (dev_ops->finish)
		dev_ops->finish(&p->dev);
	return rc;
}

int main(void)
{
	static struct program program; /* zeroed: what stays so takes no memory */
	struct program *p = &program;
	struct err err = {0};
	int rc;

	p->front_end = -1;
	rc = dev_prepare(p, &err);
	if (rc < 0) {
		/* If this fails the supervisor is gone. */
		(void)!ctl_send(BOOT_FD_CONTROL, CTL_FAILED, (uint32_t)-rc, 0, err.msg);
		return EXIT_FAILURE;
	}
	rc = ctl_send(BOOT_FD_CONTROL, CTL_READY, 0, 0, NULL);
	if (rc == 0)
		rc = dev_serve(p, &err);
	if (rc < 0 && err.code)
		log_err("%s", err.msg);
	return rc < 0 || p->backend.broke_rules ? EXIT_FAILURE : EXIT_SUCCESS;
}
