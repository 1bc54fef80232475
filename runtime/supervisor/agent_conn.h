/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The control connection to the guest's process 1 (devices/core/agent_msg.h)
 *
 * The vsock device carries it, and has one end of a socket pair. A stream: records come in pieces, and are given out whole.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_AGENT_CONN_H
#define VMRUN_RUNTIME_SUPERVISOR_AGENT_CONN_H

#include <stddef.h>

#include "devices/core/agent_msg.h"
#include "devices/core/err.h"

/**
 * struct agent_conn - Our end of it
 * @fd:		-1: there is none
 * @got:	Bytes of @record that have come
 */
struct agent_conn {
	int fd;
	size_t got;
	struct agent_msg record;
};

/** agent_conn_open() - Make the pair; *@ret_fd is the device's end, the caller's. Neither end blocks */
MUST_CHECK int agent_conn_open(struct agent_conn *l, int *ret_fd, struct err *err);

/** agent_conn_close() - Safe to call twice */
void agent_conn_close(struct agent_conn *l);

/**
 * agent_conn_send() - Send a record, whole or not at all, without waiting
 *
 * Return: 0; -ENOTCONN without a connection; -EAGAIN when the guest does not read; else -errno
 */
MUST_CHECK int agent_conn_send(struct agent_conn *l, const struct agent_msg *m, struct err *err);

/**
 * agent_conn_recv() - The next record
 *
 * Return: 1; 0 at the end of the connection; -EAGAIN when none has come whole; else -errno
 */
MUST_CHECK int agent_conn_recv(struct agent_conn *l, struct agent_msg *ret);

#endif
