/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "runtime/supervisor/drain.h"

static struct supervisor s;
static struct state state;
static int reader, writer;
static struct err err;

/* A process of the VM's that stays; @blocked: in a call that nothing interrupts, as a vfork's parent is */
static void add_process(bool blocked)
{
	struct spawned *p = &s.proc[s.nr++];

	spawned_init(p);
	p->jailed.pid = fork();
	if (p->jailed.pid == 0) {
		if (blocked && vfork() == 0)
			pause();
		for (;;)
			pause();
	}
	p->jailed.pidfd = (int)syscall(SYS_pidfd_open, p->jailed.pid, 0);
	cr_assert_geq(p->jailed.pidfd, 0);
}

static bool lives(unsigned int i)
{
	return poll(&(struct pollfd){.fd = s.proc[i].jailed.pidfd, .events = POLLIN}, 1, 0) == 0;
}

static void fill(void)
{
	char page[4096] = "";

	while (write(writer, page, sizeof(page)) > 0)
		;
}

static void setup_vm(bool blocked)
{
	static struct plan_proc procs[] = {{.kind = NULL}, {.kind = &kind_table[KIND_SERIAL]}};
	static struct plan plan = {.nr_procs = 2, .proc = procs};
	int fd[2];

	procs[1].fd[BOOT_FD_RES + 1].source = PLAN_FD_STDOUT;
	s = (struct supervisor){
		.stage = STAGE_ENDING, .dir = -1, .host_net = -1, .log.fd = -1, .state = &state};
	/* Before the pipe, whose ends they must not have. */
	add_process(false);
	add_process(blocked);
	cr_assert_eq(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
	reader = fd[0];
	writer = fd[1];
	cr_assert_eq(loop_init(&s.loop, &err), 0);
	drain_note(&s, &plan, writer);
}

static void setup(void)
{
	setup_vm(false);
}

static void teardown(void)
{
	for (unsigned int i = 0; i < s.nr; i++)
		if (s.proc[i].jailed.pid)
			kill(s.proc[i].jailed.pid, SIGKILL);
}

TestSuite(drain, .init = setup, .fini = teardown, .timeout = 60);

Test(drain, a_full_console_stops_the_clock)
{
	char page[4096];

	fill();
	cr_assert(drain_wait(&s));
	cr_assert_eq(s.deadline_ns, 0);
	cr_assert_eq(waitpid(s.proc[0].jailed.pid, NULL, 0), s.proc[0].jailed.pid, "VMM is killed");
	cr_assert(lives(1));
	cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
	cr_assert_eq(s.deadline_ns, 0);
	cr_assert_gt(read(reader, page, sizeof(page)), 0);
	cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
	cr_assert_gt(s.deadline_ns, 0, "it goes on when the reader has read");
	fill();
	cr_assert(drain_wait(&s));
	close(reader);
	cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
	cr_assert_gt(s.deadline_ns, 0, "or has left");
}

Test(drain, a_device_that_does_not_write_has_two_turns)
{
	cr_assert(drain_wait(&s));
	cr_assert_not(drain_wait(&s));
}

Test(drain, a_device_that_never_ends_has_many)
{
	char page[4096];
	unsigned int turns = 0;

	for (fill(); drain_wait(&s); fill()) {
		cr_assert_lt(turns++, 1000);
		cr_assert_gt(read(reader, page, sizeof(page)), 0);
		cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
	}
	cr_assert_gt(turns, 100);
}

Test(drain, a_disk_that_stands_still_is_waited_for)
{
	teardown();
	setup_vm(true);
	while (!process_in_io(s.proc[1].jailed.pid))
		poll(NULL, 0, 1);
	cr_assert_not(process_in_io(getpid()));
	for (int i = 0; i < 10; i++)
		cr_assert(drain_wait(&s));
}

Test(drain, a_vm_without_output_is_not_waited_for)
{
	kill(s.proc[1].jailed.pid, SIGKILL);
	cr_assert(poll(&(struct pollfd){.fd = s.proc[1].jailed.pidfd, .events = POLLIN}, 1, -1) ==
		  1);
	cr_assert(spawned_reap(&s.proc[1]));
	fill();
	cr_assert_not(drain_wait(&s));
}

/* The supervisor of a container, which duplicates nothing */
static void note_container(void)
{
	static struct plan plan = {.nr_procs = 2, .container = true, .vsock.proc = 1};
	int errors;

	for (unsigned int i = 0; i < 2; i++)
		close(s.drain.sink[i]);
	errors = dup(STDERR_FILENO);
	dup2(writer, STDERR_FILENO);
	drain_note(&s, &plan, writer);
	dup2(errors, STDERR_FILENO);
	close(errors);
}

Test(drain, a_container_may_close_its_output)
{
	char byte;

	note_container();
	cr_assert_eq(read(reader, &byte, 1), -1);
	close(writer);
	cr_assert_eq(read(reader, &byte, 1), 0, "the end, though the VM lives on");
	close(reader);
	cr_assert(drain_wait(&s));
	cr_assert_not(drain_wait(&s), "no one is waited for");
}

Test(drain, a_containers_slow_reader_is_waited_for)
{
	note_container();
	fill();
	close(writer);
	cr_assert(drain_wait(&s));
	cr_assert_eq(s.deadline_ns, 0);
}
