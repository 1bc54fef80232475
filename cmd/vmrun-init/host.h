/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The host, as vsock reaches it
 */
#ifndef VMRUN_CMD_VMRUN_INIT_HOST_H
#define VMRUN_CMD_VMRUN_INIT_HOST_H

#include "devices/core/err.h"

/** host_listen() - At AGENT_PORT, for the host's streams. Return: a socket or -errno */
MUST_CHECK int host_listen(struct err *err);

/** host_connect() - To AGENT_PORT of the host. Return: a socket or -errno */
MUST_CHECK int host_connect(struct err *err);

/** host_accept() - Take a stream. Return: a socket, with the host's port; -EACCES: it is not from the host; or -errno */
MUST_CHECK int host_accept(int listener, uint32_t *ret_port);

/** host_settle() - Wait until the host has had all that was sent to it, a second at most: it hangs up */
void host_settle(int control);

#endif
