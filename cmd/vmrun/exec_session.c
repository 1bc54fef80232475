/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/exec_session.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cmd/vmrun/pty.h"
#include "cmd/vmrun/relay.h"
#include "runtime/supervisor/client_exec.h"
#include "runtime/supervisor/pid_file.h"
#include "runtime/supervisor/signals.h"
#include "runtime/util/agent_words.h"
#include "runtime/util/clock.h"
#include "runtime/util/device_file.h"

#define START_MS  60000 /* the guest finds, opens and runs a program, perhaps on a slow disk */
#define NS_PER_MS 1000000ULL

/**
 * struct exec_session - A program, asked for
 * @pty:	Its terminal, as far as this process has its ends
 * @relay:	Between the terminal and the user's
 * @early:	Signals that came before the program runs, a bit each
 * @detached:	This is the process that stays
 */
struct exec_session {
	struct client_exec client;
	struct pty pty;
	struct relay relay;
	int signal_fd;
	uint64_t early;
	bool detached;
};

static void exec_session_done(struct exec_session *s)
{
	client_exec_done(&s->client);
	pty_close(&s->pty);
	relay_finish(&s->relay);
	signals_release(s->signal_fd);
}
#define cleanup_exec_session __attribute__((cleanup(exec_session_done)))

static int exec_session_catch_signals(struct exec_session *s, struct err *err)
{
	(void)signal(SIGPIPE, SIG_IGN);
	s->signal_fd = signals_catch_most(&(int){0}, err);
	return s->signal_fd < 0 ? s->signal_fd : 0;
}

/* ---- the terminal ---- */

static int exec_session_open_terminal(struct exec_session *s, const struct exec_job *job,
				      struct err *err)
{
	int rc = pty_open(job->cols, job->rows, &s->pty, err);

	if (rc < 0)
		return rc;
	if (job->console_socket)
		return pty_send(&s->pty, job->console_socket, err);
	return relay_open(&s->relay, TAKE_FD(s->pty.master), err);
}

static void exec_session_pass_size_on(struct exec_session *s)
{
	struct winsize size;
	uint16_t cols, rows;

	if (relay_resize(&s->relay, &cols, &rows))
		client_exec_size(&s->client, cols, rows);
	else if (s->pty.slave >= 0 && ioctl(s->pty.slave, TIOCGWINSZ, &size) == 0 && size.ws_col &&
		 size.ws_row)
		client_exec_size(&s->client, size.ws_col, size.ws_row);
}

/* ---- its life ---- */

static int exec_session_ask(struct exec_session *s, const struct exec_job *job, struct err *err)
{
	int files[REQUEST_FILES] = {job->spec, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
	int rc = job->terminal ? exec_session_open_terminal(s, job, err) : 0;

	if (rc < 0)
		return rc;
	if (job->terminal)
		files[REQUEST_FILE_TERMINAL] = s->pty.slave;
	return client_exec_begin(job->dir, files,
				 (job->terminal ? REQUEST_EXEC_TERMINAL : 0) |
					 (job->ignore_paused ? REQUEST_EXEC_PAUSED : 0),
				 &s->client, err);
}

/* True: the user does not want it any more, and it does not run yet */
static bool exec_session_pass_signal_on(struct exec_session *s)
{
	struct signalfd_siginfo info;
	int sig;

	if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
		return false;
	sig = (int)info.ssi_signo;
	if (sig == SIGWINCH) {
		exec_session_pass_size_on(s);
		return false;
	}
	if (sig == SIGCONT)
		terminal_take(&s->relay.terminal);
	if (s->client.started) {
		client_exec_signal(&s->client, sig);
		return false;
	}
	if (sig != SIGINT && sig != SIGTERM && sig != SIGQUIT && sig != SIGHUP) {
		s->early |= 1ULL << (sig - 1);
		return false;
	}
	s->client.status = 128 + sig;
	return true;
}

/* The guest knows no program to give them to before. */
static void exec_session_pass_early_on(const struct exec_session *s)
{
	for (int sig = 1; sig < NSIG; sig++)
		if (s->early >> (sig - 1) & 1)
			client_exec_signal(&s->client, sig);
}

enum exec_session_slot {
	EXEC_REPLY,
	EXEC_SIGNAL,
	EXEC_RELAY,
	EXEC_SLOTS = EXEC_RELAY + RELAY_SLOTS
};

/* Until it runs, or until it has ended */
static int exec_session_serve(struct exec_session *s, const bool *until, int timeout_ms,
			      struct err *err)
{
	const uint64_t end_ns = clock_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	struct pollfd p[EXEC_SLOTS];
	int rc = 0;

	while (rc == 0 && !*until) {
		if (timeout_ms > 0 && clock_ns() >= end_ns)
			return err_text(err, ETIMEDOUT, "the guest does not answer");
		p[EXEC_REPLY] = (struct pollfd){.fd = s->client.sock, .events = POLLIN};
		p[EXEC_SIGNAL] = (struct pollfd){.fd = s->signal_fd, .events = POLLIN};
		relay_poll(&s->relay, &p[EXEC_RELAY]);
		if (poll(p, EXEC_SLOTS, timeout_ms > 0 ? timeout_ms : -1) < 0)
			continue;
		if (p[EXEC_SIGNAL].revents && exec_session_pass_signal_on(s))
			return err_text(err, EINTR, "interrupted");
		relay_serve(&s->relay, &p[EXEC_RELAY]);
		if (p[EXEC_REPLY].revents)
			rc = client_exec_hear(&s->client, NULL, err);
	}
	return rc;
}

/* The program has the caller's files now. Others that held them would keep their readers waiting. */
static void exec_session_let_go_of_stdio(void)
{
	const int null = device_file_null();

	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
}

/* ---- detached ---- */

/* Of all files only those that the session needs: conmon waits until its pipes are closed. */
static void exec_session_keep_own_files(struct exec_session *s)
{
	int *const own[] = {&s->client.sock, &s->signal_fd, &s->pty.slave};
	unsigned int next = STDERR_FILENO + 1;

	/* First out of the way, then in order */
	for (unsigned int i = 0; i < ARRAY_SIZE(own); i++)
		if (*own[i] >= 0)
			*own[i] = fcntl(*own[i], F_DUPFD_CLOEXEC,
					STDERR_FILENO + 1 + (int)ARRAY_SIZE(own));
	for (unsigned int i = 0; i < ARRAY_SIZE(own); i++)
		if (*own[i] >= 0)
			*own[i] = dup3(*own[i], (int)next++, O_CLOEXEC);
	(void)syscall(SYS_close_range, next, ~0U, 0);
}

static NORETURN void exec_session_stay(struct exec_session *s)
{
	struct err ignored;

	s->detached = true;
	(void)setsid();
	(void)prctl(PR_SET_NAME, "vmrun-exec", 0, 0, 0);
	exec_session_let_go_of_stdio();
	exec_session_keep_own_files(s);
	(void)!chdir("/");
	/* As its session's leader this process hears of each new size; the first may have come before. */
	if (s->pty.slave >= 0) {
		(void)ioctl(s->pty.slave, TIOCSCTTY, 0);
		exec_session_pass_size_on(s);
	}
	(void)!exec_session_serve(s, &s->client.ended, 0, &ignored);
	_exit(s->client.status);
}

static int exec_session_detach(struct exec_session *s, struct vmrun *v, const struct exec_job *job,
			       struct err *err)
{
	const pid_t pid = fork();
	int rc;

	if (pid < 0)
		return err_set(err, errno, "fork");
	if (pid == 0)
		exec_session_stay(s);
	rc = job->pid_file ? pid_file_write(job->pid_file, pid, err) : 0;
	if (rc < 0)
		(void)kill(pid, SIGKILL);
	else
		v->exit_code = 0;
	return rc;
}

static int exec_session_follow(struct exec_session *s, struct vmrun *v, const struct exec_job *job,
			       struct err *err)
{
	int rc = job->pid_file ? pid_file_write(job->pid_file, getpid(), err) : 0;

	if (rc < 0)
		return rc;
	if (!job->terminal)
		exec_session_let_go_of_stdio();
	exec_session_pass_size_on(s);
	rc = exec_session_serve(s, &s->client.ended, 0, err);
	relay_finish(&s->relay);
	v->exit_code = s->client.status;
	return rc;
}

/* The guest sends numbers; the description has the names that they stand for. */
static int exec_session_explain(const struct exec_session *s, const struct exec_job *job,
				struct err *err)
{
	struct stat st;
	void *spec;

	if (!s->client.failed.code || fstat(job->spec, &st) < 0)
		return -err->code;
	spec = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, job->spec, 0);
	if (spec == MAP_FAILED)
		return -err->code;
	agent_words(&s->client.failed, spec, (size_t)st.st_size, err);
	munmap(spec, (size_t)st.st_size);
	return -err->code;
}

int exec_session(struct vmrun *v, const struct exec_job *job, struct err *err)
{
	cleanup_exec_session struct exec_session s = {
		.client = {.sock = -1, .status = CLIENT_EXEC_FAILED},
		.pty = PTY_NONE,
		.relay = {.master = -1, .terminal = {.rd = -1, .wr = -1}},
		.signal_fd = -1,
	};
	int rc = exec_session_catch_signals(&s, err);

	if (rc == 0)
		rc = exec_session_ask(&s, job, err);
	if (rc == 0)
		rc = exec_session_serve(&s, &s.client.started, job->ignore_paused ? 0 : START_MS,
					err);
	if (rc < 0) {
		v->exit_code = s.client.status;
		return exec_session_explain(&s, job, err);
	}
	exec_session_pass_early_on(&s);
	if (job->detach)
		return exec_session_detach(&s, v, job, err);
	/* The slave is the program's; only its end closes the terminal. */
	cleanup_close_fd(&s.pty.slave);
	s.pty.slave = -1;
	return exec_session_follow(&s, v, job, err);
}
