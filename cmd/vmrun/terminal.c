/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#define KEY_ESCAPE 0x01 /* Ctrl-A */
#define KEY_QUIT   'x'
#define KEY_LEAVE  'd'

int terminal_open(struct terminal *t, struct err *err)
{
	int fd[2];

	*t = (struct terminal){.rd = -1, .wr = -1};
	if (!isatty(STDIN_FILENO))
		return 0;
	if (pipe2(fd, O_CLOEXEC) < 0)
		return err_set(err, errno, "terminal");
	t->used = true;
	t->rd = fd[0];
	t->wr = fd[1];
	/* Keys that the guest does not take are lost rather than waited for. */
	if (fcntl(t->wr, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, errno, "terminal");
	return 0;
}

/* A terminal of another session has no foreground here: use it. */
static bool terminal_in_foreground(void)
{
	const pid_t group = tcgetpgrp(STDIN_FILENO);

	return group < 0 || group == getpgrp();
}

void terminal_take(struct terminal *t)
{
	struct termios raw;

	if (!t->used)
		return;
	/* Should the foreground change between question and use: an error instead of a stop. */
	(void)signal(SIGTTIN, SIG_IGN);
	/* The shell had it if we were stopped or in the background: it is as the shell left it. */
	if (!terminal_in_foreground() || (!t->raw && tcgetattr(STDIN_FILENO, &t->before) < 0)) {
		t->raw = false;
		return;
	}
	raw = t->before;
	cfmakeraw(&raw);
	raw.c_oflag = t->before.c_oflag; /* a guest's bare newline still begins a line */
	t->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void terminal_give_back(struct terminal *t)
{
	if (t->raw && terminal_in_foreground())
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
	t->raw = false;
}

/* What the key after Ctrl-A means */
static enum terminal_wish terminal_wish_of(char key)
{
	return key == KEY_QUIT ? TERMINAL_QUIT : key == KEY_LEAVE ? TERMINAL_LEAVE : TERMINAL_STAY;
}

enum terminal_wish terminal_read(struct terminal *t)
{
	char in[TERMINAL_KEYS / 2];
	const ssize_t n = read(STDIN_FILENO, in, sizeof(in));

	t->nr_keys = 0;
	if (n < 0 && (errno == EINTR || errno == EAGAIN || !terminal_in_foreground()))
		return TERMINAL_STAY;
	if (n <= 0)
		return TERMINAL_GONE;
	for (ssize_t i = 0; i < n; i++) {
		if (t->escaped && terminal_wish_of(in[i]) != TERMINAL_STAY)
			return terminal_wish_of(in[i]);
		if (in[i] == KEY_ESCAPE && !t->escaped) {
			t->escaped = true;
			continue;
		}
		if (t->escaped && in[i] != KEY_ESCAPE)
			t->keys[t->nr_keys++] = KEY_ESCAPE;
		t->escaped = false;
		t->keys[t->nr_keys++] = in[i];
	}
	return TERMINAL_STAY;
}

enum terminal_wish terminal_pump(struct terminal *t)
{
	const enum terminal_wish wish = terminal_read(t);

	if (wish == TERMINAL_STAY && t->nr_keys > 0 && write(t->wr, t->keys, t->nr_keys) < 0 &&
	    errno != EAGAIN && errno != EPIPE)
		return TERMINAL_GONE;
	return wish;
}

void terminal_close(struct terminal *t)
{
	terminal_give_back(t);
	cleanup_close_fd(&t->rd);
	cleanup_close_fd(&t->wr);
	*t = (struct terminal){.rd = -1, .wr = -1};
}
