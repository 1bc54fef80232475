/* SPDX-License-Identifier: BSD-3-Clause */
/* A supervisor whose processes are sockets in the test's hand: each question ends once, with the right answer. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/state/state.h"
#include "runtime/supervisor/ask.h"
#include "runtime/supervisor/client.h"

#define NR_PROCS 2

static struct supervisor s;
static int process[NR_PROCS]; /* their ends */
static struct err err;

/* What `heard` was called with, the last time */
static struct {
	unsigned int times, i;
	int client, code;
	uint64_t value;
	bool answered;
	char text[ERR_MSG_BYTES];
} last;

static void heard(struct supervisor *of UNUSED, unsigned int i, int client,
		  const struct ctl_msg *answer, const struct err *e)
{
	last.times++;
	last.i = i;
	last.client = client;
	last.code = e->code;
	last.answered = answer != NULL;
	last.value = answer ? answer->value[0] : 0;
	snprintf(last.text, sizeof(last.text), "%s", e->code ? e->msg : "");
}

static void setup(void)
{
	s = (struct supervisor){.stage = STAGE_RUNNING, .nr = NR_PROCS};
	s.state = calloc(1, sizeof(*s.state));
	s.log.fd = -1;
	memset(&last, 0, sizeof(last));
	for (unsigned int i = 0; i < NR_PROCS; i++) {
		int pair[2];

		spawned_init(&s.proc[i]);
		snprintf(s.proc[i].name, sizeof(s.proc[i].name), "proc%u", i);
		cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
		s.proc[i].control = pair[0];
		process[i] = pair[1];
	}
}

TestSuite(ask, .init = setup);

/* Asks process @i; the client is a mere number, which nothing here closes */
static int ask(unsigned int i, int client)
{
	const struct ctl_msg m = {.type = CTL_NET};
	const struct ask_then then = {heard, client};

	return ask_process(&s, i, &m, -1, &then, &err);
}

static void answer(unsigned int i, uint32_t code, uint64_t value)
{
	struct ctl_msg m = {.type = CTL_DONE, .code = code, .value = {value}, .text = "why"};

	cr_assert(ask_is_open(&s, &s.proc[i]));
	ask_answered(&s, &s.proc[i], &m);
}

Test(ask, answers_come_in_order)
{
	struct ctl_msg m;

	cr_assert_eq(ask(1, 100), 0);
	cr_assert_eq(ask(1, 101), 0);
	cr_assert_eq(ask(0, 200), 0);
	cr_assert(ctl_recv(process[1], &m) == 1 && m.type == CTL_NET);
	cr_expect_neq(s.ask_by_ns, 0);
	answer(1, 0, 7);
	cr_expect(last.i == 1 && last.client == 100 && last.answered && last.code == 0);
	cr_expect_eq(last.value, 7);
	answer(0, 0, 8);
	cr_expect(last.i == 0 && last.client == 200 && last.value == 8);
	answer(1, EBUSY, 0);
	cr_expect(last.client == 101 && last.answered && last.code == EBUSY);
	cr_expect_str_eq(last.text, "why");
	cr_expect(last.times == 3 && s.ask_by_ns == 0);
	cr_expect(!ask_is_open(&s, &s.proc[0]) && !ask_is_open(&s, &s.proc[1]));
}

Test(ask, a_late_answer_is_dropped_and_the_next_meets_its_question)
{
	cr_assert_eq(ask(1, 100), 0);
	cr_assert_eq(ask(1, 101), 0);
	s.ask[1].entry[0].deadline_ns = 1;
	ask_late(&s);
	cr_expect(last.times == 1 && last.client == 100 && !last.answered);
	cr_expect_eq(last.code, ETIMEDOUT);
	cr_expect_str_eq(last.text, "proc1 does not answer");
	answer(1, 0, 7);
	cr_expect_eq(last.times, 1, "the question was over");
	answer(1, 0, 8);
	cr_expect(last.times == 2 && last.client == 101 && last.value == 8);
}

Test(ask, a_process_has_a_bounded_number_of_questions)
{
	for (int n = 0; n < ASK_MAX; n++)
		cr_assert_eq(ask(1, n), 0);
	cr_expect_eq(ask(1, 77), -EBUSY);
	cr_expect_eq(ask(0, 77), 0);
	answer(1, 0, 0);
	cr_expect_eq(last.client, 0);
	cr_expect_eq(ask(1, 78), 0, "the queue goes round");
	for (int n = 1; n < ASK_MAX; n++)
		answer(1, 0, 0);
	answer(1, 0, 0);
	cr_expect_eq(last.client, 78);
}

Test(ask, death_and_the_end_of_the_vm_end_questions)
{
	cr_assert_eq(ask(1, 100), 0);
	cr_assert_eq(ask(1, 101), 0);
	cr_assert_eq(ask(0, 200), 0);
	ask_died(&s, &s.proc[1]);
	cr_expect(last.times == 2 && last.client == 101 && !last.answered && last.code == ESRCH);
	cr_expect_str_eq(last.text, "proc1 has died");
	snprintf(s.state->detail, sizeof(s.state->detail), "killed on request");
	ask_cut(&s);
	cr_expect(last.times == 3 && last.client == 200 && last.code == ESRCH);
	cr_expect_str_eq(last.text, "the container ended: killed on request");
	cr_expect_eq(s.ask_by_ns, 0);
}

Test(ask, a_process_that_does_not_listen)
{
	close(process[0]);
	cr_expect_eq(ask(0, 100), -EPIPE);
	cr_expect_str_eq(err.msg, "proc0 does not listen: Broken pipe");
	s.proc[1].control = -1;
	cr_expect_eq(ask(1, 100), -EPIPE);
	cr_expect_eq(last.times, 0);
	cr_expect_eq(s.ask_by_ns, 0);
}

Test(ask, the_client_gets_the_values)
{
	const struct ctl_msg m = {.type = CTL_NET};
	int client[2];
	struct ask_then then = {ask_reply, -1};
	struct reply r;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, client), 0);
	then.client = client[1];
	cr_assert_eq(ask_process(&s, 1, &m, -1, &then, &err), 0);
	answer(1, 0, 0x123456789);
	cr_assert_eq(recv(client[0], &r, sizeof(r), 0), (ssize_t)sizeof(r));
	cr_expect(r.code == 0 && r.text[0] == '\0' && r.value[0] == 0x123456789);
	cr_expect_eq(recv(client[0], &r, sizeof(r), 0), 0, "the client's socket is open");
}
