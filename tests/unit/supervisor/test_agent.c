/* SPDX-License-Identifier: BSD-3-Clause */
/* A supervisor whose vsock device and guest are sockets in the test's hand: how sessions begin and end, and what a guest
 * that breaks the rules brings about. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
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
#include "runtime/supervisor/pause.h"
#include "runtime/supervisor/session_late.h"
#include "runtime/util/clock.h"
#include "tests/support/temp_dir.h"

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

static void on_began(struct supervisor *unused, const struct err *failure)
{
	(void)unused;
	began = failure->code;
	snprintf(why, sizeof(why), "%s", failure->msg);
}

static void setup_stopped(void)
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

static void setup(void)
{
	setup_stopped();
	cr_assert_eq(agent_await(&s, on_began, &err), 0, "%s", err.msg);
}

TestSuite(agent, .init = setup, .timeout = 60);
TestSuite(agent_early, .init = setup_stopped, .timeout = 60);

static void turn(void)
{
	cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
}

static void say(struct agent_msg m)
{
	cr_assert_eq(send(guest, &m, sizeof(m), MSG_NOSIGNAL), sizeof(m));
	turn();
}

static struct agent_msg hear(void)
{
	struct agent_msg m;

	cr_assert_eq(recv(guest, &m, sizeof(m), MSG_DONTWAIT), sizeof(m));
	return m;
}

/* As the device does it: takes each connection, and names a port for it. Returns how many */
static unsigned int connect_streams(void)
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

static void call(void)
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
	if (guest < 0)
		guest = fd;
	else
		cr_assert_eq(fd, -1, "a second connection is refused");
}

static void run_container(void)
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

static void start_container(void)
{
	run_container();
	say((struct agent_msg){.type = AGENT_STARTED});
	cr_assert_eq(began, 0);
}

/* REQUEST_EXEC with a description and a terminal; the client's end */
static int exec(void)
{
	int fd[2] = {open("/dev/zero", O_RDWR), open("/dev/zero", O_RDWR)}, pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	cr_assert_eq(session_exec(&s, fd, 2, true, pair[1], &err), 0, "%s", err.msg);
	return pair[0];
}

static struct reply answer(int client)
{
	struct reply r;

	cr_assert_eq(recv(client, &r, sizeof(r), 0), sizeof(r));
	return r;
}

Test(agent, the_container_runs_and_its_status_is_the_vms)
{
	start_container();
	say((struct agent_msg){.type = AGENT_EXITED, .code = 7});
	cr_expect_eq(state.cause, END_EXITED);
	cr_expect_eq(state.exit_code, 7);
}

Test(agent_early, a_guest_is_faster_than_the_news_that_it_runs)
{
	s.stage = STAGE_CREATED;
	call();
	say((struct agent_msg){.type = AGENT_HELLO, .code = AGENT_VERSION});
	cr_assert_eq(connect_streams(), 0);
	s.stage = STAGE_RUNNING;
	cr_assert_eq(agent_await(&s, on_began, &err), 0, "%s", err.msg);
	turn();
	cr_assert_eq(connect_streams(), 4);
	cr_assert_eq(hear().type, AGENT_RUN);
}

Test(agent, a_lack_of_memory_is_named)
{
	start_container();
	say((struct agent_msg){.type = AGENT_EXITED, .code = 137, .arg = {1}});
	cr_expect_eq(state.cause, END_OOM_KILLED);
	cr_expect_eq(state.exit_code, 137);
}

Test(agent, a_program_that_is_not_there)
{
	run_container();
	say((struct agent_msg){.type = AGENT_FAILED, .code = ENOENT, .arg = {AGENT_STEP_LOOKUP}});
	cr_expect_eq(began, ENOENT);
	cr_expect_str_eq(why, "exec: \"nosuch\": executable file not found in $PATH");
	cr_expect_eq(state.cause, END_EXITED);
	cr_expect_eq(state.exit_code, 127);
}

Test(agent, signals_wait_for_the_process)
{
	struct agent_msg m;

	run_container();
	cr_assert_eq(agent_signal(&s, SIGUSR1, false, &err), 0);
	cr_expect_eq(recv(guest, &m, sizeof(m), MSG_DONTWAIT), -1);
	say((struct agent_msg){.type = AGENT_STARTED});
	m = hear();
	cr_expect(m.type == AGENT_SIGNAL && m.code == SIGUSR1 && m.arg[0] == 0);
	cr_assert_eq(agent_signal(&s, SIGTERM, true, &err), 0);
	m = hear();
	cr_expect(m.code == SIGTERM && m.arg[0] == 1);
}

Test(agent, exec_runs_and_ends)
{
	const struct request size = {
		.magic = REQUEST_MAGIC, .op = REQUEST_SIZE, .value = 80 << 16 | 25};
	struct agent_msg m;
	struct reply r;
	int client;

	start_container();
	client = exec();
	cr_assert_eq(connect_streams(), 2);
	m = hear();
	cr_assert(m.type == AGENT_RUN && m.session == 1 && m.port[AGENT_STDOUT] == 0);
	say((struct agent_msg){.type = AGENT_STARTED, .session = 1});
	cr_expect_eq(answer(client).code, 0);
	cr_assert_eq(send(client, &size, sizeof(size), 0), sizeof(size));
	turn();
	m = hear();
	cr_expect(m.type == AGENT_SIZE && m.session == 1 && m.arg[0] == 25 && m.arg[1] == 80);
	say((struct agent_msg){.type = AGENT_EXITED, .session = 1, .code = 5});
	r = answer(client);
	cr_expect(r.code == 0 && r.value[0] == 5);
	cr_expect_eq(s.stage, STAGE_RUNNING);
}

Test(agent, many_are_connected_in_turn)
{
	int client[100];

	start_container();
	for (unsigned int i = 0; i < 100; i++)
		client[i] = exec();
	cr_assert_eq(connect_streams(), 200);
	for (uint32_t i = 1; i <= 100; i++) {
		cr_assert_eq(hear().session, i);
		say((struct agent_msg){.type = AGENT_FAILED,
				       .session = i,
				       .code = EACCES,
				       .arg = {AGENT_STEP_EXEC}});
		cr_expect_eq(answer(client[i - 1]).code, EACCES);
	}
	cr_assert_eq(connect_streams(), 0); /* only ends of streams are left */
	for (unsigned int i = 0; i < SESSIONS_MAX; i++)
		cr_expect(i == 0 || s.agent->session[i].state == SESSION_FREE);
}

Test(agent, a_client_that_leaves_takes_its_program_along)
{
	struct agent_msg m;
	int client;

	start_container();
	client = exec();
	cr_assert_eq(connect_streams(), 2);
	cr_assert_eq(hear().type, AGENT_RUN);
	say((struct agent_msg){.type = AGENT_STARTED, .session = 1});
	close(client);
	turn();
	m = hear();
	cr_expect(m.type == AGENT_SIGNAL && m.session == 1 && m.code == SIGKILL);
	/* One that leaves before its program is asked for */
	close(exec());
	turn();
	cr_assert_eq(connect_streams(), 2);
	cr_expect_eq(recv(guest, &m, sizeof(m), MSG_DONTWAIT), -1, "it is not run");
	cr_expect_eq(s.stage, STAGE_RUNNING);
}

Test(agent, a_second_control_connection_is_refused)
{
	start_container();
	call();
	cr_expect_eq(s.stage, STAGE_RUNNING);
}

ParameterizedTestParameters(agent, what_breaks_a_rule_ends_the_vm)
{
	static struct agent_msg bad[] = {
		{.type = AGENT_HELLO, .code = AGENT_VERSION},
		{.type = 0},
		{.type = AGENT_TYPES},
		{.type = UINT32_MAX},
		{.type = AGENT_RUN, .session = 1},
		{.type = AGENT_STARTED},
		{.type = AGENT_STARTED, .session = 9},
		{.type = AGENT_FAILED, .code = 1},
		{.type = AGENT_FAILED, .session = 1, .code = 1},
		{.type = AGENT_EXITED, .code = 256},
		{.type = AGENT_EXITED, .session = 1},
		{.type = AGENT_EXITED, .reserved = 1},
		{.type = AGENT_SIGNAL, .code = SIGKILL},
	};

	return cr_make_param_array(struct agent_msg, bad, ARRAY_SIZE(bad));
}

ParameterizedTest(struct agent_msg *bad, agent, what_breaks_a_rule_ends_the_vm)
{
	start_container();
	say(*bad);
	cr_expect_eq(state.cause, END_INIT_LOST, "type %u, session %u", bad->type, bad->session);
}

/* Microseconds from the end of one phase to that of another, -1: there is none of such a name */
static int64_t between(const char *from, const char *to)
{
	const struct phase *a = NULL, *b = NULL;

	for (unsigned int i = 0; i < s.phases->nr; i++) {
		const struct phase *p = &s.phases->item[i];

		a = strcmp(p->name, from) == 0 ? p : a;
		b = strcmp(p->name, to) == 0 ? p : b;
	}
	return a && b ? (int64_t)(b->ns - a->ns) / 1000 : -1;
}

Test(agent, the_guest_says_when_its_steps_were_over)
{
	static struct phases phases;

	phases.start_ns = clock_ns() - 10000000000ULL;
	s.phases = &phases;
	call();
	say((struct agent_msg){.type = AGENT_HELLO,
			       .code = AGENT_VERSION,
			       .arg = {1000000, 1200000, 1300000, 1500000}});
	(void)connect_streams();
	(void)hear();
	cr_expect_eq(between("guest kernel unpacked", "guest kernel"), 1000000);
	cr_expect_eq(between("guest kernel", "guest modules"), 200000);
	cr_expect_eq(between("guest modules", "guest share"), 100000);
	/* Its clock of 32 bits began again; a time before the VM, and one that is still to come */
	say((struct agent_msg){.type = AGENT_STARTED,
			       .arg = {UINT32_MAX - 499999, 4000000, 1000001, 1000000}});
	cr_expect_geq(between("guest asked", "the container runs"), 1500000);
	cr_expect_eq(between("guest description", "the container runs"), -1);
	cr_expect_eq(between("guest root", "the container runs"), -1);
}

Test(agent, records_come_in_pieces)
{
	const struct agent_msg m = {.type = AGENT_HELLO, .code = AGENT_VERSION};

	call();
	for (size_t i = 0; i < sizeof(m); i++) {
		cr_expect_not(s.agent->up);
		cr_assert_eq(send(guest, (const char *)&m + i, 1, 0), 1);
		turn();
	}
	cr_expect(s.agent->up);
}

Test(agent, a_guest_that_is_gone_or_never_comes)
{
	s.agent->by_ns = 1;
	state.status = STATE_PAUSED;
	agent_late(&s);
	cr_expect(s.stage == STAGE_RUNNING && agent_at_ns(&s) > 1);
	state.status = STATE_RUNNING;
	agent_late(&s);
	cr_expect_eq(state.cause, END_INIT_LOST);
	cr_expect_str_eq(state.detail, "vmrun-init in the guest has not come up");
}

Test(agent, the_end_of_the_connection_is_the_end)
{
	start_container();
	close(guest);
	turn();
	cr_assert_eq(s.stage, STAGE_RUNNING, "a process that died may explain it");
	cr_assert_gt(agent_at_ns(&s), 0);
	agent_late(&s);
	cr_expect_eq(state.cause, END_INIT_LOST);
	cr_expect_eq(state.exit_code, 35);
}

/* ---- a guest that keeps streams, or says nothing ---- */

/* The question of the device that is open: whether it is to end these ports */
static void expect_end(uint32_t first, uint32_t second)
{
	struct ctl_msg m;
	int fd = -1;

	cr_assert_eq(ctl_recv_fd(device, &m, &fd), 1);
	cr_assert(m.type == CTL_VSOCK_END && m.arg == AGENT_PORT && fd < 0, "type %u", m.type);
	cr_expect(m.value[AGENT_SPEC] == first && m.value[AGENT_STDIN] == second &&
		  m.value[AGENT_STDOUT] == 0);
}

static void end_is_done(void)
{
	ask_answered(&s, &s.proc[1], &(struct ctl_msg){.type = CTL_DONE});
}

Test(agent, streams_of_what_is_over_are_ended)
{
	const enum agent_type ends[] = {AGENT_FAILED, AGENT_EXITED};
	struct agent_msg m;

	start_container();
	for (uint32_t i = 1; i <= 2; i++) {
		const int client = exec();

		cr_assert_eq(connect_streams(), 2);
		m = hear();
		if (ends[i - 1] == AGENT_EXITED)
			say((struct agent_msg){.type = AGENT_STARTED, .session = i});
		say((struct agent_msg){.type = ends[i - 1], .session = i});
		expect_end(m.port[AGENT_SPEC], m.port[AGENT_STDIN]);
		cr_expect_eq(s.agent->session[1].state, SESSION_ENDING);
		end_is_done();
		cr_expect_eq(s.agent->session[1].state, SESSION_FREE);
		close(client);
	}
	/* What it says of one that is over breaks a rule. */
	say((struct agent_msg){.type = AGENT_EXITED, .session = 2});
	cr_expect_eq(state.cause, END_INIT_LOST);
}

Test(agent, one_is_ended_at_a_time_and_the_next_connected_behind_it)
{
	int client[SESSIONS_MAX];
	struct ctl_msg m;
	int fd = -1;

	start_container();
	for (unsigned int i = 1; i < SESSIONS_MAX; i++)
		client[i] = exec();
	cr_assert_eq(connect_streams(), 2 * (SESSIONS_MAX - 1));
	for (uint32_t i = 1; i < SESSIONS_MAX; i++) {
		(void)hear();
		say((struct agent_msg){
			.type = AGENT_FAILED, .session = i, .arg = {AGENT_STEP_EXEC}});
		cr_expect_neq(answer(client[i]).code, 0);
		close(client[i]);
	}
	for (unsigned int i = 1; i < SESSIONS_MAX; i++) {
		cr_assert_eq(ctl_recv_fd(device, &m, &fd), 1);
		cr_assert_eq(m.type, CTL_VSOCK_END);
		cr_assert_eq(ctl_recv_fd(device, &m, &fd), -EAGAIN);
		if (i == 1)
			cr_assert_eq(session_exec(&s, (int[]){0, 0}, 2, true, dup(0), &err),
				     -EAGAIN, "all places are taken until then");
		end_is_done();
	}
	close(exec());
	cr_assert_eq(connect_streams(), 2);
}

Test(agent, a_device_that_cannot_be_asked_leaves_no_place_taken)
{
	int client;

	start_container();
	client = exec();
	cr_assert_eq(connect_streams(), 2);
	(void)hear();
	close(device);
	say((struct agent_msg){.type = AGENT_FAILED, .session = 1, .arg = {AGENT_STEP_EXEC}});
	cr_expect_eq(s.agent->session[1].state, SESSION_FREE);
	close(client);
}

Test(agent, a_program_that_does_not_begin_in_time_is_not_waited_for)
{
	struct agent_msg m;
	struct reply r;
	int client;

	start_container();
	client = exec();
	cr_assert_eq(connect_streams(), 2);
	cr_assert_eq(hear().type, AGENT_RUN);
	session_late(&s);
	cr_assert(session_at_ns(&s) >= clock_ns() + 100000000000ULL, "not that soon");
	s.agent->session[1].asked_ns = 1;
	state.status = STATE_PAUSED;
	session_late(&s);
	cr_expect_eq(recv(client, &r, sizeof(r), MSG_DONTWAIT), -1, "not while it is paused");
	s.agent->session[1].asked_ns = 1;
	state.status = STATE_RUNNING;
	session_late(&s);
	r = answer(client);
	cr_expect_eq(r.code, ETIMEDOUT);
	cr_expect_eq(session_at_ns(&s), 0);
	m = hear();
	cr_expect(m.type == AGENT_SIGNAL && m.session == 1 && m.code == SIGKILL);
	say((struct agent_msg){.type = AGENT_STARTED, .session = 1});
	say((struct agent_msg){.type = AGENT_EXITED, .session = 1});
	cr_expect_eq(s.stage, STAGE_RUNNING);
}

Test(agent, without_its_process_a_container_ends)
{
	run_container();
	s.agent->session[0].asked_ns = 1;
	session_late(&s);
	cr_expect_eq(state.cause, END_INIT_LOST);
	cr_expect_str_eq(state.detail,
			 "vmrun-init in the guest does not say whether the program runs");
}

Test(agent, hooks_have_their_time)
{
	static struct {
		struct agent_item head;
		struct agent_hook hook;
		char path[4];
	} hook = {{AGENT_HOOK, 0, sizeof(struct agent_hook) + 4}, {.timeout_s = 1000}, "/h"};
	const uint64_t before = clock_ns();

	plan.spec = (uint8_t *)&hook;
	plan.spec_bytes = sizeof(hook);
	run_container();
	session_late(&s);
	cr_expect(session_at_ns(&s) >= before + 1120000000000ULL);
	hook.hook.timeout_s = 0;
	session_late(&s);
	cr_expect_eq(session_at_ns(&s), 0);
}

Test(agent, a_container_whose_streams_cannot_be_connected_ends)
{
	struct ctl_msg m;
	int fd;

	call();
	say((struct agent_msg){.type = AGENT_HELLO, .code = AGENT_VERSION});
	while (ctl_recv_fd(device, &m, &fd) == 1) {
		close(fd);
		m = (struct ctl_msg){.type = CTL_DONE, .code = ENOSPC, .text = "vsock: full"};
		ask_answered(&s, &s.proc[1], &m);
	}
	cr_expect_eq(began, ENOSPC);
	cr_expect_eq(state.cause, END_INIT_LOST);
	cr_expect_str_eq(state.detail, "vsock: full");
}

Test(agent, the_hosts_dev_null_is_no_stream, .init = NULL)
{
	const int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY);
	int fd;

	cr_assert_eq(session_stream(null, O_WRONLY, &fd, &err), 0);
	cr_assert_eq(fd, -1);
	cr_assert_eq(session_stream(zero, O_RDONLY, &fd, &err), 0);
	cr_assert_geq(fd, 0);
}

Test(agent, an_exec_in_a_paused_container_begins_when_that_goes_on)
{
	const struct ctl_msg done = {.type = CTL_DONE};
	struct ctl_msg m;
	int client, vmm[2], fd = -1;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, vmm), 0);
	s.proc[0].control = vmm[0];
	start_container();
	state.status = STATE_RUNNING;
	temp_dir_make();
	s.dir = open(temp_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(pause_begin(&s, -1, &err), 0, "%s", err.msg);
	client = exec();
	cr_expect_eq(ctl_recv_fd(device, &m, &fd), -EAGAIN, "not while it is being paused");
	ask_answered(&s, &s.proc[0], &done);
	cr_assert_eq(state.status, STATE_PAUSED);
	cr_expect_eq(ctl_recv_fd(device, &m, &fd), -EAGAIN, "not while it is paused");
	cr_assert_eq(pause_end(&s, -1, &err), 0, "%s", err.msg);
	ask_answered(&s, &s.proc[0], &done);
	cr_expect_eq(connect_streams(), 2);
	cr_expect_eq(hear().type, AGENT_RUN);
	close(client);
	temp_dir_remove();
}

Test(agent, a_device_that_is_silent_ends_the_container)
{
	struct reply r;
	int client;

	start_container();
	client = exec();
	for (unsigned int i = 0; i < s.ask[1].nr; i++)
		s.ask[1].entry[(s.ask[1].first + i) % ASK_MAX].deadline_ns = 1;
	ask_late(&s);
	r = answer(client);
	cr_expect_eq(r.code, ETIMEDOUT);
	cr_expect_eq(state.cause, END_DEVICE_KILLED);
	close(client);
}
