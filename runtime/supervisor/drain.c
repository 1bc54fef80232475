/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The last output of a guest waits for its reader
 *
 * A guest that has ended may have printed more than the reader of its console has taken. The console's device
 * holds the rest. While the reader delays it, the end of the VM waits: the device and this process stay. The
 * supervisor checks the console itself, by a descriptor of its own, each time SUPERVISOR_LEAVE_NS have passed:
 *
 *   - the console takes nothing: its reader exists and does not read. The clock stops until the console takes
 *     something or the reader leaves
 *   - the device is in a write to a disk that stands still: it stays
 *   - otherwise the device could have written; after DRAIN_IDLE_MAX such turns it is killed
 *
 * A hostile device could keep filling a console that a reader keeps emptying. An honest one needs far fewer
 * turns than DRAIN_TURNS_MAX.
 */
#include "runtime/supervisor/drain.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "runtime/state/state_file.h"
#include "runtime/supervisor/child.h"
#include "runtime/supervisor/nets.h"
#include "runtime/util/file.h"
#include "runtime/util/process.h"

#define DRAIN_IDLE_MAX	2
#define DRAIN_TURNS_MAX 256

/* A program may close its output and live on: then its reader waits for the last writer, which must not be this process.
 * So of a pipe there is only its name, until the VM has ended. */
static int drain_name(int fd)
{
	cleanup_fd int again = -1;
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		again = file_reopen(fd, O_WRONLY | O_NONBLOCK);
	return again >= 0 ? file_reopen(fd, O_PATH) : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

/* A pipe without a reader takes nothing, and no reader waits for it. */
static void drain_open(int *sink)
{
	const int name = *sink, flags = name < 0 ? 0 : fcntl(name, F_GETFL);

	if (!(flags & O_PATH))
		return;
	*sink = file_reopen(name, O_WRONLY | O_NONBLOCK);
	close(name);
}

void drain_note(struct supervisor *s, const struct plan *p, int console)
{
	s->drain = (struct draining){.sink = {-1, -1}};
	if (p->pod)
		return;
	if (p->container) {
		s->drain.device = p->vsock.proc;
		s->drain.sink[0] = drain_name(console);
		if (!p->terminal)
			s->drain.sink[1] = drain_name(STDERR_FILENO);
		return;
	}
	s->drain.sink[0] = fcntl(console, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	/* The serial port, or the virtio console beside it */
	for (unsigned int i = 1; i < p->nr_procs; i++) {
		const enum plan_fd_source sink = p->proc[i].fd[BOOT_FD_RES + 1].source;

		if (sink == PLAN_FD_STDOUT || sink == PLAN_FD_CONSOLE)
			s->drain.device = i;
	}
}

/* The fd of a sink that takes nothing; -1: all do */
static int drain_full(struct draining *d)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(d->sink); i++) {
		struct pollfd sink = {.events = POLLOUT};

		drain_open(&d->sink[i]);
		sink.fd = d->sink[i];
		if (d->sink[i] >= 0 && poll(&sink, 1, 0) == 0)
			return d->sink[i];
	}
	return -1;
}

static void drain_on_sink(void *arg, int fd, uint32_t events UNUSED)
{
	struct supervisor *s = arg;

	loop_del(&s->loop, fd);
	s->deadline_ns = clock_ns() + SUPERVISOR_LEAVE_NS;
}

/* Whether the device may stay; sets when to look again */
static bool drain_may_stay(struct supervisor *s)
{
	struct draining *d = &s->drain;
	struct err ignored;
	int full;

	if (d->turns++ >= DRAIN_TURNS_MAX)
		return false;
	s->deadline_ns = clock_ns() + SUPERVISOR_LEAVE_NS;
	full = drain_full(d);
	if (full >= 0) {
		d->idle = 0;
		if (loop_add(&s->loop, full, EPOLLOUT, drain_on_sink, s, &ignored) == 0)
			s->deadline_ns = 0;
		return true;
	}
	if (process_in_io(s->proc[d->device].jailed.pid)) {
		d->idle = 0;
		return true;
	}
	return ++d->idle < DRAIN_IDLE_MAX;
}

bool drain_wait(struct supervisor *s)
{
	const struct draining *d = &s->drain;

	if (s->failed || !d->device || !s->proc[d->device].jailed.pid || !drain_may_stay(s))
		return false;
	for (unsigned int i = 0; i < s->nr; i++)
		if (i != d->device)
			child_kill(&s->proc[i]);
	drain_check_last(s);
	return true;
}

void drain_check_last(struct supervisor *s)
{
	struct draining *d = &s->drain;
	struct state *t = s->state;
	struct err err;

	for (unsigned int i = 0; i < s->nr; i++)
		if (i != d->device && s->proc[i].jailed.pid)
			return;
	if (d->is_last || d->turns == 0)
		return;
	d->is_last = true;
	nets_undo(s);
	t->proc[0] = t->proc[d->device];
	t->nr_procs = 1;
	if (state_save(s->dir, t, &err) < 0)
		oci_log_write(&s->log, LOG_LEVEL_WARN, "%s", err.msg);
}
