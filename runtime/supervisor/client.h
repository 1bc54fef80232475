/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Asking a supervisor, by the control socket ROOT/ID/control
 *
 * AF_UNIX, SOCK_SEQPACKET: one struct request, any number of warnings, one struct reply. The kernel names the
 * client (SO_PEERCRED): the supervisor serves root and its own user. The state of a VM is not asked for here;
 * state.json has it, even after the supervisor's death.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_CLIENT_H
#define VMRUN_RUNTIME_SUPERVISOR_CLIENT_H

#include <sys/socket.h>
#include <sys/un.h>

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "runtime/util/warn.h"

#define REQUEST_MAGIC 0x6c746376 /* "vctl" */

enum request_op { REQUEST_START = 1, REQUEST_KILL, REQUEST_OPS };

/** struct request - @arg: for REQUEST_KILL the signal */
struct request {
	uint32_t magic;
	uint32_t op;
	uint32_t arg;
	uint32_t reserved;
};

#define REPLY_WARNING UINT32_MAX /* the code of a warning: more replies follow */

/** struct reply - @code: 0, an errno value or REPLY_WARNING; @text: terminated */
struct reply {
	uint32_t code;
	char text[ERR_MSG_BYTES];
};

/** client_address() - The address of the control socket in the state directory @dir: its length */
socklen_t client_address(int dir, struct sockaddr_un *ret);

/**
 * client_ask() - Send a request and wait for the reply
 * @dir:	State directory
 * @warn:	Receives warnings; may be NULL
 *
 * Return: 0, or the error the supervisor answered; -ESRCH when there is no supervisor, or it died meanwhile
 */
MUST_CHECK int client_ask(int dir, enum request_op op, uint32_t arg, const struct warn_to *warn,
			  struct err *err);

#endif
