/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/ctl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "devices/core/fdio.h"
#include "devices/core/fmt.h"

int ctl_send(int control, enum ctl_type type, uint32_t code, uint64_t arg, const char *text)
{
	struct ctl_msg m = {.type = type, .code = code, .arg = arg};

	fmt_into(m.text, sizeof(m.text), "%s", text ? text : "");
	return fd_send(control, &m, sizeof(m), NULL, 0);
}

int ctl_send_whole(int control, const struct ctl_msg *m, int fd)
{
	return fd_send(control, m, sizeof(*m), &fd, fd >= 0 ? 1 : 0);
}

int ctl_answer(int control, struct ctl_msg *m, int rc, const struct err *err)
{
	m->type = CTL_DONE;
	m->code = (uint32_t)-rc;
	m->arg = 0;
	fmt_into(m->text, sizeof(m->text), "%s", rc < 0 ? err->msg : "");
	return fd_send(control, m, sizeof(*m), NULL, 0);
}

/* Judges a message of @n bytes, or the -errno in its place */
static int ctl_check(const struct ctl_msg *m, ssize_t n)
{
	if (n <= 0)
		return n == 0 || n == -EPIPE || n == -ECONNRESET ? 0 : (int)n;
	if (n != sizeof(*m) || m->type == 0 || m->type >= CTL_TYPES ||
	    strnlen(m->text, sizeof(m->text)) == sizeof(m->text))
		return -EPROTO;
	return 1;
}

int ctl_recv(int control, struct ctl_msg *ret)
{
	struct ctl_msg m;
	const int rc = ctl_check(&m, fd_recv_plain(control, &m, sizeof(m)));

	if (rc == 1)
		*ret = m;
	return rc;
}

int ctl_recv_fd(int control, struct ctl_msg *ret, int *ret_fd)
{
	int fds[FDIO_FDS_MAX];
	unsigned int nr = 0;
	struct ctl_msg m;
	int rc = ctl_check(&m, fd_recv(control, &m, sizeof(m), fds, &nr));

	if (rc == 1 && nr > 1)
		rc = -EPROTO;
	for (unsigned int i = 0; i < nr && rc != 1; i++)
		close(fds[i]);
	if (rc != 1)
		return rc;
	*ret = m;
	*ret_fd = nr == 1 ? fds[0] : -1;
	return 1;
}
