/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A container's vsock device in enemy hands
 *
 * Linked in place of devices/vsock/. At the guest's first doorbell it leaves the guest alone and plays vmrun-init itself: it
 * asks for the control connection, takes the streams of session 0, reads its description, and does what the second argument
 * there says. tests/guests/hostile_control.sh knows what may come of each.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "devices/core/agent_spec.h"
#include "devices/core/device.h"
#include "devices/core/fmt.h"
#include "devices/core/settings.h"
#include "tests/hostile/control.h"

#define SPEC_BYTES 65536
#define INIT	   0 /* slot of device_watch() */

/**
 * struct vsock - State
 * @began:	The guest has rung
 * @init:	vmrun-init's end of the control connection
 * @stream:	What it was handed, in the order of enum agent_stream if none is missing
 * @what:	What it is to do
 */
struct vsock {
	bool began;
	int init;
	int stream[AGENT_STREAMS];
	uint32_t nr_streams;
	char what[32];
	uint8_t spec[SPEC_BYTES];
};

static void vsock_say(const char *what, long rc)
{
	log_warn("%s: %s", what, rc < 0 ? strerror(errno) : "done");
}

/* ---- records of vmrun-init ---- */

/* In the place of AGENT_STARTED; @bytes: 0 is a whole record. What else breaks a rule is in tests/unit/supervisor/test_agent.c. */
static const struct vsock_record {
	const char *name;
	struct agent_msg m;
	size_t bytes;
} vsock_records[] = {
	{"failed-nowhere", {.type = AGENT_FAILED, .code = 2, .arg = {AGENT_STEPS}}, 0},
	{"failed-how", {.type = AGENT_FAILED, .code = 4096, .arg = {AGENT_STEP_EXEC}}, 0},
	{"failed-far", {.type = AGENT_FAILED, .code = 2, .arg = {AGENT_STEP_MOUNT, UINT32_MAX}}, 0},
	{"half-a-record", {.type = AGENT_STARTED}, sizeof(struct agent_msg) / 2},
};

static void vsock_tell(const struct vsock *v, const struct agent_msg *m, size_t bytes)
{
	(void)!fd_try_send(v->init, m, bytes);
}

static bool vsock_break_rule(const struct vsock *v)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(vsock_records); i++) {
		const struct vsock_record *r = &vsock_records[i];

		if (strcmp(r->name, v->what) != 0)
			continue;
		vsock_tell(v, &r->m, r->bytes ? r->bytes : sizeof(r->m));
		if (r->bytes)
			(void)shutdown(v->init, SHUT_WR);
		return true;
	}
	return false;
}

/* ---- its files ---- */

static void *vsock_map(int fd)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/* A description that the supervisor has, and streams that its caller has */
static void vsock_try_files(const struct vsock *v)
{
	vsock_say("description: write", write(v->stream[AGENT_SPEC], "x", 1));
	vsock_say("input: write", write(v->stream[AGENT_STDIN], "x", 1));
	vsock_say("output: read", read(v->stream[AGENT_STDOUT], &(char){0}, 1));
}

/* Calls that its policy does not have: each ends it */
static void vsock_try_deadly(const struct vsock *v)
{
	const int out = v->stream[AGENT_STDOUT];
	struct msghdr m = {0};

	if (strcmp(v->what, "deadly-type") == 0)
		vsock_say("type", ioctl(out, TIOCSTI, "x"));
	if (strcmp(v->what, "deadly-pass") == 0)
		vsock_say("pass on", sendmsg(v->init, &m, 0));
	if (strcmp(v->what, "deadly-mode") == 0)
		vsock_say("mode", fcntl(out, F_SETFL, 0));
	if (strcmp(v->what, "deadly-socket") == 0)
		vsock_say("socket", socket(AF_VSOCK, SOCK_STREAM, 0));
	if (strcmp(v->what, "deadly-reopen") == 0)
		vsock_say("reopen", openat(out, "", O_RDWR));
	if (strcmp(v->what, "deadly-map") == 0)
		vsock_say("map", vsock_map(v->stream[AGENT_STDIN]) == MAP_FAILED ? -1 : 0);
}

/* ---- session 0 ---- */

static void vsock_read_spec(struct vsock *v)
{
	struct iovec iov = {v->spec, sizeof(v->spec)};
	const ssize_t len = readv(v->stream[AGENT_SPEC], &iov, 1);
	struct agent_item item;
	unsigned int args = 0;

	for (size_t at = 0; len > 0 && at + sizeof(item) <= (size_t)len; at += item.bytes) {
		memcpy(&item, v->spec + at, sizeof(item));
		at += sizeof(item);
		if (item.type == AGENT_ARG && args++ == 1)
			fmt_into(v->what, sizeof(v->what), "%s", (const char *)v->spec + at);
	}
}

/* A stream is asked for. The answer to the first is the enemy's, too. */
static int vsock_connect(struct vsock *v, struct ctl_msg *m, int *fd, struct err *err)
{
	const bool first = v->nr_streams == 0;
	const struct ctl_msg done = {.type = CTL_DONE};

	if (v->nr_streams == AGENT_STREAMS || *fd < 0)
		return -EPROTO;
	v->stream[v->nr_streams++] = TAKE_FD(*fd);
	if (first)
		vsock_read_spec(v);
	m->value[0] = v->nr_streams;
	if (strcmp(v->what, "port-of-none") == 0)
		m->value[0] = UINT64_MAX;
	if (first && strcmp(v->what, "answers-twice") == 0)
		(void)!fd_try_send(BOOT_FD_CONTROL, &done, sizeof(done));
	if (first && strcmp(v->what, "refuses") == 0)
		return err_text(err, EPERM, "\033[2Jno\nvmrun: forged line \377");
	return 0;
}

static int vsock_control(struct device *d, struct ctl_msg *m, int *fd, struct err *err)
{
	const struct agent_msg hello = {.type = AGENT_HELLO, .code = AGENT_VERSION};
	struct vsock *v = d->state;

	if (m->type == CTL_VSOCK_CONNECT)
		return vsock_connect(v, m, fd, err);
	if (m->type != CTL_VSOCK_FOUND || *fd < 0)
		return 0;
	v->init = TAKE_FD(*fd);
	vsock_tell(v, &hello, sizeof(hello));
	return device_watch(d, INIT, v->init, EPOLLIN, err);
}

static void vsock_serve(struct vsock *v)
{
	const struct agent_msg started = {.type = AGENT_STARTED};
	const struct agent_msg ended = {.type = AGENT_EXITED, .code = 5};
	struct agent_msg m;

	if (read(v->init, &m, sizeof(m)) != sizeof(m) || m.type != AGENT_RUN)
		return;
	vsock_try_deadly(v);
	if (strcmp(v->what, "leaves") == 0)
		_exit(0);
	if (strcmp(v->what, "files") == 0)
		vsock_try_files(v);
	if (strcmp(v->what, "half-closes") == 0)
		(void)shutdown(BOOT_FD_CONTROL, SHUT_WR);
	if (strcmp(v->what, "init-half-closes") == 0)
		(void)shutdown(v->init, SHUT_WR);
	if (vsock_break_rule(v))
		return;
	vsock_tell(v, &started, sizeof(started));
	if (!control_lie(v->what) && strstr(v->what, "half-closes") == NULL)
		vsock_tell(v, &ended, sizeof(ended));
}

static void vsock_event(struct device *d, unsigned int slot UNUSED, uint32_t events UNUSED)
{
	vsock_serve(d->state);
}

static void vsock_queue(struct device *d, unsigned int q UNUSED)
{
	const struct ctl_msg call = {.type = CTL_VSOCK_ASK, .code = AGENT_PORT, .arg = 1};
	struct vsock *v = d->state;

	if (!v->began)
		(void)!fd_try_send(BOOT_FD_CONTROL, &call, sizeof(call));
	v->began = true;
}

static int vsock_config(struct device *d UNUSED, bool write UNUSED, uint32_t off UNUSED, void *buf,
			uint32_t len)
{
	memset(buf, 0, len);
	return 0;
}

static int vsock_init(struct device *d, const struct boot_dev *rec UNUSED, struct err *err UNUSED)
{
	struct vsock *v = d->state;

	v->init = -1;
	d->nr_queues = 3;
	return 0;
}

const struct device_ops vsock_device = {
	.kind = &kind_table[KIND_VSOCK],
	.queue_max = VQ_SIZE_MAX,
	.state_size = sizeof(struct vsock),
	.init = vsock_init,
	.queue = vsock_queue,
	.event = vsock_event,
	.config = vsock_config,
	.control = vsock_control,
};
