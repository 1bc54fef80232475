/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The terminal of a session, one of the container's own devpts
 */
#ifndef VMRUN_CMD_VMRUN_INIT_PTY_H
#define VMRUN_CMD_VMRUN_INIT_PTY_H

#include "devices/core/agent_spec.h"
#include "devices/core/base.h"

/**
 * pty_open() - Make a terminal
 * @root:	The container's root. Its /dev/pts/ptmx must be what it should be
 * @p:		Size and owner
 *
 * With the guest's own /proc. Return: the master's fd, or -errno
 */
MUST_CHECK int pty_open(int root, const struct agent_process *p, int *ret_slave);

/** pty_console() - Make the terminal the container's /dev/console, before the root is entered. Return: 0 or -errno */
MUST_CHECK int pty_console(int root, int slave);

/** pty_resize() - Return: 0 or -errno */
MUST_CHECK int pty_resize(int master, uint16_t rows, uint16_t cols);

/** pty_take() - Make it the terminal that controls this process, a session leader, and its fds 0 to 2. Return: 0 or -errno */
MUST_CHECK int pty_take(int slave);

#endif
