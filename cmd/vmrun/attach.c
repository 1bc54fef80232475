/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "devices/core/fdio.h"

#define ATTACH_BYTES 65536

int attach_open(struct attach *a, int *ret_fd, struct err *err)
{
	int sv[2];

	*a = (struct attach){.sock = -1, .terminal = {.rd = -1, .wr = -1}};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
		return err_set(err, errno, "socket to the console");
	a->sock = sv[0];
	*ret_fd = sv[1];
	a->on_terminal = a->terminal.used = isatty(STDIN_FILENO);
	if (fcntl(a->sock, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, errno, "socket to the console");
	return 0;
}

static bool attach_has_keys(const struct attach *a)
{
	return a->at < a->terminal.nr_keys;
}

void attach_poll(const struct attach *a, struct pollfd p[ATTACH_SLOTS])
{
	const bool reads = !a->input_ended && !attach_has_keys(a) &&
			   (!a->on_terminal || a->terminal.raw);

	p[ATTACH_STDIN] = (struct pollfd){.fd = reads ? STDIN_FILENO : -1, .events = POLLIN};
	p[ATTACH_SOCK] = (struct pollfd){
		.fd = a->sock,
		.events = (short)(POLLIN | (attach_has_keys(a) ? POLLOUT : 0)),
	};
}

/* Input that is no terminal's has no keys with a meaning */
static enum terminal_wish attach_read_plain(struct attach *a)
{
	const ssize_t n = read(STDIN_FILENO, a->terminal.keys, sizeof(a->terminal.keys));

	a->terminal.nr_keys = n > 0 ? (size_t)n : 0;
	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
		a->input_ended = true;
		(void)shutdown(a->sock, SHUT_WR);
	}
	return TERMINAL_STAY;
}

static void attach_pass_keys_on(struct attach *a)
{
	ssize_t n;

	if (!attach_has_keys(a))
		return;
	n = send(a->sock, a->terminal.keys + a->at, a->terminal.nr_keys - a->at, MSG_NOSIGNAL);
	if (n > 0)
		a->at += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		a->at = a->terminal.nr_keys; /* reading will tell that the device is gone */
}

/* False at the end, or when standard output fails */
static bool attach_show(const struct attach *a)
{
	static char buf[ATTACH_BYTES];
	const ssize_t n = recv(a->sock, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	return n > 0 && fd_write_full(STDOUT_FILENO, buf, (size_t)n) == 0;
}

enum terminal_wish attach_serve(struct attach *a, const struct pollfd p[ATTACH_SLOTS])
{
	enum terminal_wish wish = TERMINAL_STAY;

	if (p[ATTACH_STDIN].fd >= 0 && p[ATTACH_STDIN].revents) {
		a->at = 0;
		wish = a->on_terminal ? terminal_read(&a->terminal) : attach_read_plain(a);
	}
	attach_pass_keys_on(a);
	if (p[ATTACH_SOCK].revents & (POLLIN | POLLHUP | POLLERR) && !attach_show(a))
		return TERMINAL_GONE;
	return wish;
}

void attach_finish(struct attach *a)
{
	struct pollfd p = {.fd = a->sock, .events = POLLIN};

	while (a->sock >= 0 && poll(&p, 1, 0) == 1 && attach_show(a))
		;
}

uint64_t attach_size(void)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row)
		return 0;
	return (uint64_t)size.ws_col << 16 | size.ws_row;
}

void attach_close(struct attach *a)
{
	terminal_close(&a->terminal);
	cleanup_close_fd(&a->sock);
	a->sock = -1;
}
