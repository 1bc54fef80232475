/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest that keeps streams or says nothing, and a device that is silent */
#include <errno.h>
#include <signal.h>

#include "runtime/supervisor/pause.h"
#include "runtime/supervisor/session_late.h"
#include "runtime/util/clock.h"
#include "tests/support/agent_rig.h"
#include "tests/support/temp_dir.h"

TestSuite(agent_silent, .init = setup, .timeout = 60);

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

Test(agent_silent, streams_of_what_is_over_are_ended)
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

Test(agent_silent, one_is_ended_at_a_time_and_the_next_connected_behind_it)
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

Test(agent_silent, a_device_that_cannot_be_asked_leaves_no_place_taken)
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

Test(agent_silent, a_program_that_does_not_begin_in_time_is_not_waited_for)
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

Test(agent_silent, without_its_process_a_container_ends)
{
	run_container();
	s.agent->session[0].asked_ns = 1;
	session_late(&s);
	cr_expect_eq(state.cause, END_INIT_LOST);
	cr_expect_str_eq(state.detail,
			 "vmrun-init in the guest does not say whether the program runs");
}

Test(agent_silent, hooks_have_their_time)
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

Test(agent_silent, a_container_whose_streams_cannot_be_connected_ends)
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

Test(agent_silent, the_hosts_dev_null_is_no_stream, .init = NULL)
{
	const int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY);
	int fd;

	cr_assert_eq(session_stream(null, O_WRONLY, &fd, &err), 0);
	cr_assert_eq(fd, -1);
	cr_assert_eq(session_stream(zero, O_RDONLY, &fd, &err), 0);
	cr_assert_geq(fd, 0);
}

Test(agent_silent, an_exec_in_a_paused_container_begins_when_that_goes_on)
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

Test(agent_silent, a_device_that_is_silent_ends_the_container)
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
