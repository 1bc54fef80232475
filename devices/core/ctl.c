/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/ctl.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fdio.h"
#include "devices/core/fmt.h"

int ctl_send(int control, enum ctl_type type, uint32_t code, uint64_t arg, const char *text)
{
	struct ctl_msg m = {.type = type, .code = code, .arg = arg};

	fmt_into(m.text, sizeof(m.text), "%s", text ? text : "");
	return fd_send(control, &m, sizeof(m), NULL, 0);
}

int ctl_recv(int control, struct ctl_msg *ret)
{
	struct ctl_msg m;
	ssize_t n = fd_recv_plain(control, &m, sizeof(m));

	if (n < 0)
		return n == -EPIPE || n == -ECONNRESET ? 0 : (int)n;
	if (n != sizeof(m) || m.type == 0 || m.type >= CTL_TYPES ||
	    strnlen(m.text, sizeof(m.text)) == sizeof(m.text))
		return -EPROTO;
	*ret = m;
	return 1;
}
