/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "devices/core/fdio.h"

#define RELAY_BYTES 65536

int relay_open(struct relay *r, int master, struct err *err)
{
	*r = (struct relay){.master = master, .terminal = {.rd = -1, .wr = -1}};
	if (fcntl(master, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, errno, "terminal");
	r->terminal.used = isatty(STDIN_FILENO);
	terminal_take(&r->terminal);
	return 0;
}

void relay_poll(const struct relay *r, struct pollfd p[RELAY_SLOTS])
{
	const bool holds = r->at < r->nr;
	const bool reads = r->master >= 0 && !r->input_ended && !holds;

	p[RELAY_STDIN] = (struct pollfd){.fd = reads ? STDIN_FILENO : -1, .events = POLLIN};
	p[RELAY_MASTER] = (struct pollfd){.fd = r->master,
					  .events = (short)(POLLIN | (holds ? POLLOUT : 0))};
}

/* The end of the input is none of the terminal: a program that waits for it gets Ctrl-D from a user, if at all. */
static void relay_read_keys(struct relay *r)
{
	const ssize_t n = read(STDIN_FILENO, r->key, sizeof(r->key));

	r->at = 0;
	r->nr = n > 0 ? (size_t)n : 0;
	r->input_ended = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

static void relay_pass_keys_on(struct relay *r)
{
	const ssize_t n = r->at < r->nr ? write(r->master, r->key + r->at, r->nr - r->at) : 0;

	if (n > 0)
		r->at += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		r->at = r->nr; /* the other end is closed */
}

/* False when there is no more now, and for good when the other end is closed */
static bool relay_show(struct relay *r)
{
	static char buf[RELAY_BYTES];
	const ssize_t n = read(r->master, buf, sizeof(buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n > 0 && fd_write_full(STDOUT_FILENO, buf, (size_t)n) == 0)
		return true;
	cleanup_close_fd(&r->master);
	r->master = -1;
	return false;
}

void relay_serve(struct relay *r, const struct pollfd p[RELAY_SLOTS])
{
	if (p[RELAY_STDIN].fd >= 0 && p[RELAY_STDIN].revents)
		relay_read_keys(r);
	relay_pass_keys_on(r);
	if (p[RELAY_MASTER].fd >= 0 && p[RELAY_MASTER].revents & (POLLIN | POLLHUP | POLLERR))
		(void)relay_show(r);
}

bool relay_resize(const struct relay *r, uint16_t *ret_cols, uint16_t *ret_rows)
{
	struct winsize size;

	if (r->master < 0 || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col ||
	    !size.ws_row)
		return false;
	(void)ioctl(r->master, TIOCSWINSZ, &size);
	*ret_cols = size.ws_col;
	*ret_rows = size.ws_row;
	return true;
}

void relay_finish(struct relay *r)
{
	while (r->master >= 0 && relay_show(r))
		;
	terminal_give_back(&r->terminal);
	cleanup_close_fd(&r->master);
	r->master = -1;
}
