/* SPDX-License-Identifier: BSD-3-Clause */
/* A supervisor without processes: what a verdict records, and what it lets go of. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "runtime/plan/plan_types.h"
#include "runtime/supervisor/end.h"
#include "runtime/supervisor/programs.h"

static struct plan plan;
static struct launch wanted = {.plan = &plan};
static struct supervisor s;
static struct state state;
static int disk;

static void setup(void)
{
	struct err err;

	s = (struct supervisor){.launch = &wanted, .stage = STAGE_RUNNING, .state = &state};
	s.log.fd = -1;
	s.start.client = -1;
	s.drain.sink[0] = s.drain.sink[1] = -1;
	cr_assert_eq(loop_init(&s.loop, &err), 0);
	s.assets = malloc(sizeof(*s.assets));
	memset(s.assets, 0xff, sizeof(*s.assets));
	disk = open("/dev/null", O_RDWR | O_CLOEXEC);
	s.assets->proc[1].fd[BOOT_FD_RES] = disk;
	wanted.program[0].fd = open("/dev/null", O_PATH | O_CLOEXEC);
	s.nr_programs = 1;
}

TestSuite(end, .init = setup);

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

Test(end, the_first_verdict_counts)
{
	end_vm(&s, END_PANIC, "the guest panicked", false);
	end_vm(&s, END_KILLED, "killed on request", true);
	cr_expect_eq(state.cause, END_PANIC);
	cr_expect_str_eq(state.detail, "the guest panicked");
	cr_expect_eq(s.stage, STAGE_OVER, "there is no process");
}

/* Files and programs stay until then: a device can be started from them */
Test(end, a_verdict_lets_go_of_disks_and_programs)
{
	const int program = wanted.program[0].fd;

	cr_assert(is_open(disk) && is_open(program));
	end_vm(&s, END_POWEROFF, "", false);
	cr_expect_not(is_open(disk));
	cr_expect_not(is_open(program));
	cr_expect_null(s.assets);
	cr_expect_eq(s.nr_programs, 0);
}

Test(end, so_does_a_failure)
{
	struct err err;

	s.stage = STAGE_CREATING;
	err_text(&err, ENOMEM, "too small");
	end_failed(&s, &err);
	cr_expect(s.failed && s.failure.code == ENOMEM);
	cr_expect_not(is_open(disk));
	cr_expect_not(is_open(wanted.program[0].fd));
}
