/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

#include "devices/core/fdio.h"
#include "runtime/util/device_file.h"
#include "runtime/util/unix_path.h"

static const char pty_name[] = "/dev/ptmx";

int pty_open(uint16_t cols, uint16_t rows, struct pty *ret, struct err *err)
{
	const struct winsize size = {.ws_row = rows, .ws_col = cols};
	cleanup_pty struct pty p = PTY_NONE;
	struct termios t;
	int unlock = 0;

	p.master = device_file_open(AT_FDCWD, pty_name, O_RDWR);
	if (p.master < 0)
		return err_set(err, -p.master, "console");
	if (ioctl(p.master, TIOCSPTLCK, &unlock) < 0)
		return err_set(err, errno, "console");
	p.slave = ioctl(p.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (p.slave < 0 || tcgetattr(p.slave, &t) < 0)
		return err_set(err, errno, "console");
	if (cols && rows && ioctl(p.slave, TIOCSWINSZ, &size) < 0)
		return err_set(err, errno, "console");
	/* The guest has a line discipline of its own: one is enough. */
	cfmakeraw(&t);
	/* A device waits for no terminal. */
	if (tcsetattr(p.slave, TCSANOW, &t) < 0 || fcntl(p.slave, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, errno, "console");
	ret->master = TAKE_FD(p.master);
	ret->slave = TAKE_FD(p.slave);
	return 0;
}

int pty_send(struct pty *p, const char *socket_path, struct err *err)
{
	cleanup_fd int sock = unix_connect(socket_path, SOCK_STREAM, 0);
	int rc = sock < 0 ? sock : fd_send(sock, pty_name, sizeof(pty_name) - 1, &p->master, 1);

	if (rc < 0)
		return err_set(err, -rc, "console socket %s", socket_path);
	cleanup_close_fd(&p->master);
	p->master = -1;
	return 0;
}

void pty_close(struct pty *p)
{
	cleanup_close_fd(&p->master);
	cleanup_close_fd(&p->slave);
	p->master = p->slave = -1;
}
