/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions of vmrun-init: their beginnings, ends, signals and streams. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "tests/support/init_rig.h"

static struct rig_spec spec;

TestSuite(session, .init = rig_start, .fini = rig_stop, .timeout = 120);

static struct rig_session runs(uint32_t id, const char *command)
{
	struct rig_session r;

	spec.len = 0;
	if (id == 0)
		rig_container(&spec);
	rig_process(&spec, command);
	r = rig_run(id, &spec, false);
	rig_expect(AGENT_STARTED, id);
	return r;
}

static void ends(struct rig_session *r, const char *out, const char *errors, uint32_t status)
{
	cr_expect_str_eq(rig_read(&r->out), out);
	cr_expect_str_eq(rig_read(&r->errors), errors);
	cr_expect_eq(rig_expect(AGENT_EXITED, r->id).code, status);
}

Test(session, output_and_status)
{
	struct rig_session r = runs(0, "echo out; echo errors >&2; exit 7");

	ends(&r, "out\n", "errors\n", 7);
}

Test(session, its_steps_are_in_order)
{
	struct rig_session r;
	struct agent_msg m;

	rig_container(&spec);
	rig_process(&spec, "exit 0");
	r = rig_run(0, &spec, false);
	m = rig_expect(AGENT_STARTED, 0);
	for (unsigned int i = 0; i < AGENT_STREAMS; i++)
		cr_expect_neq(m.arg[i], 0, "step %u", i);
	/* Modulo 2^32 */
	for (unsigned int i = 1; i < AGENT_STREAMS; i++)
		cr_expect_lt(m.arg[i] - m.arg[i - 1], 120000000U, "step %u", i);
	ends(&r, "", "", 0);
}

/* What can wait is done once, and not before. The agent has done it when it hears of the next session. */
Test(session, what_can_wait_for_the_first_program)
{
	struct rig_session first = runs(0, "read line"), second;

	second = runs(1, "exit 2");
	cr_expect_eq(rig_began(), 1);
	ends(&second, "", "", 2);
	cr_expect_eq(rig_began(), 1);
	close(first.in);
	ends(&first, "", "", 1);
}

Test(session, a_signal_that_ends_it)
{
	struct rig_session r = runs(0,
				    "trap 'echo usr1' USR1; echo up; while :; do sleep 0.1; done");

	rig_until(r.out, "up");
	rig_say(AGENT_SIGNAL, 0, SIGUSR1, 0, 0);
	rig_until(r.out, "usr1");
	/* without a handler, as process 1 of the container */
	rig_say(AGENT_SIGNAL, 0, SIGTERM, 0, 0);
	rig_say(AGENT_SIGNAL, 0, SIGKILL, 0, 0);
	ends(&r, "", "", 128 + SIGKILL);
}

Test(session, its_processes_end_with_it)
{
	struct rig_session r = runs(0, "sleep 1000 & sleep 1000 & echo $$; exit 3");

	ends(&r, "1\n", "", 3);
}

Test(session, others_join)
{
	struct rig_session r = runs(0, "hostname inside; echo up; cat; exit 1"), e;

	rig_until(r.out, "up");
	e = runs(1, "hostname; cat /proc/1/comm; ls /; exit 5");
	ends(&e, "inside\nsh\nbin\ndev\netc\nproc\nsys\ntmp\n", "", 5);
	e = runs(2, "kill -9 $$");
	ends(&e, "", "", 128 + SIGKILL);
	e = runs(3, "echo $PPID; sleep 1000");
	rig_until(e.out, "0");
	close(r.in);
	ends(&e, "", "", 128 + SIGKILL);
	ends(&r, "", "", 1);
}

Test(session, a_signal_for_all)
{
	struct rig_session r = runs(0, "exec 2>/dev/null; trap 'echo one' TERM; echo up; while :; "
				       "do sleep 0.1; done"),
			   e;

	rig_until(r.out, "up");
	e = runs(1,
		 "exec 2>/dev/null; trap 'echo two; exit 0' TERM; echo up; while :; do sleep 0.1; "
		 "done");
	rig_until(e.out, "up");
	rig_say(AGENT_SIGNAL, 0, SIGTERM, 1, 0);
	rig_until(r.out, "one");
	ends(&e, "two\n", "", 0);
	rig_say(AGENT_SIGNAL, 0, SIGKILL, 1, 0);
	ends(&r, "", "", 128 + SIGKILL);
}

Test(session, one_that_waits_for_streams)
{
	struct agent_msg m = {.type = AGENT_RUN};
	uint32_t unused;
	int spec_fd, out;

	/* Some streams come earlier than their message, some later. */
	close(rig_stream(&unused));
	spec_fd = rig_stream(&m.port[AGENT_SPEC]);
	m.port[AGENT_STDOUT] = m.port[AGENT_SPEC] + 1;
	cr_assert_eq(write(rig_control(), &m, sizeof(m)), (ssize_t)sizeof(m));
	usleep(20000);
	out = rig_stream(&unused);
	cr_assert_eq(unused, m.port[AGENT_STDOUT]);
	spec.len = 0;
	rig_container(&spec);
	rig_process(&spec, "readlink /proc/self/fd/0; echo done");
	for (size_t at = 0; at < spec.len; at += 7)
		cr_assert_gt(write(spec_fd, spec.bytes + at, spec.len - at < 7 ? spec.len - at : 7),
			     0);
	close(spec_fd);
	rig_expect(AGENT_STARTED, 0);
	cr_expect_str_eq(rig_read(&out), "/dev/null\ndone\n");
	cr_expect_eq(rig_expect(AGENT_EXITED, 0).code, 0);
}

Test(session, one_that_never_begins)
{
	struct agent_msg m = {.type = AGENT_RUN, .port = {77, 78, 79, 80}};

	cr_assert_eq(write(rig_control(), &m, sizeof(m)), (ssize_t)sizeof(m));
	rig_say(AGENT_SIGNAL, 0, SIGTERM, 0, 0);
	rig_say(AGENT_SIGNAL, 0, SIGKILL, 0, 0);
	cr_expect_eq(rig_expect(AGENT_FAILED, 0).arg[0], AGENT_STEP_PROCESS);
}

Test(session, exec_without_a_container)
{
	spec.len = 0;
	rig_process(&spec, "true");
	(void)rig_run(4, &spec, false);
	cr_expect_eq(rig_expect(AGENT_FAILED, 4).code, ESRCH);
}

Test(session, exec_when_the_container_has_ended)
{
	/* It has not been told yet: its output is not read. */
	struct rig_session r = runs(0, "head -c 300000 /dev/zero & sleep 0.1; exit 9"), e;
	char byte;

	e = runs(1, "echo up; sleep 1000");
	rig_until(e.out, "up");
	cr_assert_eq(recv(r.out, &byte, 1, MSG_PEEK), 1);
	ends(&e, "", "", 128 + SIGKILL);
	spec.len = 0;
	rig_process(&spec, "true");
	(void)rig_run(2, &spec, false);
	cr_expect_eq(rig_expect(AGENT_FAILED, 2).code, ESRCH);
	while (read(r.out, (char[4096]){0}, 4096) > 0) {
	}
	cr_expect_eq(rig_expect(AGENT_EXITED, 0).code, 9);
}

Test(session, one_that_waits_when_the_container_ends)
{
	struct rig_session r = runs(0, "cat");
	struct agent_msg m = {.type = AGENT_RUN, .session = 1, .port = {77, 78, 79, 80}};

	cr_assert_eq(write(rig_control(), &m, sizeof(m)), (ssize_t)sizeof(m));
	close(r.in);
	cr_expect_eq(rig_expect(AGENT_FAILED, 1).code, ESRCH);
	cr_expect_eq(rig_expect(AGENT_EXITED, 0).code, 0);
}

Test(session, a_description_that_is_none)
{
	spec.len = 0;
	rig_container(&spec);
	rig_process(&spec, "true");
	spec.len--;
	rig_fails(&spec, AGENT_STEP_SPEC, EINVAL);
}

Test(session, standard_input_is_a_file_with_an_end)
{
	struct rig_session r = runs(0, "cat; echo end");

	rig_write(r.in, "one\n");
	rig_until(r.out, "one");
	rig_write(r.in, "two");
	shutdown(r.in, SHUT_WR);
	ends(&r, "twoend\n", "", 0);
}

Test(session, a_program_that_does_not_read)
{
	struct rig_session r = runs(0, "exec <&-; echo closed; sleep 0.2");
	char byte[4096] = "";
	ssize_t n;

	rig_until(r.out, "closed");
	do {
		n = send(r.in, byte, sizeof(byte), MSG_NOSIGNAL);
	} while (n > 0);
	cr_expect(errno == EPIPE || errno == ECONNRESET);
	ends(&r, "", "", 0);
}

Test(session, dev_stdout_can_be_opened)
{
	struct rig_session r;
	const struct agent_process p = {.uid = 1000, .gid = 1000};

	spec.len = 0;
	rig_container(&spec);
	rig_program(
		&spec, &p, NULL, "/",
		(const char *[]){"sh", "-c",
				 "echo a >/dev/stdout; echo b >/dev/stderr; cat /dev/stdin; id -u",
				 NULL});
	r = rig_run(0, &spec, false);
	rig_expect(AGENT_STARTED, 0);
	close(r.in);
	ends(&r, "a\n1000\n", "b\n", 0);
}

/* One stream there and back, checked by a sequence of numbers that is not a power of two long */
#define PERIOD 251
struct flow {
	int out, in;
	size_t sent, got, total;
};

static void flows(struct flow *f)
{
	static uint8_t block[PERIOD * 257], got[65536];
	int size = 1 << 18;

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (uint8_t)(i % PERIOD);
	setsockopt(f->out, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	while (f->got < f->total) {
		struct pollfd p[] = {{.fd = f->sent < f->total ? f->out : -1, .events = POLLOUT},
				     {.fd = f->in, .events = POLLIN}};
		ssize_t n;

		cr_assert_gt(poll(p, 2, 30000), 0, "%zu sent, %zu got", f->sent, f->got);
		if (p[0].revents) {
			size_t at = f->sent % PERIOD, len = sizeof(block) - at;

			n = send(f->out, block + at,
				 len < f->total - f->sent ? len : f->total - f->sent, MSG_DONTWAIT);
			f->sent += n > 0 ? (size_t)n : 0;
			if (f->sent == f->total)
				shutdown(f->out, SHUT_WR);
		}
		if (!p[1].revents)
			continue;
		n = read(f->in, got, sizeof(got));
		cr_assert_gt(n, 0, "the end comes at %zu", f->got);
		for (ssize_t i = 0; i < n; i++)
			cr_assert_eq(got[i], (f->got + (size_t)i) % PERIOD);
		f->got += (size_t)n;
	}
}

Test(session, a_hundred_megabytes)
{
	struct rig_session r = runs(0, "cat");
	struct flow f = {.out = r.in, .in = r.out, .total = 100 << 20};

	flows(&f);
	ends(&r, "", "", 0);
}

Test(session, a_reader_that_is_slow_stalls_no_one)
{
	struct rig_session r = runs(0, "head -c 3000000 /dev/zero & yes >&2 & cat; echo end"), e;
	struct flow f = {.out = r.in, .in = r.out, .total = 0};
	size_t zeros = 0;
	char buf[4096];

	(void)f;
	/* Neither output is read, so both programs wait. Others do not. */
	e = runs(1, "echo quick");
	ends(&e, "quick\n", "", 0);
	e = runs(2, "cat");
	f = (struct flow){.out = e.in, .in = e.out, .total = 1 << 20};
	flows(&f);
	ends(&e, "", "", 0);
	shutdown(r.in, SHUT_WR);
	/* All that was written before its end comes, then the end. */
	for (ssize_t n = 1; n > 0; zeros += n > 0 && buf[0] == 0 ? (size_t)n : 0)
		n = read(r.out, buf, sizeof(buf));
	cr_expect_gt(zeros, 65536);
	close(r.errors);
	cr_expect_eq(rig_expect(AGENT_EXITED, 0).code, 0);
}

Test(session, a_flood_of_errors)
{
	struct rig_session r = runs(
		0, "yes flood >&2 & p=$!; echo up; cat >/dev/null; kill $p; wait; echo down");
	static char buf[65536];
	size_t bytes = 0;

	rig_until(r.out, "up");
	while (bytes < 20 << 20) {
		ssize_t n = read(r.errors, buf, sizeof(buf));

		cr_assert_gt(n, 0);
		bytes += (size_t)n;
	}
	shutdown(r.in, SHUT_WR);
	/* Its reader has gone: yes ends by SIGPIPE, or by the signal. */
	close(r.errors);
	cr_expect_str_eq(rig_read(&r.out), "down\n");
	cr_expect_eq(rig_expect(AGENT_EXITED, 0).code, 0);
}

Test(session, output_of_one_that_is_left)
{
	struct rig_session r = runs(0, "cat"), e = runs(1, "sleep 1000 & echo mine");

	/* The pipe is open still, but the program has ended. */
	ends(&e, "mine\n", "", 0);
	shutdown(r.in, SHUT_WR);
	ends(&r, "", "", 0);
}

Test(session, fifty_at_once)
{
	struct rig_session r = runs(0, "cat"), e[50];
	unsigned int left = 0, statuses[50] = {0};

	spec.len = 0;
	rig_process(&spec, "cat; exit $(cat /proc/sys/kernel/hostname | wc -l)");
	for (unsigned int i = 0; i < 50; i++)
		e[i] = rig_run(i + 1, &spec, false);
	for (unsigned int i = 0; i < 50; i++) {
		char text[16];

		snprintf(text, sizeof(text), "number %u", i);
		rig_write(e[i].in, text);
		shutdown(e[i].in, SHUT_WR);
		cr_expect_str_eq(rig_read(&e[i].out), text);
	}
	while (left < 100) {
		struct agent_msg m = rig_hear();

		left++;
		cr_assert(m.type == AGENT_STARTED || m.type == AGENT_EXITED);
		cr_assert(m.session >= 1 && m.session <= 50);
		if (m.type == AGENT_EXITED)
			statuses[m.session - 1] = 1 + m.code;
	}
	for (unsigned int i = 0; i < 50; i++)
		cr_expect_eq(statuses[i], 2);
	shutdown(r.in, SHUT_WR);
	ends(&r, "", "", 0);
}
