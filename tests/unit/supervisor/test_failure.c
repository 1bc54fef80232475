/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Which deaths lead to a restart, and how often
 */
#include "runtime/supervisor/failure.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "runtime/util/clock.h"

static struct plan plan;
static struct plan_proc procs[3];
static struct launch launch = {.plan = &plan};
static struct state state;
static struct supervisor s;

static void setup(void)
{
	plan.proc = procs;
	plan.nr_procs = 3;
	procs[1].returns = true;
	s.launch = &launch;
	s.state = &state;
	s.stage = STAGE_RUNNING;
	s.nr = 3;
	for (unsigned int i = 0; i < 3; i++)
		spawned_init(&s.proc[i]);
	strcpy(s.proc[0].name, "vmm");
	strcpy(s.proc[1].name, "block0");
	strcpy(s.proc[2].name, "rng0");
	s.proc[1].status = SIGKILL;
}

TestSuite(failure, .init = setup);

Test(failure, only_of_a_device_that_returns_and_while_the_vm_lives)
{
	cr_expect(failure_returns(&s, &s.proc[1]));
	cr_expect_not(failure_returns(&s, &s.proc[0]) || failure_returns(&s, &s.proc[2]));
	s.stage = STAGE_READY;
	cr_expect_not(failure_returns(&s, &s.proc[1]), "creating fails");
	s.stage = STAGE_CREATED;
	cr_expect(failure_returns(&s, &s.proc[1]));
	s.stage = STAGE_ENDING;
	cr_expect_not(failure_returns(&s, &s.proc[1]));
	s.stage = STAGE_RUNNING;
	strcpy(s.accused, "device block0: answer with fds");
	cr_expect_not(failure_returns(&s, &s.proc[1]), "the VMM cannot work with it");
}

Test(failure, a_signal_is_certain_and_an_exit_is_doubted)
{
	const uint64_t now = clock_ns();

	failure_note(&s, &s.proc[1]);
	cr_expect(s.restart[1].due_ns >= now && s.restart[1].due_ns <= clock_ns());
	cr_expect_eq(s.restart_ns, s.restart[1].due_ns);
	cr_expect_str_eq(state.proc[1].failure, "killed by SIGKILL");
	s.restart[1].due_ns = 0;
	s.proc[1].left = true;
	s.proc[1].status = 1;
	failure_note(&s, &s.proc[1]);
	cr_expect_geq(s.restart[1].due_ns, now + 200000000ULL);
	cr_expect_str_eq(state.proc[1].failure, "exited with code 1");
}

Test(failure, five_times_in_ten_seconds)
{
	struct restarting *r = &s.restart[1];
	const uint64_t now = clock_ns();

	for (unsigned int i = 0; i < RESTART_MAX; i++) {
		cr_expect(failure_returns(&s, &s.proc[1]), "restart %u", i);
		r->at_ns[r->nr++ % RESTART_MAX] = now;
	}
	cr_expect_not(failure_returns(&s, &s.proc[1]));
	cr_expect_str_eq(failure_spent(&s, &s.proc[1]), ", after 5 restarts in 10 s");
	cr_expect_str_eq(failure_spent(&s, &s.proc[2]), "");
	r->at_ns[0] = now - FAILURE_WINDOW_NS;
	cr_expect(failure_returns(&s, &s.proc[1]), "the first of them was long ago");
	cr_expect_str_eq(failure_spent(&s, &s.proc[1]), "");
	r->at_ns[r->nr++ % RESTART_MAX] = now;
	cr_expect_not(failure_returns(&s, &s.proc[1]));
}

Test(failure, the_vmm_loses_a_device_that_lives)
{
	struct ctl_msg m = {.type = CTL_LOST, .arg = 2, .text = "block0"};

	cr_expect(failure_lost_is_legal(&s, &m));
	failure_lost(&s, &m);
	cr_expect_eq(s.restart[1].leave_by_ns, 0, "of another process than the present one");
	s.restart[1].nr = 2;
	failure_lost(&s, &m);
	cr_expect(s.restart[1].leave_by_ns > 0 && s.restart_ns == s.restart[1].leave_by_ns);
	failure_note(&s, &s.proc[1]);
	cr_expect_eq(s.restart[1].leave_by_ns, 0, "it has died");
	strcpy(m.text, "rng0");
	cr_expect_not(failure_lost_is_legal(&s, &m));
	strcpy(m.text, "nothing");
	cr_expect_not(failure_lost_is_legal(&s, &m));
}
