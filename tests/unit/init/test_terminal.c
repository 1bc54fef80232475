/* SPDX-License-Identifier: BSD-3-Clause */
/* Terminals of sessions. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/support/init_rig.h"

static struct rig_spec spec;

TestSuite(terminal, .init = rig_start, .fini = rig_stop, .timeout = 60);

static void describe(uint32_t id, const char *command)
{
	const struct agent_process p = {
		.flags = AGENT_TERMINAL, .rows = 33, .cols = 101, .uid = 1000};

	spec.len = 0;
	if (id == 0)
		rig_container(&spec);
	rig_program(&spec, &p, NULL, "/", (const char *[]){"sh", "-c", command, NULL});
}

Test(terminal, it_is_one)
{
	struct rig_session r;

	describe(0, "tty; stty size; ls -l /dev/console | cut -c1,12-30 | grep -c ^c; echo x "
		    ">/dev/console; echo y >/dev/tty; stat -c %u /dev/pts/0");
	r = rig_run(0, &spec, true);
	rig_expect(AGENT_STARTED, 0);
	cr_expect_str_eq(rig_read(&r.in), "/dev/pts/0\r\n33 101\r\n1\r\nx\r\ny\r\n1000\r\n");
	cr_expect_eq(rig_expect(AGENT_EXITED, 0).code, 0);
}

Test(terminal, it_is_resized_and_interrupts)
{
	struct rig_session r;

	describe(0, "trap 'stty size' WINCH; trap 'echo int; exit 4' INT; echo up; while :; do "
		    "sleep 0.1; done");
	r = rig_run(0, &spec, true);
	rig_expect(AGENT_STARTED, 0);
	rig_until(r.in, "up");
	rig_say(AGENT_SIZE, 0, 0, 50, 60);
	rig_until(r.in, "50 60");
	rig_write(r.in, "\x03");
	rig_until(r.in, "int");
	cr_expect_eq(rig_expect(AGENT_EXITED, 0).code, 4);
}

Test(terminal, exec_has_one_of_its_own)
{
	struct rig_session r, e;

	spec.len = 0;
	rig_container(&spec);
	rig_process(&spec, "cat");
	r = rig_run(0, &spec, false);
	rig_expect(AGENT_STARTED, 0);
	describe(1, "tty; read line; echo \"got $line\"");
	e = rig_run(1, &spec, true);
	rig_expect(AGENT_STARTED, 1);
	rig_until(e.in, "/dev/pts/0");
	rig_write(e.in, "hello\n");
	rig_until(e.in, "got hello");
	cr_expect_eq(rig_expect(AGENT_EXITED, 1).code, 0);
	close(r.in);
	cr_expect_eq(rig_expect(AGENT_EXITED, 0).code, 0);
}

Test(terminal, a_reader_that_goes_away)
{
	struct rig_session r;

	describe(0, "echo up; sleep 0.3; yes | head -c 1000000; echo >/tmp/all; exit 9");
	cr_assert_eq(chmod(rig_path("root/tmp"), 0777), 0);
	r = rig_run(0, &spec, true);
	rig_expect(AGENT_STARTED, 0);
	rig_until(r.in, "up");
	close(r.in);
	cr_expect_eq(rig_expect(AGENT_EXITED, 0).code, 9);
	cr_expect_eq(access(rig_path("root/tmp/all"), F_OK), 0);
}

Test(terminal, ptmx_that_is_something_else)
{
	struct rig_session r, e;

	spec.len = 0;
	rig_container(&spec);
	rig_process(&spec, "umount /dev/pts; mkfifo /dev/pts/ptmx; echo up; cat");
	r = rig_run(0, &spec, false);
	rig_expect(AGENT_STARTED, 0);
	rig_until(r.out, "up");
	describe(1, "true");
	e = rig_run(1, &spec, true);
	cr_expect_eq(rig_expect(AGENT_FAILED, 1).arg[0], AGENT_STEP_CONSOLE);
	cr_expect_str_eq(rig_read(&e.in), "");
	close(r.in);
	cr_expect_eq(rig_expect(AGENT_EXITED, 0).code, 0);
}

Test(terminal, without_devpts)
{
	const struct agent_root root = {0};
	const struct agent_process p = {.flags = AGENT_TERMINAL};
	struct agent_msg m;

	spec.len = 0;
	rig_item(&spec, AGENT_ROOT, &root, sizeof(root), 1, "root");
	rig_program(&spec, &p, NULL, "/", (const char *[]){"true", NULL});
	(void)rig_run(0, &spec, true);
	m = rig_expect(AGENT_FAILED, 0);
	cr_expect_eq(m.arg[0], AGENT_STEP_CONSOLE);
	cr_expect_eq(m.code, ENOENT);
}
