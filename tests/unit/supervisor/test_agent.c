/* SPDX-License-Identifier: BSD-3-Clause */
/* How sessions begin and end, and what a guest that breaks the rules brings about */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "runtime/util/clock.h"
#include "tests/support/agent_rig.h"

TestSuite(agent, .init = setup, .timeout = 60);
TestSuite(agent_early, .init = setup_stopped, .timeout = 60);

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

/* Then they are calls like others, of which few may be open (bridge.h). */
Test(agent, one_call_is_for_the_control_connection)
{
	struct ctl_msg ask = {.type = CTL_VSOCK_ASK, .code = AGENT_PORT, .value = {1}};

	cr_expect_not(agent_is_call(&s, &ask), "not by seqpacket");
	start_container();
	ask.value[0] = 0;
	cr_expect_not(agent_is_call(&s, &ask));
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
