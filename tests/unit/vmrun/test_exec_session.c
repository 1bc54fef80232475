/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: exec while its program lives: a process of its own, between a supervisor and a user that the test plays
 */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "devices/core/fdio.h"
#include "tests/support/supervisor_rig.h"

/* parts of a program, in no library */
#include "cmd/vmrun/exec_session.c"
#include "cmd/vmrun/pty.c"
#include "cmd/vmrun/relay.c"
#include "cmd/vmrun/terminal.c"

#define WAIT_MS 30000

static int peer = -1;
static int file[FDIO_FDS_MAX]; /* what exec brought */
static unsigned int nr_files;
static int in, out, errors; /* the user's ends of its standard streams */
static struct exec_job job;
static char pid_path[256], console_path[256];

static void setup(void)
{
	supervisor_listens();
	snprintf(pid_path, sizeof(pid_path), "%s/pid", temp_dir);
	snprintf(console_path, sizeof(console_path), "%s/console", temp_dir);
	job = (struct exec_job){.dir = dir, .spec = open("/dev/null", O_RDONLY | O_CLOEXEC)};
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

TestSuite(exec_session, .init = setup, .fini = temp_dir_remove, .timeout = 120);

/* The exec process, on pipes; it prints what it failed with. */
static pid_t exec_begins(void)
{
	int i[2], o[2], e[2];
	pid_t pid;

	cr_assert(pipe2(i, O_CLOEXEC) == 0 && pipe2(o, O_CLOEXEC) == 0 && pipe2(e, O_CLOEXEC) == 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		struct vmrun v = {.exit_code = 255};
		struct err err = {0};

		dup2(i[0], 0);
		dup2(o[1], 1);
		dup2(e[1], 2);
		for (unsigned int n = 0; n < 2; n++) {
			close(i[n]);
			close(o[n]);
			close(e[n]);
		}
		if (exec_session(&v, &job, &err) < 0)
			dprintf(2, "%s\n", err.msg);
		_exit(v.exit_code);
	}
	close(i[0]);
	close(o[1]);
	close(e[1]);
	in = i[1];
	out = o[0];
	errors = e[0];
	return pid;
}

static bool comes(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, WAIT_MS) == 1;
}

/* Its request arrives */
static struct request asked(void)
{
	struct request q;

	cr_assert(comes(listener));
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	cr_assert(comes(peer));
	cr_assert_eq(fd_recv(peer, &q, sizeof(q), file, &nr_files), sizeof(q));
	cr_assert_eq(q.op, REQUEST_EXEC);
	return q;
}

static struct request told(enum request_op op)
{
	struct request q = {0};

	while (q.op != op) {
		cr_assert(comes(peer), "no request %d", op);
		cr_assert_eq(recv(peer, &q, sizeof(q), 0), sizeof(q));
	}
	return q;
}

static void say(uint32_t code, uint64_t value, const char *text)
{
	struct reply r = {.code = code, .value = {value}};

	strncpy(r.text, text, sizeof(r.text) - 1);
	cr_assert_eq(send(peer, &r, sizeof(r), MSG_NOSIGNAL), sizeof(r));
}

static int status_of(pid_t pid)
{
	int status = 0;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static const char *text_of(int fd)
{
	static char text[4096];
	ssize_t n, at = 0;

	while ((n = read(fd, text + at, sizeof(text) - 1 - (size_t)at)) > 0)
		at += n;
	text[at] = '\0';
	return text;
}

static void close_files(void)
{
	for (unsigned int i = 0; i < nr_files; i++)
		close(file[i]);
	nr_files = 0;
}

Test(exec_session, ends_with_the_status_of_its_program)
{
	const pid_t pid = exec_begins();

	cr_expect_eq(asked().arg, 0);
	cr_assert_eq(nr_files, 4);
	say(0, 0, "");
	cr_assert_eq(write(file[2], "output", 6), 6);
	cr_assert_eq(write(file[3], "errors", 6), 6);
	close_files();
	/* Nobody else holds them: their readers see the end of the file while exec lives. */
	cr_expect_str_eq(text_of(out), "output");
	cr_expect_str_eq(text_of(errors), "errors");
	cr_expect_lt(write(in, "x", 1), 0, "and their writers that there is no reader");
	say(0, 7, "");
	cr_expect_eq(status_of(pid), 7);
}

Test(exec_session, passes_every_signal_on)
{
	const int some[] = {SIGTERM, SIGINT,  SIGHUP,  SIGQUIT, SIGUSR1,  SIGTSTP,
			    SIGTTOU, SIGALRM, SIGCONT, SIGSEGV, SIGRTMIN, SIGRTMAX};
	const pid_t pid = exec_begins();

	asked();
	say(0, 0, "");
	close_files();
	text_of(out); /* its end comes after the start was heard */
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		kill(pid, some[i]);
		cr_expect_eq(told(REQUEST_SIGNAL).arg, some[i]);
	}
	say(0, 128 + SIGTERM, "");
	cr_expect_eq(status_of(pid), 143);
}

/* The supervisor has no program yet that it could give them to. */
Test(exec_session, keeps_signals_until_the_program_runs)
{
	const pid_t pid = exec_begins();

	asked();
	kill(pid, SIGUSR1);
	kill(pid, SIGRTMAX);
	say(0, 0, "");
	cr_expect_eq(told(REQUEST_SIGNAL).arg, SIGUSR1);
	cr_expect_eq(told(REQUEST_SIGNAL).arg, SIGRTMAX);
	say(0, 5, "");
	cr_expect_eq(status_of(pid), 5);
}

Test(exec_session, fails_as_its_program_does)
{
	const pid_t pid = exec_begins();

	asked();
	close_files();
	say(ENOENT, 127, "exec: \"x\": executable file not found in $PATH");
	cr_expect_eq(status_of(pid), 127);
	cr_expect_str_eq(text_of(errors), "exec: \"x\": executable file not found in $PATH\n");
}

Test(exec_session, is_given_up_before_the_program_runs)
{
	const pid_t pid = exec_begins();

	asked();
	kill(pid, SIGINT);
	cr_expect_eq(status_of(pid), 130);
	cr_expect(comes(peer) && recv(peer, &(char){0}, 1, 0) == 0, "the connection ends");
}

Test(exec_session, ends_with_its_container)
{
	const pid_t pid = exec_begins();

	asked();
	say(0, 0, "");
	close(peer);
	cr_expect_eq(status_of(pid), 137);
}

static pid_t pid_written(void)
{
	char text[32] = "";
	int fd = open(pid_path, O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_gt(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	return (pid_t)atoi(text);
}

static unsigned int files_of(pid_t pid)
{
	char path[64];
	unsigned int nr = 0;

	for (int fd = 0; fd < 256; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		nr += faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	}
	return nr;
}

Test(exec_session, detached_leaves_a_process_that_stands_for_the_program)
{
	int leak = fcntl(dir, F_DUPFD, 100); /* inherited, as conmon's pipes are */
	pid_t pid, stays;

	job.detach = true;
	job.pid_file = pid_path;
	pid = exec_begins();
	close(leak);
	asked();
	close_files();
	say(0, 0, "");
	cr_assert_eq(status_of(pid), 0, "exec returns when the program runs");
	stays = pid_written();
	cr_assert(stays != pid && kill(stays, 0) == 0);
	cr_expect_str_eq(text_of(out), "", "it holds no stream");
	/* It closes the rest when exec has returned, perhaps. */
	for (unsigned int i = 0; i < WAIT_MS && files_of(stays) != 5; i++)
		usleep(1000);
	cr_expect_eq(files_of(stays), 5, "null three times, the connection, its signals");
	cr_expect_eq(getsid(stays), stays);
	kill(stays, SIGUSR2);
	cr_expect_eq(told(REQUEST_SIGNAL).arg, SIGUSR2);
	say(0, 3, "");
	cr_expect_eq(status_of(stays), 3, "and ends with its status, as the caller's child");
}

Test(exec_session, detached_that_cannot_say_its_pid_leaves_nothing)
{
	pid_t pid;

	job.detach = true;
	job.pid_file = "/no/such/directory/pid";
	pid = exec_begins();
	asked();
	close_files();
	say(0, 0, "");
	cr_expect_eq(status_of(pid), 255);
	cr_expect(comes(peer) && recv(peer, &(char){0}, 1, 0) == 0, "the connection ends");
}

/* The master, as conmon gets it */
static int console_master(int sock)
{
	int fds[FDIO_FDS_MAX], conn;
	unsigned int nr;
	char name[64];

	cr_assert(comes(sock));
	conn = accept4(sock, NULL, NULL, SOCK_CLOEXEC);
	cr_assert(comes(conn));
	cr_assert_gt(fd_recv(conn, name, sizeof(name), fds, &nr), 0);
	cr_assert_eq(nr, 1);
	close(conn);
	return fds[0];
}

Test(exec_session, detached_with_a_terminal)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	const struct winsize size = {.ws_col = 100, .ws_row = 50};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), master;
	struct winsize first;
	char byte = 0;
	pid_t pid;

	strcpy(sun.sun_path, console_path);
	cr_assert(bind(sock, (struct sockaddr *)&sun, sizeof(sun)) == 0 && listen(sock, 1) == 0);
	job = (struct exec_job){.dir = dir,
				.spec = job.spec,
				.terminal = true,
				.detach = true,
				.cols = 80,
				.rows = 24,
				.console_socket = console_path,
				.pid_file = pid_path};
	pid = exec_begins();
	master = console_master(sock);
	cr_expect_eq(asked().arg, REQUEST_EXEC_TERMINAL);
	cr_assert_eq(nr_files, 2);
	cr_assert(ioctl(file[1], TIOCGWINSZ, &first) == 0);
	cr_expect(first.ws_col == 80 && first.ws_row == 24);
	say(0, 0, "");
	cr_assert_eq(status_of(pid), 0);
	cr_expect_eq(told(REQUEST_SIZE).value, 80 << 16 | 24);
	cr_assert_eq(ioctl(master, TIOCSWINSZ, &size), 0);
	cr_expect_eq(told(REQUEST_SIZE).value, 100 << 16 | 50);
	cr_assert_eq(write(file[1], "\n", 1), 1);
	cr_expect(read(master, &byte, 1) == 1 && byte == '\n', "raw: no CR was added");
	close_files();
	close(master);
	cr_expect_eq(told(REQUEST_SIGNAL).arg, SIGHUP, "the user hung up");
	say(0, 129, "");
	cr_expect_eq(status_of(pid_written()), 129);
}

Test(exec_session, terminal_in_the_foreground)
{
	char byte = 0;
	pid_t pid;

	job.terminal = true;
	pid = exec_begins();
	cr_expect_eq(asked().arg, REQUEST_EXEC_TERMINAL);
	say(0, 0, "");
	cr_assert_eq(write(in, "k", 1), 1);
	cr_assert(comes(file[1]));
	cr_expect(read(file[1], &byte, 1) == 1 && byte == 'k');
	cr_assert_eq(write(file[1], "last words", 10), 10);
	close_files();
	say(0, 5, "");
	cr_expect_eq(status_of(pid), 5);
	cr_expect_str_eq(text_of(out), "last words");
}
