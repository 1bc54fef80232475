/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A pseudo terminal of the host's, at whose slave a guest is
 */
#ifndef VMRUN_CMD_VMRUN_PTY_H
#define VMRUN_CMD_VMRUN_PTY_H

#include "devices/core/base.h"
#include "devices/core/err.h"

/** struct pty - Both ends, -1: closed; pty_close() is safe on those */
struct pty {
	int master, slave;
};

#define PTY_NONE                                                                                   \
	{                                                                                          \
		-1, -1                                                                             \
	}

/**
 * pty_open() - Make one, raw: the guest's end has a line discipline of its own
 * @cols, @rows: Its size; 0: as the kernel makes it
 */
MUST_CHECK int pty_open(uint16_t cols, uint16_t rows, struct pty *ret, struct err *err);

/**
 * pty_send() - Send the master to the listener on a console socket, as runc does, and close it
 *
 * Does not wait for a listener whose queue is full, nor for one that accepts later.
 */
MUST_CHECK int pty_send(struct pty *p, const char *socket_path, struct err *err);

void pty_close(struct pty *p);
#define cleanup_pty __attribute__((cleanup(pty_close)))

#endif
