/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/jail/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "devices/core/fmt.h"
#include "runtime/host/ram.h"
#include "runtime/jail/boot_record.h"
#include "runtime/jail/spawn_limits.h"
#include "runtime/plan/plan_console.h"
#include "runtime/plan/plan_fs.h"
#include "runtime/util/device_file.h"
#include "runtime/util/stream.h"

/* ---- shared by all processes ---- */

static int spawn_make_channel(struct spawn *s, unsigned int index, struct err *err)
{
	const struct plan_proc *p = &s->plan->proc[index];
	const int type = p->kind->bus == BOOT_BUS_VIRTIO ? SOCK_STREAM : SOCK_SEQPACKET;

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, s->channel[index - 1]) < 0)
		return err_set(err, errno, "socket to %s", p->name);
	return 0;
}

void spawn_init(struct spawn *s)
{
	*s = (struct spawn){.null_fd = -1, .ram_fd = -1, .kept_fd = -1};
	memset(s->channel, 0xff, sizeof(s->channel));
	memset(s->inflight_fd, 0xff, sizeof(s->inflight_fd));
}

/* Each device has memory of its own: one could write all of a file that several share. */
static int spawn_make_regions(struct spawn *s, struct err *err)
{
	const struct plan_proc *vmm = &s->plan->proc[0];
	int rc = 0;

	for (unsigned int i = 0; rc >= 0 && i < vmm->nr_fds; i++)
		if (vmm->fd[i].source == PLAN_FD_INFLIGHT)
			rc = s->inflight_fd[vmm->fd[i].index] = ram_open_sealed(
				"in-flight", BOOT_INFLIGHT_BYTES, err);
	return rc < 0 ? rc : 0;
}

/* Who called us gets its streams back when the VM has been created; a console that returns needs them then. */
static int spawn_keep_lines(struct spawn *s, struct err *err)
{
	int *const line[] = {&s->stdio[0], &s->stdio[1], &s->console[0], &s->console[1]};
	int rc = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(line); i++)
		if (*line[i] >= 0 &&
		    (*line[i] = fcntl(*line[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1)) < 0)
			rc = err_set(err, errno, "input or output");
	s->owns_lines = true;
	return rc;
}

/* What a console leaves to its next process, and what that reads and writes */
static int spawn_prepare_console(struct spawn *s, struct err *err)
{
	int rc = spawn_keep_lines(s, err);

	if (rc == 0)
		rc = s->kept_fd = ram_open_sealed("console", CONSOLE_KEPT_BYTES, err);
	return rc < 0 ? rc : 0;
}

int spawn_prepare(struct spawn *s, struct err *err)
{
	int rc;

	s->null_fd = device_file_null();
	if (s->null_fd < 0)
		return err_set(err, -s->null_fd, "/dev/null");
	s->ram_fd = ram_open(s->plan->mem_bytes, err);
	rc = s->ram_fd < 0 ? s->ram_fd : spawn_make_regions(s, err);
	if (rc == 0 && plan_console_returns(s->plan))
		rc = spawn_prepare_console(s, err);
	for (unsigned int i = 1; rc == 0 && i < s->plan->nr_procs; i++)
		rc = spawn_make_channel(s, i, err);
	return rc;
}

static void spawn_close(int *fd)
{
	cleanup_close_fd(fd);
	*fd = -1;
}

static void spawn_close_channel(struct spawn *s, unsigned int index)
{
	spawn_close(&s->channel[index - 1][0]);
	spawn_close(&s->channel[index - 1][1]);
}

void spawn_settle(struct spawn *s)
{
	spawn_close(&s->ram_fd);
	for (unsigned int i = 0; i < BOOT_DEVICES_MAX; i++) {
		spawn_close(&s->inflight_fd[i]);
		spawn_close_channel(s, i + 1);
	}
	for (unsigned int i = 0; i < s->plan->nr_nets; i++)
		if (!s->plan->proc[s->plan->net[i].proc].returns)
			tap_close(&s->tap[i]);
}

int spawn_reconnect(struct spawn *s, unsigned int index, struct err *err)
{
	const struct timeval limit = {.tv_sec = SPAWN_SEND_S};
	int rc;

	spawn_close_channel(s, index);
	rc = spawn_make_channel(s, index, err);
	if (rc == 0 && setsockopt(s->channel[index - 1][0], SOL_SOCKET, SO_SNDTIMEO, &limit,
				  sizeof(limit)) < 0)
		rc = err_set(err, errno, "socket to %s", s->plan->proc[index].name);
	return rc;
}

void spawn_done(struct spawn *s)
{
	spawn_close(&s->null_fd);
	spawn_close(&s->ram_fd);
	spawn_close(&s->kept_fd);
	for (unsigned int i = 0; s->owns_lines && i < 2; i++) {
		spawn_close(&s->stdio[i]);
		spawn_close(&s->console[i]);
	}
	for (unsigned int i = 0; i < BOOT_DEVICES_MAX; i++) {
		tap_close(&s->tap[i]);
		spawn_close(&s->inflight_fd[i]);
		spawn_close_channel(s, i + 1);
	}
}

/* ---- one process ---- */

/* The index in plan->net of process @index; -1 if it is not a network device */
static int spawn_net_of(const struct plan *p, unsigned int index)
{
	for (unsigned int i = 0; i < p->nr_nets; i++)
		if (p->net[i].proc == index)
			return (int)i;
	return -1;
}

static int spawn_tap_fd(const struct spawn *s, unsigned int index, unsigned int pair)
{
	const int net = spawn_net_of(s->plan, index);

	return net >= 0 && pair < s->tap[net].nr ? s->tap[net].fd[pair] : -1;
}

static int spawn_source_fd(const struct spawn *s, unsigned int index, unsigned int slot)
{
	const struct plan_fd *f = &s->plan->proc[index].fd[slot];

	switch (f->source) {
	case PLAN_FD_NULL:
	case PLAN_FD_SELF: return s->null_fd; /* the jail has its own there */
	case PLAN_FD_RAM: return s->ram_fd;
	case PLAN_FD_KVM: return s->assets->kvm;
	case PLAN_FD_INFLIGHT: return s->inflight_fd[f->index];
	case PLAN_FD_KEPT: return s->kept_fd;
	case PLAN_FD_FILE:
	case PLAN_FD_SHARE:
	case PLAN_FD_SOCKET:
	case PLAN_FD_VHOST_NET:
	case PLAN_FD_VHOST_VSOCK: return s->assets->proc[index].fd[slot];
	case PLAN_FD_TAP: return spawn_tap_fd(s, index, f->index);
	/* The VMM has the first end of each pair. */
	case PLAN_FD_CHANNEL: return s->channel[f->index][index != 0];
	case PLAN_FD_STDIN: return s->stdio[0];
	case PLAN_FD_STDOUT: return s->stdio[1];
	case PLAN_FD_CONSOLE: return s->console[slot != BOOT_FD_RES];
	case PLAN_FD_NONE:
	case PLAN_FD_CONTROL:
	case PLAN_FD_LOG: break;
	}
	return -1;
}

static bool spawn_is_line(enum plan_fd_source source)
{
	return source == PLAN_FD_STDIN || source == PLAN_FD_STDOUT || source == PLAN_FD_CONSOLE;
}

static int spawn_send_record(const struct spawn *s, unsigned int index, uint32_t flags, int control,
			     struct err *err)
{
	const struct program *program = &s->program[index];
	union {
		struct boot_vmm vmm;
		struct boot_dev dev;
	} b;
	int rc;

	if (index == 0) {
		rc = boot_record_vmm(s->plan, program, s->log_level, &b.vmm, err);
		return rc < 0 ? rc : boot_send(control, &b.vmm, sizeof(b.vmm), err);
	}
	rc = boot_record_device(&s->plan->proc[index], program, s->log_level, &b.dev, err);
	b.dev.flags |= flags;
	return rc < 0 ? rc : boot_send(control, &b.dev, sizeof(b.dev), err);
}

/**
 * struct ends - Control socket and log pipe of a process in the making
 */
struct ends {
	int control[2]; /* ours, its */
	int log[2];	/* ours, its */
};

static void spawn_ends_done(struct ends *c)
{
	for (unsigned int i = 0; i < 2; i++) {
		cleanup_close_fd(&c->control[i]);
		cleanup_close_fd(&c->log[i]);
	}
}

#define cleanup_ends __attribute__((cleanup(spawn_ends_done)))

static int spawn_make_ends(struct ends *c, const char *name, struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, c->control) < 0)
		return err_set(err, errno, "control socket of %s", name);
	/* Our end never waits for the program; the program decides about its own end. */
	if (fcntl(c->control[0], F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, errno, "control socket of %s", name);
	/* A packet pipe: each read returns one write. */
	if (pipe2(c->log, O_CLOEXEC | O_NONBLOCK | O_DIRECT) < 0)
		return err_set(err, errno, "log pipe of %s", name);
	return 0;
}

static int spawn_start(const struct jail *j, struct ends *c, struct spawned *ret, struct err *err)
{
	struct spawned p;
	int rc;

	spawned_init(&p);
	rc = jail_spawn(j, &p.jailed, err);
	if (rc < 0)
		return rc;
	fmt_into(p.name, sizeof(p.name), "%s", j->name);
	p.control = TAKE_FD(c->control[0]);
	p.log = TAKE_FD(c->log[0]);
	*ret = p;
	return 0;
}

/*
 * A process that opens files, for users of the guest; flags for its record. It could change owner and mode of any
 * file that it holds, so an empty pipe takes the place of the host's /dev/null.
 */
static int spawn_for_guests(const struct kind *kind, int null, struct jail *j, int *ret_empty,
			    uint32_t *ret_flags, struct err *err)
{
	int end[2], rc;

	if (kind != &kind_table[KIND_FS])
		return 0;
	if (j->ids.uids && j->unconfined)
		return err_text(err, ENOTSUP, "%s: needs a user namespace, and so the sandbox",
				j->ids.uids->from);
	rc = userns_map_allowed(&j->ids, err);
	if (rc < 0)
		return rc;
	if (pipe2(end, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe of %s", j->name);
	close(end[1]);
	*ret_empty = end[0];
	for (unsigned int i = 0; i < j->nr_fds; i++)
		j->fd[i] = j->fd[i] == null ? end[0] : j->fd[i];
	j->ids.guests = true;
	j->self = BOOT_FD_RES + 1;
	*ret_flags |= j->ids.several || j->ids.uids ? 0 : BOOT_DEV_SQUASH;
	return 0;
}

/* The ids of a VM, and for what it shares those of its guest */
static struct userns_ids spawn_ids(const struct spawn *s, unsigned int index)
{
	const struct plan_fs *f = plan_fs_of(s->plan, index);
	struct userns_ids ids = s->ids;

	if (f && f->uids.nr > 0) {
		ids.uids = &f->uids;
		ids.gids = &f->gids;
	}
	return ids;
}

/* Where this fails the caller's own description is used. */
static void spawn_own_line(int *fd, int *ret_own)
{
	*ret_own = stream_own(*fd);
	*fd = *ret_own >= 0 ? *ret_own : *fd;
}

int spawn_process(const struct spawn *s, unsigned int index, struct spawned *ret, struct err *err)
{
	const struct plan_proc *p = &s->plan->proc[index];
	cleanup_ends struct ends c = {{-1, -1}, {-1, -1}};
	cleanup_fd int in = -1, out = -1, empty = -1;
	uint32_t flags = 0;
	struct jail j = {
		.name = p->name,
		.program_fd = s->program[index].fd,
		.nr_fds = p->nr_fds,
		.unconfined = s->plan->unconfined,
		.ids = spawn_ids(s, index),
		.oom_score_adj = s->oom_score_adj,
		.error_fd = s->error_fd,
		.index = index,
	};
	int rc = spawn_make_ends(&c, p->name, err);

	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < p->nr_fds; i++)
		j.fd[i] = spawn_source_fd(s, index, i);
	j.fd[BOOT_FD_CONTROL] = c.control[1];
	j.fd[BOOT_FD_LOG] = c.log[1];
	for (unsigned int i = 0; i < p->nr_fds; i++)
		if (j.fd[i] < 0)
			return err_text(err, EBADF, "%s: no file for fd %u", p->name, i);
	if (p->nr_fds > BOOT_FD_RES + 1 && spawn_is_line(p->fd[BOOT_FD_RES].source)) {
		spawn_own_line(&j.fd[BOOT_FD_RES], &in);
		spawn_own_line(&j.fd[BOOT_FD_RES + 1], &out);
	}
	j.limits = spawn_limits(s, index, &j);
	rc = spawn_for_guests(p->kind, s->null_fd, &j, &empty, &flags, err);
	/* The record waits in the socket until the program reads it. */
	if (rc == 0)
		rc = spawn_send_record(s, index, flags, c.control[0], err);
	if (rc == 0)
		rc = spawn_start(&j, &c, ret, err);
	if (rc == 0)
		ret->nr_res = index ? p->nr_fds - BOOT_FD_RES : 0;
	return rc;
}

int spawn_device(const struct spawn_device *d, struct spawned *ret, struct err *err)
{
	cleanup_ends struct ends c = {{-1, -1}, {-1, -1}};
	cleanup_fd int null = device_file_null(), empty = -1;
	struct jail j = {
		.name = d->record->name,
		.program_fd = d->program->fd,
		.nr_fds = BOOT_FD_RES + d->record->nr_res,
		.limits = spawn_limits_alone(d),
		.oom_score_adj = JAIL_OOM_INHERITED,
		.error_fd = d->error_fd,
	};
	int rc;

	rc = userns_choose(&j.ids, err);
	if (rc == 0)
		rc = spawn_make_ends(&c, d->record->name, err);
	if (rc < 0)
		return rc;
	j.ids.uids = d->uids;
	j.ids.gids = d->gids;
	for (unsigned int i = 0; i < BOOT_FD_CONTROL; i++)
		j.fd[i] = null;
	j.fd[BOOT_FD_CONTROL] = c.control[1];
	j.fd[BOOT_FD_LOG] = c.log[1];
	j.fd[BOOT_FD_VMM] = null; /* front-ends come later */
	for (unsigned int i = 0; i < d->record->nr_res; i++)
		j.fd[BOOT_FD_RES + i] = d->res_fd[i];
	if (d->kind == &kind_table[KIND_FS]) /* the jail puts its own there */
		j.fd[BOOT_FD_RES + 1] = null;
	rc = spawn_for_guests(d->kind, null, &j, &empty, &d->record->flags, err);
	if (rc == 0)
		rc = boot_record_complete(d->record, d->program, d->log_level, err);
	if (rc == 0)
		rc = boot_send(c.control[0], d->record, sizeof(*d->record), err);
	return rc < 0 ? rc : spawn_start(&j, &c, ret, err);
}
