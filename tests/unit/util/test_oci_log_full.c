/* SPDX-License-Identifier: BSD-3-Clause */
/* Logs that take no more: no process waits, no line stays torn, lost lines are counted and reported. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "runtime/util/oci_log.h"

#define MANY 20000 /* lines: more than any buffer of the kernel's takes */

static char text[1 << 20];

static void set_nonblocking(int fd)
{
	cr_assert_eq(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

/* All there is to be read now; @fd is the reader's */
static size_t drain(int fd)
{
	size_t len = 0;
	ssize_t n;

	set_nonblocking(fd);
	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return len;
}

static void write_many(struct oci_log *o)
{
	for (unsigned int i = 0; i < MANY; i++)
		oci_log_write(o, LOG_LEVEL_ERROR, "line %u", i);
	cr_expect_gt(o->lost, 0);
	cr_expect_lt(o->lost, MANY);
}

/* Fills @o without waiting, then reads: each line is whole, and the first one after them tells of the rest */
static void fills_and_goes_on(struct oci_log *o, int reader)
{
	unsigned int lost, said, nr = 0;
	char *line, *rest;

	write_many(o);
	lost = o->lost;
	drain(reader);
	for (line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
		unsigned int got;

		cr_expect_eq(sscanf(line, "vmrun: line %u", &got), 1, "%s", line);
		cr_expect_eq(got, nr, "%s", line);
		nr++;
	}
	cr_expect_eq(nr, MANY - lost);
	oci_log_write(o, LOG_LEVEL_ERROR, "again");
	drain(reader);
	cr_expect_eq(sscanf(text, "vmrun: %u lines were lost here", &said), 1, "%s", text);
	cr_expect_eq(said, lost);
	cr_expect(strstr(text, "vmrun: again"), "%s", text);
	cr_expect_eq(o->lost, 0);
}

Test(oci_log_full, a_pipe_that_is_shared_with_the_caller, .timeout = 20)
{
	struct oci_log o;
	int p[2];

	cr_assert_eq(pipe(p), 0);
	cr_assert_eq(dup2(p[1], STDERR_FILENO), STDERR_FILENO);
	oci_log_stderr(LOG_LEVEL_ERROR, &o);
	fills_and_goes_on(&o, p[0]);
	cr_expect_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0, "it is the caller's");
}

Test(oci_log_full, a_pipe_that_blocks, .timeout = 20)
{
	struct oci_log o = {.plain = true};
	int p[2];

	cr_assert_eq(pipe(p), 0);
	o.fd = p[1];
	fills_and_goes_on(&o, p[0]);
}

Test(oci_log_full, a_socket, .timeout = 20)
{
	struct oci_log o = {.plain = true};
	int p[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p), 0);
	o.fd = p[1];
	write_many(&o);
	cr_expect_eq(recv(p[0], text, sizeof(text), 0), (ssize_t)strlen("vmrun: line 0\n"));
}

Test(oci_log_full, a_socket_by_its_name)
{
	struct oci_log o;
	struct err err;
	int p[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	cr_assert_eq(dup2(p[1], STDERR_FILENO), STDERR_FILENO);
	cr_assert_eq(oci_log_open("/dev/stderr", false, LOG_LEVEL_ERROR, &o, &err), 0, "%s",
		     err.msg);
	oci_log_write(&o, LOG_LEVEL_ERROR, "heard");
	drain(p[0]);
	cr_expect(strstr(text, "msg=\"heard\""), "%s", text);
}

Test(oci_log_full, a_terminal_that_was_stopped, .timeout = 20)
{
	struct oci_log o;
	int master, slave;

	cr_assert_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	cr_assert_eq(dup2(slave, STDERR_FILENO), STDERR_FILENO);
	oci_log_stderr(LOG_LEVEL_ERROR, &o);
	cr_assert_eq(tcflow(slave, TCOOFF), 0);
	for (unsigned int i = 0; i < MANY; i++)
		oci_log_write(&o, LOG_LEVEL_ERROR, "line %u", i);
	cr_expect_gt(o.lost, 0);
	cr_assert_eq(tcflow(slave, TCOON), 0);
	drain(master);
	oci_log_write(&o, LOG_LEVEL_ERROR, "again");
	drain(master);
	cr_expect(strstr(text, " lines were lost here"), "%s", text);
	cr_expect(strstr(text, "\nvmrun: again"), "%s", text);
}

Test(oci_log_full, a_fifo_without_a_reader, .timeout = 20)
{
	char path[] = "/tmp/test-olog-XXXXXX";
	struct oci_log o;
	struct err err;
	int reader;

	close(mkstemp(path));
	unlink(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(oci_log_open(path, false, LOG_LEVEL_ERROR, &o, &err), 0, "%s", err.msg);
	write_many(&o);
	reader = open(path, O_RDONLY | O_NONBLOCK);
	unlink(path);
	cr_expect_gt(drain(reader), 0);
	cr_expect(strstr(text, "msg=\"line 0\"\n"), "a late reader gets what there was room for");
	oci_log_flush(&o);
	drain(reader);
	cr_expect(strstr(text, " lines were lost here"), "%s", text);
}

Test(oci_log_full, a_reader_that_left, .timeout = 20)
{
	struct oci_log o = {.plain = true};
	int p[2];

	cr_assert_eq(pipe(p), 0);
	close(p[0]);
	o.fd = p[1];
	oci_log_write(&o, LOG_LEVEL_ERROR, "no SIGPIPE");
	cr_expect_eq(o.lost, 1);
}

Test(oci_log_full, no_space)
{
	struct oci_log o;
	struct err err;

	cr_assert_eq(oci_log_open("/dev/full", true, LOG_LEVEL_ERROR, &o, &err), 0, "%s", err.msg);
	oci_log_write(&o, LOG_LEVEL_ERROR, "one");
	oci_log_write(&o, LOG_LEVEL_ERROR, "two");
	cr_expect_eq(o.lost, 2);
}

Test(oci_log_full, half_a_line_is_ended_first)
{
	struct oci_log o = {.plain = true, .torn = true};
	int p[2];

	cr_assert_eq(pipe(p), 0);
	o.fd = p[1];
	oci_log_write(&o, LOG_LEVEL_ERROR, "one");
	oci_log_write(&o, LOG_LEVEL_ERROR, "two");
	drain(p[0]);
	cr_expect_str_eq(text, "\nvmrun: one\nvmrun: two\n");
}

/* However long that takes on a busy machine */
static void await_writer(struct oci_log *o)
{
	struct pollfd p = {.fd = o->writer, .events = POLLIN};
	siginfo_t info;

	if (!o->writer)
		return;
	cr_assert_eq(poll(&p, 1, -1), 1);
	cr_assert_eq(waitid(P_PIDFD, (id_t)o->writer, &info, WEXITED), 0);
	close(o->writer);
	o->writer = 0;
}

Test(oci_log_full, a_disk_is_written_to_by_others, .timeout = 60)
{
	char path[] = "/tmp/test-olog-XXXXXX";
	struct oci_log o;
	struct err err;
	int reader = mkstemp(path);
	pid_t pid;

	cr_assert_eq(oci_log_open(path, false, LOG_LEVEL_ERROR, &o, &err), 0, "%s", err.msg);
	unlink(path);
	for (unsigned int i = 0; i < 20; i++) {
		oci_log_write(&o, LOG_LEVEL_ERROR, "line %u", i);
		await_writer(&o);
	}
	drain(reader);
	cr_expect(strstr(text, "msg=\"line 0\"\n"), "%s", text);
	cr_expect(strstr(text, "msg=\"line 19\"\n"), "%s", text);
	/* One that does not come back, replaced by one that sleeps */
	pid = fork();
	if (pid == 0)
		sleep(60);
	o.writer = (int)syscall(SYS_pidfd_open, pid, 0);
	oci_log_write(&o, LOG_LEVEL_ERROR, "lost");
	cr_expect_eq(o.lost, 1);
	kill(pid, SIGKILL);
	while (o.lost)
		oci_log_flush(&o);
	await_writer(&o);
	oci_log_write(&o, LOG_LEVEL_ERROR, "again");
	await_writer(&o);
	drain(reader);
	cr_expect(!strstr(text, "msg=\"lost\""), "%s", text);
	cr_expect(strstr(text, "1 lines were lost here"), "%s", text);
	cr_expect(strstr(text, "msg=\"again\"\n"), "%s", text);
}
