/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A supervisor whose vsock device and guest are sockets in the test's hand
 */
#ifndef VMRUN_TESTS_SUPPORT_AGENT_RIG_H
#define VMRUN_TESTS_SUPPORT_AGENT_RIG_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/core/agent_msg.h"
#include "devices/core/agent_spec.h"
#include "devices/core/ctl.h"
#include "runtime/plan/plan_types.h"
#include "runtime/state/state.h"
#include "runtime/supervisor/agent.h"
#include "runtime/supervisor/ask.h"
#include "runtime/supervisor/client.h"
#include "runtime/supervisor/session.h"

static struct supervisor s;
static struct state state;
static struct plan_proc planned[2];
static struct plan plan = {.proc = planned, .nr_procs = 2, .container = true};
static struct launch wanted = {.plan = &plan};
static int device, guest = -1;
static int began = -1; /* code of the failure, 0: it runs */
static char why[ERR_MSG_BYTES];
static struct err err;
static struct {
	struct agent_item head;
	char name[8];
} spec = {{AGENT_ARG, 0, sizeof("nosuch")}, "nosuch"};

static inline void on_began(struct supervisor *unused, const struct err *failure)
{
	(void)unused;
	began = failure->code;
	snprintf(why, sizeof(why), "%s", failure->msg);
}

static inline void setup_stopped(void)
{
	int pair[2], stream = open("/dev/zero", O_RDWR | O_CLOEXEC);

	plan.vsock.proc = 1;
	plan.spec = (uint8_t *)&spec;
	plan.spec_bytes = sizeof(spec.head) + sizeof("nosuch");
	wanted.stdio[0] = wanted.stdio[1] = stream;
	s = (struct supervisor){
		.launch = &wanted, .stage = STAGE_RUNNING, .state = &state, .nr = 2};
	s.log.fd = s.report = -1;
	s.drain.sink[0] = s.drain.sink[1] = -1;
	cr_assert_eq(loop_init(&s.loop, &err), 0);
	for (unsigned int i = 0; i < 2; i++)
		spawned_init(&s.proc[i]);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	s.proc[1].control = pair[0];
	device = pair[1];
	cr_assert_eq(agent_open(&s, &err), 0, "%s", err.msg);
}

static inline void setup(void)
{
	setup_stopped();
	cr_assert_eq(agent_await(&s, on_began, &err), 0, "%s", err.msg);
}

static inline void turn(void)
{
	cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
}

static inline void say(struct agent_msg m)
{
	cr_assert_eq(send(guest, &m, sizeof(m), MSG_NOSIGNAL), sizeof(m));
	turn();
}

static inline struct agent_msg hear(void)
{
	struct agent_msg m;

	cr_assert_eq(recv(guest, &m, sizeof(m), MSG_DONTWAIT), sizeof(m));
	return m;
}

/* As the device does it: takes each connection, and names a port for it. Returns how many */
static inline unsigned int connect_streams(void)
{
	static uint32_t port = 5000;
	struct ctl_msg m;
	unsigned int nr = 0;
	int fd = -1;

	for (; ctl_recv_fd(device, &m, &fd) == 1; nr++) {
		/* One that is over */
		if (m.type == CTL_VSOCK_END) {
			nr--;
			m = (struct ctl_msg){.type = CTL_DONE};
			ask_answered(&s, &s.proc[1], &m);
			continue;
		}
		cr_expect(m.type == CTL_VSOCK_CONNECT && m.arg == AGENT_PORT && fd >= 0);
		close(fd);
		m = (struct ctl_msg){.type = CTL_DONE, .value = {port++}};
		ask_answered(&s, &s.proc[1], &m);
	}
	return nr;
}

static inline void call(void)
{
	const struct ctl_msg ask = {.type = CTL_VSOCK_ASK, .code = AGENT_PORT, .arg = 77};
	struct ctl_msg m;
	int fd = -1;

	cr_assert(agent_is_call(&s, &ask));
	agent_called(&s, &ask);
	cr_assert_eq(ctl_recv_fd(device, &m, &fd), 1);
	cr_assert(m.type == CTL_VSOCK_FOUND && m.arg == 77);
	m = (struct ctl_msg){.type = CTL_DONE};
	ask_answered(&s, &s.proc[1], &m);
	guest = fd;
}

static inline void run_container(void)
{
	struct agent_msg m;

	call();
	say((struct agent_msg){.type = AGENT_HELLO, .code = AGENT_VERSION});
	cr_assert_eq(connect_streams(), 4);
	m = hear();
	cr_assert(m.type == AGENT_RUN && m.session == 0);
	for (unsigned int i = 0; i < AGENT_STREAMS; i++)
		cr_expect(m.port[i] >= 5000);
}

static inline void start_container(void)
{
	run_container();
	say((struct agent_msg){.type = AGENT_STARTED});
	cr_assert_eq(began, 0);
}

/* REQUEST_EXEC with a description and a terminal; the client's end */
static inline int exec(void)
{
	int fd[2] = {open("/dev/zero", O_RDWR), open("/dev/zero", O_RDWR)}, pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	cr_assert_eq(session_exec(&s, fd, 2, true, pair[1], &err), 0, "%s", err.msg);
	return pair[0];
}

static inline struct reply answer(int client)
{
	struct reply r;

	cr_assert_eq(recv(client, &r, sizeof(r), 0), sizeof(r));
	return r;
}

#endif
